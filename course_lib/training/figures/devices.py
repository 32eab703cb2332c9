"""Many devices: a step in slices, the ring, what an all-reduce costs, and what it leaves of K devices."""

from collections.abc import Mapping, Sequence
from math import cos, log10, pi, sin

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, ROLES, course_style, draw_arrow, new_diagram, new_figure

Picture = tuple[Figure, str]
CHUNKS = [COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky")]


def _box(axis: Axes, x: float, y: float, text: str, role: str, width: float = 3.0) -> None:
    axis.add_patch(Rectangle((x, y - 0.55), width, 1.1, facecolor="white", edgecolor=ROLES[role], lw=1.5))
    axis.text(x + width / 2, y, text, ha="center", va="center", fontsize=9)


@course_style
def one_step(counts: Sequence[int] = (2, 3, 3)) -> Picture:
    """A batch, cut into slices; each device computes a gradient; the weighted sum moves the same weights everywhere."""
    figure, axis = new_diagram(8, 3.3, xlim=(0, 26), ylim=(0, 10.7))
    N, middle = sum(counts), 5.2
    for n in range(N):
        axis.add_patch(Rectangle((0.4, middle + (N / 2 - n - 1) * 0.8), 0.8, 0.7, facecolor=ROLES["data"], edgecolor="white"))
    axis.text(0.8, middle + N * 0.4 + 0.5, f"{N} images", ha="center", fontsize=9)
    first = 0
    for k, count in enumerate(counts):
        y = middle + 3.2 * ((len(counts) - 1) / 2 - k)
        start = middle + (N / 2 - first - count / 2) * 0.8
        draw_arrow(axis, (1.4, start), (3.4, y), "data", connectionstyle="arc3,rad=0")
        for n in range(count):
            axis.add_patch(Rectangle((3.6 + 0.8 * n, y - 0.35), 0.7, 0.7, facecolor=ROLES["data"], edgecolor="white"))
        _box(axis, 7.2, y, "weights", "weight")
        draw_arrow(axis, (3.7 + 0.8 * count, y), (7.1, y), "data")
        draw_arrow(axis, (10.3, y), (12.0, y), "gradient")
        _box(axis, 12.1, y, f"gradient × {count}/{N}", "gradient", width=4.2)
        axis.text(8.7, y + 0.95, f"device {k}", ha="center", fontsize=9, color="0.35")
        draw_arrow(axis, (16.4, y), (18.1, middle), "gradient")
        draw_arrow(axis, (20.5, middle), (22.2, y), "gradient")
        _box(axis, 22.3, y, "same step", "weight", width=3.4)
        first += count
    axis.text(19.3, middle, "sum", ha="center", va="center", fontsize=11, color=ROLES["gradient"])
    return figure, (
        f"A batch of {N} images is cut into slices of {', '.join(map(str, counts))}. Each device has all weights and computes "
        "the gradient of its slice, times the slice's share of the batch. The sum goes back to every device, and each makes the "
        "same step."
    )


@course_style
def ring(K: int = 4) -> tuple[list[Figure], str]:
    """A frame for each half and whole of a step: every device passes a chunk to the next. The last frame comes first."""
    have = [[{k} for _ in range(K)] for k in range(K)]  # of each device and chunk: whose parts are in it
    frames = [_ring_frame(have, K, "each device has its own gradient, in chunks", [])]
    for step in range(2 * (K - 1)):
        adding = step < K - 1
        title = f"step {step + 1} of {2 * (K - 1)}: " + ("pass on, and add" if adding else "pass on the sums")
        moves = [(k, (k - step) % K, set(have[k][(k - step) % K])) for k in range(K)]
        frames += [_ring_frame(have, K, title, moves, way) for way in (0.3, 0.6)]
        for k, place, parts in moves:
            have[(k + 1) % K][place] = have[(k + 1) % K][place] | parts
        frames.append(_ring_frame(have, K, title, []))
    last = _ring_frame(have, K, "every device has the whole sum", [])
    return [last, *frames, last], (
        f"A ring of {K} devices, each with a gradient of {K} chunks. In the first {K - 1} steps each device passes a chunk on to "
        f"its neighbour, which adds it; in the next {K - 1} the finished sums go round. At the end every device has every sum."
    )


def _ring_frame(have: list, K: int, title: str, moves: list, way: float = 0.0) -> Figure:
    figure, axis = new_diagram(6.4, 4.4, xlim=(-8, 8), ylim=(-5.6, 5.6))
    axis.text(0, 5.2, title, ha="center", va="center", fontsize=11)
    places = [(5.0 * sin(2 * pi * k / K), 3.3 * cos(2 * pi * k / K) - 0.3) for k in range(K)]
    for k, (x, y) in enumerate(places):
        u, v = places[(k + 1) % K]
        start, end = ((x + (u - x) * share, y + (v - y) * share) for share in (0.36, 0.66))
        draw_arrow(axis, start, end, "faint", lw=1)
        _device(axis, x, y, have[k], K, f"device {k}")
    for k, chunk, parts in moves:
        (x, y), (u, v) = places[k], places[(k + 1) % K]
        _chunk(axis, x + (u - x) * way, y + (v - y) * way, chunk, parts, K)
    return figure


def _device(axis: Axes, x: float, y: float, chunks: list, K: int, name: str) -> None:
    axis.text(x, y + 0.78, name, ha="center", va="center", fontsize=9)
    for place, parts in enumerate(chunks):
        _chunk(axis, x + (place - (K - 1) / 2) * 0.95, y, place, parts, K)


def _chunk(axis: Axes, x: float, y: float, place: int, parts: set, K: int) -> None:
    """A square with as many stripes as there are devices; those in it are coloured."""
    for k in range(K):
        colour = CHUNKS[place % len(CHUNKS)] if k in parts else "white"
        axis.add_patch(
            Rectangle((x - 0.42, y - 0.42 + 0.84 * k / K), 0.84, 0.84 / K, facecolor=colour, edgecolor="none", zorder=3)
        )
    whole = len(parts) == K
    axis.add_patch(Rectangle((x - 0.42, y - 0.42), 0.84, 0.84, fill=False, edgecolor="black", lw=2.2 if whole else 0.8, zorder=4))


@course_style
def drifting(distances: Mapping[str, Sequence[float]], between: Mapping[str, Sequence[float]]) -> Picture:
    """How far each mistake's weights are from those of one device with the whole batch, and its devices from each other."""
    figure, axes = new_figure(1, 2, size=(8, 3.1), sharey=True)
    titles = ("from one device with the whole batch", "between the two devices")
    for axis, values, title in zip(axes[0], (distances, between), titles, strict=True):
        for number, (name, way) in enumerate(values.items()):
            shown = torch.as_tensor(way, dtype=torch.float64).clamp(min=1e-17).tolist()
            axis.plot(range(1, len(way) + 1), shown, color=LINES[number], ls=DASHES[number % len(DASHES)], lw=2, label=name)
        axis.set(yscale="log", xlabel="step", title=title)
        axis.grid(color="0.92")
    axes[0, 0].set_ylabel("distance of the weights")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), fontsize=9, loc="outside lower center", ncols=len(distances))
    ends = ", ".join(f"{name} {way[-1]:.1g}" for name, way in distances.items())
    return figure, f"Distance from one device's weights after {len(way)} steps: {ends}."


