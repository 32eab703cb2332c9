"""Chapter 3 learns: activations and their slopes, losses, filters that form, what mistakes do."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from course_lib.convolution.figures.cells import Picture
from course_lib.viz import COLOURS, DASHES, GREY_MAP, LINES, MARKERS, ROLES, course_style, draw_image, draw_references, new_figure


@course_style
def activations(functions: Mapping[str, tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor) -> Picture:
    """Functions and their slopes over x [N], given by name as (values, slopes), tensors [N]."""
    figure, axes = new_figure(1, len(functions), size=(8, 2.2), sharey=True)
    for axis, (name, (values, slopes)) in zip(axes[0], functions.items(), strict=True):
        axis.plot(x.tolist(), values.tolist(), color=ROLES["data"], label="function")
        axis.plot(x.tolist(), slopes.tolist(), "--", color=ROLES["gradient"], label="slope")
        axis.set(title=name, xlabel="$x$", ylim=(-1.3, 2.5))
        axis.grid(color="0.9")
    axes[0, 0].legend(fontsize=8)
    alt = (
        f"Functions and their slopes: {', '.join(functions)}. ReLU and leaky ReLU are broken lines, GELU "
        "a smooth one; sigmoid and tanh level off on both sides, where their slopes go to zero."
    )
    return figure, alt


@course_style
def gradient_norms(norms: Mapping[str, torch.Tensor]) -> Picture:
    """The length of the gradient at the weights of each layer, name -> [S, layers], one row for each seed."""
    figure, axes = new_figure(size=(5.2, 3))
    axis = axes[0, 0]
    for number, (name, rows) in enumerate(norms.items()):
        layers = range(1, rows.shape[1] + 1)
        style = {"color": LINES[number], "linestyle": DASHES[number], "marker": MARKERS[number]}
        axis.plot(layers, rows.quantile(0.5, dim=0).tolist(), markersize=4, label=name, **style)
        axis.fill_between(layers, rows.amin(dim=0).tolist(), rows.amax(dim=0).tolist(), color=LINES[number], alpha=0.2, lw=0)
    axis.set(xlabel="layer, counted from the image", ylabel="length of the gradient", yscale="log")
    axis.grid(color="0.92")
    axis.legend(fontsize=8)
    said = "; ".join(f"{name} {(rows[:, 0] / rows[:, -1]).median():.0e}" for name, rows in norms.items())
    alt = f"The length of the gradient against the layer, on a logarithmic axis. First layer divided by last: {said}."
    return figure, alt


def _middle(values: Sequence[float], window: int) -> tuple[range, list[float]]:
    """Means over `window` steps, and the middles of these steps: a mean of the steps before would lag behind."""
    window = max(1, min(window, len(values)))
    means = torch.tensor(values, dtype=torch.float64).unfold(0, window, 1).mean(dim=1).tolist()
    return range(window // 2, window // 2 + len(means)), means


@course_style
def losses(
    runs: Mapping[str, Sequence[float]], window: int = 20, references: Mapping[str, float] | None = None, size: float = 5.2
) -> Picture:
    """The losses of runs, by name, against the step: their means over `window` steps, each at the middle of these.

    references: levels to draw, by label.
    """
    figure, axes = new_figure(size=(size, 2.9))
    axis = axes[0, 0]
    for number, (name, values) in enumerate(runs.items()):
        colour = LINES[number]
        if len(runs) == 1:
            axis.plot(values, color=COLOURS["sky"], lw=0.8, label="each step")
            name = f"mean of {window} steps"
        axis.plot(*_middle(values, window), color=colour, linestyle=DASHES[number], label=name)
    draw_references(axis, references)
    axis.set(xlabel="step", ylabel="cross-entropy in nats", ylim=(0, None))
    axis.legend(fontsize=8)
    ends = ", ".join(f"{name} ends at {sum(values[-window:]) / len(values[-window:]):.2f}" for name, values in runs.items())
    alt = f"The loss against the step, from near the level of guessing: {ends}."
    return figure, alt


def _draw_filter(axis: Axes, kernel: torch.Tensor) -> None:
    """A kernel [C, KH, KW]: by sign where it has one channel, and as a colour around grey where it has three."""
    kernel = kernel / kernel.abs().max().clamp(min=1e-9)
    if len(kernel) == 3:
        draw_image(axis, (kernel + 1) / 2)
    else:
        draw_image(axis, kernel.mean(dim=0), signed=True, limits=(-1.2, 1.2))
    for side in axis.spines.values():
        side.set(color=ROLES["weight"], lw=1.4)


def _draw_map(axis: Axes, values: torch.Tensor) -> None:
    axis.imshow(values.numpy(), cmap=GREY_MAP, vmin=0, vmax=max(values.max().item(), 1e-6))
    axis.set(xticks=[], yticks=[])


@course_style
def forming_filters(
    image: torch.Tensor, snapshots: Sequence[tuple[int, torch.Tensor, torch.Tensor]], losses: Sequence[float]
) -> tuple[list[Figure], str]:
    """The first layer while it trains, as an animation; the last frame comes first, as the still picture.

    snapshots: (step, kernels [O, C, KH, KW], maps [O, H, W]); losses: of every step.
    """
    frames = []
    for step, kernels, maps in [snapshots[-1], *snapshots]:
        O = len(kernels)
        figure = new_figure(size=(8, 3.7))[0]
        figure.clear()
        grid = figure.add_gridspec(3, O + 1, height_ratios=[1, 1, 1.25])
        draw_image(figure.add_subplot(grid[1, 0]), image, "image")
        for o in range(O):
            _draw_filter(figure.add_subplot(grid[0, o + 1]), kernels[o])
            _draw_map(figure.add_subplot(grid[1, o + 1]), maps[o])
        axis = figure.add_subplot(grid[2, :])
        axis.plot(losses, color="0.8", lw=0.8)
        axis.plot(losses[: step + 1], color=ROLES["data"], lw=1)
        axis.axvline(step, color=ROLES["gradient"], lw=1.5)
        axis.set(xlabel=f"step {step}", ylabel="loss", ylim=(0, None), xlim=(0, len(losses)))
        frames.append(figure)
    alt = (
        f"Animation: the {len(snapshots[0][1])} kernels of the first layer begin as noise and become smooth detectors of "
        "edges and strokes; below them the maps that they make of one image, and the falling loss."
    )
    return frames, alt


@course_style
def dropped(shares: Mapping[str, Mapping[str, Sequence[float]]]) -> Picture:
    """The accuracy of several seeds with different dropout: set -> {p: shares}, a point for each seed."""
    figure, axes = new_figure(1, len(shares), size=(8, 2.6))
    for axis, (name, columns) in zip(axes[0], shares.items(), strict=True):
        for place, values in enumerate(columns.values()):
            axis.plot([place] * len(values), values, "o", color=ROLES["data"], alpha=0.6, markersize=5)
            axis.plot([place - 0.25, place + 0.25], [sum(values) / len(values)] * 2, color=ROLES["ink"], lw=1.5)
        axis.set(title=name, xlim=(-0.6, len(columns) - 0.4), xlabel="$p$")
        axis.set_xticks(range(len(columns)), list(columns))
        axis.yaxis.set_major_locator(MultipleLocator(0.02 if axis.get_ylim()[1] - axis.get_ylim()[0] > 0.05 else 0.01))
        axis.yaxis.set_major_formatter("{x:.0%}")
        axis.grid(color="0.92", axis="y")
    said = "; ".join(
        f"{name}: " + ", ".join(f"p = {p} {sum(values) / len(values):.1%}" for p, values in columns.items())
        for name, columns in shares.items()
    )
    return figure, f"The share of right answers with different dropout, a point for each seed and a line for the mean. {said}."


@course_style
def mistakes_shown(cosines: Mapping[str, float], runs: Mapping[str, Sequence[float]], window: int, floor: float) -> Picture:
    """How far wrong gradients turn away, layer by layer, and the losses of training with mistakes."""
    figure, axes = new_figure(1, 2, size=(8, 3), width_ratios=[1, 1.5])
    left, right = axes[0]
    left.barh(range(len(cosines)), list(cosines.values()), color=ROLES["gradient"])
    left.set_yticks(range(len(cosines)), list(cosines), fontsize=8.5)
    left.invert_yaxis()
    left.axvline(1, color="0.5", lw=1, ls=":")
    left.axvline(0, color=ROLES["ink"], lw=1)
    left.set(xlim=(min(0.0, *cosines.values()), 1.12), xlabel="cosine of wrong and right gradient")
    for number, (name, values) in enumerate(runs.items()):
        right.plot(*_middle(values, window), color=LINES[number], linestyle=DASHES[number], label=name)
    right.axhline(floor, color="0.5", lw=1, ls=":")
    right.annotate("least with softmax twice", (0, floor), (2, -11), textcoords="offset points", fontsize=8, color="0.35")
    right.set(xlabel="step", ylabel="cross-entropy in nats", xlim=(0, None), ylim=(0, None))
    right.legend(fontsize=8)
    ends = ", ".join(f"{name} ends at {sum(values[-window:]) / window:.2f}" for name, values in runs.items())
    said = ", ".join(f"{name} {value:.2f}" for name, value in cosines.items())
    return figure, f"Left: the cosine between wrong and right gradient, {said}. Right: losses; {ends}."
