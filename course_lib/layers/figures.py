"""The pictures of chapter 3. Each function returns a matplotlib figure."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.layers.shapes import Step
from course_lib.viz import COLOURS, LINES, draw_image, new_figure


def activations(functions: Mapping[str, tuple[torch.Tensor, torch.Tensor]], x: torch.Tensor) -> Figure:
    """Functions and their slopes over x [N], given by name as (values, slopes), tensors [N]."""
    figure, axes = new_figure(1, len(functions), size=(9, 2.3), sharey=True)
    for axis, (name, (values, slopes)) in zip(axes[0], functions.items(), strict=True):
        axis.plot(x.tolist(), values.tolist(), label="function")
        axis.plot(x.tolist(), slopes.tolist(), "--", label="slope")
        axis.set(title=name, xlabel="$x$", ylim=(-1.3, 2.5))
        axis.grid(color="0.9")
    axes[0, 0].legend(fontsize=8)
    return figure


def histograms(rows: Sequence[Sequence[torch.Tensor]], titles: Sequence[str], labels: Sequence[str]) -> Figure:
    """Histograms of flat tensors, one panel for each row, one line for each entry of a row."""
    figure, axes = new_figure(1, len(rows), size=(8, 2.5))
    for axis, row, title in zip(axes[0], rows, titles, strict=True):
        for values, label, colour in zip(row, labels, LINES, strict=False):
            axis.hist(values.flatten().tolist(), bins=40, histtype="step", density=True, label=label, color=colour)
        axis.set_title(title)
    axes[0, 0].legend(fontsize=8)
    return figure


def loss_curve(
    losses: Sequence[float],
    window: int = 1,
    references: Mapping[str, float] | None = None,
    xlabel: str = "step",
    beside: Mapping[str, Sequence[float]] | None = None,
) -> Figure:
    """Losses against the step, with the running mean over `window` steps.

    references: levels to draw, by label. beside: other losses, by label, of which the running mean
    is drawn.
    """
    figure, axes = new_figure(size=(6.4, 3))
    axis, values = axes[0, 0], torch.tensor(losses)
    axis.plot(values.tolist(), color=COLOURS["sky"], linewidth=0.8, label="loss of each step" if window > 1 else "loss")
    if window > 1:
        axis.plot(range(window - 1, len(values)), values.unfold(0, window, 1).mean(dim=1).tolist(), label=f"mean of {window}")
    for (label, others), colour in zip((beside or {}).items(), LINES[2:], strict=False):
        means = torch.tensor(others).unfold(0, window, 1).mean(dim=1).tolist()
        axis.plot(range(window - 1, len(others)), means, color=colour, linestyle="-.", label=label)
    for (label, level), style in zip((references or {}).items(), ("--", ":"), strict=False):
        axis.axhline(level, color=COLOURS["vermilion"], linestyle=style, label=label)
    axis.set(xlabel=xlabel, ylabel="cross-entropy in nats", ylim=(0, None))
    axis.legend(fontsize=8)
    return figure


def shape_table(steps: Sequence[Step]) -> Figure:
    """A trace of `trace_shapes` as a table: shape, weights and cost of each layer, and the sums."""
    rows = [(s.layer, " x ".join(map(str, s.shape)), f"{s.parameters:,}", f"{s.multiply_adds:,}") for s in steps]
    rows.append(("sum", "", f"{sum(s.parameters for s in steps):,}", f"{sum(s.multiply_adds for s in steps):,}"))
    figure, axes = new_figure(size=(7.5, 0.27 * (len(rows) + 1)))
    axis = axes[0, 0]
    axis.axis("off")
    columns = ["layer", "shape after it", "weights", "multiply-adds"]
    table = axis.table(rows, colLabels=columns, loc="center", colWidths=[0.38, 0.24, 0.18, 0.2], edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    for (row, column), cell in table.get_celld().items():
        cell.get_text().set_ha("left" if column == 0 else "right")
        cell.get_text().set_weight("bold" if row in (0, len(rows)) else "normal")
        cell.set_edgecolor("0.8")
    return figure


def pooled_images(image: torch.Tensor, results: Sequence[torch.Tensor], titles: Sequence[str]) -> Figure:
    """An image [H, W] beside its pooled versions, a list of [OH, OW], each with its size."""
    figure, axes = new_figure(1, 1 + len(results), size=(9, 9 / (1 + len(results)) + 0.4))
    for axis, picture, title in zip(axes[0], [image, *results], ["image", *titles], strict=True):
        draw_image(axis, picture, f"{title}\n{picture.shape[0]} x {picture.shape[1]}")
        axis.title.set_fontsize(9)
    return figure
