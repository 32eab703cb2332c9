"""What a layer costs: its operations and bytes, and where it lies under the roofline."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.viz import COLOURS, MARKERS, course_style, new_figure

Picture = tuple[Figure, str]
Row = tuple[str, float, float]  # a layer's name, its operations and its bytes
KINDS = {"Conv2d": "blue", "Linear": "vermilion", "MaxPool2d": "green", "ReLU": "purple"}


def kind(name: str) -> str:
    """ "Conv2d" of "Conv2d 2"."""
    return name.split()[0]


@course_style
def costs(rows: Sequence[Row]) -> Picture:
    """Two bars for each layer: its share of all operations, and its share of all bytes."""
    figure, axes = new_figure(1, 2, size=(8, 0.34 * len(rows) + 0.9), sharey=True)
    for axis, place, title in ((axes[0, 0], 1, "operations"), (axes[0, 1], 2, "bytes")):
        total = sum(row[place] for row in rows)  # type: ignore[misc]
        shares = [row[place] / total for row in rows]  # type: ignore[operator]
        axis.barh(range(len(rows)), shares, color=[COLOURS[KINDS[kind(row[0])]] for row in rows])
        for y, share in enumerate(shares):
            axis.text(share + 0.01, y, f"{share:.1%}", va="center", fontsize=9)
        axis.set(title=f"share of the {title}", xlim=(0, 1.12 * max(shares)), xticks=[])
        axis.spines["bottom"].set_visible(False)
    axes[0, 0].set_yticks(range(len(rows)), [row[0] for row in rows])
    axes[0, 0].invert_yaxis()
    most = [max(rows, key=lambda row: row[place])[0] for place in (1, 2)]
    return figure, f"Shares of the layers: most operations are in {most[0]}, most bytes in {most[1]}."


def _roof(axis: Axes, peak: float, bandwidth: float, xlim: tuple[float, float]) -> None:
    """The line that nothing can be above, in GFLOP/s."""
    ridge = peak / bandwidth
    x = [xlim[0], ridge, xlim[1]]
    axis.plot(x, [xlim[0] * bandwidth / 1e9, peak / 1e9, peak / 1e9], color="black", lw=2)
    axis.axvline(ridge, color="0.7", lw=1, ls=":")
    style: dict[str, Any] = {"transform": axis.get_xaxis_transform(), "fontsize": 9, "color": "0.35", "va": "top"}
    axis.text(ridge / 1.15, 0.06, "memory-bound", ha="right", **style)
    axis.text(ridge * 1.15, 0.06, "compute-bound", ha="left", **style)
    axis.set(xscale="log", yscale="log", xlim=xlim, xlabel="operations for each byte", ylabel="10⁹ operations per second")
    axis.grid(color="0.93")


def _mark(axis: Axes, name: str, x: float, y: float) -> None:
    colour, number = COLOURS[KINDS[kind(name)]], int(name.split()[1]) - 1
    axis.plot(x, y, MARKERS[number % len(MARKERS)], color=colour, markersize=8, label=name, markeredgecolor="white")


def _beside(axis: Axes) -> None:
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))


@course_style
def roofline(peak: float, bandwidth: float, points: Mapping[str, tuple[float, float]]) -> Picture:
    """The measured roof, and each layer at (operations per byte, operations per second)."""
    figure, axes = new_figure(size=(7.2, 3.6))
    axis, intensities = axes[0, 0], [x for x, _ in points.values()]
    _roof(axis, peak, bandwidth, (min(0.05, *intensities), 3 * max(peak / bandwidth, *intensities)))
    for name, (x, speed) in points.items():
        _mark(axis, name, x, speed / 1e9)
    _beside(axis)
    left = [name for name, (x, _) in points.items() if x < peak / bandwidth]
    right = [name for name in points if name not in left]
    return figure, (
        f"The roof rises with {bandwidth / 1e9:.3g} GB/s and is flat at {peak / 1e9:.3g} GFLOP/s. Under its slope: "
        f"{', '.join(left) or 'none'}. Under its flat part: {', '.join(right) or 'none'}."
    )


@course_style
def growing_batch(peak: float, bandwidth: float, rows: Mapping[int, Sequence[Row]]) -> tuple[list[Figure], str]:
    """A frame for each batch size: how fast each layer may be, at most. The last frame comes first."""
    sizes, frames = list(rows), []
    every = [operations / moved for each in rows.values() for _, operations, moved in each]
    xlim = (min(0.05, *every), 3 * max(peak / bandwidth, *every))
    for N in [sizes[-1], *sizes]:
        figure, axes = new_figure(size=(7.2, 3.6))
        axis = axes[0, 0]
        _roof(axis, peak, bandwidth, xlim)
        for name, operations, moved in rows[N]:
            x = operations / moved
            trail = [dict((row[0], row[1] / row[2]) for row in rows[n])[name] for n in sizes if n <= N]
            heights = torch.tensor(trail, dtype=torch.float64).mul(bandwidth).clamp(max=peak) / 1e9
            axis.plot(trail, heights.tolist(), color=COLOURS[KINDS[kind(name)]], lw=3, alpha=0.35)
            _mark(axis, name, x, min(x * bandwidth, peak) / 1e9)
        axis.set_title(f"batch of {N:,}")
        _beside(axis)
        frames.append(figure)
    return frames, (
        f"As the batch grows from {sizes[0]} to {sizes[-1]:,}, the dense layers climb along the roof, since their weights are "
        "read once for the whole batch; pooling and ReLU stay where they are."
    )
