"""What generated digits are worth: malformed against varied, distances, which typefaces."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from course_lib.gan.figures.drawing import Picture
from course_lib.viz import COLOURS, ROLES, course_style, new_figure


@course_style
def trade(scales: Mapping[float, tuple[float, float]], test: tuple[float, float]) -> Picture:
    """By scale of z: (share malformed, variety); and the same two numbers of test images."""
    figure, axes = new_figure(size=(5.2, 3))
    axis = axes[0, 0]
    xs, ys = zip(*((variety, share) for share, variety in scales.values()), strict=True)
    axis.plot(xs, ys, "o-", color=ROLES["generated"], label="generated")
    for scale, (share, variety) in scales.items():
        axis.annotate(f"{scale:g} z", (variety, share), (6, -11), textcoords="offset points", fontsize=9)
    axis.plot(test[1], test[0], "D", ms=7, color=ROLES["data"], label="test images")
    axis.axhline(0.1, color="0.5", ls=":", lw=1)
    axis.set(xlabel="variety of a pixel within a digit", ylabel="share malformed", ylim=(0, None))
    axis.legend(fontsize=9, loc="upper left")
    said = "; ".join(f"{scale:g} z: {share:.3f} malformed, variety {variety:.3f}" for scale, (share, variety) in scales.items())
    return figure, f"Fewer malformed images cost variety. {said}; test images {test[0]:.3f}, {test[1]:.3f}."


@course_style
def histogram(series: Mapping[str, Tensor], xlabel: str, bins: int = 40) -> Picture:
    """Outlines of histograms over each other: by name, values."""
    figure, axes = new_figure(size=(8, 2.7))
    axis = axes[0, 0]
    low = min(float(values.min()) for values in series.values())
    high = max(float(values.max()) for values in series.values())
    edges = torch.linspace(low, max(high, low + 1e-3), bins + 1)
    styles, peaks = {"generated": (ROLES["generated"], "-"), "test images": (ROLES["data"], "--")}, []
    for name, values in series.items():
        colour, dash = styles.get(name, (COLOURS["black"], ":"))
        shares = torch.histc(values.float(), bins, float(edges[0]), float(edges[-1])) / len(values)
        peaks.append(shares.max().item())
        axis.stairs(shares.tolist(), edges.tolist(), color=colour, linestyle=dash, linewidth=1.7, label=name)
    axis.set(xlabel=xlabel, ylabel="share of the images", xlim=(min(low, 0), None))
    second = sorted(peaks)[-2]
    if max(peaks) > 3 * second:  # a peak that would flatten the others is cut off
        axis.set_ylim(0, 1.4 * second)
        axis.text(0.05, 0.9, f"up to {max(peaks):.2f}", transform=axis.transAxes, fontsize=9)
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    middles = ", ".join(f"{name} {values.float().median():.2f}" for name, values in series.items())
    return figure, f"Histograms of the {xlabel}. Medians: {middles}."


@course_style
def named_bars(values: Mapping[str, float], xlabel: str, generated: Sequence[str] = ()) -> Picture:
    """A bar for each name on a logarithmic axis, with its number; what is generated in its colour."""
    figure, axes = new_figure(size=(8, 0.75 + 0.32 * len(values)))
    axis, floor = axes[0, 0], 0.5 * min(value for value in values.values() if value > 0)
    for place, (name, value) in enumerate(values.items()):
        role = "generated" if name in generated else "faint"
        axis.barh(place, max(value, floor) - floor, left=floor, height=0.65, color=ROLES[role])
        axis.text(max(value, floor) * 1.06, place, f"{value:.3g}", va="center", fontsize=9)
    axis.set_yticks(range(len(values)), list(values), fontsize=9)
    axis.set(xscale="log", xlabel=xlabel, xlim=(floor, 2.5 * max(values.values())))
    axis.invert_yaxis()
    return figure, f"{xlabel}: " + ", ".join(f"{name} {value:.3g}" for name, value in values.items()) + "."


@course_style
def typefaces(made: Mapping[str, Any]) -> Picture:
    """How often each typeface is seen among test images and among generated ones: two marks in a row for each face."""
    faces, shares = made["faces"], made["shares"]
    figure, axes = new_figure(size=(8, 4.4))
    axis = axes[0, 0]
    order = sorted(range(len(faces)), key=lambda n: shares["generated, as read"][n])
    marks = {
        "test images": ("|", ROLES["data"], 11),
        "test images, as read": ("o", ROLES["data"], 6),
        "generated, as read": ("D", ROLES["generated"], 6),
    }
    for row, n in enumerate(order):
        pair = [shares[name][n] for name in ("test images, as read", "generated, as read")]
        axis.plot(pair, [row, row], "-", color="0.8", zorder=1)
    for name, (marker, colour, size) in marks.items():
        axis.plot([shares[name][n] for n in order], range(len(order)), marker, color=colour, ms=size, mew=1.5, label=name)
    axis.set_yticks(range(len(order)), [faces[n] for n in order], fontsize=9)
    axis.set(xlabel="share of the images", xlim=(0, None))
    axis.grid(axis="x", color="0.93")
    axis.legend(fontsize=9, loc="lower left")
    rarest, most = faces[order[0]], faces[order[-1]]
    return figure, (
        f"The share of each of {len(faces)} typefaces among test images, in truth and as read, and among generated ones as read. "
        f"Among the generated the rarest is {rarest}, the most frequent {most}."
    )
