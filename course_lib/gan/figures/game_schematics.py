"""Schematics of chapter 6: the game with both gradients, and earth that is carried."""

from collections.abc import Mapping
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.viz import ROLES, course_style, draw_arrow, new_diagram, new_figure

Picture = tuple[Figure, str]
"""A figure and its alternative text: `show(*picture)`."""
Frames = tuple[list[Figure], str]
"""The frames of an animation and its alternative text: `show_animation(*frames)`."""


@course_style
def the_game() -> Picture:
    """The data's way forward, the two losses, and how far the gradient of each goes back."""
    figure, axis = new_diagram(8, 3.9, xlim=(0, 16), ylim=(0, 7.8))
    for x, y, width, text, role in (
        (0.2, 4.8, 1.6, "noise\nz", "latent"),
        (2.9, 4.8, 1.9, "G", "weight"),
        (6.0, 4.8, 1.9, "G(z)", "generated"),
        (6.0, 1.2, 1.9, "real x", "data"),
        (9.3, 3.0, 1.9, "D", "weight"),
        (12.8, 4.8, 3.0, "G's loss:\nD(G(z)) too low?", "gradient"),
        (12.8, 1.2, 3.0, "D's loss:\nD(x) too low?\nD(G(z)) too high?", "gradient"),
    ):
        style: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.15", "facecolor": "white", "lw": 1.6}
        axis.add_patch(FancyBboxPatch((x, y), width, 1.4, edgecolor=ROLES[role], **style))
        size = 9 if "loss" in text else 11
        axis.text(x + width / 2, y + 0.7, text, ha="center", va="center", fontsize=size, color=ROLES["ink"])
    for start, end in (
        ((1.8, 5.5), (2.9, 5.5)),
        ((4.8, 5.5), (6.0, 5.5)),
        ((7.9, 5.2), (9.3, 4.1)),
        ((7.9, 2.1), (9.3, 3.3)),
        ((11.2, 4.1), (12.8, 5.2)),
        ((11.2, 3.3), (12.8, 2.2)),
    ):
        draw_arrow(axis, start, end)
    back: dict[str, Any] = {"lw": 2.4, "mutation_scale": 16}
    draw_arrow(axis, (13.6, 6.25), (10.4, 4.45), "gradient", connectionstyle="arc3,rad=0.3", **back)
    draw_arrow(axis, (10.0, 4.45), (4.0, 6.25), "gradient", connectionstyle="arc3,rad=0.42", **back)
    axis.text(
        8.6, 7.45, "G's step: the gradient passes through D and moves only G", ha="center", fontsize=9.5, color=ROLES["gradient"]
    )
    dashed: dict[str, Any] = back | {"linestyle": (0, (4, 2))}
    draw_arrow(axis, (13.6, 1.15), (10.3, 2.95), "gradient", connectionstyle="arc3,rad=-0.35", **dashed)
    axis.text(10.7, 0.35, "D's step: the gradient moves D and ends there", ha="center", fontsize=9.5, color=ROLES["gradient"])
    axis.plot([8.35, 8.95], [4.15, 5.15], color=ROLES["ink"], lw=3)
    axis.annotate(
        "detach cuts here,\nin D's step",
        (8.4, 4.2),
        (4.0, 3.2),
        fontsize=9.5,
        ha="center",
        va="center",
        color=ROLES["ink"],
        arrowprops={"arrowstyle": "-", "color": ROLES["faint"]},
    )
    return figure, (
        "Noise z goes through G to a generated point; D sees it and a real point; two losses follow. The gradient of G's loss "
        "goes back through D to G. The gradient of D's loss goes back to D and is cut by detach before it reaches G."
    )


@course_style
def carried(x: torch.Tensor, y: torch.Tensor, plans: Mapping[str, torch.Tensor]) -> Picture:
    """Two samples in the plane [N, 2] and [M, 2], and plans [N, M] as arrows as wide as the mass."""
    figure, axes = new_figure(1, len(plans), size=(8, 3.3), sharex=True, sharey=True)
    for axis, (name, plan) in zip(axes[0], plans.items(), strict=True):
        for n, m in plan.gt(1e-9).nonzero().tolist():
            width = 0.4 + 12 * plan[n, m].item()
            start, end = tuple(x[n].tolist()), tuple(y[m].tolist())
            draw_arrow(axis, start, end, "faint", lw=width, mutation_scale=7 + 3 * width, shrinkA=4, shrinkB=5, zorder=1)
        axis.scatter(x[:, 0].tolist(), x[:, 1].tolist(), s=45, color=ROLES["data"], label="real: the earth", zorder=2)
        axis.scatter(
            y[:, 0].tolist(), y[:, 1].tolist(), s=45, color=ROLES["generated"], marker="s", label="generated: the holes", zorder=2
        )
        axis.set(title=name, aspect="equal", xticks=[], yticks=[])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure, (
        f"{len(x)} real and {len(y)} generated points in the plane, and how earth is carried from the first to the second: "
        f"{'; '.join(plans)}."
    )
