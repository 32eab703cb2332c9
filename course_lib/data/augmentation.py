"""Augmentation on the device, a whole batch at once: small changes that leave the label right.

Each function takes x [N, C, H, W], keeps its shape, dtype and memory layout, and draws from a CPU
generator, so that the same changes happen on every device. What comes in from outside an image is
0. Gradients pass through to x, so that a GAN can change real and generated images alike before its
discriminator sees them (Zhao, Liu, Lin, Zhu and Han, Differentiable Augmentation for Data-Efficient
GAN Training, 2020, section 3): what is done to the real ones alone is learned as a property of the
data.
"""

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from course_lib.runtime.checks import check_count, check_number

MAY_FLIP = ("cifar10", "fashion-mnist")
"""The sets of the course in which a mirrored image keeps its class.

A mirrored digit is no digit.
"""


def random_shift(x: torch.Tensor, pixels: int, rng: torch.Generator | None = None) -> torch.Tensor:
    """Each image moved by -pixels to pixels along both axes, every offset equally likely."""
    if pixels == 0:
        return x
    N, _, H, W = x.shape
    offset = torch.randint(0, 2 * pixels + 1, (2, N, 1), generator=rng, device="cpu").to(x.device)
    # [N, H, W, C]: one advanced index picks the rows and columns of all images, with the channels
    # of a pixel together.
    padded = F.pad(x, (pixels, pixels, pixels, pixels)).permute(0, 2, 3, 1)
    image = torch.arange(N, device=x.device)[:, None, None]
    rows = (offset[0] + torch.arange(H, device=x.device))[:, :, None]  # [N, H, 1]
    columns = (offset[1] + torch.arange(W, device=x.device))[:, None, :]  # [N, 1, W]
    return _in_layout_of(padded[image, rows, columns].permute(0, 3, 1, 2), x)


def random_flip(x: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
    """Each image mirrored from left to right with probability one half."""
    mirrored = (torch.rand(len(x), 1, 1, 1, generator=rng, device="cpu") < 0.5).to(x.device)
    return _in_layout_of(torch.where(mirrored, x.flip(3), x), x)


def brightness(x: torch.Tensor, amount: float, rng: torch.Generator | None = None) -> torch.Tensor:
    """A number from -amount to amount added to each image."""
    change = torch.rand(len(x), 1, 1, 1, generator=rng, dtype=torch.float32, device="cpu") * 2 - 1
    return x + (amount * change).to(x)


def cutout(x: torch.Tensor, side: int, rng: torch.Generator | None = None) -> torch.Tensor:
    """A square of `side` pixels set to 0 in each image, centred anywhere: part may lie outside.

    Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout
    (2017).
    """
    N, _, H, W = x.shape
    centre = torch.rand(2, N, 1, generator=rng, device="cpu").to(x.device)
    first_row, first_column = (centre[0] * H - side / 2).round(), (centre[1] * W - side / 2).round()  # [N, 1]
    row, column = torch.arange(H, device=x.device), torch.arange(W, device=x.device)
    in_rows = (row >= first_row) & (row < first_row + side)  # [N, H]
    in_columns = (column >= first_column) & (column < first_column + side)  # [N, W]
    hole = in_rows[:, None, :, None] & in_columns[:, None, None, :]
    return _in_layout_of(x.masked_fill(hole, 0), x)


def _in_layout_of(changed: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`changed` in the memory layout of x [N, C, H, W], which the convolutions after it prefer."""
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return changed.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


@dataclass
class Augment:
    """What training does to its batches, as a function x -> x. 0 or False switches a change off.

    Attributes:
        shift: largest shift in pixels.
        flip: mirror half of the images; only where the classes allow it, see `MAY_FLIP`.
        cutout: side of the square that is cut out, in pixels.
        brightness: largest number that is added to an image.
        rng: CPU generator; by default a new one with seed 0, so that runs repeat each other.

    For a GAN on 32 x 32 images between -1 and 1 the choice of the paper on top is
    ``Augment(shift=4, cutout=16, brightness=0.5)``.
    """

    shift: int = 0
    flip: bool = False
    cutout: int = 0
    brightness: float = 0.0
    rng: torch.Generator = field(default_factory=lambda: torch.Generator("cpu").manual_seed(0))

    def __post_init__(self) -> None:
        check_count("shift", self.shift, "it is a number of pixels, at least 0", least=0)
        check_count("cutout", self.cutout, "it is a number of pixels, at least 0", least=0)
        check_number("brightness", self.brightness)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] -> the same, changed."""
        x = brightness(x, self.brightness, self.rng) if self.brightness else x
        x = random_shift(x, self.shift, self.rng)
        x = random_flip(x, self.rng) if self.flip else x
        return cutout(x, self.cutout, self.rng) if self.cutout else x
