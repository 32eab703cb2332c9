"""The pictures of chapter 5, first part: what is judged, how sure a share is, what is taken for what."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.data import ImageSet, make_factors, render
from course_lib.viz import COLOURS, COUNT_MAP, ROLES, course_style, draw_arrow, draw_image, image_grid, new_diagram, new_figure

Picture = tuple[Figure, str]
KNOWN, STRANGE = COLOURS["blue"], COLOURS["vermilion"]


@course_style
def turning(turned: Mapping[str, Any], frames: int = 18) -> tuple[list[Figure], str]:
    """A digit that is turned, and the probability of each class, as an animation.

    turned: of the recording "judging-seeds": "factors", "angles" and "probabilities" [angles, 10].
    """
    angles, table = turned["angles"], torch.tensor(turned["probabilities"], dtype=torch.float64)
    images = render(make_factors("glyphs-color", angle=angles, **turned["factors"]), 64)[0]
    others = 1 - table[:, 6] - table[:, 9]
    order = [int(others.argmax()), *range(0, len(angles), max(1, len(angles) // frames))]  # the still: where it is most wrong
    pictures = []
    for n in order:
        figure, axes = new_figure(1, 3, size=(8, 2.5), width_ratios=[1, 0.95, 1.9])
        draw_image(axes[0, 0], images[n], f"turned by {angles[n]}°")
        best = int(table[n].argmax())
        colours = [COLOURS["blue"] if k == best else COLOURS["sky"] for k in range(10)]
        axes[0, 1].barh(range(10), table[n].tolist(), color=colours)
        axes[0, 1].set(xlim=(0, 1), xlabel="probability", title=f"says {best}", xticks=[0, 0.5, 1])
        axes[0, 1].set_yticks(range(10), [str(k) for k in range(10)])
        axes[0, 1].invert_yaxis()
        lines = (("it is a 6", table[:, 6], "blue"), ("it is a 9", table[:, 9], "purple"), ("anything else", others, "black"))
        for (name, values, colour), dashes in zip(lines, ("-", "--", ":"), strict=True):
            axes[0, 2].plot(angles, values.tolist(), dashes, color=COLOURS[colour], label=name)
        axes[0, 2].axvline(angles[n], ymax=1.02 / 1.3, color="0.4", linewidth=1)
        axes[0, 2].axvspan(-30, 30, color="0.93")
        axes[0, 2].axvspan(330, 360, color="0.93")
        axes[0, 2].set(xlabel="angle in degrees (grey: seen in training)", xlim=(0, 350), ylim=(0, 1.3), xticks=range(0, 361, 60))
        axes[0, 2].set_yticks([0, 0.5, 1])
        axes[0, 2].legend(ncol=3, fontsize=8, loc="upper center", columnspacing=1, handlelength=1.6)
        pictures.append(figure)
    alt = (
        "Animation: a 6 of a typeface that was not in training turns once around. Bars show the classifier's probability of each "
        "digit; curves show that it says 6 near 0 degrees and 9 near 180, and in between for some angles another "
        "digit, with great confidence."
    )
    return pictures, alt


@course_style
def splits(sizes: Mapping[str, int]) -> Picture:
    """Which set decides what. sizes: images of training, validation and test, and of strangers or none."""
    figure, axis = new_diagram(8, 2.2, xlim=(0, 16), ylim=(0.8, 5.2))
    roles = {
        "training": ("weights", "read again and again", "data"),
        "validation": ("choices: learning rate,\nnetwork, temperature", "read for every choice", "data"),
        "test": ("one number,\nat the end", "read once", "ink"),
        "unseen typefaces": ("one number\nabout strangers", "read once", "ink"),
    }
    place, free = 0.2, 16 - 0.4 - 0.5 * (len(sizes) - 1)
    total = sum(size**0.5 for size in sizes.values())
    for name, size in sizes.items():
        gives, read, role = roles[name]
        width = free * size**0.5 / total
        axis.add_patch(Rectangle((place, 3.1), width, 1.5, facecolor=ROLES[role], alpha=0.2, edgecolor=ROLES[role]))
        middle = place + width / 2
        axis.text(middle, 3.85, f"{name}\n{size:,} images", ha="center", va="center", fontsize=9)
        axis.text(middle, 4.85, read, ha="center", va="center", fontsize=8.5, color="0.35")
        draw_arrow(axis, (middle, 3.0), (middle, 1.75))
        axis.text(middle, 1.6, gives, ha="center", va="top", fontsize=9)
        place += width + 0.5
    parts = ", ".join(f"{name} with {size:,} images" for name, size in sizes.items())
    return (
        figure,
        f"Schematic of the sets as boxes: {parts}. They give the weights, the choices, and at the end one number.",
    )


@course_style
def sets(parts: Mapping[str, ImageSet], columns: int = 12) -> Picture:
    """The first images of several sets, a row for each."""
    columns = min(columns, *(len(part) for part in parts.values()))
    images = [image for part in parts.values() for image in part.images[:columns]]
    titles = [part.classes[int(label)] for part in parts.values() for label in part.labels[:columns]]
    figure = image_grid(images, titles, columns=columns, inches=0.5, row_labels=list(parts))
    return figure, f"A row of images with their labels from each of these sets: {', '.join(parts)}."


@course_style
def repeated_tests(intervals: Mapping[str, Sequence[tuple[float, float]]], truth: float) -> Picture:
    """Intervals from many repeated tests, one panel for each way to compute them. Those that miss the truth stand out."""
    figure, axes = new_figure(1, len(intervals), size=(8, 2.6), sharey=True)
    said = []
    for axis, (name, pairs) in zip(axes[0], intervals.items(), strict=True):
        missed = 0
        for place, (low, high) in enumerate(pairs):
            miss = not low <= truth <= high
            missed += miss
            colour, width = (STRANGE, 2.2) if miss else (KNOWN, 1.0)
            if high - low < 1e-9:  # an interval of no length is still seen
                axis.plot([place], [low], "x", color=colour, markersize=5)
            axis.plot([place, place], [low, high], color=colour, linewidth=width)
        axis.axhline(truth, color="0.2", linestyle="--", linewidth=1)
        axis.set(title=f"{name}: {missed} of {len(pairs)} miss", xlabel="test number")
        said.append(f"{name} misses it {missed} times of {len(pairs)}")
    axes[0, 0].set_ylabel("accuracy")
    return (
        figure,
        f"Intervals of many repeated tests as upright lines, and dashed the true accuracy: {'; '.join(said)}.",
    )


@course_style
def seeds_on_sets(
    runs: Sequence[Mapping[str, Any]], names: Mapping[str, str], intervals: Mapping[str, tuple[float, float]]
) -> Picture:
    """Accuracy of several seeds on several sets, beside the interval of one of them.

    names: from the key in a run to the name shown; intervals: of one test, by that key.
    """
    figure, axis = new_figure(size=(5.2, 2.6))
    ax = axis[0, 0]
    said = []
    for place, (key, name) in enumerate(names.items()):
        values = [run[key]["accuracy"] for run in runs]
        ax.plot(values, [place] * len(values), "o", color=KNOWN, alpha=0.7, label=f"{len(runs)} seeds" if not place else None)
        low, high = intervals[key]
        ax.plot([low, high], [place + 0.25] * 2, color=STRANGE, lw=2, label=None if place else "interval of the first seed")
        said.append(f"{name} from {min(values):.1%} to {max(values):.1%}")
    ax.set_yticks(range(len(names)), list(names.values()))
    ax.set(xlabel="share right", ylim=(len(names) - 0.3, -0.6))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    ax.grid(axis="x", color="0.92")
    ax.legend(fontsize=8, loc="upper left")
    return figure, f"Dots for each seed and a line for one interval, by set: {'; '.join(said)}."


@course_style
def confusion(matrix: torch.Tensor, classes: Sequence[str]) -> Picture:
    """A confusion matrix [K, K] with its counts; only the mistakes are coloured, since the diagonal would outshine them."""
    K = len(classes)
    side = min(7.5, 1.8 + 0.36 * K)
    figure, axes = new_figure(size=(side, side))
    axis, mistakes = axes[0, 0], matrix.clone().double()
    mistakes.fill_diagonal_(0)
    limit = max(mistakes.max().item(), 1)
    axis.imshow(mistakes.tolist(), cmap=COUNT_MAP, vmin=0, vmax=1.15 * limit)
    for i in range(K):
        axis.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, facecolor="0.94", edgecolor="none"))
        for j in range(K):
            if matrix[i, j]:
                text: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 8.5}
                colour = "0.45" if i == j else "white" if mistakes[i, j] > 0.7 * limit else "black"
                axis.text(j, i, int(matrix[i, j]), color=colour, **text)
    turned: dict[str, Any] = {"rotation": 45, "ha": "right"} if max(len(name) for name in classes) > 2 else {}
    axis.set_xticks(range(K), [str(name) for name in classes], parse_math=False, **turned)
    axis.set_yticks(range(K), [str(name) for name in classes], parse_math=False)
    axis.set(xlabel="taken for", ylabel="is")
    axis.tick_params(length=0)
    worst = divmod(int(mistakes.argmax()), K)
    count = int(mistakes.max())
    most = f"The most frequent mistake: {classes[worst[0]]} taken for {classes[worst[1]]}, {count} times." if count else ""
    return figure, f"Confusion matrix, the true class in rows and the recognised one in columns, on light ground. {most}".strip()


@course_style
def predictions(
    images: torch.Tensor,
    probabilities: torch.Tensor,
    labels: torch.Tensor,
    classes: Sequence[str],
    columns: int = 8,
    most: int = 3,
    titles: Sequence[str] | None = None,
) -> Picture:
    """Images with the `most` classes that a model finds most probable, as bars; that of the label is green.

    images: [N, C, H, W], probabilities: [N, K], labels: [N]. titles: by default "is" and the label.
    """
    N, columns = len(images), min(columns, len(images))
    rows, most = -(-N // columns), min(most, len(classes))
    figure, axes = new_figure(2 * rows, columns, size=(max(2.0, 8 * columns / 8), 1.75 * rows), height_ratios=[1.5, 1] * rows)
    for axis in axes.flat:
        axis.set_visible(False)
    for n in range(N):
        picture, bars = axes[2 * (n // columns), n % columns], axes[2 * (n // columns) + 1, n % columns]
        picture.set_visible(True)
        bars.set_visible(True)
        draw_image(picture, images[n], titles[n] if titles else f"is {classes[int(labels[n])]}")
        picture.title.set_fontsize(9)
        values, best = (part.tolist() for part in probabilities[n].topk(most))
        bars.barh(range(most), values, color=[COLOURS["green"] if k == labels[n] else "0.65" for k in best])
        bars.set(xlim=(0, 1), xticks=[])
        bars.set_yticks(range(most), [classes[k] for k in best], fontsize=8, parse_math=False)
        for place, value in enumerate(values):
            inside = value > 0.5
            where, side = (value - 0.04, "right") if inside else (value + 0.04, "left")
            bars.text(where, place, f"{value:.2f}", va="center", ha=side, fontsize=7.5, color="white" if inside else "black")
        bars.invert_yaxis()
    said = ", ".join(f"{classes[int(y)]} as {classes[int(row.argmax())]}" for y, row in zip(labels, probabilities, strict=True))
    return figure, f"{N} images with the three classes that the classifier finds most probable; label and answer: {said}."


@course_style
def nearest(rows: Mapping[str, torch.Tensor], titles: Sequence[str], columns: int) -> Picture:
    """Images in labelled rows, each with a title. rows: [columns, C, H, W] by label."""
    images = [image for part in rows.values() for image in part]
    figure = image_grid(images, list(titles), columns=columns, inches=0.72, row_labels=list(rows))
    return figure, f"Rows of images, the first of each row with its nearest training images: {', '.join(rows)}."
