"""Where everything is known: principal components, and the latent-variable model with a linear decoder and Gaussian noise.

All is computed in float64. D is the number of pixels, Z that of latents, N that of images; images are rows, [N, D].
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course_lib.data.arguments import check_count


class PrincipalComponents(NamedTuple):
    """What `principal_components` returns.

    mean: float64 [D]. components: float64 [Z, D], orthonormal rows, the direction of the largest variance first. variances:
    float64 [Z], along each, divided by N. discarded: float64 scalar, the mean variance of the D - Z directions left out.
    """

    mean: torch.Tensor
    components: torch.Tensor
    variances: torch.Tensor
    discarded: torch.Tensor

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """Coordinates z = U (x - mean): [N, D] -> [N, Z]."""
        return (x.to(self.mean) - self.mean) @ self.components.mT

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """The points mean + U^T z of the subspace: [N, Z] -> [N, D]."""
        return self.mean + z.to(self.mean) @ self.components


def principal_components(x: torch.Tensor, latent_size: int) -> PrincipalComponents:
    """The Z-dimensional subspace with the smallest squared distance to images x [N, D], by singular value decomposition.

    With x - mean = A S U, the squares of the singular values S are N times the variances along the rows of U. The sign of a
    row is free: here its entry of the largest size is positive, so that every machine finds the same.

    Source: Eckart and Young, The approximation of one matrix by another of lower rank (1936).

    Raises ValueError for latent_size outside 1 to D - 1, fewer than latent_size + 1 images, or pixels that are not finite.
    """
    x, latent_size = _check_rows(x), check_count("latent_size", latent_size, "a subspace has at least one direction")
    N, D = x.shape
    if latent_size >= D:
        raise ValueError(f"latent_size is {latent_size} for {D} pixels: it must be smaller, or nothing is left out")
    if latent_size >= N:
        raise ValueError(f"{N} images span at most {N - 1} directions, and latent_size is {latent_size}: give more images")
    mean = x.mean(dim=0)
    _, singular, rows = torch.linalg.svd(x - mean, full_matrices=False)
    variances = singular.square() / N
    components = rows[:latent_size]
    largest = components.gather(1, components.abs().argmax(dim=1, keepdim=True))
    # Where N < D the remaining variances are zeros that the decomposition does not list: divide by D - Z, not by their number.
    discarded = variances[latent_size:].sum() / (D - latent_size)
    return PrincipalComponents(mean, components * largest.sign(), variances[:latent_size], discarded)


def principal_angles(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The angles between the subspaces that the columns of a [D, K] and b [D, L] span: radians, [min(K, L)], smallest first.

    Their cosines are the singular values of Qa^T Qb with orthonormal bases Qa and Qb. A small angle cannot be read from its
    cosine, which rounds to 1 below 1e-8, so angles below 45 degrees come from their sines, the singular values of Qb - Qa Qa^T
    Qb. All zero: one subspace lies in the other; all pi/2: they are perpendicular.

    Source: Bjorck and Golub, Numerical methods for computing angles between linear subspaces (1973).

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
    """z ~ N(0, I), x = weight z + mean + noise, noise ~ N(0, variance I): a linear decoder whose log p(x) is known.

    x is a linear function of Gaussians, so it is Gaussian: N(mean, C) with C = weight weight^T + variance I. Turning the latents
    (weight R with R orthogonal) changes nothing in p(x).

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
        if self.weight.dim() != 2 or self.mean.shape != self.weight.shape[:1]:
            shapes = f"{list(self.weight.shape)} and {list(self.mean.shape)}"
            raise ValueError(f"weight and mean must be [D, Z] and [D], got {shapes}")
        if not self.variance > 0:
            raise ValueError(f"variance is {self.variance}: without noise the model has no density; give a positive number")
        # Frozen protects the reader; the constructor itself may still bring all to float64.
        object.__setattr__(self, "weight", self.weight.detach().double())
        object.__setattr__(self, "mean", self.mean.detach().double())

    @property
    def covariance(self) -> torch.Tensor:
        """C = weight weight^T + variance I, the covariance of x: [D, D]."""
        return self.weight @ self.weight.mT + self.variance * torch.eye(len(self.mean)).to(self.weight)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), exact, nats for each image: [N, D] -> [N].

        With M = weight^T weight + variance I, which is only Z x Z: C^-1 = (I - weight M^-1 weight^T) / variance (Woodbury's
        identity) and det C = variance^(D - Z) det M, so no matrix of D x D pixels is needed. With z the mean of the posterior,
        c^T C^-1 c for c = x - mean is |c - weight z|^2 / variance + |z|^2: a sum, where Woodbury's identity is a difference of
        numbers that are nearly equal for a small variance.
        """
        centred = _check_rows(x, len(self.mean)) - self.mean
        D, Z = self.weight.shape
        factor = torch.linalg.cholesky(self._inner())
        z = centred @ self.weight @ torch.cholesky_inverse(factor)
        distance = (centred - z @ self.weight.mT).square().sum(dim=1) / self.variance + z.square().sum(dim=1)
        log_det = (D - Z) * math.log(self.variance) + 2 * factor.diagonal().log().sum()
        return -(D * math.log(2 * math.pi) + log_det + distance) / 2

    def posterior(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """p(z|x) = N(M^-1 weight^T (x - mean), variance M^-1), exact: its means [N, Z] and its covariance [Z, Z].

        The covariance is the same for all images. It is diagonal if the columns of weight are perpendicular, as those of
        `fit_probabilistic_pca` are. Source: Tipping and Bishop (1999), equation 6.
        """
        centred = _check_rows(x, len(self.mean)) - self.mean
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(self._inner()))
        return centred @ self.weight @ inverse, self.variance * inverse

    def elbo(self, x: torch.Tensor, mean: torch.Tensor, covariance: torch.Tensor) -> torch.Tensor:
        """E_q[log p(x|z)] - KL(q || N(0, I)) for q = N(mean, covariance), in closed form, nats for each image: [N].

        x: [N, D]. mean: [N, Z]. covariance: [Z, Z] or [N, Z, Z], symmetric and positive definite (an encoder with a variance for
        each latent: its diagonal, `variances.diag_embed()`). At q = p(z|x) it equals log p(x). Raises ValueError otherwise.
        """
        x, mean, covariance = _check_rows(x, len(self.mean)), mean.double(), covariance.double()
        D, Z = self.weight.shape
        if mean.shape != (len(x), Z) or covariance.shape not in ((Z, Z), (len(x), Z, Z)):
            wanted = f"[{len(x)}, {Z}] and [{Z}, {Z}] or [{len(x)}, {Z}, {Z}]"
            raise ValueError(f"mean and covariance must be {wanted}, got {list(mean.shape)} and {list(covariance.shape)}")
        factor, failed = torch.linalg.cholesky_ex(covariance)
        if failed.any() or not torch.allclose(covariance, covariance.mT):
            raise ValueError("covariance must be symmetric and positive definite: variances, not their logarithms")
        # E|x - mu - W z|^2 is the square at the mean of q, plus the variance that its spread causes: trace(W V W^T).
        spread = (self.weight.mT @ self.weight * covariance).sum(dim=(-2, -1))
        square = (x - self.mean - mean @ self.weight.mT).square().sum(dim=1) + spread
        reconstruction = -(D * math.log(2 * math.pi * self.variance) + square / self.variance) / 2
        log_det = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1)
        trace = covariance.diagonal(dim1=-2, dim2=-1).sum(dim=-1)
        return reconstruction - (trace + mean.square().sum(dim=1) - Z - log_det) / 2

    def sample(self, count: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Images [count, D] and the latents [count, Z] that drew them. Drawn on the CPU: the same on every device."""
        D, Z = self.weight.shape
        z = torch.randn(count, Z, generator=generator, dtype=torch.float64, device="cpu").to(self.weight)
        noise = torch.randn(count, D, generator=generator, dtype=torch.float64, device="cpu").to(self.weight)
        return self.mean + z @ self.weight.mT + math.sqrt(self.variance) * noise, z

    def _inner(self) -> torch.Tensor:
        """M = weight^T weight + variance I: [Z, Z]."""
        return self.weight.mT @ self.weight + self.variance * torch.eye(self.weight.shape[1]).to(self.weight)


