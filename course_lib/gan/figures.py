"""The pictures of chapter 6. Each function returns a matplotlib figure."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.gan.mixtures import Coverage
from course_lib.training import Run
from course_lib.viz import COLOURS, DASHES, LINES, SIZE_MAP, course_style, draw_image, mosaic, new_figure, running_mean

REAL, FAKE = COLOURS["blue"], COLOURS["vermilion"]


@course_style
def densities(x: torch.Tensor, p: torch.Tensor, q: torch.Tensor, probabilities: Mapping[str, torch.Tensor]) -> Figure:
    """Two densities on a grid, and under them what discriminators say there.

    probabilities is a dict of names and D [len(x)].
    """
    figure, axes = new_figure(2, 1, size=(7, 4), sharex=True)
    above, below = axes[:, 0]
    for values, name, colour in ((p, "real: p", REAL), (q, "generated: q", FAKE)):
        above.plot(x, values, color=colour, label=name)
        above.fill_between(x, values, color=colour, alpha=0.15, linewidth=0)
    for (name, values), colour, dash in zip(probabilities.items(), ("black", "green", "purple"), DASHES, strict=False):
        below.plot(x, values, dash, color=COLOURS[colour], label=name, linewidth=2)
    above.set(ylabel="density", ylim=(0, None))
    below.set(ylabel="probability of real", xlabel="x", ylim=(-0.03, 1.03))
    for axis in (above, below):
        axis.legend(fontsize=8, loc="upper right")
    return figure


@course_style
def pushforward(z: torch.Tensor, curve: torch.Tensor, drawn: torch.Tensor) -> Figure:
    """A generator on a line: its curve over z, and the distribution of the points that it drew."""
    figure, axes = new_figure(1, 2, size=(7.5, 3), width_ratios=[1.6, 1], sharey=True)
    axes[0, 0].plot(z, curve, color=FAKE)
    axes[0, 0].set(xlabel="z", ylabel="x = G(z)")
    axes[0, 1].hist(drawn.tolist(), bins=80, density=True, orientation="horizontal", color=FAKE, alpha=0.6)
    axes[0, 1].set(xlabel="density of x")
    return figure


@course_style
def half_steps(
    x: torch.Tensor, p: torch.Tensor, states: Sequence[tuple[str, torch.Tensor, torch.Tensor]], columns: int = 4
) -> Figure:
    """A game on a line, a panel for each state (title, density q of the generated, D), all on x."""
    rows = -(-len(states) // columns)
    figure, axes = new_figure(rows, columns, size=(2.4 * columns, 1.8 * rows + 0.3), sharex=True, sharey=True)
    for axis in axes.flat[len(states) :]:
        axis.set_visible(False)
    for axis, (title, q, d) in zip(axes.flat, states, strict=False):
        axis.fill_between(x, p, color=REAL, alpha=0.25, linewidth=0, label="real")
        axis.fill_between(x, q, color=FAKE, alpha=0.25, linewidth=0, label="generated")
        axis.plot(x, d, color="black", label="D(x)")
        axis.set_title(title, fontsize=9)
        axis.set_ylim(0, 1)
    axes[0, 0].legend(fontsize=7, loc="upper left")
    return figure


@course_style
def paths(
    named: Mapping[str, torch.Tensor],
    solution: tuple[float, float] = (0, 0),
    xlabel: str = "x",
    ylabel: str = "y",
    limit: float | None = None,
    inches: float = 2.4,
) -> Figure:
    """Paths [T, 2] of two players in the plane of their numbers, a panel for each rule.

    A square marks the start.
    """
    figure, axes = new_figure(1, len(named), size=(inches * len(named), inches + 0.2), sharex=True, sharey=True)
    for axis, (name, path), colour in zip(axes[0], named.items(), LINES, strict=False):
        axis.plot(path[:, 0], path[:, 1], ".-", markersize=2, linewidth=0.8, color=colour)
        axis.plot(*path[0], "s", color=colour, markersize=5)
        axis.plot(*solution, "+", color="black", markersize=12, markeredgewidth=1.5)
        axis.set(title=name, xlabel=xlabel, aspect="equal")
        if limit is not None:
            axis.set(xlim=(-limit, limit), ylim=(-limit, limit))
    axes[0, 0].set_ylabel(ylabel)
    return figure


@course_style
def transport(x: torch.Tensor, y: torch.Tensor, plans: Mapping[str, torch.Tensor]) -> Figure:
    """Two samples [N, 2] and [M, 2] in the plane, and plans [N, M] as lines as wide as the mass."""
    figure, axes = new_figure(1, len(plans), size=(3.4 * len(plans), 3.2), sharex=True, sharey=True)
    for axis, (name, plan) in zip(axes[0], plans.items(), strict=True):
        for n, m in plan.gt(1e-9).nonzero().tolist():
            line = torch.stack([x[n], y[m]])
            axis.plot(line[:, 0], line[:, 1], color="0.5", linewidth=1 + 8 * plan[n, m].item(), zorder=1, alpha=0.7)
        axis.scatter(x[:, 0], x[:, 1], color=REAL, label="real", zorder=2)
        axis.scatter(y[:, 0], y[:, 1], color=FAKE, marker="s", label="generated", zorder=2)
        axis.set(title=name, aspect="equal", xticks=[], yticks=[])
    axes[0, 0].legend(fontsize=8)
    return figure


@course_style
def point_clouds(clouds: Mapping[str, torch.Tensor], centres: torch.Tensor, columns: int = 5, inches: float = 1.6) -> Figure:
    """Samples [N, 2] in the plane, a panel for each name, over the centres [K, 2] of the modes."""
    columns = min(columns, len(clouds))
    rows = -(-len(clouds) // columns)
    figure, axes = new_figure(rows, columns, size=(inches * columns, (inches + 0.25) * rows), sharex=True, sharey=True)
    for axis in axes.flat[len(clouds) :]:
        axis.set_visible(False)
    limit = 1.35 * centres.abs().max().item()
    for axis, (name, points) in zip(axes.flat, clouds.items(), strict=False):
        axis.scatter(centres[:, 0], centres[:, 1], s=60, facecolors="none", edgecolors=REAL, linewidths=0.8)
        axis.scatter(points[:, 0], points[:, 1], s=2, color=FAKE, alpha=0.5, linewidths=0)
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
        axis.set_title(name, fontsize=9)
    return figure


@course_style
def coverage_scores(results: Mapping[str, Sequence[Coverage]], modes: int) -> Figure:
    """Modes found and share of good samples, a dot for each seed.

    results is a dict of names and lists of `Coverage`.
    """
    figure, axes = new_figure(1, 2, size=(8, 2.6), sharey=True)
    names = list(results)
    for axis, get in ((axes[0, 0], lambda result: result.modes), (axes[0, 1], lambda result: result.good)):
        for place, name in enumerate(names):
            values = [get(result) for result in results[name]]
            axis.plot(values, [place] * len(values), "o", color=LINES[place % len(LINES)], alpha=0.6)
        axis.grid(axis="x", color="0.92")
    axes[0, 0].axvline(modes, color="0.5", linestyle=":")
    axes[0, 0].set(xlabel=f"modes found, of {modes}", xlim=(0, modes * 1.05), xticks=range(0, modes + 1, 2))
    axes[0, 1].set(xlabel="share of good samples", xlim=(0, 1))
    axes[0, 0].set_yticks(range(len(names)), names)
    axes[0, 0].invert_yaxis()
    return figure


@course_style
def game_record(run: Run, window: int = 25) -> Figure:
    """A run as it went, as running means: both losses, and D's mean probability of "real"."""
    figure, axes = new_figure(1, 2, size=(9, 2.7))
    _draw_record(axes[0, 0], run, ("discriminator_loss", "generator_loss"), window)
    axes[0, 0].set(ylabel="loss", xlabel="step")
    _draw_probabilities(axes[0, 1], run, window)
    return figure


