"""Schematics of a convolution: the sliding kernel, layers as wires, settings, channels."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.convolution.figures.cells import Picture, as_weight, draw_numbers, frame, ink_on, minus
from course_lib.convolution.im2col import conv2d_im2col
from course_lib.viz import (
    ROLES,
    SIGN_MAP,
    course_style,
    draw_arrow,
    draw_block,
    draw_cells,
    draw_image,
    new_diagram,
    new_figure,
)


@course_style
def sliding_frame(image: torch.Tensor, kernel: torch.Tensor, row: int, column: int) -> Figure:
    """One frame: the patch, its products with the kernel, their sum, the output so far."""
    response, (KH, KW) = conv2d_im2col(image[None, None], kernel[None, None])[0, 0], kernel.shape
    figure, axes = new_figure(1, 4, size=(8, 2.7), width_ratios=[7, 4.4, 5.4, 6.6])
    draw_image(axes[0, 0], image, "image")
    frame(axes[0, 0], row, column, KH, KW)
    draw_numbers(axes[0, 1], kernel, "kernel", fontsize=11)
    as_weight(axes[0, 1], lw=2.5)
    patch = image[row : row + KH, column : column + KW]
    draw_image(axes[0, 2], patch * kernel, "nine products", signed=True, limits=(-1.3, 1.3))
    for (i, j), value in np.ndenumerate(patch.numpy()):
        weight = kernel[i, j].item()
        ink = ink_on(value * weight, 1)
        axes[0, 2].text(j, i, minus(f"{value:g} · {weight:g}"), ha="center", va="center", fontsize=9.5, color=ink)
    total = minus(f"{response[row, column].item():g}")
    axes[0, 2].set_xlabel(f"sum = {total}", fontsize=12, fontweight="bold", color=ROLES["data"])
    later = torch.arange(response.numel()).view_as(response) > row * response.shape[1] + column
    draw_numbers(axes[0, 3], response.masked_fill(later, torch.nan), "output so far", limit=response.abs().max().item())
    frame(axes[0, 3], row, column, 1, 1)
    return figure


@course_style
def sliding() -> tuple[list[Figure], str]:
    """A kernel that finds upright edges slides over a small 7, one frame for each position."""
    image = torch.zeros(7, 7)
    image[1, 1:5] = image[1:6, 4] = 1
    kernel = torch.tensor([[1.0, 0, -1], [1, 0, -1], [1, 0, -1]])
    order = [(2, 2), *((row, column) for row in range(5) for column in range(5))]
    alt = (
        "An animation. A 3 x 3 kernel, 1 in its left column and -1 in its right one, slides over a 7 x 7 image of the digit 7. "
        "At each position the nine products are shown, and their sum becomes one number of the 5 x 5 output: positive where "
        "the stroke ends to the right, negative where it begins."
    )
    return [sliding_frame(image, kernel, *place) for place in order], alt


@course_style
def detector(image: torch.Tensor, kernel: torch.Tensor, response: torch.Tensor) -> Picture:
    """An image with three patches, the kernel, and the output with the numbers of the patches."""
    places = [(0, 0), (0, 1), (3, 3)]
    figure, axes = new_figure(1, 3, size=(8, 3.1), width_ratios=[6, 3, 4])
    draw_numbers(axes[0, 0], image, "image, 6 × 6")
    draw_numbers(axes[0, 1], kernel, "kernel, 3 × 3", fontsize=11)
    draw_numbers(axes[0, 2], response, "output, 4 × 4", fontsize=10)
    for number, (row, column) in enumerate(places, start=1):
        frame(axes[0, 0], row, column, 3, 3, str(number), linestyle=("-", "--", "-")[number - 1])
        frame(axes[0, 2], row, column, 1, 1, str(number))
    as_weight(axes[0, 1], lw=2.5)
    alt = (
        "A 6 x 6 image of a falling line, a 3 x 3 kernel with 1 on its falling diagonal and -1 elsewhere, and the 4 x 4 output. "
        "Three framed patches give three framed numbers: 3 on the line, -2 one pixel beside it, 2 where the line ends."
    )
    return figure, alt


@course_style
def by_hand(x: Sequence[float], w: Sequence[float]) -> Picture:
    """A one-dimensional cross-correlation on paper.

    Each row shows a position: the inputs that are seen, the kernel, and the sum.
    """
    figure, axis = new_diagram(8, 3.1, xlim=(-0.3, 17.3), ylim=(-0.2, 6.5))
    taps = len(w)
    for text, place, role in (("input $x$", 2.5, "data"), ("kernel $w$", 7.5, "weight"), ("output $y$", 16.4, "data")):
        axis.text(place, 6.0, text, ha="center", va="center", color=ROLES[role])
    for k in range(len(x) - taps + 1):
        y = 4.4 - 1.9 * k
        seen = set(range(k, k + taps))
        draw_cells(axis, x, 0, y, "data", filled=seen)
        axis.text(5.5, y + 0.5, "·", ha="center", va="center", fontsize=14)
        draw_cells(axis, w, 6, y, "weight", filled=True)
        products = [x[k + n] * w[n] + 0.0 for n in range(taps)]  # -0 becomes 0
        terms = minus(" + ".join(f"({value:g})" if value < 0 else f"{value:g}" for value in products))
        axis.text(12.1, y + 0.5, f"=  {terms}  =", ha="center", va="center")
        draw_cells(axis, [sum(products)], 15.9, y, "data", filled=True)
    alt = (
        "Three rows. In each the kernel 1, -1, 2 meets three neighbouring numbers of the input 1, 3, 0, 2, 1; the products add "
        "up to the outputs -2, 7 and 0."
    )
    return figure, alt


@course_style
def dense_to_convolution(matrices: Mapping[str, torch.Tensor]) -> Picture:
    """Layers as wires from inputs (below) to outputs (above), and as matrices: name -> [n, n]."""
    figure, axes = new_figure(2, len(matrices), size=(8, 5.0), height_ratios=[1, 1.5])
    for column, (name, matrix) in enumerate(matrices.items()):
        n, limit = len(matrix), matrix.abs().max().item()
        wires = axes[0, column]
        for i in range(n):
            for j in range(n):
                if matrix[i, j] != 0 and abs(i - j) <= n // 2:
                    share = matrix[i, j].item() / limit
                    style = {"lw": 2 if name.endswith("local") else 1, "zorder": 1 + abs(share)}  # strong ones on top
                    wires.plot([j, i], [0, 1], color=colormaps[SIGN_MAP](0.5 + 0.5 * share), **style)
        for level in (0, 1):
            wires.plot(range(n), [level] * n, "o", color=ROLES["data"], markersize=5, zorder=3)
        wires.set(xlim=(-0.6, n - 0.4), ylim=(-0.15, 1.15), title=name)
        wires.axis("off")
        draw_image(axes[1, column], matrix, signed=True)
    axes[0, 0].text(-0.9, 0, "in", ha="right", va="center", fontsize=9)
    axes[0, 0].text(-0.9, 1, "out", ha="right", va="center", fontsize=9)
    axes[1, 0].set_ylabel("output $i$", fontsize=9)
    axes[1, 0].set_xlabel("input $j$", fontsize=9)
    alt = (
        "Three layers from 12 inputs to 12 outputs, as wires and as 12 x 12 matrices. Dense: all wires differ. "
        "Shift equivariant: the matrix is constant along each diagonal. Local as well: three diagonals remain, each output has "
        "three wires, in the same colours everywhere."
    )
    return figure, alt


SETTINGS = (
    ("stride 1, padding 0, dilation 1", 5, 1, 0, 1),
    ("padding 1", 5, 1, 1, 1),
    ("stride 2", 5, 2, 0, 1),
    ("dilation 2", 5, 1, 0, 2),
)


@course_style
def settings() -> Picture:
    """A 3 x 3 kernel on 5 x 5 pixels with four settings: its first two places, and its output."""
    figure, axis = new_diagram(8, 4.4, xlim=(-0.4, 30.2), ylim=(-6.6, 9.8))
    for number, (name, size, stride, padding, dilation) in enumerate(SETTINGS):
        left, bottom = 7.7 * number + 0.2, 1.6
        total, reach = size + 2 * padding, dilation * 2 + 1
        draw_grid(axis, left - padding, bottom - padding, total, padding)
        top = bottom - padding + total
        for row in range(3):
            for column in range(3):
                x, y = left - padding + column * dilation + 0.1, top - 0.9 - row * dilation
                axis.add_patch(Rectangle((x, y), 0.8, 0.8, facecolor=ROLES["weight"], lw=0, zorder=3))
                if min(row, column) * dilation < padding:
                    axis.text(x + 0.4, y + 0.35, "0", ha="center", va="center", fontsize=8, color="white", zorder=4)
        second = (left - padding + stride, top - reach)
        outline: dict[str, Any] = {"fill": False, "edgecolor": ROLES["ink"], "lw": 1.8, "linestyle": (0, (3, 2)), "zorder": 4}
        axis.text(left + 2.5, 8.9, name.replace(", ", "\n", 1), ha="center", va="center", fontsize=9.5)
        outputs = (total - reach) // stride + 1
        draw_arrow(axis, (left + 2.5, 0.2), (left + 2.5, -1.0), "data")
        start = left + 2.5 - outputs / 2
        draw_cells(axis, np.zeros((outputs, outputs)), start, -1.2 - outputs, filled={(0, 0)}, numbers=False)
        if outputs > 1:
            axis.add_patch(Rectangle(second, reach, reach, **outline))
            axis.add_patch(Rectangle((start + 1, -2.2), 1, 1, **outline))
        axis.text(start + outputs + 0.3, -1.2 - outputs / 2, f"{outputs} × {outputs}", va="center", fontsize=9)
    alt = (
        "A 3 x 3 kernel on a 5 x 5 image, its first place in green and its second dashed. Plain: 3 x 3 outputs. With padding 1 a "
        "ring of zeros surrounds the image: 5 x 5 outputs. With stride 2 the second place is two pixels further: 2 x 2 outputs. "
        "With dilation 2 the nine taps have gaps and cover the whole image: one output."
    )
    return figure, alt


def draw_grid(axis: Axes, x: float, y: float, size: int, padding: int) -> None:
    """Draw an empty image of size x size cells, of which the outer `padding` are added zeros."""
    for row in range(size):
        for column in range(size):
            added = min(row, column, size - 1 - row, size - 1 - column) < padding
            edge, dashes = (ROLES["faint"], ":") if added else (ROLES["data"], "-")
            place = (x + column, y + row)
            axis.add_patch(Rectangle(place, 1, 1, facecolor="white", lw=1.1, edgecolor=edge, linestyle=dashes))
            if added:
                axis.text(x + column + 0.5, y + row + 0.45, "0", ha="center", va="center", fontsize=8, color=ROLES["faint"])


@course_style
def channels() -> Picture:
    """Many channels in, one out, with numbers; below it many in and many out, as blocks."""
    x = np.array([[[1, 0, 2], [3, 1, 0], [0, 2, 1]], [[0, 1, 1], [2, 0, 1], [1, 1, 0]], [[2, 1, 0], [0, 1, 3], [1, 0, 1]]])
    w = np.array([[[1, 0], [-1, 1]], [[0, 2], [1, 0]], [[1, 1], [0, -1]]])
    bias = 1
    figure, axis = new_diagram(8, 5.6, xlim=(0, 23), ylim=(-5.6, 10.6))
    titles = (
        (2.4, "input: $C$ = 3 channels", "data"),
        (8.2, "one kernel: 3 layers", "weight"),
        (20.0, "one output channel", "data"),
    )
    for place, text, role in titles:
        axis.text(place, 10.1, text, ha="center", va="center", color=ROLES[role])
    corner = {(i, j) for i in range(2) for j in range(2)}
    sums = (x[:, :2, :2] * w).sum(axis=(1, 2))
    for c in range(3):
        y = 6.9 - 2.9 * c
        draw_cells(axis, x[c], 1.2, y, "data", side=0.9, filled=corner, fontsize=9)
        axis.text(0.9, y + 1.35, f"c = {c}", ha="right", va="center", fontsize=8.5)
        axis.text(5.6, y + 1.8, "·", ha="center", va="center", fontsize=16)
        draw_cells(axis, w[c], 7.3, y + 0.9, "weight", side=0.9, filled=True, fontsize=9)
        draw_arrow(axis, (9.5, y + 1.8), (11.3, y + 1.8))
        draw_cells(axis, [sums[c]], 11.5, y + 1.35, "data", side=0.9, fontsize=9)
        draw_arrow(axis, (12.6, y + 1.8), (14.4, 5.8), shrinkB=6)
    axis.text(14.5, 5.8, f"sum + bias {bias}", ha="left", va="center", fontsize=9.5, color=ROLES["weight"])
    total = np.full((2, 2), np.nan)
    total[0, 0] = sums.sum() + bias
    draw_arrow(axis, (17.9, 5.8), (19.0, 5.9))
    draw_cells(axis, total, 19.1, 4.6, "data", side=0.9, filled={(0, 0)}, fontsize=9)
    axis.plot([0, 23], [0.4, 0.4], color="0.85", lw=1)
    draw_block(axis, 2.0, 3.0, 0.6, "data", y=-2.6)
    axis.text(2.6, -4.9, "image\n$C × H × W$", ha="center", va="center", fontsize=9)
    for o in range(4):
        draw_block(axis, 9.2, 0.7, 0.6, "weight", y=-1.05 - 1.05 * o)
        draw_arrow(axis, (3.4, -2.6), (8.9, -1.05 - 1.05 * o), "data", lw=1)
        draw_arrow(axis, (10.3, -1.05 - 1.05 * o), (15.4, -2.6), "data", lw=1, shrinkB=3)
        draw_block(axis, 15.8 + 0.55 * o, 2.5, 0.25, "data", y=-2.6)
    axis.text(9.5, -5.05, "$O$ kernels, each $C × KH × KW$", ha="center", va="center", fontsize=9)
    axis.text(17.0, -4.9, "$O$ output channels\n$O × OH × OW$", ha="center", va="center", fontsize=9)
    alt = (
        "Above: a 2 x 2 patch of each of three input channels is multiplied with its own layer of one kernel; the three sums and "
        f"the bias add up to one number, {total[0, 0]:g}, of one output channel. Below: C channels meet O kernels, each "
        "of C layers, and each kernel makes one of O output channels."
    )
    return figure, alt
