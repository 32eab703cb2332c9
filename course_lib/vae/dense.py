"""Variational autoencoders without convolutions: dense layers, and a linear one whose best solution is known exactly."""

from collections.abc import Sequence

import torch
from torch import nn

from course_lib.data.arguments import check_widths
from course_lib.vae.models import Variational
from course_lib.vae.networks import DenseDecoder, DenseEncoder


class MLPVAE(Variational):
    """Dense layers with ReLU. At 28 pixels, ``MLPVAE(20, 28, widths=(400,))`` is the network of PyTorch's `vae` example.

    Args:
        latent_size: numbers in z.
        size: height and width of the images.
        channels: 1 for grey, 3 for colour.
        widths: features of the encoder's hidden layers; the decoder has them backwards.
        classes: as in `VAE`.
        likelihood: as in `VAE`.
        sigma: as in `VAE`.
    """

    def __init__(
        self,
        latent_size: int = 20,
        size: int = 32,
        channels: int = 1,
        *,
        widths: Sequence[int] = (400,),
        classes: int = 0,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        widths = check_widths(widths)
        super().__init__(latent_size, size, channels, classes, likelihood, sigma, widths=widths)
        self.encoder = DenseEncoder(self.size, self.channels, widths, self.classes)
        self.make_heads(widths[-1])
        self.decoder = DenseDecoder(self.latent_size, self.size, self.channels, widths, self.classes)


class LinearVAE(Variational):
    """One matrix each way and one noise for all pixels: x = W z + b + sigma e. Probabilistic PCA, learned by the ELBO.

    The exact posterior of this model is Gaussian with a mean that is linear in x and a covariance that does not depend on x, so
    the encoder has that form; where the columns of W are orthogonal, the covariance is diagonal and the ELBO reaches log p(x).
    W then spans the first principal components, and sigma^2 is the mean variance of those left out. Source: Tipping and Bishop,
    Probabilistic Principal Component Analysis (1999); Lucas et al., Don't Blame the ELBO! (2019), section 4.

    Args:
        latent_size: numbers in z.
        size: height and width of the images.
        channels: 1 for grey, 3 for colour.
        likelihood: "learned-gaussian" is that of probabilistic PCA; the others as in `VAE`.
        sigma: standard deviation of the noise at the start.
    """

    def __init__(
        self,
        latent_size: int = 20,
        size: int = 32,
        channels: int = 1,
        *,
        likelihood: str = "learned-gaussian",
        sigma: float = 0.3,
    ) -> None:
        super().__init__(latent_size, size, channels, 0, likelihood, sigma)
        del self.config["classes"]  # no argument of this constructor
        pixels = self.channels * self.size * self.size
        self.mean = nn.Linear(pixels, self.latent_size)
        self.log_variance = nn.Parameter(torch.zeros(self.latent_size))
        self.decoder = nn.Linear(self.latent_size, pixels)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [N, C, H, W] -> mean of q(z|x) [N, Z], linear in x, and its log-variance [N, Z], the same for every image."""
        x = self.check_images(x, labels)
        return self.mean(x.flatten(1)), self.log_variance.expand(len(x), -1)

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> W z + b as [N, channels, size, size]."""
        z = self.check_latent(z, labels)
        return self.decoder(z).view(len(z), self.channels, self.size, self.size)
