"""Pieces of the pictures: numbers in squares, frames around them, kernels and their responses."""

from fractions import Fraction
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.viz import ROLES, draw_image

Picture = tuple[Figure, str]
"""A figure and its alternative text: `show(*picture)`."""


def draw_numbers(
    axis: Axes,
    grid: torch.Tensor,
    title: str = "",
    *,
    tint: torch.Tensor | None = None,
    role: str = "gradient",
    limit: float | None = None,
    fontsize: float = 9,
) -> None:
    """Draw a matrix [H, W] as squares with their numbers; NaN is left empty.

    The squares are coloured by sign, the darkest at +-limit (by default the largest magnitude).
    With tint, [H, W], they are pale in the role's colour where it is not zero, and white elsewhere.
    """
    grid = torch.as_tensor(grid).double() + 0.0  # -0 becomes 0
    limit = limit or max(grid.nan_to_num().abs().max().item(), 1e-9)
    shown = grid if tint is None else torch.full_like(grid, torch.nan)
    draw_image(axis, shown, signed=True, limits=(-1.3 * limit, 1.3 * limit))
    axis.set_title(title, parse_math=True)
    for (row, column), value in np.ndenumerate(grid.numpy()):
        if tint is not None and tint[row, column]:
            axis.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=ROLES[role], alpha=0.25, lw=0))
        if not np.isnan(value):
            ink = ROLES["ink"] if tint is not None else ink_on(value, limit)
            axis.text(column, row, minus(f"{value:.3g}"), ha="center", va="center", fontsize=fontsize, color=ink)
    draw_lines(axis, grid)


def ink_on(value: float, limit: float) -> str:
    """The colour of a number on a square coloured by sign: white on the dark ones."""
    return "white" if value > 0.85 * limit or value < -0.7 * limit else ROLES["ink"]


def minus(number: str) -> str:
    """A number with a minus sign in the place of the hyphen."""
    return number.replace("-", "\u2212")


def draw_lines(axis: Axes, grid: torch.Tensor) -> None:
    """Draw thin lines between the squares of a matrix [H, W]."""
    axis.set_xticks(np.arange(0.5, grid.shape[1] - 1), labels=[])
    axis.set_yticks(np.arange(0.5, grid.shape[0] - 1), labels=[])
    axis.tick_params(length=0)
    axis.grid(color="0.8", lw=0.7)


def frame(axis: Axes, row: float, column: float, height: float, width: float, label: str = "", **style: Any) -> None:
    """Draw a frame around some squares, in the colour of data, with a label in its corner.

    style: of `Rectangle`, for example edgecolor.
    """
    style = {"fill": False, "edgecolor": ROLES["data"], "lw": 2.5, "zorder": 2.6, **style}  # above the lines
    axis.add_patch(Rectangle((column - 0.5, row - 0.5), width, height, clip_on=False, **style))
    if label:
        box = {"boxstyle": "round,pad=0.15", "facecolor": style["edgecolor"], "edgecolor": "none"}
        axis.text(column - 0.5, row - 0.5, label, color="white", fontsize=8, ha="center", va="center", bbox=box)


def as_weight(axis: Axes, lw: float = 1.5) -> None:
    """Draw the border of an axis in the colour of weights."""
    for side in axis.spines.values():
        side.set(color=ROLES["weight"], lw=lw)


def draw_kernel(axis: Axes, kernel: torch.Tensor, title: str = "") -> None:
    """Draw a kernel [KH, KW] as squares by sign; up to 3 rows with its numbers, as fractions."""
    largest = kernel.abs().max().item()
    draw_image(axis, kernel, title, signed=True, limits=(-1.3 * largest, 1.3 * largest))
    if kernel.shape[0] <= 3:
        for (row, column), value in np.ndenumerate(kernel.numpy()):
            text = minus(str(Fraction(float(value)).limit_denominator(16)))
            axis.text(column, row, text, ha="center", va="center", fontsize=8, color=ink_on(value, largest))
    draw_lines(axis, kernel)
    as_weight(axis)
    axis.title.set_fontsize(9.5)


def draw_response(axis: Axes, response: torch.Tensor, kernel: torch.Tensor, title: str = "") -> None:
    """Draw what a kernel [KH, KW] made of an image in [0, 1]: [OH, OW].

    It is drawn by sign where a constant image gives zero, and as an image otherwise.
    """
    signed = abs(kernel.sum().item()) < 1e-3
    # Not the largest: a few extreme pixels would leave the rest pale.
    strong = max(response.abs().flatten().quantile(0.99).item(), 1e-6)
    draw_image(axis, response, title, signed=signed, limits=(-strong, strong) if signed else (0, 1))
