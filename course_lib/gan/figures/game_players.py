"""Paths of two players who follow their gradients: as an animation, side by side, and in an explorer."""

from collections.abc import Callable, Mapping, Sequence

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.gan.figures.game_schematics import Frames, Picture
from course_lib.viz import LINES, ROLES, Explorer, course_style, new_figure, slider

Rule = Callable[[Callable, float, float, float], tuple[float, float]]


def draw_path(axis: Axes, path: Tensor, colour: str, limit: float, solution: Sequence[float] = (0.0, 0.0)) -> None:
    """A path [T, 2] in a square around the solution: a square marks the start, a large dot the end."""
    axis.axhline(solution[1], color="0.9", lw=0.8, zorder=0)
    axis.axvline(solution[0], color="0.9", lw=0.8, zorder=0)
    axis.plot(path[:, 0].tolist(), path[:, 1].tolist(), ".-", markersize=3, linewidth=0.9, color=colour)
    axis.plot(*path[0].tolist(), "s", color=colour, markersize=6, mec="white")
    axis.plot(*path[-1].tolist(), "o", color=colour, markersize=8, mec="white")
    axis.plot(*solution, "+", color=ROLES["ink"], markersize=12, markeredgewidth=1.6)
    x, y = solution
    axis.set(xlim=(x - limit, x + limit), ylim=(y - limit, y + limit), aspect="equal")


@course_style
def spirals(paths: Mapping[str, Tensor], most: int = 16) -> Frames:
    """Paths [T, 2] around (0, 0) as they grow, a panel for each, each as large as its path; the whole comes first."""
    steps = len(next(iter(paths.values()))) - 1
    moments = sorted({max(1, round(steps * n / most)) for n in range(1, most + 1)})
    frames = []
    for step in (steps, *moments):
        figure, axes = new_figure(1, len(paths), size=(8, 2.7))
        for axis, (name, path), colour in zip(axes[0], paths.items(), LINES, strict=False):
            draw_path(axis, path[: step + 1], colour, 1.1 * path.abs().max().item())
            axis.set_title(name, fontsize=9.5)
            axis.tick_params(labelsize=8)
            axis.set_xlabel("x")
        axes[0, 0].set_ylabel("y")
        figure.suptitle(f"step {step}", fontsize=10)
        frames.append(figure)
    ends = ", ".join(f"{name}: {path[-1].norm() / path[0].norm():.2g}" for name, path in paths.items())
    return frames, (
        "Animation: paths of two players around the solution of the game x times y, each panel as large as its path. "
        f"Distance at the end as a multiple of that at the start: {ends}."
    )


@course_style
def orbits(paths: Mapping[str, Tensor], solution: tuple[float, float], xlabel: str, ylabel: str) -> Picture:
    """Paths [T, 2] around a solution, a panel for each, all on the same axes."""
    figure, axes = new_figure(1, len(paths), size=(8, 2.9), sharex=True, sharey=True)
    for axis, (name, path), colour in zip(axes[0], paths.items(), LINES, strict=False):
        draw_path(axis, path, colour, 1.0, solution)
        axis.set(aspect="auto", title=name, xlabel=xlabel)
    places = torch.cat([*paths.values(), torch.tensor([solution])])
    low, high = places.amin(dim=0), places.amax(dim=0)
    gap = 0.08 * (high - low)
    axes[0, 0].set_ylabel(ylabel)
    axes[0, 0].set(xlim=tuple(torch.stack([low - gap, high + gap])[:, 0].tolist()))
    axes[0, 0].set(ylim=tuple(torch.stack([low - gap, high + gap])[:, 1].tolist()))
    ends = ", ".join(f"{name}: {(path[-1] - torch.tensor(solution)).norm():.2g}" for name, path in paths.items())
    return figure, f"Paths that wind around the solution, a square at the start. Distance from it at the end: {ends}."


