"""Where everything is known: the model with a linear decoder, and the angles between spaces.

All is computed in float64. D is the number of pixels, Z that of latents, N that of images; images
are rows, [N, D].
"""

import math
from dataclasses import dataclass

import torch
from torch.distributions import MultivariateNormal, kl_divergence

from course_lib.vae.losses import gaussian_log_density


def principal_angles(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The angles between the spaces that the columns of a [D, K] and b [D, L] span.

    Radians, [min(K, L)], smallest first. Their cosines are the singular values of Qa^T Qb with
    orthonormal bases Qa and Qb. A small angle cannot be read from its cosine, which rounds to 1
    below 1e-8, so angles below 45 degrees come from their sines, the singular values of Qb - Qa
    Qa^T Qb. All zero: one subspace lies in the other; all pi/2: they are perpendicular.

    Source: Bjorck and Golub, Numerical methods for computing angles between linear subspaces
    (1973).

    Raises ValueError for matrices of different heights, or columns that depend on each other.
    """
    if a.dim() != 2 or b.dim() != 2 or len(a) != len(b) or 0 in (*a.shape, *b.shape):
        raise ValueError(f"a and b must be [D, K] and [D, L] with columns of one length, got {list(a.shape)}, {list(b.shape)}")
    basis_a, basis_b = _orthonormal(a, "a"), _orthonormal(b, "b")
    if basis_a.shape[1] < basis_b.shape[1]:
        basis_a, basis_b = basis_b, basis_a
    product = basis_a.mT @ basis_b
    cosines = torch.linalg.svdvals(product).clamp(max=1)  # largest first: smallest angle first
    sines = torch.linalg.svdvals(basis_b - basis_a @ product).clamp(max=1).flip(0)
    return torch.where(cosines.square() > 0.5, sines.asin(), cosines.acos())


@dataclass(frozen=True, eq=False)
class ProbabilisticPCA:
    """z ~ N(0, I), x = weight z + mean + noise: a linear decoder whose log p(x) is known.

    noise ~ N(0, variance I). x is a linear function of Gaussians, so it is Gaussian: N(mean, C)
    with C = weight weight^T + variance I. Turning the latents (weight R with R orthogonal) changes
    nothing in p(x).

    Source: Tipping and Bishop, Probabilistic principal component analysis (1999).

    Attributes:
        weight: float64 [D, Z].
        mean: float64 [D].
        variance: of the noise in each pixel, positive.
    """

    weight: torch.Tensor
    mean: torch.Tensor
    variance: float

    def __post_init__(self) -> None:
        # Frozen protects the reader; the constructor itself may still bring all to float64.
        object.__setattr__(self, "weight", self.weight.detach().double())
        object.__setattr__(self, "mean", self.mean.detach().double())

    @property
    def covariance(self) -> torch.Tensor:
        """C = weight weight^T + variance I, the covariance of x: [D, D]."""
        return self.weight @ self.weight.mT + self.variance * torch.eye(len(self.mean)).to(self.weight)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), exact, nats for each image: [N, D] -> [N].

        By Bayes' rule log p(x) = log p(x|z) + log p(z) - log p(z|x) at any z: here at the mean of
        the posterior. No matrix of D x D pixels is needed, and no difference of large numbers: for
        a small variance the other way, Woodbury's identity for C^-1, is one.
        """
        z, covariance = self.posterior(x)
        log_likelihood = gaussian_log_density(x.double(), self.mean + z @ self.weight.mT, math.log(self.variance)).sum(dim=1)
        log_prior = gaussian_log_density(z, 0.0, 0.0).sum(dim=1)
        return log_likelihood + log_prior + torch.logdet(2 * math.pi * covariance) / 2

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """p(z|x), exact: its means [N, Z], and its covariance [Z, Z], the same for all images.

        N(M^-1 weight^T (x - mean), variance M^-1) with M = weight^T weight + variance I. It is
        diagonal if the columns of weight are perpendicular, as those of the most likely model
        are. Source: Tipping and Bishop (1999), equation 6.
        """
        M = self.weight.mT @ self.weight + self.variance * torch.eye(self.weight.shape[1]).to(self.weight)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(M))
        return (_rows(x, len(self.mean)) - self.mean) @ self.weight @ inverse, self.variance * inverse

    def elbo(self, x: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
        """E_q[log p(x|z)] - KL(q || N(0, I)) for q = N(mean, covariance), nats: [N].

        x: [N, D]. mean: [N, Z]. covariance: [Z, Z] or [N, Z, Z], symmetric and positive definite
        (an encoder with a variance for each latent: its diagonal, `variances.diag_embed()`). At q =
        p(z|x) it equals log p(x). Raises ValueError otherwise.
        """
        x, mean, covariance = _rows(x, len(self.mean)), mean.double(), covariance.double()
        q = MultivariateNormal(mean, covariance, validate_args=True)
        prior = MultivariateNormal(torch.zeros_like(mean[0]), torch.eye(mean.shape[1]).to(mean))
        # E|x - mu - W z|^2 is the square at the mean of q, plus the variance that its spread
        # causes: trace(W V W^T).
        at_mean = gaussian_log_density(x, self.mean + mean @ self.weight.mT, math.log(self.variance)).sum(dim=1)
        spread = (self.weight.mT @ self.weight * covariance).sum(dim=(-2, -1))
        return at_mean - spread / (2 * self.variance) - kl_divergence(q, prior)

    def sample(self, count: int, rng: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [count, D] and the latents [count, Z] that drew them, drawn on the CPU."""
        D, Z = self.weight.shape
        z = torch.randn(count, Z, generator=rng, dtype=torch.float64, device="cpu").to(self.weight)
        noise = torch.randn(count, D, generator=rng, dtype=torch.float64, device="cpu").to(self.weight)
        return self.mean + z @ self.weight.mT + math.sqrt(self.variance) * noise, z


def _rows(x: torch.Tensor, pixels: int | None = None) -> torch.Tensor:
    """x in float64, if it is [N, D] (with D = pixels where that is given), and finite."""
    if x.dim() != 2 or pixels not in (None, x.shape[1]):
        raise ValueError(f"x must be rows, [N, {pixels or 'D'}], got the shape {list(x.shape)}: images.flatten(1) makes rows")
    if not x.isfinite().all():
        raise ValueError("a number in x is not finite (NaN or infinite): look at where the images come from")
    return x.double()


def _orthonormal(columns: torch.Tensor, name: str) -> torch.Tensor:
    """An orthonormal basis of the space that independent columns [D, K] span."""
    basis, R = torch.linalg.qr(columns.detach().double())
    if len(R) < R.shape[1] or not R.diagonal().abs().min() > 1e-12 * R.abs().max():
        raise ValueError(f"the columns of {name} depend on each other: they span fewer than {R.shape[1]} directions")
    return basis