def fit_probabilistic_pca(x: torch.Tensor, latent_size: int) -> ProbabilisticPCA:
    """The probabilistic PCA under which images x [N, D] are most likely, in closed form.

    The noise takes the mean variance of the discarded directions, and the columns of the weight are the principal components,
    each with length sqrt(its variance - that of the noise), since noise adds the rest. They are perpendicular: of all solutions
    weight R this is the one whose posterior has a diagonal covariance.

    Source: Tipping and Bishop (1999), equations 7 and 8. Raises ValueError as `principal_components`, and where no variance is
    left for the noise.
    """
    found = principal_components(x, latent_size)
    total = found.variances.sum() + found.discarded * (len(found.mean) - latent_size)
    if not found.discarded > 1e-14 * total:
        raise ValueError(
            f"the images lie in a subspace of {latent_size} directions: no variance is left for the noise, and the likelihood has"
            " no maximum; use a smaller latent_size, or give more images"
        )
    lengths = (found.variances - found.discarded).clamp(min=0).sqrt()
    return ProbabilisticPCA(found.components.mT * lengths, found.mean, found.discarded.item())


def _check_rows(x: torch.Tensor, pixels: int | None = None) -> torch.Tensor:
    """x in float64, if it is finite and [N, D] (with D = pixels where that is given)."""
    if x.dim() != 2 or 0 in x.shape or (pixels is not None and x.shape[1] != pixels):
        wanted = "[N, D]" if pixels is None else f"[N, {pixels}]"
        raise ValueError(f"x must be images as rows, {wanted}, got the shape {list(x.shape)}: images.flatten(1) makes rows")
    if not x.isfinite().all():
        raise ValueError("a pixel of x is not a finite number: look at the images")
    return x.double()


def _orthonormal(columns: torch.Tensor, name: str) -> torch.Tensor:
    """An orthonormal basis of the space that independent columns [D, K] span."""
    columns = columns.detach().double()
    values = torch.linalg.svdvals(columns)
    if columns.shape[1] > columns.shape[0] or not values[-1] > 1e-12 * values[0]:
        raise ValueError(f"the columns of {name} depend on each other: they span fewer than {columns.shape[1]} directions")
    return torch.linalg.qr(columns).Q
