"""Pictures of chapter 6 in which densities are known: a generator on a line, the best discriminator, losses, distances."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from course_lib.gan.figures.game_schematics import Frames, Picture
from course_lib.viz import COLOURS, DASHES, GREY_MAP, LINES, MARKERS, ROLES, course_style, draw_references, new_figure

REAL, FAKE = ROLES["data"], ROLES["generated"]


@course_style
def flat_and_steep(z: Tensor, curve: Tensor, drawn: Tensor) -> Picture:
    """A generator on a line: its curve over z with the ways of a few z, and how the points that it drew are distributed."""
    figure, axes = new_figure(1, 2, size=(8, 3), width_ratios=[1.6, 1], sharey=True)
    left, right = axes[0]
    left.plot(z.tolist(), curve.tolist(), color=ROLES["weight"], lw=2)
    for place in range(-8, 9):
        nearest = int((z - place / 4).abs().argmin())
        across = [z[nearest].item()] * 2 + [z.max().item()]
        left.plot(across, [-4.4] + [curve[nearest].item()] * 2, color=ROLES["latent"], lw=0.8, alpha=0.7)
    left.set(xlabel="z, evenly spaced", ylabel="x = G(z)", ylim=(-4.4, 4.4), xlim=(z.min().item(), z.max().item()))
    right.hist(drawn.tolist(), bins=80, density=True, orientation="horizontal", color=FAKE, alpha=0.7)
    right.set(xlabel="density of x")
    return figure, (
        "A generator on a line: the curve of G is flat at two heights and steep between them; evenly spaced z land close "
        "together where it is flat, and the histogram of its output has two peaks there."
    )


@course_style
def best_discriminators(x: Tensor, p: Tensor, q: Tensor, probabilities: Mapping[str, Tensor]) -> Picture:
    """Two densities on a grid, and under them what discriminators say there, a dict of names and D [len(x)]."""
    figure, axes = new_figure(2, 1, size=(8, 4), sharex=True)
    above, below = axes[:, 0]
    for values, name, colour in ((p, "real: p", REAL), (q, "generated: q", FAKE)):
        above.plot(x.tolist(), values.tolist(), color=colour, label=name)
        above.fill_between(x.tolist(), values.tolist(), color=colour, alpha=0.2, linewidth=0)
    inks = (ROLES["ink"], ROLES["weight"], COLOURS["orange"], COLOURS["sky"])
    for (name, values), colour, dash in zip(probabilities.items(), inks, DASHES, strict=False):
        below.plot(x.tolist(), values.tolist(), dash, color=colour, label=name, linewidth=2)
    above.set(ylabel="density", ylim=(0, None), xlim=(x.min().item(), x.max().item()))
    below.set(ylabel="probability of real", xlabel="x", ylim=(-0.03, 1.03))
    for axis in (above, below):
        axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
        axis.grid(color="0.93")
    return figure, (
        "Above, the densities of real and generated points. Below, the probability of real that each of these gives: "
        f"{', '.join(probabilities)}."
    )


@course_style
def pushes(logits: Tensor, push: Mapping[str, Tensor]) -> Picture:
    """How strongly each loss pushes the logit of a generated point upwards."""
    figure, axes = new_figure(size=(8, 3))
    axis = axes[0, 0]
    for (name, values), colour, dash in zip(push.items(), LINES, DASHES, strict=False):
        axis.plot(logits.tolist(), values.tolist(), dash, color=colour, lw=2, label=name)
    low, high = logits.min().item(), logits.max().item()
    axis.axvspan(low, -2, color=FAKE, alpha=0.12, lw=0)
    axis.text(low + 0.2, 2.55, "early: D is sure of the fakes", fontsize=9)
    axis.set(xlabel="logit of a generated point", ylabel="push towards real", ylim=(-1, 3), xlim=(low, high))
    axis.axhline(0, color="0.8", lw=0.8, zorder=0)
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, (
        "The push of each generator loss against the logit of a generated point. On the left, where D is sure, minimax pushes "
        "with almost nothing, non-saturating with one, least squares ever more strongly, hinge and Wasserstein always with one."
    )


@course_style
def line_game(line: Tensor, p: Tensor, states: Sequence[tuple[str, Tensor, Tensor]]) -> Frames:
    """A game on a line, a frame for each state (title, density q of the generated points, D), all on `line`."""
    frames = []
    for title, q, d in states:
        figure, axes = new_figure(size=(8, 2.8))
        axis = axes[0, 0]
        for values, name, colour in ((p, "real", REAL), (q, "generated", FAKE)):
            axis.fill_between(line.tolist(), values.tolist(), color=colour, alpha=0.3, linewidth=0, label=name)
            axis.plot(line.tolist(), values.tolist(), color=colour, lw=1)
        axis.plot(line.tolist(), d.tolist(), color=ROLES["ink"], lw=2, label="D(x)")
        axis.axhline(0.5, color="0.8", lw=0.8, ls=":", zorder=0)
        axis.set(ylim=(0, 1), xlim=(line.min().item(), line.max().item()), xlabel="x", title=title)
        axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
        frames.append(figure)
    return frames, (
        "Animation of the game on a line: the discriminator's curve tilts towards the real heap, the generated heap moves up the "
        "slope, overshoots, and comes back, until the two overlap and the curve is flat."
    )


@course_style
def blind(shifts: Sequence[float], series: Mapping[str, Sequence[float]]) -> Picture:
    """Two boxes of width 1 that move apart: the boxes at three shifts, and the distances against the shift."""
    figure, axes = new_figure(1, 4, size=(8, 2.6), width_ratios=[1, 1, 1, 2.6])
    for axis, shift in zip(axes[0], (0.5, 1.5, 3.0), strict=False):
        for place, colour in ((0, REAL), (shift, FAKE)):
            axis.fill_between([place - 0.5, place + 0.5], [1, 1], color=colour, alpha=0.45, lw=0)
        axis.set(xlim=(-0.8, 3.8), ylim=(0, 1.6), xticks=[], yticks=[], title=f"shift {shift}")
    axis = axes[0, 3]
    for (name, values), colour, dash, marker in zip(series.items(), LINES, DASHES, MARKERS, strict=False):
        axis.plot(shifts, [float(value) for value in values], dash, marker=marker, ms=4, color=colour, label=name)
    draw_references(axis, {"log 2": math.log(2)})
    axis.set(xlabel="shift", ylabel="distance")
    axis.legend(fontsize=9)
    return figure, (
        "Two boxes of width one that move apart: Jensen-Shannon rises to log 2 at shift one and stays there; the earth mover's "
        "distance grows in proportion to the shift."
    )


@course_style
def hair_apart(images: Tensor, moved: Tensor, titles: Sequence[str]) -> Picture:
    """A few images [N, C, H, W], and under them the same after a change too small to be seen."""
    figure, axes = new_figure(2, len(images), size=(8, 2.3))
    for row, batch, title in zip(axes, (images, moved), titles, strict=True):
        for axis, image in zip(row, batch, strict=True):
            axis.imshow(image.permute(1, 2, 0).clamp(0, 1).squeeze().numpy(), cmap=GREY_MAP, vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(title, rotation=0, ha="right", va="center")
    return figure, f"{len(images)} images, and under them the same with noise of less than half a grey level: no eye sees it."


@course_style
def iterations(estimates: Mapping[str, Sequence[float]], truths: Mapping[str, float]) -> Picture:
    """How far each estimate of a largest singular value is below the true one, against the rounds; 1e-7 is rounding."""
    figure, axes = new_figure(size=(5.2, 2.7))
    axis = axes[0, 0]
    for (name, values), colour, dash in zip(estimates.items(), LINES, DASHES, strict=False):
        missing = [max(1 - value / truths[name], 1e-7) for value in values]
        axis.plot(range(1, len(values) + 1), missing, dash, color=colour, label=name)
    axis.set(yscale="log", xlabel="rounds", ylabel="share that is missing")
    axis.grid(color="0.93")
    axis.legend(fontsize=9)
    return figure, "The estimate of the largest singular value against the rounds of power iteration: the error falls."
