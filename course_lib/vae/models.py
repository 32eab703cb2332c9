"""Autoencoders of images, plain and variational. Each takes the size of its images and computes the rest.

All decode latent vectors [N, Z] to one number for each pixel, whose meaning `Pixels` knows; ``model.image(z)`` is what is shown.
`terms` is what a training step asks for: log p(x|z) of each image and the KL of each latent.

Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from course_lib.data.arguments import (
    check_condition,
    check_count,
    check_images,
    check_latent,
    check_range,
    check_widths,
)
from course_lib.vae.losses import gaussian_kl
from course_lib.vae.networks import ConvDecoder, ConvEncoder
from course_lib.vae.pixels import Pixels


class Terms(NamedTuple):
    """What a model says of a batch, in nats: log p(x|z) [N]; the KL of every latent [N, Z]; and a scalar `penalty`, what else the
    model wants to be small (0 in all but the vector-quantised one).
    """

    log_likelihood: torch.Tensor
    kl: torch.Tensor
    penalty: torch.Tensor | float = 0.0


class LatentModel(nn.Module):
    """What all models of the chapter share: sizes, decoding, noise, and what the decoder's numbers mean.

    A subclass brings `encoder` and `decoder`, (x or z, labels) -> tensor.

    Attributes:
        latent_size: numbers in z.
        classes: how many classes the labels have; 0 for a model without labels.
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.
        pixels: p(x|z) from the decoder's numbers, a `Pixels`.
    """

    def __init__(
        self, latent_size: int, size: int, channels: int, classes: int, likelihood: str, sigma: float, **options: object
    ) -> None:
        super().__init__()
        self.latent_size = check_count("latent_size", latent_size, "z needs at least one number")
        self.size = check_count("size", size, "an image has at least one pixel")
        self.channels = check_count("channels", channels, "1 is grey, 3 is colour")
        self.classes = check_count("classes", classes, "use 0 for a model without labels", least=0)
        self.config = {"latent_size": self.latent_size, "size": self.size, "channels": self.channels, "classes": self.classes}
        self.config |= {"likelihood": likelihood, "sigma": float(sigma), **options}
        self.pixels = Pixels(likelihood, sigma, self.channels)

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] (and labels [N]) -> the numbers of p(x|z), [N, channels, size, size]: logits, or means."""
        return self.decoder(self.check_latent(z, labels), labels)

    def image(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] (and labels [N]) -> the mean of p(x|z) as images in [0, 1]."""
        return self.pixels.image(self.decode(z, labels))

    def noise(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, on the model's device, drawn on the CPU: the same on every device."""
        z = torch.randn(count, self.latent_size, generator=generator, dtype=torch.float32, device="cpu")
        return z.to(next(self.parameters()))

    def check_images(self, x: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """x, if it is a batch of images for this model, with labels where it has classes. TypeError or ValueError otherwise.

        That values lie in [0, 1] and labels are classes is checked on the CPU only.
        """
        check_images(x, self.channels, self.size)
        self._check_dtype("x", x)
        check_range(x)
        check_condition(labels, len(x), self.classes)
        return x

    def check_latent(self, z: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """z as [N, Z], if it is a batch of latent vectors for this model: as in `check_images`."""
        z = check_latent(z, self.latent_size)
        self._check_dtype("z", z)
        check_condition(labels, len(z), self.classes)
        return z

    def _check_dtype(self, name: str, values: torch.Tensor) -> None:
        """Raise TypeError where the layers would refuse the type. Autocast takes all but float64."""
        dtype = next(self.parameters()).dtype
        if values.dtype != dtype and (values.dtype == torch.float64 or not torch.is_autocast_enabled(values.device.type)):
            raise TypeError(f"{name} is {values.dtype} and the model {dtype}: {name}.to({dtype}) fits it")


class Convolutional(LatentModel):
    """The networks of `Autoencoder` and `VAE`: widths that halve and double the side, with a dense layer on each side of z."""

    def __init__(
        self,
        latent_size: int = 20,
        size: int = 32,
        channels: int = 1,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        blocks: int = 0,
        batch_norm: bool = True,
        classes: int = 0,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        hidden = check_count("hidden", hidden, "a layer needs at least one feature")
        blocks = check_count("blocks", blocks, "use 0 for no residual blocks", least=0)
        options = {"widths": check_widths(widths), "hidden": hidden, "blocks": blocks, "batch_norm": bool(batch_norm)}
        super().__init__(latent_size, size, channels, classes, likelihood, sigma, **options)
        shared = {"size": self.size, "channels": self.channels, "classes": self.classes, **options}
        self.encoder = ConvEncoder(**shared)
        self.make_heads(hidden)
        self.decoder = ConvDecoder(self.latent_size, **shared)


class Autoencoder(Convolutional):
    """Images to Z numbers and back, without any probability over the numbers: it reconstructs, and knows of no z to draw from.

    The arguments are those of `VAE`.
    """

    def make_heads(self, features: int) -> None:
        """One dense layer from the encoder's features to z."""
        self.code = nn.Linear(features, self.latent_size)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] (and labels [N]) -> z [N, Z]."""
        return self.code(self.encoder(self.check_images(x, labels), labels))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> the numbers of p(x|z) at their own z, of the same shape."""
        return self.decode(self.encode(x, labels), labels)

    def terms(self, x: torch.Tensor, labels: torch.Tensor | None = None, noise: torch.Tensor | None = None) -> Terms:
        """log p(x|z) of each image, and a KL of zeros: nothing is asked of z. noise is not used."""
        log_likelihood = self.pixels.log_likelihood(x, self(x, labels))
        return Terms(log_likelihood, log_likelihood.new_zeros(len(x), self.latent_size))


class Variational(LatentModel):
    """The variational part: a Gaussian over z for each image, a draw from it that gradients pass through, and its KL.

    A subclass brings `encoder` and `decoder` and calls `make_heads`.
    """

    def make_heads(self, features: int) -> None:
        """Two dense layers from the encoder's features to mean and log-variance of q(z|x)."""
        self.mean = nn.Linear(features, self.latent_size)
        self.log_variance = nn.Linear(features, self.latent_size)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [N, C, H, W] in [0, 1] (and labels [N]) -> mean and log-variance of q(z|x), each [N, Z].

        The logarithm may be any number, and its exponential is positive: nothing has to keep the network from a variance below 0.
        """
        features = self.encoder(self.check_images(x, labels), labels)
        return self.mean(features), self.log_variance(features)

    def reparameterise(self, mean: torch.Tensor, log_variance: torch.Tensor, noise: torch.Tensor | None = None) -> torch.Tensor:
        """z = mean + exp(log_variance / 2) noise, [N, Z]: a draw from q(z|x) whose chance does not depend on the weights.

        noise: standard normal [N, Z], for example ``model.noise(N, generator)``; by default drawn from torch's global generator.
        Raises ValueError for any other shape: broadcast, all images would share one draw.
        """
        noise = torch.randn_like(mean) if noise is None else noise
        if noise.shape != mean.shape:
            way_out = "a number for each latent of each image, as model.noise(N) draws them"
            raise ValueError(f"noise has the shape {list(noise.shape)}: it must be {list(mean.shape)}, {way_out}")
        return mean + torch.exp(log_variance / 2) * noise

    def forward(
        self, x: torch.Tensor, labels: torch.Tensor | None = None, noise: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images -> (numbers of p(x|z) at a drawn z [N, C, H, W], mean [N, Z], log_variance [N, Z])."""
        mean, log_variance = self.encode(x, labels)
        return self.decode(self.reparameterise(mean, log_variance, noise), labels), mean, log_variance

    def terms(self, x: torch.Tensor, labels: torch.Tensor | None = None, noise: torch.Tensor | None = None) -> Terms:
        """log p(x|z) at one drawn z, and KL(q(z|x) || p(z)) of each latent in closed form."""
        parameters, mean, log_variance = self(x, labels, noise)
        return Terms(self.pixels.log_likelihood(x, parameters), gaussian_kl(mean, log_variance))


class VAE(Variational, Convolutional):
    """A convolutional variational autoencoder, and with `classes` a conditional one.

    Encoder: for each width a 3 x 3 convolution that halves the side, then a dense layer and the two heads. Decoder: two dense
    layers and transposed convolutions back to exactly the size of the images. See `networks`.

    Args:
        latent_size: numbers in z.
        size: height and width of the images.
        channels: 1 for grey, 3 for colour.
        widths: channels after each halving.
        hidden: features of the dense layers next to z.
        blocks: residual blocks at each side, in encoder and decoder: 1 or 2 with widths=(64, 128, 256) make a model for a GPU.
        batch_norm: normalise between the convolutions.
        classes: how many classes the labels have; 0 for a model without labels. With labels, q(z|x, y) and p(x|z, y) know the
            class, so that z is left with the style. Source: Kingma et al., Semi-Supervised Learning with Deep Generative Models
            (2014), model M2.
        likelihood: of the pixels: "bernoulli", "gaussian", "learned-gaussian", "optimal-gaussian" or "logistic": see `Pixels`.
        sigma: standard deviation of the pixels where the likelihood has one, in their unit.

    Raises:
        ValueError: an argument out of range, or images too small for so many widths.
    """
