"""Paths of optimizers over a valley, as pictures and as animations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.classification.figures.training import Frames, Picture
from course_lib.viz import DASHES, GREY_MAP, LINES, MARKERS, Explorer, course_style, new_figure, slider


def draw_valley(axis: Axes, curvatures: Sequence[float], limits: tuple[float, float] = (1.5, 1.2)) -> None:
    """Level lines of (a x^2 + b y^2) / 2, the minimum as a cross."""
    (a, b), (wide, high) = curvatures, limits
    x, y = torch.linspace(-wide, wide, 121), torch.linspace(-high, high, 121)
    height = 0.5 * (a * x[None, :] ** 2 + b * y[:, None] ** 2)
    levels = (0.5 * b * torch.linspace(0, 1.3 * high, 11)[1:] ** 2).tolist()
    axis.contourf(x.tolist(), y.tolist(), height.tolist(), levels=[0, *levels], cmap=GREY_MAP, alpha=0.2, extend="max")
    axis.contour(x.tolist(), y.tolist(), height.tolist(), levels=levels, colors="0.75", linewidths=0.6)
    axis.plot(0, 0, "+", color="black", markersize=11, mew=1.5)
    axis.set(xlim=(-wide, wide), ylim=(-high, high), xticks=[], yticks=[])


@course_style
def momentum_paths(curvatures: tuple[float, float], paths: Mapping[str, torch.Tensor]) -> Picture:
    """Paths [T, 2] in a panel each, one dot for each step, and below them how far each is from the minimum."""
    figure, axes = new_figure(2, len(paths), size=(8, 4.6), height_ratios=[1.25, 1], sharey="row")
    for number, ((name, path), colour) in enumerate(zip(paths.items(), LINES, strict=False)):
        top, below = axes[:, number]
        draw_valley(top, curvatures)
        top.plot(path[:, 0].tolist(), path[:, 1].tolist(), "o-", ms=3, lw=1, color=colour)
        top.set(title=name, xlabel="flat direction")
        for place, (label, dashes) in enumerate((("flat", "-"), ("steep", "--"))):
            below.plot(path[:, place].abs().clamp(min=1e-6).tolist(), dashes, color=colour, label=label)
        below.set(yscale="log", xlabel="step", ylim=(1e-4, 2))
        below.grid(color="0.92")
        below.legend(fontsize=8.5, title="direction", title_fontsize=8.5, loc="lower left" if number else "center right")
    axes[0, 0].set_ylabel("steep direction")
    axes[1, 0].set_ylabel("distance to the minimum")
    ends = ", ".join(f"{name} {path[-1].norm():.1g}" for name, path in paths.items())
    return figure, (
        "Above, paths from the same start in a long valley, a dot for each step; below, the distance to the minimum in "
        "the flat and in "
        f"the steep direction, on a logarithmic axis. Distance after {len(path) - 1} steps: {ends}."
    )


@course_style
def descent_race(curvatures: tuple[float, float], paths: Mapping[str, torch.Tensor], most: int = 15) -> Frames:
    """Paths [T, 2] of several optimizers in one valley, as an animation; the last frame comes first, as the still."""
    steps = len(next(iter(paths.values()))) - 1
    moments = sorted({round(steps * (n / most) ** 1.4) for n in range(most + 1)})
    frames = []
    for step in (steps, *moments):
        figure, axes = new_figure(size=(8, 3))
        draw_valley(axes[0, 0], curvatures)
        for (name, path), colour, marker, dashes in zip(paths.items(), LINES, MARKERS, DASHES, strict=False):
            part = path[: step + 1]
            axes[0, 0].plot(part[:, 0].tolist(), part[:, 1].tolist(), dashes, color=colour, lw=1.2)
            axes[0, 0].plot(*part[-1].tolist(), marker, color=colour, ms=9, mec="white", label=name)
        axes[0, 0].set(title=f"step {step}", xlabel="flat direction", ylabel="steep direction")
        axes[0, 0].legend(fontsize=9, loc="upper right", frameon=True)
        frames.append(figure)
    ends = ", ".join(f"{name} {path[-1].norm():.1g}" for name, path in paths.items())
    return frames, (
        "Animation: optimizers run down the same long valley from the same start. Distance to the minimum after "
        f"{steps} steps: {ends}."
    )


def path_of(method: Callable, curvatures: Sequence[float], steps: int = 40, **settings: Any) -> torch.Tensor:
    """The path [steps + 1, 2] of an optimizer, a class like `SGD`, on (a x^2 + b y^2) / 2."""
    place = torch.tensor([-1.3, 0.9], dtype=torch.float64, requires_grad=True)
    optimizer, path = method([place], **settings), [place.detach().clone()]
    for _ in range(steps):
        place.grad = torch.tensor(curvatures, dtype=torch.float64) * place.detach()
        optimizer.step()
        path.append(place.detach().clone())
    return torch.stack(path)


def draw_path(axis: Axes, method: Callable, lr: float, momentum: float, curvature: float) -> None:
    """A path of 40 steps in a valley that is `curvature` times steeper across than along."""
    path = path_of(method, (1, curvature), lr=lr, momentum=momentum)
    draw_valley(axis, (1, curvature))
    axis.plot(path[:, 0].tolist(), path[:, 1].tolist(), "o-", ms=3, lw=1, color=LINES[0])
    axis.set_title(f"rate {lr:g}, momentum {momentum:g}\nrate × steepest curvature = {lr * curvature:.2f}", fontsize=9.5)


@course_style
def render_descent(method: Callable, lr: float, momentum: float, curvature: float) -> Figure:
    """What the explorer shows: the path, and the distance to the minimum in both directions."""
    figure, axes = new_figure(1, 2, size=(8, 2.8), width_ratios=[1.5, 1])
    draw_path(axes[0, 0], method, lr, momentum, curvature)
    path = path_of(method, (1, curvature), lr=lr, momentum=momentum)
    for place, (label, dashes) in enumerate((("flat", "-"), ("steep", "--"))):
        axes[0, 1].plot(path[:, place].abs().clamp(1e-6, 1e6).tolist(), dashes, label=label)
    axes[0, 1].set(yscale="log", ylim=(1e-4, 1e2), xlabel="step", title="distance to the minimum")
    axes[0, 1].grid(color="0.92")
    axes[0, 1].legend(fontsize=8.5, title="direction", title_fontsize=8.5)
    return figure


def explore_descent(method: Callable) -> Explorer:
    """The explorer: an optimizer with its rate and momentum, in a valley of any steepness. method: a class like `SGD`."""
    controls = {
        "lr": slider("rate", 0.01, 0.2, 0.07, 0.01),
        "momentum": slider("momentum", 0, 0.95, 0.0, 0.05),
        "curvature": slider("curvature", 1, 100, 25),
    }
    alt = "Explorer: the path of gradient descent in a valley, with sliders for the learning rate, momentum and curvature."
    return Explorer(lambda **values: render_descent(method, **values), controls, alt)


@course_style
def descents(method: Callable, settings: Sequence[tuple[float, float]], curvature: float = 25) -> Picture:
    """What the explorer shows at several pairs (rate, momentum), side by side."""
    figure, axes = new_figure(1, len(settings), size=(8, 2.4))
    for axis, (lr, momentum) in zip(axes[0], settings, strict=True):
        draw_path(axis, method, lr, momentum, curvature)
    ends = ", ".join(
        f"{path_of(method, (1, curvature), lr=lr, momentum=momentum)[-1].norm():.1g} at rate {lr:g} and momentum {momentum:g}"
        for lr, momentum in settings
    )
    return figure, f"Paths in the valley at several rates and momenta. Distance to the minimum after 40 steps: {ends}."
