"""Schematics of chapter 4: three piles of images, a velocity, a block with a shortcut."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.classification.figures.training import Picture
from course_lib.viz import ROLES, course_style, draw_arrow, new_diagram


def box(axis: Axes, x: float, y: float, width: float, height: float, text: str, role: str = "ink", fontsize: float = 9) -> None:
    """A rounded box with a text, its lower left corner at (x, y)."""
    style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.12", "facecolor": "white", "lw": 1.5}
    axis.add_patch(FancyBboxPatch((x, y), width, height, edgecolor=ROLES[role], **style))
    axis.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=fontsize, color=ROLES["ink"])


@course_style
def three_piles() -> Picture:
    """Training, validation and test images, and which arrow may point where."""
    figure, axis = new_diagram(8, 2.9, xlim=(0, 16), ylim=(0, 5.8))
    for x, width, role, name, use in (
        (0.2, 8.2, "data", "training set", "the weights are fitted to it"),
        (8.8, 3.2, "weight", "validation set", "choices are compared on it"),
        (12.4, 3.4, "latent", "test set", "one number, at the end"),
    ):
        axis.add_patch(Rectangle((x, 4.2), width, 0.8, facecolor=ROLES[role], alpha=0.35, edgecolor=ROLES[role]))
        axis.text(x + width / 2, 4.6, name, ha="center", va="center", fontsize=10)
        axis.text(x + width / 2, 5.3, use, ha="center", va="center", fontsize=9, color=ROLES["ink"])
    box(axis, 2.4, 1.6, 3.8, 1.1, "gradient descent", "gradient")
    box(axis, 8.6, 1.6, 3.6, 1.1, "you: rate, network,\nwhen to stop", "weight")
    box(axis, 12.9, 1.6, 2.4, 1.1, "the report", "latent")
    draw_arrow(axis, (4.3, 4.2), (4.3, 2.75), "data")
    draw_arrow(axis, (10.4, 4.2), (10.4, 2.75), "weight")
    draw_arrow(axis, (14.1, 4.2), (14.1, 2.75), "latent")
    draw_arrow(axis, (8.6, 2.15), (6.25, 2.15), "weight", "again")
    draw_arrow(axis, (14.1, 1.55), (10.4, 1.55), "gradient", connectionstyle="arc3,rad=-0.35", linestyle=":")
    axis.text(12.25, 0.25, "never", ha="center", fontsize=10, color=ROLES["gradient"])
    alt = (
        "Three piles of images. The training set feeds gradient descent, the validation set feeds the reader's "
        "choices, which go "
        "back to gradient descent, and the test set feeds the report; a dotted arrow from the report back to the "
        "choices says never."
    )
    return figure, alt


@course_style
def velocity(beta: float = 0.7) -> Picture:
    """Three steps of momentum as arrows: what is kept of the velocity, the new gradient, and their sum."""
    figure, axis = new_diagram(8, 2.2, xlim=(-0.4, 15.6), ylim=(1.0, 5.4))
    place, kept = (0.6, 2.4), (0.0, 0.0)
    pushes = ((2.2, 1.5), (1.7, -1.9), (1.5, 1.6))
    for number, push in enumerate(pushes, start=1):
        middle = (place[0] + kept[0], place[1] + kept[1])
        end = (middle[0] + push[0], middle[1] + push[1])
        if number > 1:
            draw_arrow(axis, place, middle, "data", linestyle="--")
        draw_arrow(axis, middle, end, "gradient")
        draw_arrow(axis, place, end, "weight", lw=2.6)
        axis.plot(*place, "o", color=ROLES["ink"], ms=5)
        axis.text(place[0], place[1] - 0.45, f"step {number}", ha="center", va="top", fontsize=9)
        kept = (beta * (end[0] - place[0]), beta * (end[1] - place[1]))
        place = end
    axis.plot(*place, "o", color=ROLES["ink"], ms=5)
    new = "the new push $-\\eta\\,\\nabla L$"
    lines = {"weight": "the step: their sum", "gradient": new, "data": "kept: $\\beta$ times the last step"}
    for row, (role, text) in enumerate(lines.items()):
        axis.text(10.9, 2.0 + 0.7 * row, text, fontsize=10, color=ROLES[role])
    alt = (
        "Three steps of momentum. Each step is the sum of a share of the step before and a new push. The pushes point "
        "up and down in "
        "turn and partly cancel; their parts to the right add up, and the steps grow longer."
    )
    return figure, alt


@course_style
def residual_block() -> Picture:
    """A block with its shortcut, and the road of the gradient."""
    figure, axis = new_diagram(8, 2.6, xlim=(0, 16), ylim=(0, 5.2))
    names = ("conv 3 × 3\nstride", "batch\nnorm", "ReLU", "conv 3 × 3", "batch\nnorm")
    left = 2.6
    for name in names:
        width = 1.9 if "conv" in name else 1.3
        box(axis, left, 1.0, width, 1.1, name, "weight" if name != "ReLU" else "faint")
        draw_arrow(axis, (left - 0.4, 1.55), (left, 1.55), "data")
        left += width + 0.4
    axis.text(0.7, 1.55, "$x$", ha="center", va="center", fontsize=13)
    axis.plot([1.0, 2.3], [1.55, 1.55], color=ROLES["data"], lw=1.5)
    axis.plot([1.6, 1.6], [1.55, 3.6], color=ROLES["data"], lw=1.5)
    box(axis, 5.2, 3.05, 4.2, 1.1, "shortcut: $x$ itself, or\nconv 1 × 1 + batch norm", "data")
    draw_arrow(axis, (1.6, 3.6), (5.2, 3.6), "data")
    axis.plot([9.4, 12.6], [3.6, 3.6], color=ROLES["data"], lw=1.5)
    draw_arrow(axis, (12.6, 3.6), (12.6, 1.95), "data")
    draw_arrow(axis, (left - 0.4, 1.55), (12.25, 1.55), "data")
    circle = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": ROLES["ink"]}
    axis.text(12.6, 1.55, "+", ha="center", va="center", fontsize=15, bbox=circle)
    box(axis, 13.4, 1.0, 1.2, 1.1, "ReLU", "faint")
    draw_arrow(axis, (13.0, 1.55), (13.4, 1.55), "data")
    draw_arrow(axis, (14.6, 1.55), (15.6, 1.55), "data")
    draw_arrow(axis, (12.4, 4.6), (2.0, 4.6), "gradient")
    axis.text(7.3, 4.75, "the gradient has a road past the weights", ha="center", fontsize=9, color=ROLES["gradient"])
    axis.text(7.3, 0.35, "$f(x)$: the correction that the block learns", ha="center", fontsize=9)
    alt = (
        "A residual block: x goes through a convolution, batch normalisation, ReLU, a second convolution and batch "
        "normalisation; a "
        "shortcut leads past them to a sum, which a ReLU follows. An arrow above shows the gradient going back along "
        "the shortcut."
    )
    return figure, alt
