"""Points in the plane: a generator finds the modes, and how seven ways to play compare."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from torch import Tensor

from course_lib.gan.figures.game_schematics import Frames, Picture
from course_lib.viz import GREY_MAP, ROLES, course_style, new_figure, running_mean

SIDE = 21
"""Places along each side at which the discriminator is asked for `finding`."""


def places(limit: float) -> Tensor:
    """Points [SIDE * SIDE, 2] of a square around the origin, row by row from the bottom."""
    steps = torch.linspace(-limit, limit, SIDE)
    return torch.stack([steps.repeat(SIDE), steps.repeat_interleave(SIDE)], dim=1)


def draw_points(axis: Axes, points: Tensor, centres: Tensor, std: float, limit: float, field: Tensor | None = None) -> None:
    """Generated points over circles of three standard deviations around the modes, and what D says there in grey."""
    extent = (-limit, limit, -limit, limit)
    if field is not None:
        square = field.view(SIDE, SIDE).numpy()
        axis.imshow(square, extent=extent, origin="lower", cmap=GREY_MAP, vmin=-0.6, vmax=0.65, interpolation="bilinear")
    for x, y in centres.tolist():
        axis.add_patch(Circle((x, y), 3 * std, facecolor="none", edgecolor=ROLES["data"], lw=1.2, zorder=2))
    axis.scatter(points[:, 0].tolist(), points[:, 1].tolist(), s=7, color=ROLES["generated"], linewidths=0, zorder=3)
    axis.spines[:].set(visible=True, color="0.8")
    axis.set(xlim=extent[:2], ylim=extent[2:], xticks=[], yticks=[], aspect="equal")


@course_style
def finding(frames: Sequence[Mapping[str, Any]], centres: Any, std: float, limit: float) -> Frames:
    """Points that find the modes: each frame has "step", "points" [n, 2], D at `places(limit)` as "field", "placed".

    Beside them how the share of points that are where they belong has grown. The last frame comes first, as the still.
    """
    centres, drawn = torch.as_tensor(centres), []
    last = frames[-1]["step"]
    for number in (len(frames) - 1, *range(len(frames))):
        figure, axes = new_figure(1, 2, size=(8, 3.7), width_ratios=[1, 1])
        frame, seen = frames[number], frames[: number + 1]
        field = torch.as_tensor(frame["field"], dtype=torch.float32)
        draw_points(axes[0, 0], torch.as_tensor(frame["points"]), centres, std, limit, field)
        axes[0, 0].set_title(f"step {frame['step']}: light where D says real", fontsize=9.5)
        axis = axes[0, 1]
        axis.plot([part["step"] for part in seen], [part["placed"] for part in seen], "o-", ms=4, color=ROLES["generated"])
        axis.set(xlim=(0, 1.03 * last), ylim=(0, 1.02), xlabel="step", title="share of points that are where they belong")
        axis.title.set_fontsize(9.5)
        axis.grid(color="0.93")
        drawn.append(figure)
    return drawn, (
        f"Animation: generated points begin as one heap in the middle and find the {len(centres)} circles around the modes, "
        "while light grey shows where the discriminator says real. At the end "
        f"{frames[-1]['placed']:.0%} of the points are where they belong."
    )


@course_style
def losses_and_points(
    losses: Sequence[tuple[float, float]], drawn: Mapping[str, Tensor], centres: Tensor, std: float, window: int = 25
) -> Picture:
    """Both losses of a run as running means, and beside them points [n, 2] by name."""
    figure, axes = new_figure(1, 1 + len(drawn), size=(8, 2.6), width_ratios=[1.5] + [1] * len(drawn))
    for n, (name, role) in enumerate((("D's loss", "ink"), ("G's loss", "generated"))):
        axes[0, 0].plot(running_mean([pair[n] for pair in losses], window), color=ROLES[role], label=name)
    for label, times, side in (("2 log 2", 2, "bottom"), ("log 2", 1, "top")):
        level = times * math.log(2)
        axes[0, 0].axhline(level, color="0.6", ls=":", lw=1)
        place = level + (0.05 if side == "bottom" else -0.05)
        axes[0, 0].text(len(losses), place, label, fontsize=9, ha="right", va=side, color="0.35")
    axes[0, 0].set(xlabel="step", ylabel=f"loss, mean of {window}", ylim=(0, 2.2))
    axes[0, 0].legend(fontsize=9, ncols=2, loc="upper center")
    for axis, (name, points) in zip(axes[0, 1:], drawn.items(), strict=True):
        draw_points(axis, points, centres, std, 1.4 * centres.abs().max().item())
        axis.set_title(name, fontsize=9.5)
    return figure, (
        "Left, the losses of both players, which hardly move after the first steps and stay near 2 log 2 and log 2. Right, the "
        f"points in the end: {', '.join(drawn)}."
    )


@course_style
def clouds(drawn: Mapping[str, Any], centres: Any, std: float, columns: int = 4, limit: float | None = None) -> Picture:
    """Generated points [n, 2] in a panel for each name, over the circles around the modes.

    limit: half the side of the square that is shown; without it the modes fill most of the square.
    """
    centres = torch.as_tensor(centres)
    rows = -(-len(drawn) // columns)
    figure, axes = new_figure(rows, columns, size=(8, 2.35 * rows * 4 / columns))
    limit = limit or 1.4 * centres.abs().max().item()
    for axis in axes.flat[len(drawn) :]:
        axis.set_visible(False)
    for axis, (name, points) in zip(axes.flat, drawn.items(), strict=False):
        draw_points(axis, torch.as_tensor(points), centres, std, limit)
        axis.set_title(name, fontsize=9)
    return figure, f"Generated points, and a circle around each of {len(centres)} modes. {'; '.join(drawn)}."


@course_style
def ways_compared(made: Mapping[str, Any]) -> Picture:
    """The recorded comparison: the share of points in place of each way, a dot for each run, a panel for each mixture."""
    ring = made["ring"]["ways"]
    figure, axes = new_figure(1, 2, size=(8, 3.5), sharey=True)
    for axis, place in zip(axes[0], ("ring", "grid"), strict=True):
        for row, way in enumerate(ring):
            values = [run[0] for run in made[place]["ways"][way]["judged"]]
            axis.plot(values, [row] * len(values), "o", color=ROLES["generated"], alpha=0.65, ms=6)
            axis.plot([sorted(values)[len(values) // 2]] * 2, [row - 0.3, row + 0.3], color=ROLES["ink"], lw=2)
        truth = [run[0] for run in made[place]["truth"]]
        axis.axvspan(min(truth), max(truth), color=ROLES["data"], alpha=0.4, lw=0)
        modes = len(made[place]["centres"])
        axis.set(title=f"{place} of {modes}", xlim=(0, 1), xlabel="share of points in place")
        axis.grid(axis="x", color="0.92")
    axes[0, 0].set_yticks(range(len(ring)), [way.replace(", ", ",\n") for way in ring], fontsize=8.5)
    axes[0, 0].set_ylim(len(ring) - 0.4, -0.6)
    said = []
    for place in ("ring", "grid"):
        medians = {way: sorted(run[0] for run in made[place]["ways"][way]["judged"])[2] for way in ring}
        said.append(f"{place}: " + ", ".join(f"{way} {value:.2f}" for way, value in medians.items()))
    return figure, f"The share of points in place of seven ways to play, five runs each. Medians, {'; '.join(said)}."


@course_style
def settings_matter(made: Mapping[str, Any]) -> Picture:
    """The recorded tuning: what each way reached with each of its settings, a dot for each setting; the chosen one is filled."""
    ways = list(made["ring"]["ways"])
    figure, axes = new_figure(1, 2, size=(8, 3.5), sharey=True)
    for axis, place in zip(axes[0], ("ring", "grid"), strict=True):
        for row, way in enumerate(ways):
            found = made[place]["ways"][way]
            for _, _, count, value in found["tried"]:
                marker = "o" if count == 1 else "^"
                axis.plot(value, row, marker, mfc="none", mec=ROLES["ink"], ms=6, alpha=0.7)
            axis.plot(max(tried[3] for tried in found["tried"]), row, "D", color=ROLES["gradient"], ms=6)
        axis.set(title=f"{place} of {len(made[place]['centres'])}", xlim=(0, 1), xlabel="share of points in place")
        axis.grid(axis="x", color="0.92")
    axes[0, 0].set_yticks(range(len(ways)), [way.replace(", ", ",\n") for way in ways], fontsize=8.5)
    axes[0, 0].set_ylim(len(ways) - 0.4, -0.6)
    for marker, name in (("o", "1 step of D"), ("^", "3 steps of D")):
        axes[0, 1].plot([], [], marker, mfc="none", mec=ROLES["ink"], label=name)
    axes[0, 1].plot([], [], "D", color=ROLES["gradient"], label="chosen")
    figure.legend(*axes[0, 1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
    return figure, "The share of points in place with each setting that was tried, for each of seven ways to play."


@course_style
def setting_table(made: Mapping[str, Any]) -> Picture:
    """The settings that were chosen, a row for each way, and the medians that they reached."""
    figure, axes = new_figure(size=(8, 2.6))
    axes[0, 0].axis("off")
    head, rows = ["", *(f"{place}: {part}" for place in ("ring", "grid") for part in ("rate, betas, steps of D", "median"))], []
    for way in made["ring"]["ways"]:
        row = [way]
        for place in ("ring", "grid"):
            lr, betas, count = made[place]["ways"][way]["best"]
            judged = sorted(run[0] for run in made[place]["ways"][way]["judged"])
            row += [f"{lr:g}, ({betas[0]:g}, {betas[1]:g}), {count}", f"{judged[len(judged) // 2]:.2f}"]
        rows.append(row)
    table = axes[0, 0].table(rows, colLabels=head, loc="center", edges="horizontal", colWidths=[0.3, 0.24, 0.11, 0.24, 0.11])
    table.auto_set_font_size(False)
    table.set_fontsize(8.5)
    table.scale(1, 1.3)
    return figure, "The chosen settings. " + "; ".join(", ".join(row) for row in rows) + "."


@course_style
def momenta(made: Mapping[str, Any]) -> Picture:
    """The recorded runs with several momenta of Adam: share in place, a dot for each run, of last weights and averages."""
    figure, axes = new_figure(size=(8, 2.4))
    axis = axes[0, 0]
    for row, found in enumerate(made["momentum"]):
        for name, role, shift, marker in (
            ("last weights", "generated", -0.13, "o"),
            ("average of the weights", "weight", 0.13, "D"),
        ):
            values = found["last" if marker == "o" else "average"]
            axis.plot(values, [row + shift] * len(values), marker, color=ROLES[role], alpha=0.7, label=None if row else name)
    axis.set_yticks(range(len(made["momentum"])), [f"$\\beta_1$ = {found['beta']:g}" for found in made["momentum"]])
    axis.set(xlim=(-0.02, 1), xlabel="share of points in place", ylim=(len(made["momentum"]) - 0.5, -0.5))
    axis.grid(axis="x", color="0.92")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure, "The share of points in place after training with several momenta: " + "; ".join(
        f"{found['beta']:g}: last weights {min(found['last']):.2f} to {max(found['last']):.2f}, averages "
        f"{min(found['average']):.2f} to {max(found['average']):.2f}"
        for found in made["momentum"]
    )


@course_style
def mistakes_shown(made: Mapping[str, Any]) -> Picture:
    """The recorded runs with a mistake in the loop: the points of one run above, its losses below."""
    found = made["mistakes"]
    figure, axes = new_figure(2, len(found), size=(8, 3.5), height_ratios=[1.5, 1])
    centres, said = torch.as_tensor(made["centres"]), []
    for (above, below), part in zip(axes.T, found, strict=True):
        draw_points(above, torch.as_tensor(part["points"]), centres, made["std"], made["limit"])
        low, high = min(part["placed"]), max(part["placed"])
        title = (
            part["mistake"]
            .replace("missing in ", "missing\nin ")
            .replace("moves D", "\nmoves D")
            .replace("20 times", "\n20 times")
        )
        above.set_title(
            f"{title}\n{low:.0%} to {high:.0%}" if "\n" in title else f"{title}\n\n{low:.0%} to {high:.0%}", fontsize=9
        )
        for n, role in enumerate(("ink", "generated")):
            below.plot(
                [25 * place for place in range(len(part["losses"]))], [pair[n] for pair in part["losses"]], color=ROLES[role]
            )
        below.set(ylim=(0, 5))
        below.tick_params(labelsize=8)
        said.append(f"{part['mistake']} {low:.0%} to {high:.0%}")
    for axis in axes[1, 1:]:
        axis.set_yticklabels([])
    for name, role in (("D's loss", "ink"), ("G's loss", "generated")):
        axes[1, 0].plot([], [], color=ROLES[role], label=name)
    axes[1, 0].set_ylabel("loss")
    figure.legend(*axes[1, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=9)
    return figure, "Points and losses of runs on the ring. Share of points in place over three runs: " + "; ".join(said) + "."
