"""Pictures of chapter 8 in which log p(x) is known: a latent bent into the plane, and q as it is fitted; the explorer."""

import math
from collections.abc import Callable, Sequence

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.vae.curved import CurvedModel
from course_lib.vae.figures.bound_schematics import Frames, Picture, draw_bars
from course_lib.viz import COUNT_MAP, DASHES, LINES, ROLES, SIZE_MAP, Explorer, course_style, new_figure, slider

POINTS = torch.tensor([[0.85, -0.65], [0.0, 0.95], [0.05, -0.1]], dtype=torch.float64)
"""Three points of the plane: A beside the curve, B where its ends meet, C in the middle."""
LETTERS = "ABC"


def _normal(z: Tensor, mean: Tensor, log_variance: Tensor) -> list[float]:
    """The density of N(mean, exp(log_variance)) at z [G]."""
    return (torch.exp(-((z - mean) ** 2) / (2 * log_variance.exp())) / (2 * math.pi * log_variance.exp()).sqrt()).tolist()


def _draw_plane(axis: Axes, curve: Callable, side: float, colour: str = ROLES["ink"]) -> None:
    """The curve f(z), with a few z beside their places."""
    z = torch.linspace(-3, 3, 200, dtype=torch.float64)
    axis.plot(*curve(z).mT.tolist(), color=colour, linewidth=1)
    for value in range(-2, 3):
        place = curve(torch.tensor(float(value), dtype=torch.float64))
        axis.plot(*place.tolist(), "o", color=colour, markersize=4)
        axis.annotate(f"{value}", (0.78 * place).tolist(), ha="center", va="center", fontsize=9, color=colour)
    axis.set(xlim=(-side, side), ylim=(-side, side), aspect="equal", xlabel="first pixel", ylabel="second pixel")


