"""The players of chapter 7 as schematics: what they are made of, where stamps overlap, where the gradient stops."""

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes

from course_lib.gan.figures.drawing import Picture
from course_lib.viz import COUNT_MAP, ROLES, course_style, draw_arrow, draw_block, new_diagram, new_figure


@course_style
def networks(widths: tuple[int, int, int] = (64, 32, 16), channels: int = 1) -> Picture:
    """G above and D below as blocks: the side of each feature map to scale, its channels written under it."""
    figure, axis = new_diagram(8, 5.2, xlim=(0, 19.4), ylim=(0, 12.6))
    sides = (4, 8, 16, 32)
    for y, name, maps in (
        (9.3, "G", list(zip((*widths, channels), sides, strict=True))),
        (2.9, "D", list(zip((channels, *widths[::-1]), sides[::-1], strict=True))),
    ):
        axis.text(0.1, y, name, fontsize=16, weight="bold", va="center")
        x = 2.0
        if name == "G":
            axis.text(x + 0.9, y, "z:\n64 numbers", ha="center", va="center", fontsize=9, color=ROLES["latent"])
            draw_arrow(axis, (x + 2.1, y), (x + 3.3, y))
            axis.text(x + 2.7, y + 0.4, "dense", ha="center", fontsize=9)
            x += 3.5
        for number, (depth, side) in enumerate(maps):
            picture = side == 32
            role = ("generated" if name == "G" else "data") if picture else "weight"
            width = 0.3 if picture else 0.5 + depth / 40
            right = draw_block(axis, x, side / 7.2, width, role, y=y)
            axis.text(x + width / 2, y - side / 14.4 - 0.75, f"{depth} × {side} × {side}", ha="center", fontsize=9)
            if number < 3:
                draw_arrow(axis, (right + 0.15, y), (right + 1.75, y))
                axis.text(right + 0.95, y + 0.4, "× 2" if name == "G" else "÷ 2", ha="center", fontsize=9)
                x = right + 1.95
        if name == "D":
            draw_arrow(axis, (right + 0.15, y), (right + 1.75, y))
            axis.text(right + 0.95, y + 0.4, "dense", ha="center", fontsize=9)
            axis.text(right + 2.0, y, "logit", va="center", fontsize=9)
    return figure, (
        f"G makes 64 numbers into {widths[0]} maps of 4 x 4 by a dense layer, and three transposed convolutions double the side "
        f"to {channels} x 32 x 32. D is its mirror: three convolutions halve the side, and a dense layer makes one logit."
    )


@course_style
def overlaps() -> Picture:
    """How many stamps reach each output pixel of a transposed convolution with stride 2, for two kernels."""
    ones = torch.ones(1, 1, 5, 5)
    figure, axes = new_figure(1, 2, size=(5.2, 2.75))
    for axis, side in zip(axes[0], (3, 4), strict=True):
        counts = F.conv_transpose2d(ones, torch.ones(1, 1, side, side), stride=2, padding=1)[0, 0]
        axis.imshow(counts.numpy(), cmap=COUNT_MAP, vmin=0, vmax=7)
        for row in range(counts.shape[0]):
            for column in range(counts.shape[1]):
                axis.text(column, row, f"{counts[row, column]:.0f}", ha="center", va="center", fontsize=9)
        axis.set(title=f"kernel {side} × {side}, stride 2", xticks=[], yticks=[])
    return figure, (
        "How many stamps reach each output pixel: with 3 by 3 kernels a checkerboard of one, two and four; with 4 by 4 kernels "
        "four everywhere but at the edge."
    )


def _box(axis: Axes, x: float, y: float, text: str, role: str, moves: bool = False) -> None:
    style = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": ROLES[role], "linewidth": 3 if moves else 1.2}
    axis.text(x, y, text, ha="center", va="center", fontsize=11, bbox=style)


@course_style
def where_the_gradient_stops() -> Picture:
    """The two halves of a step: values go to the right in black, gradients come back in vermilion."""
    figure, axis = new_diagram(8, 4.3, xlim=(0, 20), ylim=(0, 10.75))
    for y, title, stops in ((8.1, "D's step: D moves", True), (2.5, "G's step: G moves", False)):
        axis.text(0.1, y + 2.1, title, fontsize=11, weight="bold", va="center")
        _box(axis, 1.2, y, "z", "latent")
        _box(axis, 4.4, y, "G", "weight", moves=not stops)
        _box(axis, 8.2, y, "fake", "generated")
        _box(axis, 12.6, y, "D", "weight", moves=stops)
        _box(axis, 17.6, y, "D's loss" if stops else "G's loss", "ink")
        for start, end in ((1.75, 3.75), (5.05, 7.15), (9.25, 11.95), (13.25, 16.0)):
            draw_arrow(axis, (start, y + 0.22), (end, y + 0.22))
        back = ((16.0, 13.25), (11.95, 10.3)) if stops else ((16.0, 13.25), (11.95, 9.25), (7.15, 5.05))
        for start, end in back:
            draw_arrow(axis, (start, y - 0.3), (end, y - 0.3), "gradient")
        if stops:
            axis.plot([10.2, 10.2], [y - 1.0, y + 0.95], color=ROLES["gradient"], lw=3)
            axis.text(10.2, y - 1.5, "fake.detach()", ha="center", fontsize=10, family="monospace", color=ROLES["gradient"])
            _box(axis, 12.6, y + 2.0, "real", "data")
            draw_arrow(axis, (12.6, y + 1.45), (12.6, y + 0.6))
        else:
            words = "the gradient passes through D,\nwhose weights stay"
            axis.text(12.6, y - 1.6, words, ha="center", va="center", fontsize=10, color=ROLES["gradient"])
    return figure, (
        "In D's step the gradient runs from D's loss back into D and stops at fake.detach(). In G's step it runs from G's loss "
        "through D, whose weights stay, and through the fake images into G."
    )
