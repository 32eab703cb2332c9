"""Digits that a generator draws: as they emerge, along a walk, beside the real ones; and frames in little room."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.viz import ROLES, course_style, draw_image, image_grid, mosaic, new_figure, running_mean

Picture = tuple[Figure, str]
Frames = tuple[list[Figure], str]
LEVELS = 15


def packed(images: Tensor) -> dict[str, Any]:
    """Images [N, C, H, W] in [0, 1] as text for a recording: 16 levels, compressed."""
    levels = (images.clamp(0, 1) * LEVELS).round().to(torch.uint8)
    data = zlib.compress(levels.numpy().tobytes(), 9)
    return {"shape": list(images.shape), "levels": base64.b64encode(data).decode()}


def unpacked(text: Mapping[str, Any]) -> Tensor:
    """What `packed` made of images, as floats [N, C, H, W]."""
    data = bytearray(zlib.decompress(base64.b64decode(text["levels"])))
    return torch.frombuffer(data, dtype=torch.uint8).view(text["shape"]).float() / LEVELS


@course_style
def emerging(made: Mapping[str, Any]) -> Frames:
    """The recorded run: the same latent vectors at each moment, three styles of each digit; the last frame comes first."""
    moments, sheets = made["moments"], [unpacked(frame) for frame in made["frames"]]
    drawn = []
    for number in (len(sheets) - 1, *range(len(sheets))):
        figure, axes = new_figure(size=(8, 2.75))
        draw_image(axes[0, 0], mosaic(sheets[number], 10), f"step {moments[number]:,}")
        axes[0, 0].spines[:].set_visible(False)
        drawn.append(figure)
    return drawn, (
        "Animation: thirty generated images, three of each digit, begin as an even grey, become strokes and blobs, and after "
        f"{moments[-1]:,} steps are clean digits in different styles."
    )


@course_style
def filmstrip(frames: Mapping[int, Tensor], columns: Sequence[str] | None = None) -> Picture:
    """Images from the same z at several steps: by step, images [n, C, H, W], one row each."""
    rows = [f"step {step:,}" for step in frames]
    count = len(next(iter(frames.values())))
    figure = image_grid(
        list(torch.cat(list(frames.values()))), columns=count, inches=6.6 / count, row_labels=rows, column_labels=columns
    )
    return figure, f"The same {count} latent vectors at {', '.join(rows)}, one row each: strokes appear and become digits."


@course_style
def rows(images: Mapping[str, Tensor], what: str, columns: Sequence[str] | None = None) -> Picture:
    """A row of images [n, C, H, W] for each name."""
    count = len(next(iter(images.values())))
    figure = image_grid(
        list(torch.cat(list(images.values()))), columns=count, inches=6.3 / count, row_labels=list(images), column_labels=columns
    )
    return figure, f"{what} Rows: {', '.join(images)}."


@course_style
def losses(found: Sequence[tuple[float, float]], window: int = 25) -> Picture:
    """Both losses of a run, as running means."""
    figure, axes = new_figure(size=(5.2, 2.3))
    for n, (name, role) in enumerate((("D's loss", "ink"), ("G's loss", "generated"))):
        axes[0, 0].plot(running_mean([pair[n] for pair in found], window), color=ROLES[role], label=name)
    axes[0, 0].set(xlabel="step", ylabel=f"loss, mean of {window}", ylim=(0, None))
    axes[0, 0].legend(fontsize=9)
    first, last = (f"{found[place][1]:.1f}" for place in (0, -1))
    return figure, f"The losses of both players over {len(found)} steps; the generator's is {first} at first and {last} at last."


@course_style
def walk(ways: Mapping[str, Tensor], milliseconds: int = 150) -> Frames:
    """A walk through latent space: by name images [T, n, C, H, W]; all n walk at once, and then back."""
    steps = len(next(iter(ways.values())))
    drawn = []
    for t in (*range(steps), *range(steps - 2, 0, -1)):
        figure, axes = new_figure(len(ways), 1, size=(8, 1.02 * len(ways) + 0.15))
        for axis, (name, images) in zip(axes[:, 0], ways.items(), strict=True):
            draw_image(axis, mosaic(images[t], images.shape[1]))
            axis.spines[:].set_visible(False)
            axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        drawn.append(figure)
    return drawn, (
        f"Animation of {steps} steps from one latent vector to another and back, a row for each: {', '.join(ways)}. On the way "
        "through latent space strokes bend and thicken; a blend of pixels fades one image out and the other in."
    )


@course_style
def by_steps(made: Mapping[str, Any]) -> Picture:
    """The recorded runs: the share of malformed images by steps, with and without labels, of averages and last weights."""
    figure, axes = new_figure(size=(8, 2.9))
    axis = axes[0, 0]
    for colour, way in zip((ROLES["generated"], ROLES["latent"]), ("with labels", "without labels"), strict=True):
        for dash, name in (("o-", "average"), ("s:", "last weights")):
            shares = [part for part in made[way][name] if part["step"] >= 300]
            xs, ys = [part["step"] for part in shares], [part["malformed"] for part in shares]
            axis.plot(xs, ys, dash, color=colour, ms=4, label=f"{way}, {name}")
    axis.axhline(made["test"]["malformed"], color=ROLES["data"], lw=1.2)
    axis.text(made["moments"][-1], made["test"]["malformed"] + 0.02, "test images", ha="right", fontsize=9, color=ROLES["data"])
    axis.set(xlabel="step", ylabel="share malformed", ylim=(0, 1))
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ends = ", ".join(
        f"{way}, {name} {made[way][name][-1]['malformed']:.2f}"
        for way in ("with labels", "without labels")
        for name in ("average", "last weights")
    )
    return (
        figure,
        f"The share of malformed images falls with the steps. At the end: {ends}; test images {made['test']['malformed']}.",
    )


@course_style
def collapse(frames: Sequence[tuple[int, Tensor]], centres: Tensor, std: float) -> Frames:
    """Generated points [n, 2] at several steps, over circles around the modes, with the way of their mean so far."""
    limit, drawn = 2.6 * centres.abs().max().item(), []
    means = torch.stack([points.mean(dim=0) for _, points in frames])
    away = [torch.cdist(points, centres).amin(dim=1).mean().item() for _, points in frames]
    for number in (away.index(min(away)), *range(len(frames))):  # the still: when the heap is at a mode
        step, points = frames[number]
        figure, axes = new_figure(size=(5.2, 4.2))
        axis = axes[0, 0]
        axis.plot(*centres.T.tolist(), "o", ms=14, mfc="none", mec=ROLES["data"])
        axis.plot(*means[: number + 1].T.tolist(), "-", color=ROLES["faint"], lw=1)
        axis.scatter(*points.T.tolist(), s=8, color=ROLES["generated"], linewidths=0, zorder=3)
        axis.spines[:].set(visible=True, color="0.8")
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal", title=f"step {step:,}")
        drawn.append(figure)
    return drawn, (
        f"Animation of {len(frames)} moments: the generated points lie in one heap near one part of the ring of {len(centres)} "
        "modes, and the heap moves from mode to mode while the others stay empty."
    )


@course_style
def gone_wrong(
    panels: Mapping[str, Tensor],
    curves: Mapping[str, Sequence[float]],
    ylabel: str,
    log_y: bool = False,
    references: Mapping[str, float] | None = None,
    every: int = 1,
) -> Picture:
    """Images done right and with a mistake, and beside them what gives it away: by name, a number of each `every`-th step."""
    count = len(panels)
    figure, axes = new_figure(1, count + 1, size=(8, 2.15), width_ratios=[1] * count + [1.7])
    for axis, (title, images) in zip(axes[0], panels.items(), strict=False):
        draw_image(axis, mosaic(images, max(1, round(len(images) ** 0.5))), title)
        axis.title.set_fontsize(9)
    colours, axis = {"done right": ROLES["faint"], "minimax": ROLES["ink"], "real": ROLES["data"]}, axes[0, -1]
    for name, values in curves.items():
        steps = [every * place for place in range(len(values))]
        colour = colours.get(name, ROLES["generated"])
        axis.plot(steps, running_mean(values, max(1, 10 // every)), color=colour, label=name)
    for label, level in (references or {}).items():
        axis.axhline(level, color="0.4", ls=":", lw=1.2, label=label)
    axis.set(xlabel="step", ylabel=ylabel, yscale="log" if log_y else "linear")
    axis.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, f"Images of a run, {' and '.join(panels)}; beside them the {ylabel} by steps: {', '.join(curves)}."