@course_style
def bent_plane(curve: Callable, log_p: Callable, z: Tensor, chosen: Tensor, posterior: Tensor, samples: Tensor) -> Picture:
    """Left: samples [N, 2] around the curve. Middle: log p(x) as colour. Right: p(z|x) on z [G] for points chosen [M, 2]."""
    figure, axes = new_figure(1, 3, size=(8, 2.9), width_ratios=[1, 1.2, 1.25])
    plane, density, line = axes[0]
    side = 1.7
    plane.scatter(*samples.mT.tolist(), s=4, color=ROLES["generated"], alpha=0.6, linewidths=0)
    _draw_plane(plane, curve, side)
    plane.set_title("drawn from the model")
    ticks = torch.linspace(-side, side, 81, dtype=torch.float64)
    heights = log_p(torch.cartesian_prod(ticks, ticks)).view(81, 81)
    extent = (-side, side, -side, side)
    picture = density.imshow(heights.mT.numpy(), origin="lower", extent=extent, cmap=SIZE_MAP, vmin=float(heights.max()) - 12)
    figure.colorbar(picture, ax=density, shrink=0.8)
    density.set(title="log p(x) in nats", xlabel="first pixel", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    for letter, point, values, colour in zip(LETTERS, chosen.tolist(), posterior, LINES[1:], strict=False):
        box = {"boxstyle": "circle,pad=0.15", "facecolor": colour, "edgecolor": "white"}
        density.annotate(letter, point, color="white", fontsize=9, ha="center", va="center", bbox=box)
        line.plot(z.tolist(), values.tolist(), color=colour, label=letter)
    line.set(xlim=(-3.9, 3.9), ylim=(0, None), xlabel="z", title="posteriors p(z | x)")
    line.legend(fontsize=9)
    return figure, (
        "Samples around an arc whose ends meet at the top; log p(x) over the plane with three points; their posteriors of "
        "z: one narrow peak for A on the arc, two peaks for B where the ends meet, a broad one for C in the middle."
    )


def _state(z: Tensor, posterior: Tensor, log_p: Tensor, q: Sequence[Tensor], high: Tensor, title: str) -> Figure:
    """Posterior and q of each point, and under it the bound as a bar."""
    mean, log_variance, elbo = q
    count = len(mean)
    figure, axes = new_figure(2, count, size=(8, 3.3), height_ratios=[3, 1])
    for n, (above, below) in enumerate(axes.T):
        above.fill_between(z.tolist(), posterior[n].tolist(), color="0.8", linewidth=0, label="posterior p(z | x)")
        above.plot(z.tolist(), _normal(z, mean[n], log_variance[n]), color=ROLES["latent"], lw=2.2, label="q(z)")
        above.set(title=f"point {LETTERS[n]}", xlim=(-3.9, 3.9), ylim=(0, high[n].item()), yticks=[], xlabel="z")
        draw_bars(below, [elbo[n].item()], [log_p[n].item()], floor=log_p[n].item() - 6)
        below.set(yticks=[], xlim=(log_p[n].item() - 6, log_p[n].item() + 0.3), xlabel="nats: the bound, and what is missing")
        below.xaxis.label.set_fontsize(9)
    axes[0, 0].legend(fontsize=8.5, loc="upper left")
    figure.suptitle(title, fontsize=10)
    return figure


@course_style
def fitting(z: Tensor, posterior: Tensor, log_p: Tensor, path: Sequence[tuple[int, Tensor, Tensor, Tensor]]) -> Frames:
    """q as it is fitted to posteriors [M, G]: a frame for each (step, mean, log_variance, elbo [M]), the end first."""
    ends = ", ".join(f"{letter} {gap:.2f}" for letter, gap in zip(LETTERS, (log_p - path[-1][3]).tolist(), strict=False))
    high = 1.1 * torch.maximum(posterior.amax(dim=1), 0.4 / (path[-1][2] / 2).exp())
    frames = [_state(z, posterior, log_p, state, high, f"step {step}") for step, *state in (path[-1], *path)]
    return frames, (
        "Animation: at each point a Gaussian q moves and narrows until it covers the posterior, or one of two peaks, and the "
        f"bar of the bound grows towards log p(x). Missing at the end, in nats: {ends}."
    )


@course_style
def opening() -> Frames:
    """The first picture: the best Gaussian is found for the three points, by ascent on the bound."""
    model = CurvedModel()
    log_p, posterior = model.log_prob(POINTS), model.posterior(POINTS)
    q = torch.tensor([[0.6, 0.0]], dtype=torch.float64).repeat(3, 1).requires_grad_()
    optimizer, path = torch.optim.Adam([q], lr=0.1), []
    for step in range(121):
        elbo = model.elbo(POINTS, q[:, 0], q[:, 1])
        if step in (0, 1, 3, 5, 8, 11, 15, 20, 26, 34, 60, 120):
            path.append((step, q[:, 0].detach().clone(), q[:, 1].detach().clone(), elbo.detach()))
        optimizer.zero_grad()
        (-elbo.sum()).backward()
        optimizer.step()
    return fitting(model.grid, posterior, log_p, path)


@course_style
def climb(elbo: Tensor, log_p: Tensor) -> Picture:
    """The gap of each point while q climbs: the bound at each step [T, M] and log p(x) [M]."""
    figure, axes = new_figure(size=(8, 2.7))
    axis = axes[0, 0]
    for letter, values, colour, dash in zip(LETTERS, (log_p - elbo).mT, LINES[1:], DASHES, strict=False):
        axis.plot(values.clamp(min=1e-5).tolist(), dash, color=colour, lw=2, label=f"point {letter}")
    axis.axhline(math.log(2), color="0.5", lw=1, ls=":")
    axis.text(len(elbo) - 1, 1.2 * math.log(2), "log 2", ha="right", fontsize=9)
    axis.set(yscale="log", xlabel="step", ylabel="gap in nats", xlim=(0, len(elbo) - 1))
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ends = ", ".join(f"{letter} {gap:.2f}" for letter, gap in zip(LETTERS, (log_p - elbo[-1]).tolist(), strict=False))
    return figure, f"The gap at three points while q climbs on the bound, on a logarithmic axis. At the end, in nats: {ends}."


@course_style
def what_is_lost(x: Tensor, gap: Tensor, curve: Callable) -> Picture:
    """What the best Gaussian loses in the plane, at points x [S S, 2] of a square grid: gap [S S] in nats."""
    figure, axes = new_figure(size=(5.2, 3.7))
    axis, steps = axes[0, 0], math.isqrt(len(x))
    side = x.max().item()
    extent = (-side, side, -side, side)
    heights = gap.view(steps, steps).mT.clamp(min=0).numpy()
    picture = axis.imshow(heights, origin="lower", extent=extent, cmap=COUNT_MAP, vmin=0)
    figure.colorbar(picture, ax=axis, label="log p(x) - best ELBO, in nats")
    _draw_plane(axis, curve, side)
    return figure, (
        "What the best Gaussian loses over the plane: nearly nothing, except on the line above the centre, where the two ends of "
        f"the arc are equally near: up to {gap.max().item():.2f} nats."
    )


@course_style
def render_q(point: str, mean: float, std: float) -> Figure:
    """What the explorer shows: posterior and q of a point, and the two ways to split log p(x)."""
    model, x = CurvedModel(), POINTS[LETTERS.index(point)][None]
    q = torch.tensor([mean]), torch.tensor([2 * math.log(std)])
    log_p, elbo, gap = model.log_prob(x).item(), model.elbo(x, *q).item(), model.gap(x, *q).item()
    kl = (mean**2 + std**2 - 1) / 2 - math.log(std)
    figure, axes = new_figure(1, 2, size=(8, 2.9), width_ratios=[1.3, 1])
    left, right = axes[0]
    left.fill_between(model.grid.tolist(), model.posterior(x)[0].tolist(), color="0.8", linewidth=0, label="posterior p(z | x)")
    left.plot(model.grid.tolist(), _normal(model.grid, *q), color=ROLES["latent"], lw=2.2, label="q(z)")
    left.set(xlim=(-3.9, 3.9), ylim=(0, None), yticks=[], xlabel="z", title=f"point {point}")
    left.legend(fontsize=9)
    draw_bars(right, [elbo], [log_p], floor=log_p - 12)
    title = f"reconstruction {elbo + kl:.2f} - KL {kl:.2f}\n= ELBO {elbo:.2f}; + gap {gap:.2f} = log p(x) {elbo + gap:.2f}"
    right.set(yticks=[], xlim=(log_p - 12, log_p + 0.5), xlabel="nats", title=title)
    return figure


def explore_q() -> Explorer:
    """The explorer: choose a point, and move and widen q."""
    controls = {
        "point": widgets.Dropdown(options=list(LETTERS), value="B", description="point"),
        "mean": slider("mean of q", -3.5, 3.5, 2.2, 0.1),
        "std": slider("std of q", 0.05, 0.7, 0.3, 0.05),
    }
    alt = "Explorer: the posterior of a point and a Gaussian q that sliders move and widen; a bar shows the bound and the gap."
    return Explorer(render_q, controls, alt)
