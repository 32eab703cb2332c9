"""Data with known modes: Gaussians on a ring or a grid, and how many a generator has found."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course_lib.runtime.checks import check_count, check_rng


@dataclass(frozen=True, eq=False)
class Mixture:
    """Gaussians of equal weight and equal standard deviation, the same in all directions.

    Attributes:
        centres: float32 [K, D].
        std: standard deviation of each along each axis.
    """

    centres: torch.Tensor
    std: float

    def __post_init__(self) -> None:
        if self.centres.dim() != 2 or 0 in self.centres.shape or not self.std > 0:
            raise ValueError(
                f"centres must be points [K, D], and std positive, got {list(self.centres.shape)} and std={self.std}"
            )

    def sample(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """Points [count, D], on the centres' device. Drawn on the CPU: the same everywhere."""
        K, D = self.centres.shape
        mode = torch.randint(0, K, (count,), generator=rng, device="cpu").to(self.centres.device)
        eps = torch.randn(count, D, generator=rng, dtype=torch.float32, device="cpu")
        return self.centres[mode] + self.std * eps.to(self.centres)

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) at points [N, D]: float64 [N]."""
        K, D = self.centres.shape
        squares = (x.double()[:, None] - self.centres.double()).square().sum(dim=2) / self.std**2  # [N, K]
        return torch.logsumexp(-squares / 2, dim=1) - math.log(K) - D * math.log(self.std * math.sqrt(2 * math.pi))


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.05) -> Mixture:
    """Gaussians evenly on a circle around the origin, the first on the x axis."""
    angle = 2 * math.pi * torch.arange(check_count("modes", modes), dtype=torch.float64, device="cpu") / modes
    return Mixture((radius * torch.stack([angle.cos(), angle.sin()], dim=1)).float(), std)


def grid(side: int = 5, spacing: float = 1.0, std: float = 0.05) -> Mixture:
    """side x side Gaussians on a square grid, centred on the origin."""
    place = spacing * (torch.arange(check_count("side", side), dtype=torch.float32, device="cpu") - (side - 1) / 2)
    return Mixture(torch.cartesian_prod(place, place).view(-1, 2), std)


class Coverage(NamedTuple):
    """What `coverage` returns: modes found, share of good samples, good samples of each mode."""

    modes: int
    good: float
    counts: torch.Tensor  # int64 [K]


def coverage(samples: torch.Tensor, centres: torch.Tensor, std: float) -> Coverage:
    """How many modes were found, and how good the samples are.

    A sample is good if it lies within 3 standard deviations of the nearest centre, and a mode is
    hit if at least one good sample is nearest to it. Of the true distribution in the plane a share
    of 1 - exp(-9/2), 98.9 %, is good. Source: Srivastava et al., VEEGAN: Reducing Mode Collapse in
    GANs using Implicit Variational Learning (2017), the experiments on synthetic data.

    samples: [N, D]; centres: [K, D]. Raises ValueError for shapes that do not fit, or no samples.
    """
    if samples.dim() != 2 or centres.dim() != 2 or samples.shape[1] != centres.shape[1] or 0 in samples.shape:
        raise ValueError(
            f"samples and centres must be points [N, D] and [K, D], got {list(samples.shape)}, {list(centres.shape)}"
        )
    distance = torch.cdist(samples.double(), centres.to(samples.device).double(), compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distance.min(dim=1)
    good = nearest.values <= 3 * std  # a sample that is no number is not good: comparisons with NaN are false
    counts = torch.bincount(nearest.indices[good], minlength=len(centres))
    return Coverage(int((counts > 0).sum()), good.double().mean().item(), counts)


class PointBatches:
    """Batches (x, None) of fresh points of a mixture, for `fit_gan`: no point comes twice.

    So there is nothing to learn by heart.

    Args:
        mixture: where the points come from.
        batch_size: points in a batch.
        count: batches in a pass; a pass ends nothing but an epoch of the record.
        rng: CPU generator that draws the points; by default a new one with seed 0.
    """

    targets = None  # as `data.Batches` has them
    memory_format = torch.contiguous_format

    def __init__(self, mixture: Mixture, batch_size: int = 256, count: int = 100, rng: torch.Generator | None = None) -> None:
        self.batch_size, self.count = check_count("batch_size", batch_size), check_count("count", count)
        self.mixture, self.device, self.rng = mixture, mixture.centres.device, check_rng(rng)

    def settings(self) -> dict[str, object]:
        """What a run records of its batches: a resumed run must have the same."""
        return {"batch_size": self.batch_size, "count": self.count}

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[torch.Tensor, None]]:
        for _ in range(self.count):
            yield self.mixture.sample(self.batch_size, self.rng), None
