"""Autoencoders of images, plain and variational. Each takes the size of its images.

`forward` returns what a training step asks for: the `Terms` of the bound. ``model.image(z)`` is
what is shown.

Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from course_lib.runtime.checks import check_condition, check_count, check_images, check_latent, check_widths
from course_lib.vae.likelihoods import make_likelihood
from course_lib.vae.losses import gaussian_kl
from course_lib.vae.networks import ConvDecoder, ConvEncoder, DenseDecoder, DenseEncoder


class Terms(NamedTuple):
    """What a model says of a batch, in nats: log p(x|z) [N], and the KL of every latent [N, Z].

    penalty: a scalar, what else the model wants to be small; 0 in all but the vector-quantised one.
    """

    log_likelihood: torch.Tensor
    kl: torch.Tensor
    penalty: torch.Tensor | float = 0.0


class VAE(nn.Module):
    """A variational autoencoder; with `classes` a conditional one.

    The encoder halves the image for each width and ends in features, from which two dense layers
    read the mean and the log-variance of q(z|x); the decoder goes the same way back. See
    `networks`.

    Args:
        channels: 1 for grey, 3 for colour.
        size: height and width of the images.
        latent_size: numbers in z.
        widths: channels after each halving.
        hidden: features next to z.
        classes: how many classes the labels have; 0 for a model without labels. With labels, q(z|x,
            y) and p(x|z, y) know the class, so that z is left with the style. Source: Kingma et
            al., Semi-Supervised Learning with Deep Generative Models (2014), model M2.
        likelihood: of the pixels: "bernoulli", "gaussian", "optimal-gaussian" or "logistic": see
            `likelihoods`.
        sigma: standard deviation of the pixels where the likelihood has one, in their unit.
        encoder: another network than the convolutional one, (x, labels) -> features [N, hidden].
        decoder: likewise, (z, labels) -> one number for each pixel, [N, channels, size, size].

    Attributes:
        config: the arguments of the constructor but for the two networks: ``VAE(**model.config)``
            builds a model with networks of its own again.
        metrics: what was measured of it, where `pretrained.load_vae` loaded it.

    Raises:
        ValueError: an argument out of range, or images too small for so many widths.
    """

    metrics: dict

    def __init__(
        self,
        channels: int,
        size: int,
        latent_size: int = 20,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        classes: int = 0,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
        encoder: nn.Module | None = None,
        decoder: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.config: dict[str, Any] = {"channels": channels, "size": size, "latent_size": check_count("latent_size", latent_size)}
        self.config.update(widths=check_widths(widths), hidden=hidden, classes=classes, likelihood=likelihood, sigma=sigma)
        self.channels, self.size, self.latent_size, self.classes = channels, size, latent_size, classes
        self.encoder = encoder or ConvEncoder(channels, size, widths=widths, hidden=hidden, classes=classes)
        self.mean = nn.Linear(hidden, latent_size)
        self.log_variance = nn.Linear(hidden, latent_size)
        self.decoder = decoder or ConvDecoder(channels, size, latent_size, widths=widths, hidden=hidden, classes=classes)
        self.likelihood = make_likelihood(likelihood, channels, sigma)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [N, C, H, W] in [0, 1] -> mean and log-variance of q(z|x), each [N, Z].

        The logarithm may be any number, and its exponential is positive: nothing has to keep the
        network from a variance below 0.
        """
        check_images(x, self.channels, self.size)
        check_condition(labels, len(x), self.classes)
        features = self.encoder(x, labels)
        return self.mean(features), self.log_variance(features)

    def reparameterise(self, mean: torch.Tensor, log_variance: torch.Tensor, eps: torch.Tensor | None = None) -> torch.Tensor:
        """z = mean + exp(log_variance / 2) eps, [N, Z]: a draw that gradients flow through.

        eps: standard normal [N, Z], for example ``model.noise(N, rng)``; by default drawn anew.
        Raises RuntimeError for another size: broadcast, all images would share one draw.
        """
        eps = torch.randn_like(mean) if eps is None else eps.view_as(mean)
        return mean + torch.exp(log_variance / 2) * eps

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] (and labels [N]) -> the numbers of p(x|z), [N, C, H, W]: logits, or means."""
        check_latent(z, self.latent_size)
        check_condition(labels, len(z), self.classes)
        return self.decoder(z, labels)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None, eps: torch.Tensor | None = None) -> Terms:
        """Images -> log p(x|z) at one drawn z, and KL(q(z|x) || p(z)) of each latent."""
        mean, log_variance = self.encode(x, labels)
        z = self.reparameterise(mean, log_variance, eps)
        log_likelihood = self.likelihood.log_prob(x, self.decode(z, labels))
        return Terms(log_likelihood, gaussian_kl(mean, log_variance))

    def image(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] (and labels [N]) -> the mean of p(x|z) as images in [0, 1]."""
        return self.likelihood.mean(self.decode(z, labels))

    def noise(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, drawn on the CPU: the same on every device."""
        return torch.randn(count, self.latent_size, generator=rng, dtype=torch.float32, device="cpu").to(self.mean.weight)


def mlp_vae(
    channels: int,
    size: int,
    latent_size: int = 20,
    *,
    widths: Sequence[int] = (400,),
    classes: int = 0,
    likelihood: str = "bernoulli",
    sigma: float = 0.1,
) -> VAE:
    """A `VAE` of dense layers; ``mlp_vae(1, 28, 20)`` is the network of PyTorch's `vae` example.

    widths: features of the encoder's hidden layers; the decoder has them backwards. The rest as in
    `VAE`.
    """
    widths = check_widths(widths)
    options: dict[str, Any] = {"classes": classes, "likelihood": likelihood, "sigma": sigma}
    encoder = DenseEncoder(channels * size * size, widths=widths, classes=classes)
    model = VAE(channels, size, latent_size, widths=widths, hidden=widths[-1], encoder=encoder, decoder=nn.Identity(), **options)
    # Drawn last, as in `VAE`: one seed gives one order of encoder, heads and decoder.
    model.decoder = DenseDecoder(channels, size, latent_size, widths=widths[::-1], classes=classes)
    return model


class Autoencoder(nn.Module):
    """Images to Z numbers and back, without any probability: it knows of no z to draw from.

    The arguments are those of `VAE`; the loss is the same log-likelihood, and nothing is asked of
    z.
    """

    classes = 0

    def __init__(
        self,
        channels: int,
        size: int,
        latent_size: int = 20,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        super().__init__()
        self.channels, self.size = channels, size
        self.latent_size = check_count("latent_size", latent_size)
        self.encoder = ConvEncoder(channels, size, widths=widths, hidden=hidden)
        self.code = nn.Linear(hidden, latent_size)
        self.decoder = ConvDecoder(channels, size, latent_size, widths=widths, hidden=hidden)
        self.likelihood = make_likelihood(likelihood, channels, sigma)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> z [N, Z]. labels are not used, here and below."""
        check_images(x, self.channels, self.size)
        return self.code(self.encoder(x))

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> the numbers of p(x|z), [N, C, H, W]: logits, or means."""
        check_latent(z, self.latent_size)
        return self.decoder(z)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None, eps: torch.Tensor | None = None) -> Terms:
        """Images -> log p(x|z) at their own z, and a KL of zeros. Nothing is drawn."""
        log_likelihood = self.likelihood.log_prob(x, self.decode(self.encode(x)))
        return Terms(log_likelihood, log_likelihood.new_zeros(len(x), self.latent_size))

    def image(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> images in [0, 1]."""
        return self.likelihood.mean(self.decode(z))

    def noise(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, drawn on the CPU: the same on every device."""
        return torch.randn(count, self.latent_size, generator=rng, dtype=torch.float32, device="cpu").to(self.code.weight)
