"""Schematics of chapter 8: the two terms, the two graphs of a sample, and the bound as bars."""

from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.viz import COLOURS, ROLES, course_style, draw_arrow, new_diagram, new_figure

Picture = tuple[Figure, str]
"""A figure and its alternative text: `show(*picture)`."""
Frames = tuple[list[Figure], str]
"""The frames of an animation and its alternative text: `show_animation(*frames)`."""
GAP: dict[str, Any] = {"facecolor": "0.88", "edgecolor": "0.5", "hatch": "////", "linewidth": 0.5}
"""What lies between the bound and log p(x), in every picture."""


def _box(axis: Axes, x: float, y: float, width: float, height: float, text: str, role: str, **options: Any) -> None:
    """A rounded box with a text, its lower left corner at (x, y)."""
    shape = "round,pad=0,rounding_size=0.15"
    axis.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor="white", edgecolor=ROLES[role], lw=1.6))
    style: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 10.5, "color": ROLES["ink"], **options}
    axis.text(x + width / 2, y + height / 2, text, **style)


@course_style
def two_terms() -> Picture:
    """Image, encoder, the cloud q, a sample, decoder, and where the two terms of the bound come from."""
    figure, axis = new_diagram(8, 2.9, xlim=(0, 16), ylim=(-0.7, 5.1))
    _box(axis, 0.2, 3.2, 1.6, 1.6, "image\n$x$", "data")
    _box(axis, 2.7, 3.2, 2.2, 1.6, "encoder\n$\\phi$", "weight")
    _box(axis, 5.8, 3.2, 2.7, 1.6, "$q(z|x)$:\nmean, variance", "latent")
    _box(axis, 9.4, 3.2, 1.3, 1.6, "sample\n$z$", "latent")
    _box(axis, 11.6, 3.2, 2.0, 1.6, "decoder\n$\\theta$", "weight")
    _box(axis, 14.4, 3.2, 1.4, 1.6, "$p(x|z)$", "generated")
    for start, end in ((1.8, 2.7), (4.9, 5.8), (8.5, 9.4), (10.7, 11.6), (13.6, 14.4)):
        draw_arrow(axis, (start, 4.0), (end, 4.0))
    _box(axis, 5.3, 0.3, 3.7, 1.5, "KL: how far is $q$\nfrom the prior N(0, I)?", "faint", fontsize=9.5)
    _box(axis, 11.0, 0.3, 4.8, 1.5, "reconstruction: how\nprobable is $x$, given $z$?", "faint", fontsize=9.5)
    draw_arrow(axis, (7.15, 3.2), (7.15, 1.8), "faint")
    draw_arrow(axis, (15.1, 3.2), (14.6, 1.8), "faint")
    line: dict[str, Any] = {"color": ROLES["data"], "lw": 1.2, "ls": (0, (3, 2))}
    axis.plot([1.0, 1.0, 13.4, 13.4], [3.2, -0.4, -0.4, 0.3], **line)
    axis.text(4.2, -0.32, "the same image is asked for again", ha="center", va="bottom", fontsize=9, color=ROLES["data"])
    return figure, (
        "An image goes through the encoder to the mean and the variance of q; a sample z goes through the decoder to p(x|z). "
        "The KL compares q with the prior, the reconstruction term asks how probable the image is under p(x|z)."
    )


