"""Pieces of schematics, with one colour for each role in the whole course.

Numbers in cells, arrows, boxes, and blocks H x W x C to scale.
"""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from course_lib.viz.style import COLOURS, course_style, new_figure

ROLES = {
    "data": COLOURS["blue"],
    "gradient": COLOURS["vermilion"],
    "weight": COLOURS["green"],
    "generated": COLOURS["purple"],
    "latent": COLOURS["orange"],
    "ink": "#222222",
    "faint": "#999999",
}
"""The colour of each role, from the first notebook to the last; real images are data."""


@course_style
def new_diagram(width: float = 8.0, height: float = 3.0, xlim: tuple = (0, 16), ylim: tuple = (0, 6)) -> tuple[Figure, Axes]:
    """A figure of so many inches with an axes without frame, its units as long across as up."""
    figure, axes = new_figure(size=(width, height))
    axis = axes[0, 0]
    axis.set(xlim=xlim, ylim=ylim, aspect="equal")
    axis.axis("off")
    return figure, axis


def draw_cells(
    axis: Axes,
    values: np.ndarray | Sequence,
    x: float,
    y: float,
    role: str = "data",
    *,
    side: float = 1.0,
    filled: bool | Collection = False,
    numbers: bool = True,
    fontsize: float = 10,
) -> None:
    """A row or a grid of numbers as square cells, its lower left corner at (x, y).

    values: [K] or [rows, K]; the first row is drawn on top. filled: all cells in the role's colour
    with white numbers, or only the (row, column) that it contains; in a single row, the columns.
    numbers: write them.
    """
    rows = np.atleast_2d(np.asarray(values, dtype=float))
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            solid = filled if isinstance(filled, bool) else ((i, j) in filled or (len(rows) == 1 and j in filled))
            left, bottom = x + j * side, y + (len(rows) - 1 - i) * side
            colour = ROLES[role]
            axis.add_patch(
                Rectangle((left, bottom), side, side, facecolor=colour if solid else "white", edgecolor=colour, lw=1.2)
            )
            if numbers and not np.isnan(value):
                ink = "white" if solid else ROLES["ink"]
                place = (left + side / 2, bottom + side / 2)
                axis.text(*place, f"{value:g}", ha="center", va="center", color=ink, fontsize=fontsize)


def draw_arrow(
    axis: Axes, start: tuple[float, float], end: tuple[float, float], role: str = "ink", text: str = "", **options: object
) -> None:
    """An arrow from start to end with a text above its middle.

    options: of `FancyArrowPatch`, for example connectionstyle.
    """
    style: dict[str, Any] = {"arrowstyle": "-|>", "mutation_scale": 12, "lw": 1.5, "shrinkA": 1, "shrinkB": 1, **options}
    axis.add_patch(FancyArrowPatch(start, end, color=ROLES[role], **style))
    if text:
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
        axis.annotate(text, middle, (0, 4), textcoords="offset points", ha="center", va="bottom", color=ROLES[role], fontsize=9)


def draw_block(axis: Axes, x: float, side: float, depth: float, role: str = "data", *, y: float = 0.0) -> float:
    """A feature map C x H x W as a box from the side: its left edge at x, its middle at height y.

    side: of the front, in units of the axes (say, pixels / 10). depth: its width on paper, for the
    channels. Returns where it ends.
    """
    slant, colour, ink = 0.1 * side, ROLES[role], ROLES["ink"]
    low, high = y - side / 2, y + side / 2
    end = x + depth
    axis.add_patch(Rectangle((x, low), depth, side, facecolor=colour, edgecolor=ink, lw=0.8, alpha=0.55))
    top = [(x, high), (x + slant, high + slant), (end + slant, high + slant), (end, high)]
    right = [(end, low), (end + slant, low + slant), (end + slant, high + slant), (end, high)]
    for corners, alpha in ((top, 0.3), (right, 0.42)):
        axis.add_patch(Polygon(corners, facecolor=colour, edgecolor=ink, lw=0.8, alpha=alpha))
    return end + slant
