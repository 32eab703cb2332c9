"""Lines over an axis, with the spread of several seeds, and levels to compare them with."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.viz.style import DASHES, LINES, MARKERS, course_style, new_figure, plain


@course_style
def curves(
    x: Sequence,
    series: Mapping[str, Any],
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    log_y: bool = False,
    references: Mapping[str, float] | None = None,
    ylim: tuple[float, float] | None = None,
    title: str = "",
) -> Figure:
    """Lines with their spread.

    series: a dict of names and tensors [S, len(x)], one row for each seed (or one row [len(x)]).

    The line joins the medians, the band goes from the smallest to the largest. NaN leaves a gap.
    references: dict of labels and levels, drawn as dotted lines.
    """
    figure, axes = new_figure(size=(6.4, 3.2))
    axis = axes[0, 0]
    for number, (name, rows) in enumerate(series.items()):
        rows = torch.as_tensor(rows, dtype=torch.float64)
        rows = rows[None] if rows.dim() == 1 else rows
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        marker = MARKERS[number % len(MARKERS)] if len(x) <= 30 else None
        axis.plot(x, rows.quantile(0.5, dim=0).tolist(), marker=marker, markersize=4, label=plain(name), **style)
        if len(rows) > 1:
            low, high = rows.amin(dim=0).tolist(), rows.amax(dim=0).tolist()
            axis.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    draw_references(axis, references)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if log_x else "linear")
    axis.set(yscale="log" if log_y else "linear", ylim=ylim)  # in this order: limits hold for the scale that they are set on
    if len(x) <= 8:  # few places: name them instead of powers of ten
        axis.set_xticks(list(x), [f"{value:g}" for value in x])
        axis.minorticks_off()
    elif not log_x and all(isinstance(value, int) for value in x):
        axis.xaxis.get_major_locator().set_params(integer=True)
    axis.grid(color="0.92")
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if len(series) > 5 else {}
    axis.legend(fontsize=8, **beside)
    return figure


def draw_references(axis: Axes, references: Mapping[str, float] | None) -> None:
    """Dotted horizontal lines with their labels beside the axes, where no curve runs under them."""
    for label, level in (references or {}).items():
        axis.axhline(level, color="0.5", linestyle=":", linewidth=1)
        place: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "xytext": (4, 0),
            "textcoords": "offset points",
            "annotation_clip": False,
        }
        axis.annotate(textwrap.fill(plain(label), 18), (1, level), ha="left", va="center", fontsize=8, color="0.35", **place)


def running_mean(values: Any, window: int) -> list[float]:
    """The mean over the last `window` values, fewer at the start: a list as long as values."""
    total = torch.cat([torch.zeros(1, dtype=torch.float64), torch.as_tensor(values, dtype=torch.float64).cumsum(0)])
    last = torch.arange(1, len(total))
    first = (last - window).clamp(min=0)
    return ((total[last] - total[first]) / (last - first)).tolist()
