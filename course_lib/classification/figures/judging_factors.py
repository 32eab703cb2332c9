"""The pictures of chapter 5, second part: where a classifier fails, and what it says while an image moves."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.data import TYPEFACES, make_factors, render
from course_lib.viz import COLOURS, course_style, draw_image, new_figure

Picture = tuple[Figure, str]
Groups = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
KNOWN, STRANGE = COLOURS["blue"], COLOURS["vermilion"]


@course_style
def by_factor(groups: Mapping[str, tuple[Sequence[float], Groups]], overall: float) -> Picture:
    """Accuracy in groups of several factors, with intervals; a square where they miss the accuracy as a whole (dashed).

    groups: by the factor's name, the edges of its groups and (count, accuracy, low, high) of each.
    """
    figure, axes = new_figure(1, len(groups), size=(8, 2.6), sharey=True)
    said = []
    for axis, (name, (edges, (count, accuracy, low, high))) in zip(axes[0], groups.items(), strict=True):
        there = [g for g in range(len(count)) if count[g]]
        middle = [(edges[g] + edges[g + 1]) / 2 for g in there]
        for place, g in zip(middle, there, strict=True):
            beyond = bool(low[g] > overall or high[g] < overall)
            axis.plot([place] * 2, [low[g], high[g]], color=STRANGE if beyond else KNOWN, linewidth=1.8)
            axis.plot([place], [accuracy[g]], "s" if beyond else "o", color=STRANGE if beyond else KNOWN, markersize=4)
        axis.axhline(overall, color="0.3", linestyle="--", linewidth=1)
        axis.set_xticks(list(edges), [f"{edge:g}" for edge in edges])
        axis.set(title=name)
        axis.grid(axis="y", color="0.92")
        outside = sum(bool(low[g] > overall or high[g] < overall) for g in there)
        said.append(f"{name}: {outside} of {len(there)} intervals miss it")
    axes[0, 0].set_ylabel("share right")
    axes[0, 0].yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    return figure, f"Accuracy in groups, with intervals, and dashed the accuracy as a whole. {'; '.join(said)}."


@course_style
def by_typeface(results: Mapping[str, Groups], overall: float) -> Picture:
    """Accuracy by typeface as sorted horizontal lines, a digit of each drawn beside its name.

    results: by the name of the set, (count, accuracy, low, high) for each of `TYPEFACES`.
    """
    entries = []
    for (count, accuracy, low, high), colour in zip(results.values(), (KNOWN, STRANGE), strict=False):
        entries += [(accuracy[g].item(), low[g].item(), high[g].item(), g, colour) for g in range(len(count)) if count[g]]
    entries.sort(reverse=True)
    figure, axes = new_figure(1, 2, size=(8, 0.22 * len(entries) + 0.7), width_ratios=[0.14, 1], sharey=True)
    strip, axis = axes[0]
    tiles = render(make_factors("glyphs", digit=5, height=26.0, typeface=[g for *_, g, _ in entries]), 32)[0]
    for place, (share, lowest, highest, _, colour) in enumerate(entries):
        strip.imshow(
            (1 - tiles[place, 0, 2:30, 2:30].float() / 255).tolist(),
            cmap="gray",
            vmin=0,
            vmax=1,
            extent=(0.25, 0.75, place + 0.5, place - 0.5),
        )
        axis.plot([lowest, highest], [place] * 2, color=colour, linewidth=2)
        axis.plot([share], [place], "o" if colour == KNOWN else "s", color=colour, markersize=4)
    axis.axvline(overall, color="0.3", linestyle="--", linewidth=1)
    for name, colour, marker in zip(results, (KNOWN, STRANGE), "os", strict=False):
        axis.plot([], [], color=colour, marker=marker, markersize=4, linewidth=2, label=name)
    axis.legend(fontsize=8.5, loc="upper left")
    strip.set(xlim=(0, 1), ylim=(len(entries) - 0.5, -0.5), xticks=[], aspect="auto")
    strip.set_yticks(range(len(entries)), [TYPEFACES[g].name for *_, g, _ in entries], fontsize=8.5)
    for side in strip.spines.values():
        side.set_visible(False)
    axis.tick_params(labelleft=False, length=0)
    strip.tick_params(length=0)
    axis.set(xlabel="share right")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.grid(axis="x", color="0.92")
    worst, best = (TYPEFACES[entries[n][3]].name for n in (-1, 0))
    return figure, (
        f"Accuracy by typeface with intervals, sorted: best {best}, {entries[0][0]:.1%}, worst {worst}, {entries[-1][0]:.1%}. "
        "The typefaces that were not in training are mostly at the bottom."
    )


@course_style
def image_and_probabilities(image: torch.Tensor, probabilities: torch.Tensor, classes: Sequence[str], title: str = "") -> Figure:
    """One image beside the probability of each class."""
    figure, axes = new_figure(1, 2, size=(7, 2.9), width_ratios=[1, 1.6])
    draw_image(axes[0, 0], image, title)
    best = int(probabilities.argmax())
    colours = [COLOURS["blue"] if k == best else COLOURS["sky"] for k in range(len(classes))]
    axes[0, 1].barh(range(len(classes)), probabilities.tolist(), color=colours)
    axes[0, 1].set(xlim=(0, 1), xlabel="probability")
    axes[0, 1].set_yticks(range(len(classes)), classes, parse_math=False)
    axes[0, 1].invert_yaxis()
    return figure