@course_style
def live_game(run: Run, images: torch.Tensor, columns: int = 8) -> Figure:
    """What `watch` draws while a GAN learns: images from the same z, and what D has said so far."""
    rows = -(-len(images) // columns)
    figure, axes = new_figure(1, 2, size=(9, 3.1), width_ratios=[1.1, 1])
    draw_image(axes[0, 0], mosaic(images, columns), f"{rows * columns} images after {run.step} steps")
    _draw_probabilities(axes[0, 1], run, 25)
    return figure


@course_style
def symptoms(
    panels: Mapping[str, torch.Tensor],
    curves: Mapping[str, Sequence[float]],
    xlabel: str = "step",
    log_y: bool = False,
    ylabel: str = "",
    references: Mapping[str, float] | None = None,
) -> Figure:
    """A mistake beside the right way.

    panels is a dict of titles and images, curves a dict of names and values of each step.
    """
    figure, axes = new_figure(1, len(panels) + 1, size=(2.4 * len(panels) + 5.2, 2.5), width_ratios=[1] * len(panels) + [1.5])
    for axis, (title, images) in zip(axes[0], panels.items(), strict=False):
        columns = max(1, round(len(images) ** 0.5))
        draw_image(axis, mosaic(images, columns), title)
    axis = axes[0, -1]
    for (name, values), colour, dash in zip(curves.items(), LINES, DASHES * 2, strict=False):
        axis.plot(running_mean(values, 15), dash, color=colour, label=name, linewidth=1.4)
    for label, level in (references or {}).items():
        axis.axhline(level, color="0.5", linestyle=":", linewidth=1, label=label)
    axis.set(xlabel=xlabel, ylabel=ylabel, yscale="log" if log_y else "linear")
    axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))  # beside the axes: the curves may be anywhere in them
    return figure