@course_style
def two_graphs() -> Picture:
    """A sample that stops the gradient, and one written as a function of noise, which lets it through."""
    figure, axis = new_diagram(8, 3.0, xlim=(0, 16), ylim=(0, 6))
    for left, title in ((0.2, "z drawn from q"), (8.4, "z = mean + std · noise")):
        axis.text(left, 5.75, title, fontsize=11, va="top", color=ROLES["ink"])
        _box(axis, left, 3.4, 1.5, 1.1, "mean", "latent")
        _box(axis, left, 1.7, 1.5, 1.1, "std", "latent")
        _box(axis, left + 3.2, 2.55, 1.2, 1.1, "$z$", "latent", fontsize=12)
        _box(axis, left + 5.7, 2.55, 1.4, 1.1, "$f(z)$", "gradient", fontsize=11)
        draw_arrow(axis, (left + 1.5, 3.9), (left + 3.2, 3.3))
        draw_arrow(axis, (left + 1.5, 2.3), (left + 3.2, 2.9))
        draw_arrow(axis, (left + 4.4, 3.1), (left + 5.7, 3.1))
        back: dict[str, Any] = {"lw": 2.2, "mutation_scale": 14, "connectionstyle": "arc3,rad=0.35"}
        draw_arrow(axis, (left + 6.4, 3.7), (left + 3.9, 3.75), "gradient", **back)
    axis.plot([2.55, 2.55], [2.0, 4.2], color=ROLES["gradient"], lw=3)
    axis.text(1.9, 1.55, "dice: no derivative", ha="left", va="top", fontsize=9.5, color=ROLES["gradient"])
    _box(axis, 11.35, 0.2, 1.7, 1.1, "noise", "faint")
    draw_arrow(axis, (12.2, 1.3), (12.2, 2.55))
    turned: dict[str, Any] = {"lw": 2.2, "mutation_scale": 14}
    draw_arrow(axis, (11.8, 3.75), (9.95, 4.25), "gradient", connectionstyle="arc3,rad=0.2", **turned)
    draw_arrow(axis, (11.6, 2.6), (9.95, 1.95), "gradient", connectionstyle="arc3,rad=-0.2", **turned)
    axis.text(13.3, 0.75, "the dice stand beside\nthe path", ha="left", va="center", fontsize=9.5, color=ROLES["faint"])
    return figure, (
        "Left: z is drawn from q, and the gradient of f(z) stops at z. Right: z is the mean plus the standard deviation times a "
        "noise that has no parameters, and the gradient goes on to the mean and the standard deviation."
    )


def draw_bars(axis: Axes, bounds: list[float], log_p: list[float], floor: float) -> None:
    """A bar from the floor to each bound, and the gap from there to log p(x), which a line marks."""
    for place, (bound, truth) in enumerate(zip(bounds, log_p, strict=True)):
        shown = max(bound, floor)
        axis.barh(place, shown - floor, left=floor, color=COLOURS["sky"], height=0.62)
        axis.barh(place, truth - shown, left=shown, height=0.62, **GAP)
        axis.plot([truth, truth], [place - 0.42, place + 0.42], color=ROLES["ink"], lw=2)
    axis.invert_yaxis()


@course_style
def decomposition(rows: Mapping[str, tuple[float, float]], floor: float) -> Picture:
    """ELBO + gap = log p(x) as stacked bars: by name the ELBO and the gap, each computed by itself; the axis starts at floor.

    Rows that begin with the same letter belong to the same point: their bars have to end at one place.
    """
    figure, axes = new_figure(size=(8, 0.33 * len(rows) + 0.9))
    axis = axes[0, 0]
    bounds, sums = [elbo for elbo, _ in rows.values()], [elbo + gap for elbo, gap in rows.values()]
    draw_bars(axis, bounds, sums, floor)
    for place, (bound, total) in enumerate(zip(bounds, sums, strict=True)):
        inside = bound - floor > 2.2
        axis.text(max(bound, floor) - 0.08 if inside else floor + 0.08, place, f"ELBO {bound:.2f}", fontsize=8.5,
                  ha="right" if inside else "left", va="center")  # fmt: skip
        axis.text(total + 0.12, place, f"+ gap {total - bound:.2f} = {total:.3f}", fontsize=8.5, va="center")
    axis.set(yticks=range(len(rows)), yticklabels=list(rows), xlabel="nats", xlim=(floor, max(sums) + 3.2))
    return figure, (
        "Stacked bars, the ELBO and on top of it the gap. For each point the bars of all q end at the same place, log p(x): "
        + "; ".join(f"{name}: {elbo:.2f} + {gap:.2f}" for name, (elbo, gap) in rows.items())
    )


@course_style
def dropped(shares: torch.Tensor, costs: Mapping[str, torch.Tensor]) -> Picture:
    """What it costs to leave out a share of the mass, [S] by name, on a logarithmic axis."""
    figure, axes = new_figure(size=(8, 3))
    axis = axes[0, 0]
    inks = (ROLES["latent"], ROLES["generated"], ROLES["data"], COLOURS["sky"])
    for (name, values), colour, dash in zip(costs.items(), inks, ("-", "--", "-", ":"), strict=False):
        axis.plot(shares.tolist(), values.tolist(), dash, color=colour, lw=2, label=name)
    axis.set(xlabel="share w that is left out", ylabel="cost in nats", yscale="log")
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, "The cost of leaving out a share of the mass: " + ", ".join(
        f"{name}: {values[-1].item():.2f} nats at {shares[-1].item():.0%}" for name, values in costs.items()
    )
