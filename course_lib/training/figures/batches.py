"""What a larger batch changes: the noise of the gradient, the best rate, and what batch normalisation sees."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, course_style, new_figure

Picture = tuple[Figure, str]


@course_style
def spread(sizes: Sequence[int], measured: Sequence[float], predicted: Sequence[float]) -> Picture:
    """The variance of the gradient by batch size: measured points, and the line of 1 / B."""
    figure, axes = new_figure(size=(6.4, 2.9))
    axis = axes[0, 0]
    axis.plot(sizes, predicted, color="0.4", lw=1.5, label="variance of one image's gradient, divided by B")
    axis.plot(sizes, measured, "o", color=COLOURS["vermilion"], markersize=7, label="measured over many batches")
    axis.set(xlabel="images in the batch, B", ylabel="variance of the gradient", xscale="log", yscale="log")
    axis.set_xticks(list(sizes), [str(size) for size in sizes])
    axis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=9)
    return figure, f"From B = {sizes[0]} to {sizes[-1]} the variance of the gradient falls like 1 / B."


@course_style
def batch_and_rate(made: Mapping) -> Picture:
    """The recorded losses: a line for each batch size over the learning rate; NaN where a run diverged.

    made: "rates" [R], and "losses" {batch size: [seeds][rates]}.
    """
    figure, axes = new_figure(size=(7.2, 3.4))
    axis, best = axes[0, 0], {}
    for number, (size, rows) in enumerate(made["losses"].items()):
        values = torch.tensor([[float("nan") if v is None else v for v in row] for row in rows], dtype=torch.float64)
        middle = values.median(dim=0).values  # NaN where a seed diverged
        colour = LINES[number % len(LINES)]
        style = {"color": colour, "ls": DASHES[number % len(DASHES)], "marker": MARKERS[number % len(MARKERS)]}
        axis.plot(made["rates"], middle.tolist(), markersize=5, label=f"batch of {size}", **style)
        axis.fill_between(made["rates"], values.amin(dim=0).tolist(), values.amax(dim=0).tolist(), color=colour, alpha=0.2, lw=0)
        best[size] = made["rates"][int(middle.nan_to_num(nan=torch.inf).argmin())]
    axis.set(xlabel="learning rate", ylabel="validation loss (nats)", xscale="log", yscale="log")
    axis.set_xticks(made["rates"], [f"{rate:g}" for rate in made["rates"]])
    axis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, "Best learning rate: " + ", ".join(f"{rate:g} in batches of {size}" for size, rate in best.items()) + "."


@course_style
def normalised_slices(sizes: Sequence[int], apart: Sequence[Sequence[float]], made: Mapping) -> Picture:
    """Left: how far the mean gradient of normalised slices is from the whole batch's, a row for each seed. Right: recorded
    validation losses, {images in a slice: [seeds]}.
    """
    figure, axes = new_figure(1, 2, size=(8, 2.9))
    ways = (
        (axes[0, 0], {size: [row[n] for row in apart] for n, size in enumerate(sizes)}, "distance of the gradient"),
        (axes[0, 1], {int(size): values for size, values in made["losses"].items()}, "validation loss (nats)"),
    )
    for axis, values, label in ways:
        axis.plot(list(values), [sorted(each)[len(each) // 2] for each in values.values()], color=COLOURS["blue"], lw=1.5)
        for size, each in values.items():
            axis.plot([size] * len(each), each, "o", color=COLOURS["blue"], markersize=5, alpha=0.6)
        axis.set(xscale="log", xlabel="images that are normalised together", ylabel=label, ylim=(0, None))
        axis.set_xticks(list(values), [str(size) for size in values])
        axis.minorticks_off()
        axis.grid(color="0.92")
    return figure, "The smaller the slices that are normalised, the further the gradient is from that of the whole batch."