@course_style
def all_reduce_fit(sizes: Sequence[float], seconds: Sequence[float], latency: float, bandwidth: float) -> Picture:
    """Measured times of an all-reduce between two processes, and the line that was fitted to them."""
    figure, axes = new_figure(size=(6.4, 3.0))
    axis = axes[0, 0]
    line = torch.logspace(log10(min(sizes)), log10(max(sizes)), 60).tolist()
    axis.plot(line, [1e3 * (latency + size / bandwidth) for size in line], color="0.4", label="latency + bytes / bandwidth")
    axis.plot(sizes, [1e3 * value for value in seconds], "o", color=COLOURS["vermilion"], markersize=7, label="measured")
    axis.set(xscale="log", yscale="log", xlabel="bytes of the gradient", ylabel="milliseconds")
    axis.grid(color="0.92")
    axis.legend(fontsize=9)
    return figure, f"Fitted: a latency of {1e3 * latency:.2g} ms and a bandwidth of {bandwidth / 1e9:.2g} GB/s."


@course_style
def scaling(K: Sequence[int], seconds: Mapping[str, Sequence[float]], measured: Mapping[int, float]) -> Picture:
    """Left: seconds of a step on K devices. Right: how many times as fast as one. Dashed: projections; points: measured."""
    figure, axes = new_figure(1, 2, size=(8, 3.4))
    for number, (name, values) in enumerate(seconds.items()):
        style = {"color": LINES[number], "ls": "--", "lw": 1.6, "marker": MARKERS[number], "markersize": 4}
        axes[0, 0].plot(K, [1e3 * value for value in values], label=name, **style)
        axes[0, 1].plot(K, [values[0] / value for value in values], **style)
    one = measured[1]
    axes[0, 0].plot(list(measured), [1e3 * v for v in measured.values()], "o", color="black", markersize=9, label="measured")
    axes[0, 1].plot(list(measured), [one / value for value in measured.values()], "o", color="black", markersize=9)
    axes[0, 1].plot(K, K, color="0.6", lw=1, label="K times as fast")
    for axis, label in zip(axes[0], ("milliseconds of a step", "times as fast as one"), strict=True):
        axis.set(xscale="log", yscale="log", xlabel="devices, K (dashed: a projection)", ylabel=label)
        axis.set_xticks(K, [str(k) for k in K])
        axis.minorticks_off()
        axis.grid(color="0.92")
    axes[0, 1].legend(fontsize=9)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), fontsize=9, loc="outside lower center", ncols=2)
    best = {name: K[min(range(len(K)), key=values.__getitem__)] for name, values in seconds.items()}
    words = ", ".join(f"{name}: {k}" for name, k in best.items())
    return figure, f"Measured for one and two devices, projected beyond. Of those drawn, the fastest number of devices: {words}."
