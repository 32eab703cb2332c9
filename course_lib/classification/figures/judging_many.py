"""The pictures of chapter 5, fourth part: comparisons of many runs, and mistakes in judging."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.viz import COLOURS, course_style, new_figure

Picture = tuple[Figure, str]
KNOWN, STRANGE = COLOURS["blue"], COLOURS["vermilion"]


@course_style
def contest(results: Sequence[Mapping[str, Any]]) -> Picture:
    """MLP, CNN and nearest neighbours on grey and colour images, a dot for each seed.

    results: of the recording "judging-contest".
    """
    figure, axes = new_figure(1, 2, size=(8, 2.6), sharey=True)
    titles = {"glyphs": "grey digits", "glyphs-color": "colour digits"}
    said = []
    for axis, (name, title) in zip(axes[0], titles.items(), strict=True):
        rows = [row for row in results if row["set"] == name]
        for place, row in enumerate(rows):
            values = row["accuracy"]
            colour = {"MLP": COLOURS["purple"], "CNN": KNOWN}.get(row["model"], "0.45")
            axis.plot([place] * len(values), values, "o", color=colour, alpha=0.7)
            median = torch.tensor(values, dtype=torch.float64).median().item()
            axis.annotate(f"{median:.1%}", (place, median), (9, 0), textcoords="offset points", va="center", fontsize=9)
            said.append(f"{row['model']} on {title} {median:.1%}")
        labels = ["nearest\npixels" if row["model"] == "nearest" else f"{row['model']}\n{row['weights']:,}" for row in rows]
        axis.set_xticks(range(len(rows)), labels)
        axis.axhline(0.1, color="0.5", linestyle=":", linewidth=1)
        axis.set(title=title, xlim=(-0.5, len(rows) - 0.3), ylim=(0, 1.06))
        axis.grid(axis="y", color="0.92")
    axes[0, 0].set_ylabel("share right (validation)")
    axes[0, 0].text(-0.45, 0.115, "guessing", fontsize=8, color="0.35")
    return figure, f"Accuracy by model and set, a dot for each seed: {', '.join(said)}."


@course_style
def amounts(recording: Mapping[str, Any]) -> Picture:
    """The share of mistakes against the number of images, and of typefaces, in training.

    recording: "judging-amounts", lists of runs under "images" and "typefaces".
    """
    figure, axes = new_figure(1, 2, size=(8, 2.8), sharey=True)
    titles = {"images": "training images, of 19 typefaces", "typefaces": "typefaces among 1,000 training images"}
    said = []
    for axis, (part, title) in zip(axes[0], titles.items(), strict=True):
        rows = recording[part]
        numbers = sorted({row["number"] for row in rows})
        for key, name, colour, style in (
            ("validation", "typefaces as in training" if part == "images" else "all 19 typefaces", KNOWN, "o-"),
            ("unseen", "seven unseen typefaces", STRANGE, "s--"),
        ):
            wrong = torch.tensor([[1 - row[key] for row in rows if row["number"] == number] for number in numbers])
            middle, low, high = wrong.median(dim=1).values, wrong.amin(dim=1), wrong.amax(dim=1)
            axis.plot(numbers, middle.tolist(), style, color=colour, markersize=4, label=name)
            axis.fill_between(numbers, low.tolist(), high.tolist(), color=colour, alpha=0.2, linewidth=0)
            said.append(f"{name} from {middle[0]:.1%} to {middle[-1]:.1%} wrong as {part} grow")
        axis.set(xscale="log", yscale="log", xlabel=title)
        axis.set_xticks(numbers, [f"{number // 1000}k" if number >= 1000 else str(number) for number in numbers])
        axis.minorticks_off()
        axis.set_yticks([0.02, 0.05, 0.1, 0.2, 0.5], ["2%", "5%", "10%", "20%", "50%"])
        axis.grid(color="0.92")
        axis.legend(fontsize=8)
    axes[0, 0].set_ylabel("share wrong")
    return figure, f"Two plots of the share of mistakes on logarithmic axes: {'; '.join(said)}."


@course_style
def two_models(first: torch.Tensor, second: torch.Tensor, names: tuple[str, str]) -> Picture:
    """On how many images two models are both right, both wrong, or differ. first, second: bool [N]."""
    masks = [[first & second, first & ~second], [~first & second, ~first & ~second]]
    counts = [[int(mask.sum()) for mask in row] for row in masks]
    figure, axes = new_figure(size=(5.2, 2.3))
    axis = axes[0, 0]
    for i in range(2):
        for j in range(2):
            colour = COLOURS["orange"] if i != j else "0.85"
            axis.add_patch(Rectangle((2 * j, 1 - i), 2, 1, facecolor=colour, alpha=0.6 if i != j else 1, edgecolor="white", lw=2))
            axis.text(2 * j + 1, 1.5 - i, f"{counts[i][j]:,}", ha="center", va="center", fontsize=12)
    axis.set(xlim=(0, 4), ylim=(0, 2))
    axis.set_xticks([1, 3], [f"{names[1]} right", f"{names[1]} wrong"])
    axis.set_yticks([1.5, 0.5], [f"{names[0]} right", f"{names[0]} wrong"])
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    return figure, f"Table of two models: only {names[0]} is right on {counts[0][1]} images, only {names[1]} on {counts[1][0]}."


@course_style
def company(sizes: Sequence[int], series: Mapping[str, Sequence[float]], reference: float) -> Picture:
    """The share that is wrong of a model in training mode, against the size of the batch, and in evaluation mode.

    series: shares that are right, by the order of the images; reference: in evaluation mode.
    """
    figure, axes = new_figure(size=(5.2, 2.7))
    axis = axes[0, 0]
    for (name, values), style, colour in zip(
        series.items(), ("o-", "s--", "^:"), (KNOWN, STRANGE, COLOURS["green"]), strict=False
    ):
        axis.plot(list(sizes), [1 - value for value in values], style, color=colour, markersize=4, label=name)
    axis.axhline(1 - reference, color="0.3", linestyle=":", label="evaluation mode")
    axis.set(xscale="log", xlabel="images in a batch", ylabel="share wrong")
    axis.set_ylim(0, 1.4 * axis.get_ylim()[1])  # room for the legend
    axis.set_xticks(list(sizes), [str(size) for size in sizes])
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    axis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=8, loc="upper right", ncol=2)
    said = "; ".join(f"{name} from {1 - values[0]:.1%} to {1 - values[-1]:.1%}" for name, values in series.items())
    return figure, f"Share wrong in training mode against the batch size: {said}. In evaluation mode it is {1 - reference:.1%}."


@course_style
def distances(nearest: Mapping[str, torch.Tensor]) -> Picture:
    """Histograms of the distance from each test image to its nearest training image, by title."""
    figure, axes = new_figure(1, len(nearest), size=(8, 2.3), sharey=True, sharex=True)
    top = max(values.max().item() for values in nearest.values())
    said = []
    for axis, (name, values) in zip(axes[0], nearest.items(), strict=True):
        edges = [top * n / 40 for n in range(41)]
        _, _, bars = axis.hist(values.tolist(), bins=edges, color=KNOWN)
        bars[0].set_facecolor(STRANGE)
        axis.set(title=name, xlabel="distance to the nearest training image")
        said.append(f"{name}: {int((values < edges[1]).sum())} of {len(values)} next to zero")
    axes[0, 0].set_ylabel("test images")
    return figure, f"Histograms of the distances to the nearest training image. {'; '.join(said)}."


@course_style
def best_of_many(recording: Mapping[str, Any]) -> Picture:
    """Many seeds: the score on a small test set against that on fresh images. recording: "judging-chosen"."""
    scores = torch.tensor(recording["scores"], dtype=torch.float64)
    tested, fresh = scores.T
    best = int(tested.argmax())
    figure, axes = new_figure(size=(5.2, 3.0))
    axis = axes[0, 0]
    low, high = scores.min().item() - 0.005, scores.max().item() + 0.005
    axis.plot([low, high], [low, high], color="0.6", linestyle="--", linewidth=1)
    axis.plot(tested.tolist(), fresh.tolist(), "o", color=KNOWN, alpha=0.6, markersize=5, label=f"{len(scores)} seeds")
    axis.plot([tested[best].item()], [fresh[best].item()], "s", color=STRANGE, markersize=8, label="best on the small test set")
    axis.axhline(fresh.mean().item(), color="0.6", linestyle=":", linewidth=1)
    axis.set(xlabel=f"share right of the {recording['tested']} test images it was chosen by", ylabel="of 4,000 fresh images")
    for side in (axis.xaxis, axis.yaxis):
        side.set_major_formatter(lambda value, _: f"{value:.0%}")
    axis.grid(color="0.94")
    axis.legend(fontsize=8, loc="upper left")
    return figure, (
        f"Scatter of {len(scores)} seeds: the best reaches {tested[best]:.1%} on the small test set and {fresh[best]:.1%} on "
        f"fresh images; the mean of all seeds there is {fresh.mean():.1%}."
    )
