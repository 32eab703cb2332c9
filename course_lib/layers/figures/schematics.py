"""Schematics of chapter 3: the way of data and gradients, where a maximum sends its gradient, what is averaged."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.convolution.figures.cells import Picture
from course_lib.viz import ROLES, course_style, draw_arrow, draw_cells, new_diagram


def _box(axis: Axes, x: float, y: float, text: str, width: float = 1.7, height: float = 1.0, role: str = "ink") -> None:
    """A rounded box with a text, its middle at (x, y)."""
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.18"
    axis.add_patch(FancyBboxPatch(corner, width, height, boxstyle=style, facecolor="0.96", edgecolor=ROLES[role], lw=1.3))
    axis.text(x, y, text, ha="center", va="center", fontsize=9.5, color=ROLES[role])


def _label(axis: Axes, x: float, y: float, text: str, role: str, va: str = "center") -> None:
    axis.text(x, y, text, color=ROLES[role], fontsize=8.5, ha="center", va=va)


@course_style
def backpropagation() -> Picture:
    """A network of six layers: data go right, gradients come back and leave something at each weight."""
    names = ["convolution", "batch norm", "ReLU", "max pooling", "dense", "loss"]
    carried = ["$x_0$", "$x_1$", "$x_2$", "$x_3$", "$x_4$", "logits"]
    learns = {0, 1, 4}
    figure, axis = new_diagram(8, 2.75, xlim=(-0.3, 19.7), ylim=(-0.75, 6.1))
    places = [2.0 + 3.2 * number for number in range(6)]
    for number, (x, name) in enumerate(zip(places, names, strict=True)):
        _box(axis, x, 3.4, name, width=2.15, height=1.5)
        before = x - 2.1 if number else -0.2
        draw_arrow(axis, (before, 3.75), (x - 1.12, 3.75), "data")
        _label(axis, (before + x - 1.12) / 2, 4.35, carried[number], "data")
        if number:
            draw_arrow(axis, (x - 1.12, 3.05), (x - 2.08, 3.05), "gradient")
            _label(axis, x - 1.6, 2.4, f"$g_{number}$", "gradient")
        if number in learns:
            _label(axis, x, 5.65, "weights", "weight")
            draw_arrow(axis, (x, 5.3), (x, 4.2), "weight")
            draw_arrow(axis, (x, 2.6), (x, 1.0), "gradient")
            _label(axis, x, 0.45, "gradient\nof the weights", "gradient", va="top")
    _label(axis, places[-1], 5.65, "label", "data")
    draw_arrow(axis, (places[-1], 5.3), (places[-1], 4.2), "data")
    _label(axis, places[-1], 1.75, "starts here:\n$(p - q) / N$", "gradient")
    alt = (
        "Six boxes in a row: convolution, batch norm, ReLU, max pooling, dense, loss. Blue arrows carry data to the right. Red "
        "arrows carry gradients from the loss back to the left, and at each box with weights one leads down to their gradient."
    )
    return figure, alt


@course_style
def routing(x: torch.Tensor, y: torch.Tensor, g: torch.Tensor, sent: torch.Tensor, mean: torch.Tensor) -> Picture:
    """Pooling of 2 x 2 windows: x [4, 4], the maxima y, the gradients g [2, 2], what x receives by maximum and by mean."""
    figure, axis = new_diagram(8, 2.3, xlim=(0, 22.7), ylim=(0.9, 6.5))
    winners = {(i, j) for i, j in (sent != 0).nonzero().tolist()}
    grids: Sequence = (
        (0.3, 1.2, x, "data", winners, "image: winners filled"),
        (6.3, 2.2, y, "data", True, "maxima"),
        (10.2, 2.2, g, "gradient", True, "gradient $g$"),
        (14.0, 1.2, sent, "gradient", winners, "max: to the winner"),
        (18.4, 1.2, mean, "gradient", False, "mean: to all alike"),
    )
    for left, bottom, grid, role, filled, title in grids:
        draw_cells(axis, grid, left, bottom, role, filled=filled, fontsize=8.5)
        if len(grid) == 4:
            for i in (0, 2):
                for j in (0, 2):
                    axis.add_patch(Rectangle((left + i, bottom + j), 2, 2, fill=False, edgecolor=ROLES["ink"], lw=1.6))
        axis.text(left + len(grid) / 2, bottom + len(grid) + 0.5, title, color=ROLES[role], ha="center", fontsize=9)
    draw_arrow(axis, (4.5, 3.2), (6.1, 3.2), "data", "forward")
    draw_arrow(axis, (12.4, 3.2), (13.8, 3.2), "gradient", "back")
    _label(axis, 9.2, 3.2, "...", "ink")
    alt = (
        "A 4 x 4 image in four windows of 2 x 2. The largest pixel of each window is filled. The gradients 10, 20, 30 and 40 of "
        "the four maxima go to these pixels alone; with the mean, each pixel of a window receives a quarter."
    )
    return figure, alt


@course_style
def normalised_over(N: int = 3, C: int = 4) -> Picture:
    """Which numbers batch norm and layer norm average: N images of C channels, as a table of small maps."""
    figure, axis = new_diagram(8, 3.4, xlim=(-1.6, 20.4), ylim=(-1.8, 7.2))
    for left, title, chosen, said in (
        (0.6, "batch norm", lambda n, c: c == 1, "one mean and one variance\nfor each channel: over N, H, W"),
        (11.6, "layer norm", lambda n, c: n == 1, "one mean and one variance\nfor each image: over C, H, W"),
    ):
        for n in range(N):
            for c in range(C):
                role = "latent" if chosen(n, c) else "data"
                corner = (left + 2.05 * c, 4.1 - 2.05 * n)
                draw_cells(axis, np.zeros((3, 3)), *corner, role, side=0.57, filled=chosen(n, c), numbers=False)
            axis.text(left - 0.3, 4.95 - 2.05 * n, f"image {n}", ha="right", va="center", fontsize=8.5)
        for c in range(C):
            axis.text(left + 0.85 + 2.05 * c, 6.1, f"channel {c}", ha="center", fontsize=8.5)
        axis.text(left + 4, 6.75, title, ha="center", fontsize=10.5, weight="bold")
        axis.text(left + 4, -0.45, said, ha="center", va="top", fontsize=9, color=ROLES["ink"])
    alt = (
        f"Twice a table of small maps, {N} images by {C} channels. Batch norm: the maps of one channel in all images are marked. "
        "Layer norm: the maps of all channels of one image are marked."
    )
    return figure, alt


@course_style
def graph_of_batch_norm() -> Picture:
    """The computational graph of batch norm: its nodes, and the gradient on each edge back."""
    figure, axis = new_diagram(8, 2.95, xlim=(-0.4, 20.2), ylim=(0.1, 7.4))
    nodes = {
        "x": (0.6, 4.6),
        "mean": (3.4, 1.6),
        "centred": (6.6, 4.6),
        "var": (9.2, 1.6),
        "inverse": (12.4, 1.6),
        "normalised": (14.6, 4.6),
        "y": (18.8, 4.6),
    }
    widths = {"x": 1.1, "y": 1.1, "normalised": 2.6}
    edges = ("x mean", "x centred", "mean centred", "centred var", "var inverse", "centred normalised", "inverse normalised")
    for edge in (*edges, "normalised y"):
        start, end = (nodes[name] for name in edge.split())
        gap = [widths.get(name, 2.1) / 2 for name in edge.split()]
        flat = start[1] == end[1]
        up = 0.16 if flat else 0.0
        side = 0.0 if flat else 0.16
        rise = (end[1] > start[1]) - (end[1] < start[1])
        a = (start[0] + (gap[0] if flat else 0.25 * gap[0]), start[1] + 0.55 * rise)
        b = (end[0] - (gap[1] if flat else 0.25 * gap[1]), end[1] - 0.55 * rise)
        draw_arrow(axis, (a[0] - side, a[1] + up), (b[0] - side, b[1] + up), "data")
        draw_arrow(axis, (b[0] + side, b[1] - up), (a[0] + side, a[1] - up), "gradient")
    for name, (x, y) in nodes.items():
        _box(axis, x, y, name, width=widths.get(name, 2.1), height=1.1)
    for name, said in (("mean", "average"), ("var", "square, average"), ("inverse", r"$1 / \sqrt{var + \epsilon}$")):
        _label(axis, nodes[name][0], 0.5, said, "data")
    for name, said in (("centred", "x - mean"), ("normalised", "centred × inverse"), ("y", r"$\gamma$ × normalised + $\beta$")):
        _label(axis, nodes[name][0] - (0.6 if name == "y" else 0), 5.7, said.replace(" - ", " \u2212 "), "data")
    _label(axis, 9.6, 7.0, "two edges leave x, and two leave centred: two gradients come back, and are added", "gradient")
    alt = (
        "The nodes of batch norm: x leads to mean and to centred, mean to centred, centred to var and to normalised, var to "
        "inverse, inverse to normalised, normalised to y. Beside each blue arrow a red one leads back."
    )
    return figure, alt
