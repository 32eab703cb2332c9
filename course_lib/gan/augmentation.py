"""Differentiable augmentation: real and generated images are changed before the discriminator sees them, and gradients pass
through the change to the generator. With few training images the discriminator can then no longer learn them by heart.

Each function takes x [N, C, H, W] with values around 0 (what comes in from outside is 0), keeps its shape, dtype and memory
layout, and draws from a CPU generator, so that the same changes happen on every device. Apply it to real and generated images
alike: what is done to the real ones alone is learned as a property of the data.

Source: Zhao, Liu, Lin, Zhu and Han, Differentiable Augmentation for Data-Efficient GAN Training (2020), section 3.
"""

from dataclasses import dataclass, field

import torch

from course_lib.data.batches import in_layout_of


def brightness(x: torch.Tensor, amount: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """A number from -amount to amount added to each image. The paper's 0.5 is for images between -1 and 1."""
    if amount < 0:
        raise ValueError(f"amount is {amount}: the largest change cannot be negative")
    change = torch.rand(len(x), 1, 1, 1, generator=generator, dtype=torch.float32, device="cpu") * 2 - 1
    return x + (amount * change).to(x)


def translation(x: torch.Tensor, share: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """Each image moved along both axes by whole pixels, up to the given share of its side, all offsets equally likely."""
    _check_share(share)
    _, _, H, W = x.shape
    down, right = _matrices(H, share, len(x), generator), _matrices(W, share, len(x), generator)
    # To move rows is to multiply with a matrix of zeros and ones: exact, and its gradient is the transposed matrix.
    moved = down[:, None].to(x) @ x @ right[:, None].to(x).mT
    return in_layout_of(moved.to(x.dtype), x)


def cutout(x: torch.Tensor, share: float, generator: torch.Generator | None = None) -> torch.Tensor:
    """A rectangle of the given share of each side set to 0, its centre anywhere, so that part of it may lie outside."""
    _check_share(share)
    _, _, H, W = x.shape
    hole = _inside(H, share, len(x), generator)[:, None, :, None] & _inside(W, share, len(x), generator)[:, None, None, :]
    return in_layout_of(x.masked_fill(hole.to(x.device), 0), x)


@dataclass
class DifferentiableAugment:
    """All of these, as a function x -> x. The defaults are the paper's, for images between -1 and 1; its changes of contrast and
    saturation are left out.

    Attributes:
        brightness: largest change of brightness.
        translation: largest shift, as a share of the side.
        cutout: side of the rectangle, as a share of the side. 0 switches any of them off.
        generator: CPU generator; by default a new one with seed 0, so that runs repeat each other.
    """

    brightness: float = 0.5
    translation: float = 0.125
    cutout: float = 0.5
    generator: torch.Generator = field(default_factory=lambda: torch.Generator().manual_seed(0))

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if self.brightness:
            x = brightness(x, self.brightness, self.generator)
        if self.translation:
            x = translation(x, self.translation, self.generator)
        return cutout(x, self.cutout, self.generator) if self.cutout else x


def _check_share(share: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share}: it is a share of the image's side, between 0 and 1")


def _matrices(side: int, share: float, count: int, generator: torch.Generator | None) -> torch.Tensor:
    """Matrices [count, side, side] that move a column of pixels by a random whole offset; row i takes pixel i - offset."""
    largest = round(side * share)
    offset = torch.randint(-largest, largest + 1, (count, 1, 1), generator=generator, device="cpu")
    place = torch.arange(side, device="cpu")
    return place[:, None] == place[None, :] + offset


def _inside(side: int, share: float, count: int, generator: torch.Generator | None) -> torch.Tensor:
    """Which pixels along an axis a random interval covers, bool [count, side]."""
    length = round(side * share)
    first = torch.rand(count, 1, generator=generator, dtype=torch.float32, device="cpu") * side - length / 2
    place = torch.arange(side, device="cpu")
    return (place >= first.round()) & (place < first.round() + length)