@course_style
def momentum_paths(paths: Mapping[str, Tensor]) -> Picture:
    """Paths [T, 2] of the game x y with several momenta, each as large as its path, and the distance at each step."""
    figure, axes = new_figure(1, len(paths) + 1, size=(8, 2.5), width_ratios=[1] * len(paths) + [1.5])
    for axis, (name, path), colour in zip(axes[0], paths.items(), LINES, strict=False):
        draw_path(axis, path, colour, 1.1 * path.abs().max().item())
        axis.set_title(name, fontsize=9.5)
        axis.tick_params(labelsize=8)
        axes[0, -1].plot(path.norm(dim=1).tolist(), color=colour)
    axes[0, -1].set(yscale="log", xlabel="step", title="distance from (0, 0)")
    axes[0, -1].title.set_fontsize(9.5)
    axes[0, -1].grid(color="0.93")
    ends = ", ".join(f"{name}: {path[-1].norm() / path[0].norm():.2g}" for name, path in paths.items())
    return figure, (
        "Paths of alternating players with momentum, and their distance from the solution at each step, on a logarithmic axis. "
        f"At the end, as a multiple of the start, {ends}."
    )


def follow(rule: Rule, lr: float, pull: float = 0.0, steps: int = 60) -> Tensor:
    """The path [steps + 1, 2] of a rule, a function (slopes, x, y, lr), in the game x y - pull y^2 / 2 from (1, 0.5)."""
    path = [(1.0, 0.5)]
    for _ in range(steps):
        path.append(rule(lambda x, y: (y, x - pull * y), *path[-1], lr))
    return torch.tensor(path, dtype=torch.float64)


@course_style
def render_players(rules: Mapping[str, Rule], rule: str, lr: float, pull: float) -> Figure:
    """What the explorer shows: the path, and the distance from the solution."""
    path = follow(rules[rule], lr, pull).clamp(-1e6, 1e6)
    figure, axes = new_figure(1, 2, size=(8, 3), width_ratios=[1, 1.5])
    draw_path(axes[0, 0], path, LINES[0], 1.1 * path.abs().max().item())
    axes[0, 0].set(xlabel="x", ylabel="y", title=rule)
    axes[0, 1].plot(path.norm(dim=1).clamp(min=1e-9).tolist(), color=LINES[0])
    axes[0, 1].set(yscale="log", xlabel="step", title="distance from the solution")
    axes[0, 1].grid(color="0.93")
    return figure


@course_style
def players_at(rules: Mapping[str, Rule], settings: Sequence[tuple[str, float, float]]) -> Picture:
    """What the explorer shows at several settings (rule, rate, pull), side by side."""
    figure, axes = new_figure(1, len(settings), size=(8, 3.1))
    said = []
    for axis, (rule, lr, pull), colour in zip(axes[0], settings, LINES, strict=False):
        path = follow(rules[rule], lr, pull)
        draw_path(axis, path, colour, 1.1 * path.abs().max().item())
        axis.set_title(f"{rule}, rate {lr:g}, pull {pull:g}", fontsize=9.5)
        axis.set_xlabel("x")
        said.append(f"{rule} with rate {lr:g} and pull {pull:g}: {path[-1].norm() / path[0].norm():.2g}")
    axes[0, 0].set_ylabel("y")
    return figure, f"Paths at several settings. Distance after 60 steps, as a multiple of the start: {'; '.join(said)}."


def explore_players(rules: Mapping[str, Rule]) -> Explorer:
    """The explorer: how two players step, their rate, and how strongly y is pulled back to zero."""
    controls = {
        "rule": widgets.Dropdown(options=list(rules), value=next(iter(rules)), description="they step"),
        "lr": slider("rate", 0.05, 1.5, 0.3, 0.05),
        "pull": slider("pull", 0.0, 1.5, 0.0, 0.05),
    }
    alt = "Explorer: the path of two players in the game x y, with the way they step, their rate, and a pull of y towards zero."
    return Explorer(lambda **values: render_players(rules, **values), controls, alt)
