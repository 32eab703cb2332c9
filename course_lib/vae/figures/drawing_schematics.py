"""Schematics of chapter 9: a convolutional VAE to scale, and the codes of all images beside the prior."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Polygon

from course_lib.viz import ROLES, course_style, draw_arrow, draw_block, new_diagram

Picture = tuple[Figure, str]


@course_style
def encoder_decoder(channels: int, size: int, widths: Sequence[int], hidden: int, latents: int) -> Picture:
    """The feature maps from the image to z and back: sides to scale, channels written under them."""
    figure, axis = new_diagram(8, 2.7, xlim=(0, 16), ylim=(-2.5, 2.8))
    sides = [size]
    for _ in widths:
        sides.append((sides[-1] + 1) // 2)
    maps = list(zip([channels, *widths], sides, strict=True))
    x = 0.3
    for number, (depth, side) in enumerate(maps):
        end = draw_block(axis, x, 3.0 * side / size, 0.16 + 0.02 * depth, "data" if number == 0 else "weight")
        axis.text((x + end) / 2, -1.95, f"{depth}\n×{side}×{side}", fontsize=9, ha="center", va="center")
        draw_arrow(axis, (end + 0.1, 0), (end + 0.75, 0))
        x = end + 0.85
    x = draw_block(axis, x, 2.2, 0.12, "weight")
    axis.text(x - 0.15, -1.95, f"{hidden}\nfeatures", ha="center", va="center", fontsize=9)
    x += 0.1
    bar, first = 0.34, x + 0.6
    for y, name in ((0.95, "mean"), (-0.95, "log variance")):
        draw_arrow(axis, (x - 0.1, 0), (first, y), connectionstyle="arc3,rad=0")
        box = FancyBboxPatch((first, y - bar), 1.9, 2 * bar, boxstyle="round,pad=0.02", facecolor="white")
        box.set(edgecolor=ROLES["latent"], linewidth=1.5)
        axis.add_patch(box)
        axis.text(first + 0.95, y, name, ha="center", va="center", fontsize=9.5)
        draw_arrow(axis, (first + 1.95, y), (first + 2.75, 0.3 if y > 0 else -0.3))
    axis.text(first + 3.1, 0, f"$z$\n{latents}", ha="center", va="center", fontsize=11, color=ROLES["ink"])
    axis.text(first + 2.4, 1.9, "noise", ha="center", fontsize=9, color=ROLES["faint"])
    draw_arrow(axis, (first + 2.6, 1.8), (first + 3.0, 0.6), "faint")
    x = first + 3.4
    draw_arrow(axis, (x, 0), (x + 0.6, 0))
    x += 0.7
    for number, (depth, side) in enumerate(reversed(maps)):
        end = draw_block(axis, x, 3.0 * side / size, 0.16 + 0.02 * depth, "generated" if number == len(widths) else "weight")
        axis.text((x + end) / 2, -1.95, f"{depth}\n×{side}×{side}", fontsize=9, ha="center", va="center")
        if number < len(widths):
            draw_arrow(axis, (end + 0.1, 0), (end + 0.6, 0))
        x = end + 0.7
    axis.text(2.6, 2.5, "encoder: image to q(z|x)", fontsize=10, ha="center")
    axis.text(x - 3.0, 2.5, "decoder: z to p(x|z)", fontsize=10, ha="center")
    axis.set_xlim(0, x)
    return figure, (
        f"A VAE as blocks: an image of side {size} is halved {len(widths)} times and ends in {hidden} features, "
        f"from which the mean "
        f"and the log-variance of {latents} latents are read; with noise they give z, and the decoder goes the same way back."
    )


@course_style
def codes_and_prior() -> Picture:
    """Why samples are worse than reconstructions: the prior is a full disc, the codes fill a bent part of it."""
    figure, axis = new_diagram(8, 2.6, xlim=(0, 16), ylim=(0, 5.2))
    turn = torch.linspace(0, 2 * torch.pi, 200)
    for left, title in ((2.6, "what the prior draws"), (8.0, "codes of all images: q(z)"), (13.4, "a mixture, fitted to q(z)")):
        disc = torch.stack([left + 2.0 * turn.cos(), 2.2 + 2.0 * turn.sin()], dim=1)
        axis.add_patch(Polygon(disc.tolist(), facecolor="0.93", edgecolor="0.5", lw=1, ls="--"))
        axis.text(left, 4.7, title, ha="center", fontsize=10)
    bend = torch.linspace(0.4, 2 * torch.pi - 0.3, 90)
    for left in (8.0, 13.4):
        way = torch.stack([left + (0.35 + 0.2 * bend) * bend.cos(), 2.2 + (0.35 + 0.2 * bend) * bend.sin()], dim=1)
        axis.plot(*way.T.tolist(), color=ROLES["latent"], lw=9, alpha=0.75, solid_capstyle="round")
    for n in range(4, 90, 14):
        place, ahead = way[n], way[min(n + 1, 89)]
        angle = torch.atan2(*(ahead - place).flip(0))
        ring = torch.stack([0.62 * turn.cos(), 0.3 * turn.sin()], dim=1)
        spin = torch.tensor([[angle.cos(), angle.sin()], [-angle.sin(), angle.cos()]])
        axis.add_patch(Polygon((place + ring @ spin).tolist(), facecolor="none", edgecolor=ROLES["data"], lw=1.6))
    rng = torch.Generator().manual_seed(3)
    radius, angle = 1.9 * torch.rand(60, generator=rng).sqrt(), 2 * torch.pi * torch.rand(60, generator=rng)
    axis.plot((2.6 + radius * angle.cos()).tolist(), (2.2 + radius * angle.sin()).tolist(), ".", color=ROLES["ink"], ms=4)
    return figure, (
        "Three discs. The first is filled evenly with draws of the prior. In the second the codes of all images "
        "fill a bent band. In "
        "the third a chain of ellipses covers the same band."
    )
