"""Pictures of chapter 8 about estimates: averages over the prior, gradients of samples, bounds from many samples."""

from collections.abc import Mapping, Sequence

from torch import Tensor

from course_lib.vae.figures.bound_schematics import Frames, Picture
from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, ROLES, course_style, new_figure


@course_style
def short_of(counts: Sequence[int], short: Mapping[str, Tensor]) -> Picture:
    """How far averages over the prior fall short of log p(x): by name [images, len(counts)]; median and middle half."""
    figure, axes = new_figure(size=(8, 3))
    axis = axes[0, 0]
    for number, (name, rows) in enumerate(short.items()):
        colour, rows = LINES[number], rows.double()
        axis.plot(
            counts, rows.median(dim=0).values.tolist(), DASHES[number], marker=MARKERS[number], ms=5, color=colour, label=name
        )
        axis.fill_between(
            counts, rows.quantile(0.25, dim=0).tolist(), rows.quantile(0.75, dim=0).tolist(), color=colour, alpha=0.18, lw=0
        )
    axis.set(xscale="log", yscale="symlog", ylim=(-1, None), xlabel="samples of z from the prior", ylabel="nats below log p(x)")
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ends = ", ".join(f"{name} {rows[:, -1].double().median().item():.1f}" for name, rows in short.items())
    return figure, f"How far the average over random z falls short of log p(x). With {counts[-1]:,} samples, median: {ends} nats."


@course_style
def single_estimates(samples: Mapping[str, Tensor], truth: float, limit: float) -> Picture:
    """Single-sample estimates [S] of one gradient by name, one histogram under the other; beyond the limit they are cut off."""
    figure, axes = new_figure(len(samples), 1, size=(8, 1.15 * len(samples) + 0.4), sharex=True)
    for axis, (name, values), colour in zip(axes[:, 0], samples.items(), LINES, strict=False):
        inside = values[values.abs() < limit]
        axis.hist(inside.tolist(), bins=100, range=(-limit, limit), density=True, color=colour)
        axis.axvline(truth, color=ROLES["ink"], linestyle="--", linewidth=1)
        axis.set_title(f"{name}: mean {values.mean():.2f}, standard deviation {values.std():.1f}", loc="left", fontsize=9.5)
        axis.set_yticks([])
    axes[-1, 0].set(xlabel=f"estimate from one sample (dashed: the exact gradient, {truth:.0f})", xlim=(-limit, limit))
    spread = ", ".join(f"{name} {values.std():.1f}" for name, values in samples.items())
    return (
        figure,
        f"Histograms of single-sample estimates of one gradient around the exact {truth:.0f}. Standard deviations: {spread}.",
    )


@course_style
def variance_growth(sizes: Sequence[int], measured: Mapping[str, Sequence], derived: Mapping[str, Sequence]) -> Picture:
    """The variance of one sample's gradient against the number of latents: measured marks on derived lines, by the same names."""
    figure, axes = new_figure(size=(8, 3))
    axis = axes[0, 0]
    for number, (name, values) in enumerate(measured.items()):
        axis.plot(sizes, [float(v) for v in derived[name]], DASHES[number], color=LINES[number])
        axis.plot(sizes, [float(v) for v in values], MARKERS[number], color=LINES[number], ms=6, label=name)
    axis.plot([], [], "-", color="0.5", label="derived")  # one entry explains all lines
    axis.set(xscale="log", yscale="log", xlabel="latents", ylabel="variance of one sample")
    axis.set_xticks(list(sizes), [str(size) for size in sizes])
    axis.xaxis.minorticks_off()
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ends = ", ".join(f"{name} {float(values[-1]):.3g}" for name, values in measured.items())
    return figure, f"The variance of a single-sample gradient against the number of latents. With {sizes[-1]}: {ends}."


@course_style
def bounds(counts: Sequence[int], found: Mapping[str, tuple[Sequence, Sequence]], truth: float, depth: float) -> Picture:
    """Bounds against K: by name (means, standard errors), bars of two of them; truth: log p(x); the axis goes depth below it."""
    figure, axes = new_figure(size=(8, 3.2))
    axis = axes[0, 0]
    axis.axhline(truth, color=ROLES["ink"], lw=1.2, label="log p(x)")
    for number, (name, (values, errors)) in enumerate(found.items()):
        axis.errorbar(
            counts,
            [float(value) for value in values],
            yerr=[2 * float(error) for error in errors],
            fmt=MARKERS[number] + DASHES[number],
            ms=5,
            capsize=3,
            color=LINES[number],
            label=name,
        )
    axis.set(xscale="log", xlabel="samples K", ylabel="nats", ylim=(truth - depth, truth + 0.08 * depth))
    axis.set_xticks(list(counts), [str(count) for count in counts])
    axis.xaxis.minorticks_off()
    axis.grid(color="0.93")
    axis.legend(fontsize=9, loc="center left", bbox_to_anchor=(1, 0.5))
    ends = ", ".join(f"{name} {truth - float(values[-1]):.2f}" for name, (values, _) in found.items())
    return figure, f"The bound against K for several q. Missing to log p(x) with {counts[-1]} samples: {ends} nats."


@course_style
def tightening(estimates: Mapping[int, Tensor], truth: float, depth: float = 9.0) -> Frames:
    """Histograms of log (1/K) sum w, [S] by K, a frame for each, with their mean, the bound; the last K comes first."""
    frames, counts = [], list(estimates)
    trail = [(K, values.mean().item()) for K, values in estimates.items()]
    for place in (len(counts) - 1, *range(len(counts))):
        K, mean = trail[place]
        figure, axes = new_figure(1, 2, size=(8, 2.8), width_ratios=[1.5, 1])
        left, right = axes[0]
        seen = estimates[K].clamp(min=truth - depth)
        left.hist(seen.tolist(), bins=70, range=(truth - depth, truth + 2.5), density=True, color=COLOURS["sky"])
        left.axvline(truth, color=ROLES["ink"], lw=1.6)
        left.axvline(mean, color=LINES[0], lw=2, ls="--")
        left.set(title=f"K = {K}", xlabel="one estimate in nats", yticks=[], xlim=(truth - depth, truth + 2.5), ylim=(0, 2.2))
        right.axhline(truth, color=ROLES["ink"], lw=1.6, label="log p(x)")
        right.plot(*zip(*trail[: place + 1], strict=True), "o--", ms=4, color=LINES[0], label="their mean: the bound")
        right.set(xscale="log", xlim=(0.8, 1.3 * counts[-1]), xlabel="K", ylim=(truth - depth, truth + 0.8))
        right.legend(fontsize=9, loc="lower right")
        frames.append(figure)
    return frames, (
        f"Animation: histograms of single estimates for K from 1 to {counts[-1]}. They narrow and move to log p(x); their mean, "
        f"the bound, rises from {truth - trail[0][1]:.2f} to {truth - trail[-1][1]:.2f} nats below it."
    )
