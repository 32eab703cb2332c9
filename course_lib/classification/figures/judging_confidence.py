"""The pictures of chapter 5, third part: whether a confidence can be believed."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.layers import cross_entropy
from course_lib.metrics import Calibration, accuracy_interval, calibration
from course_lib.viz import COLOURS, LINES, course_style, new_figure

Picture = tuple[Figure, str]
Bins = tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]


def _bins(result: Calibration | Bins) -> Bins:
    """Images, confidence and accuracy of each bin, and the expected error."""
    if isinstance(result, Calibration):
        return result.count, result.confidence, result.accuracy, result.expected_error
    return result


def _draw_bins(axis: Axes, bins: Bins) -> None:
    """Accuracy against confidence with the 95 % interval of each bin, and the gap to the diagonal."""
    count, confidence, accuracy, _ = bins
    axis.plot([0, 1], [0, 1], "--", color="0.5", linewidth=1)
    for n in range(len(count)):
        if count[n]:
            x, y = float(confidence[n]), float(accuracy[n])
            interval = accuracy_interval(round(y * int(count[n])), int(count[n]))
            axis.plot([x, x], [x, y], color=COLOURS["orange"], linewidth=5, alpha=0.35, solid_capstyle="butt")
            axis.plot([x, x], interval, color=COLOURS["blue"], linewidth=1.3)
            axis.plot([x], [y], "o", color=COLOURS["blue"], markersize=4.5)
    axis.set(xlim=(0, 1.02), ylim=(0, 1.04))
    axis.grid(color="0.94")


@course_style
def reliability(results: Mapping[str, Calibration | Bins]) -> Picture:
    """Reliability diagrams with intervals, by title; below each, where the images are.

    results: `Calibration`, or (count, confidence, accuracy, expected error) of the bins.
    """
    width = min(8.0, 0.6 + 3.0 * len(results))
    figure, axes = new_figure(2, len(results), size=(width, 3.9), height_ratios=[3, 1], sharex=True)
    said = []
    for column, (title, result) in zip(axes.T, results.items(), strict=True):
        count, _, _, error = bins = _bins(result)
        _draw_bins(column[0], bins)
        column[0].set_title(f"{title}\nexpected calibration error {error:.3f}", fontsize=9.5)
        left = [n / len(count) for n in range(len(count))]
        column[1].bar(left, count.tolist(), width=1 / len(count), align="edge", color=COLOURS["sky"], edgecolor="white")
        column[1].set(xlabel="confidence", yscale="log", ylim=(0.7, None))
        column[1].yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        said.append(f"{title} {error:.3f}")
    axes[0, 0].set_ylabel("share right")
    axes[1, 0].set_ylabel("images")
    alt = (
        "Reliability diagrams: share right against confidence with a 95 % interval for each bin and the gap to the diagonal, "
        f"below them how many images each bin has. Expected calibration error: {', '.join(said)}."
    )
    return figure, alt


@course_style
def temperature_turns(
    logits: Mapping[str, torch.Tensor], labels: Mapping[str, torch.Tensor], fitted: float, bins: int = 10
) -> tuple[list[Figure], str]:
    """Reliability diagrams and losses of two sets while the temperature turns, as an animation.

    logits [N, K] and labels [N] by the set's name; fitted: the temperature at which the first frame stands.
    """
    grid = [fitted * 2 ** (n / 5) for n in range(-6, 8)]
    losses = {name: [cross_entropy(z.double() / T, labels[name]).item() for T in grid] for name, z in logits.items()}
    top = 1.6 * max(values[6] for values in losses.values()) + 0.02
    frames = []
    for T in (fitted, *grid, *grid[-2:0:-4]):
        figure, axes = new_figure(1, len(logits) + 1, size=(8, 2.75), width_ratios=[*[1] * len(logits), 1.1])
        for axis, (name, z) in zip(axes[0], logits.items(), strict=False):
            found = calibration(torch.softmax(z.double() / T, dim=1), labels[name], bins)
            _draw_bins(axis, _bins(found))
            axis.set_title(f"{name}\nexpected error {found.expected_error:.3f}", fontsize=9.5)
            axis.set_xlabel("confidence")
        axis = axes[0, -1]
        for number, (name, values) in enumerate(losses.items()):
            style: dict[str, Any] = {"color": LINES[number], "linestyle": "-" if number == 0 else "--"}
            axis.plot(grid, values, label=name, **style)
            here = cross_entropy(logits[name].double() / T, labels[name]).item()
            axis.plot([T], [here], "o", color=LINES[number], clip_on=False)
        axis.set(xscale="log", xlabel="temperature", ylim=(0, top))
        axis.set_title(f"cross-entropy in nats\nT = {T:.2f}", fontsize=9.5)
        marks = [fitted / 2, fitted, 2 * fitted]
        axis.set_xticks(marks, [f"{mark:.2f}" for mark in marks])
        axis.minorticks_off()
        axis.legend(fontsize=8, loc="upper center")
        axes[0, 0].set_ylabel("share right")
        frames.append(figure)
    best = {name: grid[values.index(min(values))] for name, values in losses.items()}
    lowest = ", ".join(f"{name} near T = {T:.2f}" for name, T in best.items())
    alt = (
        "Animation: as the temperature rises, the points of the reliability diagrams move to lower confidence, and the loss "
        f"of each set passes its lowest point, among the temperatures shown: {lowest}."
    )
    return frames, alt


@course_style
def before_and_after(runs: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Picture:
    """Calibration errors of several seeds before and after the temperature was fitted on the validation set.

    runs: of the recording "judging-seeds"; names: from the key in a run to the name shown.
    """
    figure, axes = new_figure(1, len(names), size=(6.4, 2.5), sharey=True)
    said = []
    for axis, (key, name) in zip(axes[0], names.items(), strict=True):
        for number, run in enumerate(runs):
            pair = [run[key]["before"], run[key]["after"]]
            axis.plot([0, 1], pair, "o-", color=LINES[number % len(LINES)], markersize=4, linewidth=1.2)
        rose = sum(run[key]["after"] > run[key]["before"] for run in runs)
        axis.set_xticks([0, 1], ["T = 1", "fitted"])
        axis.set(title=name, xlim=(-0.3, 1.3))
        axis.grid(axis="y", color="0.92")
        said.append(f"{name}: larger afterwards for {rose} of {len(runs)} seeds")
    axes[0, 0].set_ylim(bottom=0)  # after everything is drawn, since all share it
    axes[0, 0].set_ylabel("calibration error")
    return (
        figure,
        f"Calibration error before and after fitting the temperature, a line for each seed. {'; '.join(said)}.",
    )
