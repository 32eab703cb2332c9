"""Halving and doubling the side of an image."""

import torch
import torch.nn.functional as F
from torch import nn


def halved_sides(size: int, count: int) -> list[int]:
    """The sides of an image between `count` halvings: each half of the one before, rounded up.

    The first is `size` itself, so they are count + 1. Raises ValueError where a halving would find
    a single pixel.
    """
    sides = [size]
    for number in range(1, count + 1):
        if sides[-1] == 1:
            way_out = "use larger images or fewer widths"
            raise ValueError(f"size is {size}: halving number {number} of {count} would find one pixel; {way_out}")
        sides.append((sides[-1] + 1) // 2)
    return sides


def doubling(
    in_channels: int, out_channels: int, side: int, *, upsample: str = "transposed", bias: bool = True
) -> list[nn.Module]:
    """Layers from images of half of `side` (rounded up) to images of `side`.

    [N, in_channels, h, h] -> [N, out_channels, side, side]. upsample: "transposed", a transposed
    convolution, 4 x 4 with stride 2; "nearest": each pixel becomes 2 x 2 equal ones, and a 3 x 3
    convolution follows.
    """
    if upsample == "nearest":
        return [Resize(side), nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)]
    # (n - 1) 2 - 2 padding + 4 + output_padding: 2 n with padding 1, and 2 n - 1 with padding 2 and
    # a row added.
    odd = side % 2
    return [nn.ConvTranspose2d(in_channels, out_channels, 4, 2, padding=1 + odd, output_padding=odd, bias=bias)]


class Resize(nn.Module):
    """Nearest-neighbour upsampling: each pixel becomes 2 x 2 equal ones.

    [N, C, h, h] -> [N, C, side, side], side 2 h or 2 h - 1. An odd side leaves out the last row and
    column.
    """

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> the same, twice as large."""
        return F.interpolate(x, scale_factor=2, mode="nearest")[:, :, : self.side, : self.side]
