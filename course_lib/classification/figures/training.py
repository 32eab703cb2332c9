"""A run as it goes, and the comparisons of chapter 4 over several seeds."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from course_lib.training import Run
from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, course_style, draw_references, new_figure, running_mean

Picture = tuple[Figure, str]
"""A figure and its alternative text: `show(*picture)`."""
Frames = tuple[list[Figure], str]
"""The frames of an animation and its alternative text: `show_animation(*frames)`."""


@course_style
def learning_curves(run: Run, window: int = 20) -> Figure:
    """A run as it went.

    The loss of each step and its running mean, the accuracy of each epoch, the learning rate.
    """
    figure, axes = new_figure(1, 3, size=(8, 2.6), width_ratios=[1.3, 1, 0.8])
    loss, accuracy, rate = axes[0]
    values = run.steps["loss"]
    loss.plot(values, color=COLOURS["sky"], linewidth=0.7, label="each step")
    loss.plot(running_mean(values, window), color=COLOURS["blue"], label=f"mean of {window}")
    steps = [epoch["step"] for epoch in run.epochs]
    numbers = [epoch["epoch"] for epoch in run.epochs]
    accuracy.plot(numbers, [epoch["accuracy"] for epoch in run.epochs], "o-", label="training,\nas it went")
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


@course_style
def loss_curves(runs: Mapping[str, Sequence[float]], guessing: float | None = None, window: int = 20) -> Picture:
    """The losses of several runs, each as the mean of the last `window` steps, a wide line under a thin one."""
    figure, axes = new_figure(size=(5.2, 2.6))
    styles = (("-", 4.0, 0.35), ("-", 1.4, 1.0), ("--", 1.4, 1.0))
    for (name, losses), colour, (dashes, width, alpha) in zip(runs.items(), LINES, styles, strict=False):
        axes[0, 0].plot(running_mean(losses, window), dashes, color=colour, lw=width, alpha=alpha, label=name)
    draw_references(axes[0, 0], {} if guessing is None else {"guessing": guessing})
    axes[0, 0].set(xlabel="step", ylabel=f"loss, mean of {window} steps", ylim=(0, None))
    axes[0, 0].legend(fontsize=8.5)
    ends = ", ".join(f"{name} {running_mean(losses, window)[-1]:.2f}" for name, losses in runs.items())
    return figure, f"The loss of each run against the step: they begin near guessing and fall. At the end: {ends}."


@course_style
def distances_fall(series: Mapping[str, Sequence[float]], ylabel: str = "distance to the minimum") -> Picture:
    """Positive numbers against the step, on a logarithmic axis."""
    figure, axes = new_figure(size=(5.2, 2.6))
    for (name, values), colour, dashes in zip(series.items(), LINES, ("-", "--", ":", "-."), strict=False):
        axes[0, 0].plot(values, dashes, color=colour, label=name)
    axes[0, 0].set(xlabel="step", ylabel=ylabel, yscale="log")
    axes[0, 0].grid(color="0.92")
    axes[0, 0].legend(fontsize=8.5)
    ends = ", ".join(f"{name} {values[-1]:.1g}" for name, values in series.items())
    return figure, f"{ylabel.capitalize()} against the step on a logarithmic axis. At the end: {ends}."


@course_style
def signal_sizes(sizes: Mapping[str, torch.Tensor]) -> Picture:
    """The variance of the signal after each layer, [seeds, layers] by name: one line for each seed."""
    figure, axes = new_figure(size=(5.2, 2.7))
    for (name, rows), colour, dashes in zip(sizes.items(), LINES, DASHES, strict=False):
        draw_seeds(axes[0, 0], range(1, rows.shape[1] + 1), rows.tolist(), colour, name, dashes)
    axes[0, 0].set(xlabel="layer", ylabel="variance of the signal", yscale="log")
    axes[0, 0].grid(color="0.92")
    axes[0, 0].legend(fontsize=8.5)
    ends = ", ".join(f"{name} {rows[:, -1].median():.1g}" for name, rows in sizes.items())
    return figure, f"The variance of the signal against the layer on a logarithmic axis. In the last layer: {ends}."


def draw_seeds(axis: Axes, x: Sequence, rows: Sequence, colour: str, label: str, dashes: str = "-", marker: str = "") -> None:
    """One thin line for each seed, and their median as a thick one. None leaves a gap.

    rows: [seeds, len(x)]
    """
    numbers = torch.tensor([[math.nan if value is None else value for value in row] for row in rows], dtype=torch.float64)
    for row in numbers:
        axis.plot(x, row.tolist(), color=colour, lw=0.7, alpha=0.5, ls=dashes, marker=marker, ms=3)
    axis.plot(x, numbers.quantile(0.5, dim=0).tolist(), color=colour, lw=2, ls=dashes, label=label, marker=marker, ms=4)


def recorded_note(figure: Figure, made: str) -> None:
    """Write under a figure that its numbers were recorded, when and where."""
    text = textwrap.fill(f"Recorded {made}", round(15 * figure.get_figwidth()))
    figure.supxlabel(text, fontsize=8, color="0.4", x=0.99, ha="right")


@course_style
def one_panel_each(
    panels: Sequence[str], xlabel: str, ylabel: str, height: float = 2.7, **options: Any
) -> tuple[Figure, list[Axes]]:
    """Axes side by side with shared scales, each with its title."""
    figure, axes = new_figure(1, len(panels), size=(8, height), **{"sharex": True, "sharey": True, **options})
    for axis, title in zip(axes[0], panels, strict=True):
        axis.set(title=title, xlabel=xlabel)
        axis.grid(color="0.92")
    axes[0, 0].set_ylabel(ylabel)
    return figure, list(axes[0])


@course_style
def rates_compared(recording: Mapping[str, Any]) -> Picture:
    """Each optimizer at its learning rates, in a panel of its own."""
    figure, axes = one_panel_each(list(recording["losses"]), "learning rate", f"loss after {recording['steps']} steps")
    found = []
    for axis, (name, rows), colour, marker in zip(axes, recording["losses"].items(), LINES, MARKERS, strict=False):
        draw_seeds(axis, recording["rates"], rows, colour, name, marker=marker)
        axis.axhline(math.log(10), color="0.5", ls=":", lw=1)
        axis.set(xscale="log", ylim=(0, 3.2))
        means = [
            (sum(values) / len(values), rate) for rate, *values in zip(recording["rates"], *rows, strict=True) if all(values)
        ]
        best, rate = min(means)
        found.append(f"{name} {best:.2f} at {rate:g}")
    recorded_note(figure, recording["made"])
    return figure, (
        "Three panels, one for each optimizer: the loss against the learning rate has a valley whose place differs. "
        f"Lowest mean over the seeds: {', '.join(found)}."
    )


@course_style
def starts_compared(recording: Mapping[str, Any]) -> Picture:
    """How networks learn from weights of different sizes: twelve bare layers, and a network with batch normalisation."""
    titles = {"deep": "twelve layers, no normalisation", "shallow": "three layers with batch normalisation"}
    figure, axes = one_panel_each(list(titles.values()), "step", "loss", sharex=False)
    ends = []
    for axis, kind in zip(axes, titles, strict=True):
        for (name, rows), colour, dashes in zip(recording[kind].items(), LINES, DASHES, strict=False):
            steps = [recording["every"] * (n + 1) for n in range(max(map(len, rows)))]
            full = [row + [None] * (len(steps) - len(row)) for row in rows]
            draw_seeds(axis, steps, full, colour, name, dashes)
            ends += [f"{name} {max(row[-1] or math.inf for row in full):.2f}"] if kind == "deep" else []
        axis.axhline(math.log(10), color="0.5", ls=":", lw=1)
        axis.set(ylim=(0, 3))
    axes[1].legend(fontsize=8.5)
    recorded_note(figure, recording["made"])
    return figure, (
        "Two panels with the loss against the step for four sizes of the first weights. In the deep network the end, "
        "in the worst "
        f"of the seeds, is: {', '.join(ends)}. With batch normalisation all fall, the smallest weights soonest."
    )


@course_style
def normalisation_compared(recording: Mapping[str, Any]) -> Picture:
    """Plain SGD with and without batch normalisation, at several learning rates."""
    figure, axes = new_figure(size=(5.2, 2.8))
    best = []
    for (name, rows), colour, dashes, marker in zip(recording["losses"].items(), LINES, DASHES, MARKERS, strict=False):
        draw_seeds(axes[0, 0], recording["rates"], rows, colour, name, dashes, marker)
        best.append(f"{name} {min(value for row in rows for value in row if value):.2f}")
    axes[0, 0].axhline(math.log(10), color="0.5", ls=":", lw=1)
    axes[0, 0].set(xscale="log", ylim=(0, 3.2), xlabel="learning rate", ylabel=f"loss after {recording['steps']} steps")
    axes[0, 0].legend(fontsize=8.5)
    axes[0, 0].grid(color="0.92")
    recorded_note(figure, recording["made"])
    return figure, f"The loss of plain SGD against the learning rate, two curves with a valley. Lowest: {', '.join(best)}."


@course_style
def depth_compared(recording: Mapping[str, Any]) -> Picture:
    """Deeper networks with and without shortcuts: gradients before training, mistakes after it."""
    figure, axes = new_figure(1, 3, size=(8, 2.8))
    titles = {
        "ratio": "gradient before training:\nfirst block / last block",
        "training": "after training:\nmistakes on training images",
        "validation": "after training:\nmistakes on validation images",
    }
    names = ("with shortcuts", "without shortcuts")
    for axis, (part, title) in zip(axes[0], titles.items(), strict=True):
        for name, colour, dashes, marker in zip(names, LINES, DASHES, MARKERS, strict=False):
            rows = recording[name][part]
            if part != "ratio":  # no mistake has no place on a logarithmic axis: drawn as half a mistake
                rows = [[max(1 - value, 0.5 / recording["images"]) for value in row] for row in rows]
            draw_seeds(axis, recording["blocks"], rows, colour, name, dashes, marker)
        axis.set(yscale="log", title=title, xlabel="residual blocks", xticks=recording["blocks"])
        axis.title.set_fontsize(9)
        axis.yaxis.set_minor_formatter(NullFormatter())
        axis.grid(color="0.92")
    for axis in axes[0, 1:]:
        axis.set(ylim=(0.4 / recording["images"], 1.1))
    axes[0, 0].legend(fontsize=8)
    recorded_note(figure, recording["made"])
    last = {name: 1 - torch.tensor(recording[name]["training"])[:, -1].median().item() for name in names}
    said = ", ".join(f"{value:.1%} {name}" for name, value in last.items())
    return figure, (
        "Against the number of residual blocks, on logarithmic axes: the ratio of the gradients of the first and the "
        "last block, "
        f"and the share of mistakes after training. Mistakes on training images in the deepest network: {said}."
    )


@course_style
def augmentation_compared(recording: Mapping[str, Any]) -> Picture:
    """Training and validation accuracy on clean images, without and with shifts."""
    panels = ("without shifts", "with shifts")
    figure, axes = one_panel_each(panels, "epoch", "share right on clean images")
    for axis, name in zip(axes, panels, strict=True):
        for part, colour, dashes in (("training", LINES[0], "-"), ("validation", LINES[1], "--")):
            rows = recording[name][part]
            epochs = [recording["every"] * (n + 1) for n in range(len(rows[0]))]
            draw_seeds(axis, epochs, rows, colour, part, dashes)
        axis.set(ylim=(0, 1.03), xticks=epochs)
    axes[0].legend(fontsize=8.5, loc="lower right")
    recorded_note(figure, recording["made"])
    ends = [
        f"{name} {part} {torch.tensor(recording[name][part])[:, -1].median():.0%}"
        for name in panels
        for part in ("training", "validation")
    ]
    return figure, f"Training and validation accuracy against the epoch, without and with shifts. At the end: {', '.join(ends)}."


@course_style
def mistakes_shown(recording: Mapping[str, Any]) -> Picture:
    """Four mistakes, each beside the healthy run, three seeds each."""
    losses = recording["losses"]
    names = [name for name in losses if name != "healthy"]
    figure, axes = one_panel_each(names, "step", "loss", height=2.5)
    for axis, name in zip(axes, names, strict=True):
        for label, colour, dashes in (("healthy", "0.6", "-"), (name, COLOURS["vermilion"], "-")):
            rows = [running_mean(row, 5) for row in losses[label]]
            draw_seeds(axis, range(1, len(rows[0]) + 1), rows, colour, "healthy" if label == "healthy" else "mistake", dashes)
        axis.axhline(math.log(10), color="0.5", ls=":", lw=1)
        axis.set(ylim=(0, 6))
    axes[0].legend(fontsize=8.5, loc="upper right")
    recorded_note(figure, recording["made"])
    ends = ", ".join(f"{name} {torch.tensor(losses[name])[:, -10:].mean():.2f}" for name in losses)
    return figure, f"The loss against the step with four mistakes, beside a healthy run. The mean of the last ten steps: {ends}."
