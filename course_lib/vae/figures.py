"""The pictures of chapter 8. Each function returns a matplotlib figure."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.training import Run
from course_lib.vae.curved import CurvedModel
from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, SIZE_MAP, draw_image, mosaic, new_figure, running_mean

Values = Sequence[float] | torch.Tensor


def estimates(
    x: Sequence[int],
    series: Mapping[str, tuple[Values, Values]],
    xlabel: str,
    ylabel: str,
    truth: float | None = None,
    ylim: tuple[float, float] | None = None,
) -> Figure:
    """Estimates with their error bars, x on a logarithmic axis.

    series: by name pairs (values, standard errors); a bar reaches two standard errors to each side,
    and names stand a little beside each other. truth: a level, drawn as a black line.
    """
    figure, axes = new_figure(size=(6.4, 3.2))
    axis = axes[0, 0]
    if truth is not None:
        axis.axhline(truth, color="black", linewidth=1, label=f"exact: {truth:.3f}")
    for number, (name, (values, errors)) in enumerate(series.items()):
        shift = 1 + 0.08 * (number - (len(series) - 1) / 2)
        bars = [2 * float(error) for error in errors]
        style = {"color": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)]}
        places = [place * shift for place in x]
        axis.errorbar(
            places, [float(v) for v in values], yerr=bars, capsize=2, markersize=4, linestyle="none", label=name, **style
        )
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log", ylim=ylim)
    if len(x) <= 12:
        axis.set_xticks(list(x), [f"{value:,}" for value in x])
        axis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=8)
    return figure


def measured_and_derived(
    x: Sequence[int], measured: Mapping[str, Values], derived: Mapping[str, Values], xlabel: str, ylabel: str
) -> Figure:
    """Measured values as marks on lines of derived ones, both axes logarithmic.

    measured and derived: values [len(x)] by the same names.
    """
    figure, axes = new_figure(size=(6.4, 3.2))
    axis = axes[0, 0]
    for number, (name, values) in enumerate(measured.items()):
        colour = LINES[number % len(LINES)]
        axis.plot(x, [float(v) for v in derived[name]], color=colour, linestyle=DASHES[number % len(DASHES)])
        axis.plot(x, [float(v) for v in values], MARKERS[number % len(MARKERS)], color=colour, markersize=5, label=name)
    axis.plot([], [], "-", color="0.5", label="derived")  # one entry explains all lines
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log", yscale="log")
    if len(x) <= 12:
        axis.set_xticks(list(x), [f"{value:,}" for value in x])
        axis.xaxis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=8)
    return figure


def bent_latent(model: CurvedModel, samples: torch.Tensor, chosen: torch.Tensor, side: float = 1.9, zoom: float = 3.6) -> Figure:
    """A model with a latent bent into the plane, and the posterior of z at chosen points.

    Left: log p(x) as colour, samples [N, 2] as dots, the curve with its z, and the points chosen
    [M, 2] as letters. Right: p(z|x) of each of these, and dashed the Gaussian q with the largest
    bound.
    """
    figure, axes = new_figure(1, 2, size=(9.2, 3.9), width_ratios=[1.15, 1])
    plane, line = axes[0]
    ticks = torch.linspace(-side, side, 121, dtype=torch.float64)
    density = model.log_prob(torch.cartesian_prod(ticks, ticks)).view(121, 121)  # [x, y]
    extent = (-side, side, -side, side)
    picture = plane.imshow(density.mT.numpy(), origin="lower", extent=extent, cmap=SIZE_MAP, vmin=float(density.max()) - 12)
    figure.colorbar(picture, ax=plane, label="log p(x) in nats", shrink=0.85)
    plane.plot(*samples.mT.tolist(), ".", color="white", markersize=2, alpha=0.6)
    z = torch.linspace(-3, 3, 200, dtype=torch.float64)
    plane.plot(*model.curve(z).mT.tolist(), color="black", linewidth=1)
    for value in range(-2, 3):
        place = model.curve(torch.tensor(float(value), dtype=torch.float64))
        plane.plot(*place.tolist(), "o", color="black", markersize=3)
        plane.annotate(f"z = {value}", (0.72 * place).tolist(), ha="center", va="center", fontsize=7)
    plane.set(title="samples, the curve f(z), and log p(x)", xlabel="first coordinate", ylabel="second coordinate")
    mean, log_variance = model.best_gaussian(chosen)
    for number, (letter, density) in enumerate(zip("ABCDEF", model.posterior(chosen), strict=False)):
        colour = LINES[(number + 1) % len(LINES)]
        box = {"boxstyle": "circle,pad=0.15", "facecolor": colour, "edgecolor": "white"}
        plane.annotate(letter, chosen[number].tolist(), color="white", fontsize=8, ha="center", va="center", bbox=box)
        line.plot(model.grid.tolist(), density.tolist(), color=colour, label=f"{letter}: p(z | x)")
        std = (log_variance[number] / 2).exp().item()
        bell = torch.distributions.Normal(mean[number].item(), std).log_prob(model.grid).exp()
        line.plot(model.grid.tolist(), bell.tolist(), color=colour, linestyle="--", linewidth=1)
    line.set(xlim=(-zoom, zoom), ylim=(0, None), xlabel="z", ylabel="density", title="posteriors; dashed: the best Gaussian q")
    line.legend(fontsize=8)
    return figure


def bound(x: Values, elbo: Values, log_p: float, xlabel: str, depth: float | None = None) -> Figure:
    """The ELBO as a curve under log p(x), and the gap between them, shaded: x and elbo are [N].

    depth: how many nats below log p(x) the axis ends, by default where the curve does.
    """
    figure, axes = new_figure(size=(6.4, 3.2))
    axis = axes[0, 0]
    x, elbo = torch.as_tensor(x).tolist(), torch.as_tensor(elbo).tolist()
    axis.axhline(log_p, color="black", linewidth=1.2, label="log p(x)")
    axis.plot(x, elbo, color=COLOURS["blue"], label="ELBO")
    axis.fill_between(x, elbo, log_p, color=COLOURS["orange"], alpha=0.35, linewidth=0, label="KL(q, posterior)")
    axis.set(xlabel=xlabel, ylabel="nats")
    if depth is not None:
        axis.set_ylim(log_p - depth, log_p + 0.05 * depth)
    axis.grid(color="0.92")
    axis.legend(fontsize=8)
    return figure


def gap_map(model: CurvedModel, side: float = 1.9, steps: int = 41) -> Figure:
    """What the best Gaussian loses in the plane: KL(q || p(z|x)) in nats, and the curve f(z)."""
    figure, axes = new_figure(size=(5.2, 4))
    axis = axes[0, 0]
    ticks = torch.linspace(-side, side, steps, dtype=torch.float64)
    x = torch.cartesian_prod(ticks, ticks)
    gap = model.gap(x, *model.best_gaussian(x, steps=150)).view(steps, steps)
    extent = (-side, side, -side, side)
    picture = axis.imshow(gap.mT.clamp(min=0).numpy(), origin="lower", extent=extent, cmap=SIZE_MAP, vmin=0)
    figure.colorbar(picture, ax=axis, label="log p(x) - best ELBO, in nats")
    axis.plot(*model.curve(torch.linspace(-3, 3, 200, dtype=torch.float64)).mT.tolist(), color="white", linewidth=1)
    axis.set(xlabel="first coordinate", ylabel="second coordinate", title="what the best Gaussian q loses")
    return figure


def gradient_histograms(samples: Mapping[str, torch.Tensor], truth: float, limits: tuple[float, float], bins: int = 80) -> Figure:
    """Histograms of the gradient estimates of single samples, one over the other on one scale.

    samples: estimates [S] by name. truth: the exact gradient, a dashed line. limits: of the axis;
    what lies beyond is counted in the last bars.
    """
    figure, axes = new_figure(len(samples), 1, size=(7, 1.35 * len(samples)), sharex=True)
    low, high = limits
    for axis, (name, values), colour in zip(axes[:, 0], samples.items(), LINES * 2, strict=False):
        axis.hist(values.clamp(low, high).tolist(), bins=bins, range=limits, density=True, color=colour)
        axis.axvline(truth, color="black", linestyle="--", linewidth=1)
        axis.set_title(f"{name}: mean {values.mean():.2f}, standard deviation {values.std():.2f}", loc="left", fontsize=9)
        axis.set_yticks([])
    axes[-1, 0].set(xlabel=f"gradient of one sample (dashed: exact, {truth:.2f})", xlim=limits)
    return figure


def latent_bars(measured: Mapping[str, Values], derived: Mapping[str, Values] | None = None, columns: int = 3) -> Figure:
    """The KL of each latent as bars, the largest first: a panel for each name, with values [Z].

    derived: values [Z] by the same names, drawn as dots over the bars.
    """
    columns = min(columns, len(measured))
    rows = -(-len(measured) // columns)
    figure, axes = new_figure(rows, columns, size=(3.1 * columns, 2.5 * rows), sharey=True)
    for axis in axes.flat[len(measured) :]:
        axis.set_visible(False)
    for axis, (name, values) in zip(axes.flat, measured.items(), strict=False):
        values = torch.as_tensor(values).sort(descending=True).values
        places = range(1, len(values) + 1)
        axis.bar(places, values.tolist(), color=COLOURS["sky"], label=f"learned: {values.sum():.1f} in all")
        if derived is not None:
            expected = torch.as_tensor(derived[name]).sort(descending=True).values
            style = {"color": COLOURS["vermilion"], "markersize": 4}
            axis.plot(places, expected.tolist(), "o", label=f"derived: {expected.sum():.1f} in all", **style)
        axis.set(title=name, xlabel="latent, the largest first")
        axis.legend(fontsize=7)
    for axis in axes[:, 0]:
        axis.set_ylabel("KL in nats per image")
    return figure


def progress(run: Run, images: torch.Tensor, columns: int = 8, window: int = 25) -> Figure:
    """A run as it goes: images [N, C, H, W], and each term, of training and of validation."""
    figure, axes = new_figure(1, 3, size=(10, 2.8), width_ratios=[1.25, 1, 1])
    draw_image(axes[0, 0], mosaic(images, columns), f"after {run.step} steps")
    for axis, name, sign in ((axes[0, 1], "reconstruction", -1), (axes[0, 2], "kl", 1)):
        values = running_mean([sign * value for value in run.steps[name]], window)
        axis.plot(values, color=COLOURS["blue"], label="training")
        shown = values[len(values) // 20 :]  # the first steps would hide all others
        checked = [epoch for epoch in run.epochs if f"validation_{name}" in epoch]
        if checked:
            heights = [sign * epoch[f"validation_{name}"] for epoch in checked]
            axis.plot([epoch["step"] for epoch in checked], heights, "s--", color=COLOURS["vermilion"], label="validation")
            shown = shown + heights
        # Nats of densities can be negative, and those of a KL all 0.
        margin = 0.05 * (max(shown) - min(shown)) or 1.0
        axis.set(xlabel="step", ylabel="nats per image", ylim=(min(shown) - margin, max(shown) + margin))
        axis.set_title("KL" if name == "kl" else "reconstruction: -E log p(x|z)")
        axis.legend(fontsize=8)
    return figure


def rate_distortion(series: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Models in the plane of the two terms: by name points [S, 2] of (KL, -E log p(x|z)).

    On each grey line their sum is the same, that is the ELBO; the dashed one goes through the best.
    """
    figure, axes = new_figure(size=(6.4, 3.8))
    axis = axes[0, 0]
    for number, (name, points) in enumerate(series.items()):
        style = {"color": LINES[number % len(LINES)], "marker": MARKERS[number % len(MARKERS)]}
        axis.plot(*torch.as_tensor(points).mT.tolist(), linestyle="none", label=name, **style)
    (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
    best = min(torch.as_tensor(points).sum(dim=1).mean().item() for points in series.values())
    axis.plot([left, right], [best - left, best - right], color="0.4", linestyle="--", label=f"-ELBO = {best:.1f}", zorder=0)
    for level in torch.linspace(left + low, right + high, 10)[1:-1].tolist():
        axis.plot([left, right], [level - left, level - right], color="0.85", linewidth=0.8, zorder=0)
    axis.set(xlabel="rate: KL in nats", ylabel="distortion: -E log p(x|z) in nats", xlim=(left, right), ylim=(low, high))
    axis.legend(fontsize=8)
    return figure


def latent_map(images: torch.Tensor, ticks: Values, means: torch.Tensor, labels: torch.Tensor, classes: Sequence[str]) -> Figure:
    """A latent space of two numbers.

    Left: the images decoded at every pair of ticks, [n n, C, H, W], in rows from the largest second
    number down. Right: the codes of images, means [N, 2], each drawn as the number of its class.
    """
    figure, axes = new_figure(1, 2, size=(10, 4.9))
    picture, plane = axes[0]
    draw_image(picture, mosaic(images, len(ticks)))
    side = images.shape[-1] + 1
    places = [(n + 0.5) * side - 1 for n in range(len(ticks))]
    shown = slice(0, None, max(1, len(ticks) // 5))
    names = [f"{tick:.1f}" for tick in torch.as_tensor(ticks).tolist()]
    picture.set_xticks(places[shown], names[shown])
    picture.set_yticks(places[shown], names[::-1][shown])
    for number, name in enumerate(classes):
        points = means[labels == number]
        style = {"color": LINES[number % len(LINES)], "marker": f"${number}$", "markersize": 5, "markeredgewidth": 0.3}
        plane.plot(*points.mT.tolist(), linestyle="none", label=name, **style)
    plane.set(aspect="equal", xlabel="first latent", ylabel="second latent")
    plane.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def information_table(information: torch.Tensor, factors: Sequence[str], entropy: torch.Tensor) -> Figure:
    """Mutual information of latents and factors, [Z, V], as a share of the factors' entropy [V]."""
    share = information / entropy
    figure, axes = new_figure(size=(1.4 + 0.75 * len(factors), 0.9 + 0.3 * len(share)))
    axis = axes[0, 0]
    axis.imshow(share.tolist(), cmap=SIZE_MAP, vmin=0, aspect="auto")
    for row, values in enumerate(share.tolist()):
        for column, value in enumerate(values):
            colour = "white" if value < 0.6 * share.max() else "black"
            axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color=colour)
    axis.set_xticks(range(len(factors)), factors)
    axis.set_yticks(range(len(share)), [f"z{row + 1}" for row in range(len(share))])
    axis.tick_params(length=0)
    return figure


def scores(series: Mapping[str, torch.Tensor], xlabel: str, bins: int = 50) -> Figure:
    """Histograms over each other: by name one number for each image. A single value is a line."""
    figure, axes = new_figure(size=(7, 2.8))
    axis = axes[0, 0]
    everything = torch.cat(list(series.values())).double()
    limits = everything.min().item(), everything.max().item()
    for (name, values), colour, dash in zip(series.items(), LINES, DASHES * 2, strict=False):
        if len(values) == 1:
            axis.axvline(values.item(), color=colour, linestyle=dash, label=name)
            continue
        counts = torch.histc(values.double(), bins, *limits) / len(values)
        edges = torch.linspace(*limits, bins + 1).tolist()
        axis.stairs(counts.tolist(), edges, color=colour, linestyle=dash, label=name, linewidth=1.5)
    axis.set(xlabel=xlabel, ylabel="share of the images")
    axis.legend(fontsize=8)
    return figure


def symptoms(
    panels: Mapping[str, torch.Tensor], records: Mapping[str, Mapping[str, Sequence[float]]], highest: float = 100
) -> Figure:
    """A mistake beside the right way.

    panels: images by title. records: by title the values of each step by name; a name has its
    colour, a title its dash. highest: where the axis ends.
    """
    figure, axes = new_figure(1, len(panels) + 1, size=(2.2 * len(panels) + 4.4, 2.4), width_ratios=[1] * len(panels) + [1.9])
    for axis, (title, images) in zip(axes[0], panels.items(), strict=False):
        draw_image(axis, mosaic(images, 4), title)
    axis = axes[0, -1]
    for (title, record), dash in zip(records.items(), DASHES, strict=False):
        for (name, values), colour in zip(record.items(), LINES, strict=False):
            axis.plot(running_mean(values, 15), dash, color=colour, label=f"{title}: {name}", linewidth=1.5)
    axis.set(xlabel="step", ylabel="nats per image", ylim=(-0.03 * highest, highest))
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