@course_style
def through_training(frames: Mapping[int, torch.Tensor], inches: float = 0.75) -> Figure:
    """Images from the same z at several steps: a dict of steps and images [n, C, H, W]."""
    columns = len(next(iter(frames.values())))
    figure, axes = new_figure(len(frames), columns, size=(columns * (inches + 0.04) + 0.9, len(frames) * (inches + 0.05)))
    for row, (step, images) in zip(axes, frames.items(), strict=True):
        for axis, image in zip(row, images, strict=True):
            draw_image(axis, image)
        row[0].set_ylabel(f"step {step}", rotation=0, ha="right", va="center", fontsize=9)
    return figure


@course_style
def bars(
    names: Sequence[str],
    series: Mapping[str, Sequence[float]],
    xlabel: str = "share",
    references: Mapping[str, float] | None = None,
) -> Figure:
    """Horizontal bars in groups: series is a dict of titles and numbers, one for each name."""
    figure, axes = new_figure(size=(7, 0.9 + 0.095 * len(names) * (len(series) + 0.6)))
    axis, height = axes[0, 0], 0.8 / len(series)
    for number, ((title, values), colour) in enumerate(zip(series.items(), ("0.6", REAL, FAKE), strict=False)):
        places = [place + (number - (len(series) - 1) / 2) * height for place in range(len(names))]
        axis.barh(places, values, height=0.9 * height, color=colour, label=title)
    for label, level in (references or {}).items():
        axis.axvline(level, color="0.4", linestyle=":", label=label)
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set(xlabel=xlabel)
    axis.invert_yaxis()
    axis.legend(fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


@course_style
def histograms(series: Mapping[str, torch.Tensor], xlabel: str, bins: int = 40, log_y: bool = False) -> Figure:
    """Histograms laid over each other, as outlines: series is a dict of names and values."""
    figure, axes = new_figure(size=(6.4, 2.6))
    axis = axes[0, 0]
    low = min(float(values.min()) for values in series.values())
    high = max(float(values.max()) for values in series.values())
    for (name, values), colour, dash in zip(series.items(), LINES, DASHES, strict=False):
        shares = torch.histc(values.float(), bins, low, high) / len(values.flatten())
        edges = torch.linspace(low, high, bins + 1)
        axis.stairs(shares.tolist(), edges.tolist(), color=colour, linestyle=dash, label=name, linewidth=1.5)
    axis.set(xlabel=xlabel, ylabel="share", yscale="log" if log_y else "linear")
    axis.legend(fontsize=8)
    return figure


@course_style
def overlaps(maps: Mapping[str, torch.Tensor]) -> Figure:
    """How many input pixels reach each output pixel: maps is a dict of titles and counts [H, W]."""
    figure, axes = new_figure(1, len(maps), size=(2.7 * len(maps), 2.9))
    for axis, (title, counts) in zip(axes[0], maps.items(), strict=True):
        axis.imshow(counts.numpy(), cmap=SIZE_MAP, vmin=0)
        for row in range(counts.shape[0]):
            for column in range(counts.shape[1]):
                value = counts[row, column].item()
                colour = "white" if value < 0.6 * counts.max() else "black"
                axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=colour)
        axis.set(title=title, xticks=[], yticks=[])
    return figure


def _draw_probabilities(axis: Axes, run: Run, window: int) -> None:
    names = {"real": "of real images", "fake": "of generated ones", "fake_after": "of the same, after its step"}
    _draw_record(axis, run, names, window)
    for line, name in zip(axis.lines, names.values(), strict=True):
        line.set_label(name)
    axis.axhline(0.5, color="0.5", linestyle=":", linewidth=1)
    axis.set(ylim=(0, 1), xlabel="step", ylabel="D says real: mean probability")
    axis.legend(fontsize=8)


def _draw_record(axis: Axes, run: Run, names: Iterable[str], window: int) -> None:
    for name, colour, dash in zip(names, (REAL, FAKE, COLOURS["orange"]), DASHES, strict=False):
        axis.plot(running_mean(run.steps[name], window), dash, color=colour, label=name.replace("_", " "))
    axis.legend(fontsize=8)
