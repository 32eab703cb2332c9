"""The pictures of chapter 5. Each function returns a matplotlib figure."""

import torch

from course_lib.viz import COLOURS, LINES, SIZE_MAP, new_figure

MARKERS = "osD^vX"
DASHES = ("-", "--", ":", "-.")


def curves(x, series, xlabel, ylabel, log_x=False, log_y=False, references=None, ylim=None):
    """Lines with their spread: series is a dict of names and tensors [S, len(x)], one row for each seed (or one row [len(x)]).

    The line joins the medians, the band goes from the smallest to the largest. NaN leaves a gap. references: dict of labels and
    levels, drawn as dotted lines.
    """
    figure, axes = new_figure(size=(6.4, 3.2))
    axis = axes[0, 0]
    for number, (name, rows) in enumerate(series.items()):
        rows = torch.as_tensor(rows, dtype=torch.float64)
        rows = rows[None] if rows.dim() == 1 else rows
        style = {"color": LINES[number % len(LINES)], "linestyle": DASHES[number % len(DASHES)]}
        marker = MARKERS[number % len(MARKERS)] if len(x) <= 30 else None
        axis.plot(x, rows.quantile(0.5, dim=0).tolist(), marker=marker, markersize=4, label=name, **style)
        if len(rows) > 1:
            low, high = rows.amin(dim=0).tolist(), rows.amax(dim=0).tolist()
            axis.fill_between(x, low, high, color=style["color"], alpha=0.2, linewidth=0)
    _draw_references(axis, references)
    axis.set(xlabel=xlabel, ylabel=ylabel, xscale="log" if log_x else "linear", yscale="log" if log_y else "linear", ylim=ylim)
    axis.grid(color="0.92")
    axis.legend(fontsize=8)
    return figure


def estimates(x, series, xlabel, ylabel, truth=None, ylim=None):
    """Estimates with their error bars, x on a logarithmic axis: series is a dict of names and pairs (values, standard errors).

    A bar reaches two standard errors to each side. truth: a level, drawn as a black line. Names stand a little beside each other.
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


def measured_and_derived(x, measured, derived, xlabel, ylabel):
    """Measured values as marks on lines of derived ones, both axes logarithmic: dicts of the same names and values [len(x)]."""
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


def bent_latent(model, samples, chosen, side=1.9, zoom=3.6):
    """A model with a latent bent into the plane, and the posterior of z at chosen points.

    Left: log p(x) as colour, samples [N, 2] as dots, the curve with its z, and the points chosen [M, 2] as letters. Right:
    p(z | x) of each of these, and dashed the Gaussian q with the largest bound.
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


def bound(x, elbo, log_p, xlabel, depth=None):
    """The ELBO as a curve under the line log p(x), and the gap between them, shaded: x and elbo are [N], log_p is a number.

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


def gap_map(model, side=1.9, steps=41):
    """What the best Gaussian loses at each point of the plane: KL(q, p(z | x)) in nats, with the curve f(z)."""
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


def gradient_histograms(samples, truth, limits, bins=80):
    """Histograms of the gradient estimates of single samples, one over the other on one scale.

    samples: dict of names and estimates [S]. truth: the exact gradient, a dashed line. limits: of the axis; what lies beyond is
    counted in the last bars.
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


def latent_bars(measured, derived=None, ylabel="KL in nats per image", columns=3):
    """The KL of each latent as bars, the largest first, one panel for each entry of measured, a dict of names and values [Z].

    derived: a dict of the same names and values [Z], drawn as dots over the bars.
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
        axis.set_ylabel(ylabel)
    return figure


def _draw_references(axis, references):
    """Dotted horizontal lines with their labels at the right end."""
    for label, level in (references or {}).items():
        axis.axhline(level, color="0.5", linestyle=":", linewidth=1)
        place = {"xycoords": ("axes fraction", "data"), "xytext": (0, 2), "textcoords": "offset points"}
        box = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5}  # stays legible where a curve runs through it
        axis.annotate(label, (1, level), ha="right", va="bottom", fontsize=8, color="0.35", bbox=box, **place)
