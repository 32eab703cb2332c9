"""Augmentation on the device, a whole batch at once: small changes after which the label is still right.

Each function takes x [N, C, H, W], keeps its shape and its memory layout, and draws from a CPU generator, so that the same
changes happen on every device.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from course_lib.data.arguments import check_count
from course_lib.data.batches import in_layout_of

MAY_FLIP = ("cifar10", "fashion-mnist")
"""The sets of the course in which a mirrored image keeps its class. A mirrored digit is no digit."""


def random_shift(x: torch.Tensor, pixels: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """Each image moved by -pixels to pixels along both axes, every offset equally likely; what comes in from outside is 0."""
    if check_count("pixels", pixels, "the largest shift cannot be negative", least=0) == 0:
        return x
    N, _, H, W = x.shape
    offset = torch.randint(0, 2 * pixels + 1, (2, N, 1), generator=generator, device="cpu").to(x.device)
    # [N, H, W, C]: one advanced index picks the rows and columns of all images, with the channels of a pixel together.
    padded = F.pad(x, (pixels, pixels, pixels, pixels)).permute(0, 2, 3, 1)
    image = torch.arange(N, device=x.device)[:, None, None]
    rows = (offset[0] + torch.arange(H, device=x.device))[:, :, None]  # [N, H, 1]
    columns = (offset[1] + torch.arange(W, device=x.device))[:, None, :]  # [N, 1, W]
    return in_layout_of(padded[image, rows, columns].permute(0, 3, 1, 2), x)


def random_flip(x: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Each image mirrored from left to right with probability one half."""
    mirrored = (torch.rand(len(x), 1, 1, 1, generator=generator, device="cpu") < 0.5).to(x.device)
    return in_layout_of(torch.where(mirrored, x.flip(3), x), x)


def cutout(x: torch.Tensor, side: int, generator: torch.Generator | None = None) -> torch.Tensor:
    """A square of `side` pixels set to 0 in each image, its centre anywhere, so that part of it may lie outside.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout (2017).
    """
    check_count("side", side, "a square has no negative side", least=0)
    N, _, H, W = x.shape
    centre = torch.rand(2, N, 1, generator=generator, device="cpu").to(x.device)
    first_row, first_column = (centre[0] * H - side / 2).round(), (centre[1] * W - side / 2).round()  # [N, 1]
    row, column = torch.arange(H, device=x.device), torch.arange(W, device=x.device)
    in_rows = (row >= first_row) & (row < first_row + side)  # [N, H]
    in_columns = (column >= first_column) & (column < first_column + side)  # [N, W]
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return in_layout_of(x.masked_fill(hole, 0), x)


@dataclass
class Augment:
    """What training does to its batches, as a function x -> x.

    Attributes:
        shift: largest shift in pixels.
        flip: mirror half of the images; only where the classes allow it, see `MAY_FLIP`.
        cutout: side of the square that is cut out, in pixels; 0 for none.
        generator: CPU generator; by default a new one with seed 0, so that runs repeat each other.
    """

    shift: int = 0
    flip: bool = False
    cutout: int = 0
    generator: torch.Generator = field(default_factory=lambda: torch.Generator("cpu").manual_seed(0))

    def __post_init__(self) -> None:
        for name in ("shift", "cutout"):
            check_count(name, getattr(self, name), "it is a number of pixels, at least 0", least=0)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        x = random_shift(x, self.shift, self.generator)
        if self.flip:
            x = random_flip(x, self.generator)
        return cutout(x, self.cutout, self.generator) if self.cutout else x
