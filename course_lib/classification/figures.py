"""The pictures of chapter 4. Each function returns a matplotlib figure."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.metrics import Calibration
from course_lib.training import Run
from course_lib.viz import COLOURS, LINES, SIZE_MAP, draw_image, draw_references, new_figure


def learning_curves(run: Run, window: int = 20) -> Figure:
    """A run as it went.

    The loss of each step and its running mean, the accuracy of each epoch, the learning rate.
    """
    figure, axes = new_figure(1, 3, size=(9.5, 2.7), width_ratios=[1.3, 1, 0.8])
    loss, accuracy, rate = axes[0]
    values = torch.tensor(run.steps["loss"])
    loss.plot(values.tolist(), color=COLOURS["sky"], linewidth=0.7, label="each step")
    if len(values) >= window:
        mean = values.unfold(0, window, 1).mean(dim=1)
        loss.plot(range(window - 1, len(values)), mean.tolist(), color=COLOURS["blue"], label=f"mean of {window}")
    steps = [epoch["step"] for epoch in run.epochs]
    numbers = [epoch["epoch"] for epoch in run.epochs]
    accuracy.plot(numbers, [epoch["accuracy"] for epoch in run.epochs], "o-", label="training, as it went")
    if run.epochs and "validation_loss" in run.epochs[0]:
        validation = {"color": COLOURS["vermilion"], "marker": "s", "linestyle": "--", "label": "validation"}
        loss.plot(steps, [epoch["validation_loss"] for epoch in run.epochs], **validation)
        accuracy.plot(numbers, [epoch["validation_accuracy"] for epoch in run.epochs], **validation)
    loss.set(xlabel="step", ylabel="loss in nats", ylim=(0, None), title="loss")
    accuracy.set(xlabel="epoch", title="share right", xticks=numbers if len(numbers) <= 10 else numbers[:: len(numbers) // 8])
    rate.plot(run.steps["learning_rate"], color=COLOURS["green"])
    rate.set(xlabel="step", title="learning rate", ylim=(0, None))
    for axis in (loss, accuracy):
        axis.legend(fontsize=8)
    return figure


def descent_paths(curvatures: tuple[float, float], paths: Mapping[str, torch.Tensor], steps: int = 20) -> Figure:
    """Paths of optimizers over the level lines of 1/2 (a x^2 + b y^2).

    curvatures: a and b. paths: positions [T, 2] by name.
    """
    figure, axes = new_figure(1, len(paths), size=(9.5, 2.7), sharex=True, sharey=True)
    a, b = curvatures
    x = torch.linspace(-1.5, 1.5, 100)
    grid_y, grid_x = torch.meshgrid(x, x, indexing="ij")
    height = 0.5 * (a * grid_x**2 + b * grid_y**2)
    for axis, (name, path), colour in zip(axes[0], paths.items(), LINES, strict=False):
        levels = (0.5 * b * torch.linspace(0.05, 1.2, 9) ** 2).tolist()
        axis.contour(x.tolist(), x.tolist(), height.tolist(), levels=levels, colors="0.8", linewidths=0.8)
        part = path[: steps + 1]
        axis.plot(part[:, 0].tolist(), part[:, 1].tolist(), "o-", markersize=3, linewidth=1, color=colour)
        axis.plot(0, 0, "+", color="black", markersize=10)
        axis.set(title=name, xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xlabel="flat direction", aspect="equal")
    axes[0, 0].set_ylabel("steep direction")
    return figure


def confusion(matrix: torch.Tensor, classes: Sequence[str]) -> Figure:
    """A confusion matrix [K, K] with its counts.

    The colours show the mistakes only: the diagonal would outshine them.
    """
    K = len(classes)
    side = min(7.5, 1.8 + 0.42 * K)
    figure, axes = new_figure(size=(side, side))
    axis, mistakes = axes[0, 0], matrix.clone().double()
    mistakes.fill_diagonal_(0)
    limit = max(mistakes.max().item(), 1)
    axis.imshow(mistakes.tolist(), cmap=SIZE_MAP, vmin=0, vmax=limit)
    for i in range(K):
        for j in range(K):
            if matrix[i, j]:
                dark = mistakes[i, j] < 0.55 * limit
                weight = "bold" if i == j else "normal"
                axis.text(
                    j,
                    i,
                    int(matrix[i, j]),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if dark else "black",
                    weight=weight,
                )
    turned = {"rotation": 45, "ha": "right"} if max(len(name) for name in classes) > 2 else {}
    axis.set_xticks(range(K), classes, **turned)
    axis.set_yticks(range(K), classes)
    axis.set(xlabel="recognised as", ylabel="is")
    axis.tick_params(length=0)
    return figure


def reliability(results: Mapping[str, Calibration]) -> Figure:
    """Reliability diagrams, by title. Below each, where the images are."""
    figure, axes = new_figure(2, len(results), size=(3.3 * len(results) + 0.6, 3.9), height_ratios=[3, 1], sharex=True)
    for column, (title, result) in zip(axes.T, results.items(), strict=True):
        bins = len(result.count)
        left = [n / bins for n in range(bins)]
        filled = result.count > 0
        column[0].plot([0, 1], [0, 1], "--", color="0.5", linewidth=1, label="as right as it says")
        confidence, accuracy = result.confidence[filled].tolist(), result.accuracy[filled].tolist()
        column[0].plot(confidence, accuracy, "o-", color=COLOURS["vermilion"], label="measured")
        column[0].set(title=f"{title}\nexpected calibration error {result.expected_error:.3f}", ylim=(0, 1.02))
        column[1].bar(left, result.count.tolist(), width=1 / bins, align="edge", color=COLOURS["blue"], edgecolor="white")
        column[1].set(xlabel="confidence: the largest probability", yscale="log", ylim=(0.7, None))
    axes[0, 0].set_ylabel("share right")
    axes[1, 0].set_ylabel("images")
    axes[0, 0].legend(fontsize=8)
    return figure


def accuracy_bars(groups: Mapping[str, Sequence[tuple[str, dict]]], overall: float, columns: int = 2) -> Figure:
    """Accuracy by factor with 95 % intervals, beside the accuracy as a whole.

    groups: by title, pairs of a label and a row of `accuracy_by_factor`.
    """
    rows = -(-len(groups) // columns)
    # Long labels stand upright, and need room.
    named = any(len(label) > 12 for entries in groups.values() for label, _ in entries)
    figure, axes = new_figure(rows, columns, size=(9.5, (3.6 if named else 2.5) * rows), sharey=True)
    for axis in axes.flat[len(groups) :]:
        axis.set_visible(False)
    for axis, (title, entries) in zip(axes.flat, groups.items(), strict=False):
        values = [row["accuracy"] for _, row in entries]
        below = [max(0.0, row["accuracy"] - row["interval"][0]) for _, row in entries]
        above = [max(0.0, row["interval"][1] - row["accuracy"]) for _, row in entries]
        places = range(len(entries))
        axis.errorbar(places, values, yerr=[below, above], fmt="o", color=COLOURS["blue"], capsize=3, markersize=4)
        axis.axhline(overall, color=COLOURS["vermilion"], linestyle="--", linewidth=1)
        turned = {"rotation": 60, "ha": "right"} if named else {}
        axis.set_xticks(places, [label for label, _ in entries], fontsize=7, **turned)
        axis.set_title(title)
        axis.grid(axis="y", color="0.92")
    for row in axes:
        row[0].set_ylabel("share right")
    return figure


def predictions(
    images: torch.Tensor,
    probabilities: torch.Tensor,
    labels: torch.Tensor,
    classes: Sequence[str],
    columns: int = 5,
    most: int = 3,
) -> Figure:
    """Images with the `most` classes that a model finds most probable, as bars.

    The right class is green, the others are grey. images: [N, C, H, W], probabilities: [N, K],
    labels: [N].
    """
    N, columns = len(images), min(columns, len(images))
    rows, most = -(-N // columns), min(most, len(classes))
    figure, axes = new_figure(2 * rows, columns, size=(1.75 * columns, 2.45 * rows), height_ratios=[1.9, 1] * rows)
    for axis in axes.flat:
        axis.set_visible(False)
    for n in range(N):
        picture, bars = axes[2 * (n // columns), n % columns], axes[2 * (n // columns) + 1, n % columns]
        picture.set_visible(True)
        bars.set_visible(True)
        draw_image(picture, images[n], f"is {classes[int(labels[n])]}")
        values, best = (part.tolist() for part in probabilities[n].topk(most))
        colours = [COLOURS["green"] if k == labels[n] else "0.6" for k in best]
        bars.barh(range(most), values, color=colours)
        bars.set(xlim=(0, 1), xticks=[])
        bars.set_yticks(range(most), [classes[k] for k in best], fontsize=8)
        for place, value in enumerate(values):
            inside = value > 0.6
            where, side = (value - 0.03, "right") if inside else (value + 0.03, "left")
            bars.text(where, place, f"{value:.2f}", va="center", ha=side, fontsize=7, color="white" if inside else "black")
        bars.invert_yaxis()
    return figure


def scores(results: Mapping[str, Sequence[float]], ylabel: str, references: Mapping[str, float] | None = None) -> Figure:
    """One dot for each seed, a number of `results`; a bar marks the median of each name."""
    figure, axes = new_figure(size=(1.5 + 1.3 * len(results), 3))
    axis = axes[0, 0]
    for place, (values, colour) in enumerate(zip(results.values(), LINES * 3, strict=False)):
        axis.plot([place] * len(values), values, "o", color=colour, alpha=0.7)
        median = torch.tensor(values, dtype=torch.float64).quantile(0.5).item()
        axis.plot([place - 0.25, place + 0.25], [median] * 2, color=colour, linewidth=2)
        axis.annotate(f"{median:.1%}", (place + 0.28, median), va="center", fontsize=8)
    draw_references(axis, references)
    axis.set_xticks(range(len(results)), list(results))
    axis.set(ylabel=ylabel, xlim=(-0.5, len(results) - 0.2))
    axis.grid(axis="y", color="0.92")
    return figure


def image_and_probabilities(image: torch.Tensor, probabilities: torch.Tensor, classes: Sequence[str], title: str = "") -> Figure:
    """One image beside the probability of each class."""
    figure, axes = new_figure(1, 2, size=(7, 2.9), width_ratios=[1, 1.6])
    draw_image(axes[0, 0], image, title)
    best = int(probabilities.argmax())
    colours = [COLOURS["blue"] if k == best else COLOURS["sky"] for k in range(len(classes))]
    axes[0, 1].barh(range(len(classes)), probabilities.tolist(), color=colours)
    axes[0, 1].set(xlim=(0, 1), xlabel="probability")
    axes[0, 1].set_yticks(range(len(classes)), classes)
    axes[0, 1].invert_yaxis()
    return figure
