"""Data with known modes: Gaussians on a ring or a grid, and how many of them a generator has found."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course_lib.data.arguments import check_count


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
        if self.centres.dim() != 2 or 0 in self.centres.shape:
            raise ValueError(f"centres must be points [K, D], got the shape {list(self.centres.shape)}")
        if not self.std > 0:
            raise ValueError(f"std is {self.std}: it must be positive")

    def sample(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Points [count, D], on the device of the centres. Drawn on the CPU, so that they are the same on every device."""
        K, D = self.centres.shape
        mode = torch.randint(0, K, (count,), generator=generator, device="cpu").to(self.centres.device)
        spread = torch.randn(count, D, generator=generator, dtype=torch.float32, device="cpu")
        return self.centres[mode] + self.std * spread.to(self.centres)

    def log_density(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x) at points [N, D]: float64 [N]."""
        K, D = self.centres.shape
        squares = (x.double()[:, None] - self.centres.double()).square().sum(dim=2) / self.std**2  # [N, K]
        return torch.logsumexp(-squares / 2, dim=1) - math.log(K) - D * math.log(self.std * math.sqrt(2 * math.pi))


def ring(modes: int = 8, radius: float = 1.0, std: float = 0.05) -> Mixture:
    """Gaussians evenly on a circle around the origin, the first on the x axis. Raises ValueError for no modes or no radius."""
    if modes < 1 or not radius > 0:
        raise ValueError(f"{modes} modes on a radius of {radius}: it takes at least one, and a positive radius")
    angle = 2 * math.pi * torch.arange(modes, dtype=torch.float64, device="cpu") / modes
    return Mixture((radius * torch.stack([angle.cos(), angle.sin()], dim=1)).float(), std)


def grid(side: int = 5, spacing: float = 1.0, std: float = 0.05) -> Mixture:
    """side x side Gaussians on a square grid, centred on the origin. Raises ValueError for no modes or no spacing."""
    if side < 1 or not spacing > 0:
        raise ValueError(f"{side} x {side} modes at a spacing of {spacing}: it takes at least one, and a positive spacing")
    place = spacing * (torch.arange(side, dtype=torch.float32, device="cpu") - (side - 1) / 2)
    return Mixture(torch.cartesian_prod(place, place).view(-1, 2), std)


class Coverage(NamedTuple):
    """What `coverage` returns: modes that were hit, the share of good samples, and the good samples of each mode."""

    modes: int
    good: float
    counts: torch.Tensor  # int64 [K]


def coverage(samples: torch.Tensor, centres: torch.Tensor, std: float) -> Coverage:
    """How many modes were found, and how good the samples are.

    A sample is good if it lies within 3 standard deviations of the nearest centre, and a mode is hit if at least one good sample
    is nearest to it. Of the true distribution in the plane a share of 1 - exp(-9/2), 98.9 %, is good. Source: Srivastava et al.,
    VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (2017), the experiments on synthetic data.

    samples: [N, D]; centres: [K, D]. Raises ValueError for shapes that do not fit, or no samples.
    """
    if samples.dim() != 2 or centres.dim() != 2 or samples.shape[1] != centres.shape[1] or 0 in samples.shape:
        shapes = f"{list(samples.shape)} and {list(centres.shape)}"
        raise ValueError(f"samples and centres must be points [N, D] and [K, D] of one dimension, got {shapes}")
    distance = torch.cdist(samples.double(), centres.to(samples.device).double(), compute_mode="donot_use_mm_for_euclid_dist")
    nearest = distance.min(dim=1)
    # A sample that is no number is no good one: every comparison with NaN is false.
    good = nearest.values <= 3 * std
    counts = torch.bincount(nearest.indices[good], minlength=len(centres))
    return Coverage(int((counts > 0).sum()), good.double().mean().item(), counts)


class PointBatches:
    """Batches (x, None) of fresh points of a mixture, for `fit_gan`: no point comes twice, so there is nothing to learn by heart.

    Args:
        mixture: where the points come from.
        batch_size: points in a batch.
        count: batches in a pass; a pass ends nothing but an epoch of the record.
        generator: CPU generator; by default a new one with seed 0.
    """

    def __init__(
        self, mixture: Mixture, batch_size: int = 256, count: int = 100, generator: torch.Generator | None = None
    ) -> None:
        self.mixture, self.device = mixture, mixture.centres.device
        self.batch_size = check_count("batch_size", batch_size, "it must be at least 1")
        self.count = check_count("count", count, "a pass has at least one batch")
        self.generator = torch.Generator("cpu").manual_seed(0) if generator is None else generator

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[torch.Tensor, None]]:
        for _ in range(self.count):
            yield self.mixture.sample(self.batch_size, self.generator), None
