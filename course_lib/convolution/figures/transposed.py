"""Transposed convolution: stamps that overlap, and the checkerboards that they leave."""

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes

from course_lib.convolution.figures.cells import Picture, draw_numbers, frame
from course_lib.convolution.transposed import conv_transpose2d
from course_lib.viz import ROLES, course_style, draw_image, new_figure


@course_style
def enlarged(small: torch.Tensor, whole: torch.Tensor, cut: torch.Tensor) -> Picture:
    """Four pixels [2, 2] that stamp a 3 x 3 kernel of ones at stride 2.

    whole: the result, [5, 5]; cut: the same with padding 1, [3, 3].
    """
    colours = [ROLES[role] for role in ("data", "gradient", "weight", "latent")]
    figure, axes = new_figure(1, 3, size=(8, 2.9), width_ratios=[2, 5, 5])
    draw_numbers(axes[0, 0], small, "input", tint=torch.zeros_like(small))
    draw_numbers(axes[0, 1], whole, "four stamps of 3 × 3, two pixels apart", tint=torch.zeros_like(whole))
    for number, colour in enumerate(colours):
        i, j = divmod(number, 2)
        frame(axes[0, 0], i + 0.06, j + 0.06, 0.88, 0.88, edgecolor=colour)
        frame(axes[0, 1], 2 * i + 0.06 * i, 2 * j + 0.06 * j, 2.94, 2.94, edgecolor=colour, lw=1.8)
    inside = F.pad(cut, [1, 1, 1, 1], value=torch.nan)
    draw_numbers(axes[0, 2], inside, "with padding 1: the edge is cut off", tint=inside.isnan(), role="faint")
    alt = (
        "Four pixels 1, 2, 3, 4, each in a colour of its own. Each stamps a 3 x 3 square of its value onto a 5 x 5 output; where "
        "two squares overlap the sums are 3, 4, 6 and 7, and 10 where all four do. With padding 1 only the inner 3 x 3 remain."
    )
    return figure, alt


def draw_counts(axis: Axes, kernel: int, stride: int, padding: int = 0, side: int = 4) -> None:
    """Draw how many stamps meet at each output pixel, for an input of side x side pixels."""
    ones = torch.ones(1, 1, kernel, kernel)
    counts = conv_transpose2d(torch.ones(1, 1, side, side), ones, stride=stride, padding=padding)[0, 0]
    limit = 1.3 * max(counts.max().item(), 4)
    if len(counts) <= 13:
        draw_numbers(axis, counts, limit=limit, fontsize=8.5)
    else:
        draw_image(axis, counts, signed=True, limits=(-1.3 * limit, 1.3 * limit))


@course_style
def counts() -> Picture:
    """How many stamps meet at each output pixel, for kernels of 2, 3 and 4 pixels and stride 2."""
    figure, axes = new_figure(1, 3, size=(8, 2.9))
    for axis, kernel in zip(axes[0], (2, 3, 4), strict=True):
        draw_counts(axis, kernel, 2)
        axis.set_title(f"kernel {kernel}, stride 2")
    alt = (
        "How many stamps meet at each output pixel. Kernel 2: one everywhere. Kernel 3: ones, twos and fours in a checkerboard. "
        "Kernel 4: four everywhere but along the border."
    )
    return figure, alt


@course_style
def checkerboards(image: torch.Tensor, results: dict[str, torch.Tensor]) -> Picture:
    """A small image and what enlarges it: name -> [H, W]."""
    figure, axes = new_figure(1, 1 + len(results), size=(8, 2.45))
    draw_image(axes[0, 0], image, f"image, {image.shape[0]} × {image.shape[1]}")
    for axis, (name, result) in zip(axes[0, 1:], results.items(), strict=True):
        draw_image(axis, result / result.max(), name)
    for axis in axes[0]:
        axis.title.set_fontsize(9)
    alt = (
        "A small image, made twice as large in three ways by stamps with random positive weights: with kernels of 3 and 4 pixels "
        "a checkerboard lies over the image; repeating pixels and then convolving leaves none."
    )
    return figure, alt


@course_style
def enlargements(small: torch.Tensor, rows: dict[str, torch.Tensor]) -> Picture:
    """Small images [N, 1, h, w], and ways to enlarge them: name -> [N, 1, H, W]."""
    figure, axes = new_figure(1 + len(rows), len(small), size=(8, 8 / len(small) * (1 + len(rows)) * 0.88))
    for row, (name, images) in zip(axes, {"given": small, **rows}.items(), strict=True):
        for axis, image in zip(row, images, strict=True):
            draw_image(axis, image[0])
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    alt = "Small images in the first row and enlarged versions below: " + ", ".join(rows) + "."
    return figure, alt
