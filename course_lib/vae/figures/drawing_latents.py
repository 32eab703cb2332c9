"""Pictures of chapter 9: what latents cost and know, learned priors, strangers, mistakes, and the GAN beside."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor

from course_lib.viz import COLOURS, COUNT_MAP, LINES, MARKERS, ROLES, course_style, draw_image, image_grid, mosaic, new_figure

Picture = tuple[Figure, str]


@course_style
def latent_costs(kl: Tensor, order: Tensor, moved: Tensor, values: Sequence[float]) -> Picture:
    """Above: the KL of each latent, in their order. Below: an image with the latent of that column set to each value.

    moved: [len(values), columns, C, H, W]; its columns are the first latents of the order.
    """
    count, shown = moved.shape[1], order[: moved.shape[1]]
    figure, axes = new_figure(2, 1, size=(8, 2.2 + 8 * len(values) / (count + 1)), height_ratios=[1.7, 7.6 * len(values) / count])
    bars, sheet = axes[:, 0]
    bars.bar(range(count), kl[shown].tolist(), color=ROLES["latent"], width=0.75)
    bars.set(xlim=(-0.5, count - 0.5), ylabel="KL in nats", xticks=range(count))
    bars.set_xticklabels([f"$z_{{{n}}}$" for n in shown.tolist()])
    draw_image(sheet, mosaic(moved.flatten(0, 1), count))
    side = moved.shape[-1] + 1
    sheet.set_yticks([(n + 0.5) * side for n in range(len(values))], [f"{value:g}" for value in values], fontsize=9)
    sheet.tick_params(length=0)
    sheet.set_ylabel("set to")
    sheet.spines[:].set_visible(False)
    return figure, (
        f"Bars: the KL of {count} latents, from {kl[shown[0]]:.1f} down to {kl[shown[-1]]:.2f} nats. Under each "
        f"bar one image with "
        f"that latent set to {', '.join(f'{value:g}' for value in values)}: where the bar is high the digit moves, turns, grows "
        "bolder or becomes another; where it is zero nothing changes."
    )


@course_style
def known_factors(
    shares: Tensor, factors: Sequence[str], chance: Tensor, linear: Mapping[str, float], names: Sequence[str]
) -> Picture:
    """What latents know: mutual information as a share of each factor's entropy [Z, V], with what chance gives, [V], taken off;
    and beside it the score of a linear probe of all latents.
    """
    figure, axes = new_figure(1, 2, size=(8, 3.2), width_ratios=[1.75, 1])
    axis, bars = axes[0]
    left = (shares - chance).clamp(min=0)
    axis.imshow(left.T.tolist(), cmap=COUNT_MAP, vmin=0, vmax=max(0.3, left.max().item()), aspect="auto")
    for column, values in enumerate(left.tolist()):
        for row, value in enumerate(values):
            if value >= 0.03:
                ink = "white" if value > 0.2 else "black"
                axis.text(column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=9, color=ink)
    axis.set_yticks(range(len(factors)), factors)
    axis.set_xticks(range(len(names)), names)
    axis.set_title("percent of the factor told by one latent")
    axis.tick_params(length=0)
    for row, name in enumerate(factors):
        bars.barh(row, max(0.0, linear[name]), color=COLOURS["sky"], height=0.7)
        bars.text(max(0.0, linear[name]) + 0.02, row, f"{linear[name]:.2f}", va="center", fontsize=9)
    bars.set(ylim=(len(factors) - 0.5, -0.5), xlim=(0, 1.15), yticks=[], title="all latents, linear probe", xticks=[0, 0.5, 1])
    best = ", ".join(f"{name} {linear[name]:.2f}" for name in factors)
    return figure, (
        "Left: how much each latent tells of each factor beyond chance, at most "
        f"{100 * left.max():.0f} percent; every latent knows a little of several factors. Right: linear probes of "
        f"all latents: {best}."
    )


@course_style
def two_ways(known: Mapping[str, Mapping[str, float]]) -> Picture:
    """What linear probes find, by model and factor: a pair of marks for each factor."""
    figure, axes = new_figure(size=(5.2, 2.9))
    axis, factors = axes[0, 0], list(next(iter(known.values())))
    for (name, scores), colour, marker in zip(known.items(), (COLOURS["blue"], COLOURS["orange"]), "os", strict=True):
        axis.plot([scores[factor] for factor in factors], range(len(factors)), marker, color=colour, ms=7, label=name, ls="none")
    for row, factor in enumerate(factors):
        axis.plot([scores[factor] for scores in known.values()], [row, row], color="0.7", lw=1.2, zorder=0)
    axis.set(ylim=(len(factors) - 0.5, -0.5), xlim=(-0.05, 1.02), xlabel="known to a linear probe of z")
    axis.set_yticks(range(len(factors)), factors)
    axis.grid(axis="x", color="0.93")
    axis.legend(fontsize=9, loc="lower center", bbox_to_anchor=(0.45, 1), ncols=2)
    text = "; ".join(f"{name}: " + ", ".join(f"{f} {scores[f]:.2f}" for f in factors) for name, scores in known.items())
    return figure, f"What a linear probe knows of each factor. {text}."


@course_style
def styles(first: Tensor, drawn: Tensor, classes: Sequence[str]) -> Picture:
    """Each row: an image [n, C, H, W], and its style drawn as every class [n, K, C, H, W]."""
    tiles = torch.cat([first[:, None], drawn], dim=1).flatten(0, 1)
    labels = ["given", *(name[:8] for name in classes)]
    inches = min(0.66, 7.4 / len(labels))
    figure = image_grid(tiles, columns=len(labels), inches=inches, column_labels=labels)
    return figure, (
        f"{len(first)} test images, and each one's style drawn as {len(classes)} classes: bold ones give bold "
        f"digits, slanted ones "
        "slanted digits, small ones small digits."
    )


@course_style
def learned_priors(found: Mapping[str, Any]) -> Picture:
    """Recorded: Fréchet distance, malformed share and gain over the prior, by the number of components; levels beside them."""
    figure, axes = new_figure(1, 3, size=(8, 2.9))
    counts = [int(count) for count in found["mixtures"]]
    panels = (("frechet", "Fréchet distance"), ("malformed", "share malformed"), ("gain", "nats above the prior"))
    for axis, (name, title) in zip(axes[0], panels, strict=True):
        for count, scores in zip(counts, found["mixtures"].values(), strict=True):
            axis.plot([count] * len(scores[name]), scores[name], "o", color=COLOURS["blue"], ms=5)
        middle = [sorted(scores[name])[len(scores[name]) // 2] for scores in found["mixtures"].values()]
        axis.plot(counts, middle, color=COLOURS["blue"], lw=1)
        for level, dash, colour in (("the prior", "--", "black"), ("codes of training images", "-", ROLES["latent"])):
            value = found["levels"][level].get(name, 0.0 if level == "the prior" else None)
            if value is not None:
                axis.axhline(value, color=colour, ls=dash, lw=1.4, label=level)
        axis.set(xscale="log", xlabel="components", title=title, ylim=(0, None))
        axis.set_xticks(counts, [str(count) for count in counts])
        axis.minorticks_off()
        axis.grid(color="0.94")
    axes[0, 2].legend(fontsize=9, loc="lower right", bbox_to_anchor=(1, 0.08))
    axes[0, 0].text(counts[0], found["levels"]["the prior"]["frechet"], "prior", va="bottom", fontsize=9)
    codes = found["levels"]["codes of training images"]["frechet"]
    axes[0, 0].text(counts[0], codes, "codes", va="bottom", fontsize=9)
    values = ", ".join(f"{count}: {sorted(s['frechet'])[1]:.2f}" for count, s in found["mixtures"].items())
    return figure, (
        f"With more components the Fréchet distance falls ({values}), from "
        f"{found['levels']['the prior']['frechet']:.2f} for the prior "
        f"towards {codes:.2f} for the codes themselves; so does the share of malformed images, and the "
        f"log-density of new codes rises."
    )


@course_style
def price_of_a_nat(points: Mapping[str, Sequence[tuple[float, float]]]) -> Picture:
    """Recorded models in the plane of the two terms; on a grey line the ELBO is the same."""
    figure, axes = new_figure(size=(5.2, 3.4))
    axis = axes[0, 0]
    for (name, values), colour, marker in zip(points.items(), LINES, MARKERS, strict=False):
        rate, distortion = zip(*values, strict=True)
        axis.plot(rate, distortion, marker, color=colour, ms=6)
        axis.text(max(rate) + 0.5, min(distortion) + 1.2, name.replace("beta ", "β = "), fontsize=9, color=ROLES["ink"])
    (left, right), (low, high) = (0, axis.get_xlim()[1] + 3), axis.get_ylim()
    best = min(sum(map(sum, values)) / len(values) for values in points.values())
    for step in range(-6, 14):
        style = {"color": "0.35", "ls": "--"} if step == 0 else {"color": "0.88"}
        level = best + 8 * step
        axis.plot([left, right], [level - left, level - right], lw=1, zorder=0, **style)
    axis.set(xlabel="rate: KL in nats", ylabel="distortion in nats", xlim=(left, right), ylim=(low, high))
    return figure, (
        "Models in the plane of rate and distortion, on one bent curve from little rate and much distortion "
        "(beta 4) to much rate and "
        f"little distortion (beta 0.1). The best line of equal ELBO, {best:.1f} nats, passes through beta 1."
    )


@course_style
def surprise(scores: Mapping[str, Tensor], extremes: Mapping[str, Tensor]) -> Picture:
    """Histograms of minus the ELBO by name (a single value is a line), and rows of images [n, C, H, W] below."""
    figure, axes = new_figure(1, 2, size=(8, 2.9), width_ratios=[1.4, 1])
    axis, sheet = axes[0]
    everything = torch.cat(list(scores.values())).double()
    edges = torch.linspace(everything.min().item(), everything.max().item(), 45)
    for (name, values), colour in zip(scores.items(), (ROLES["data"], COLOURS["vermilion"], COLOURS["black"]), strict=False):
        if len(values) == 1:
            axis.axvline(values.item(), color=colour, lw=2, label=name)
            continue
        axis.hist(values.tolist(), bins=edges.tolist(), density=True, histtype="step", lw=1.8, color=colour, label=name)
    axis.set(xlabel="minus the ELBO, in nats", yticks=[])
    axis.legend(fontsize=9)
    tiles = torch.cat(list(extremes.values()))
    count = len(next(iter(extremes.values())))
    draw_image(sheet, mosaic(tiles, count))
    side = tiles.shape[-1] + 1
    sheet.set_yticks([(n + 0.5) * side for n in range(len(extremes))], list(extremes), fontsize=9)
    sheet.tick_params(length=0)
    sheet.spines[:].set_visible(False)
    means = ", ".join(f"{name} {values.double().mean():.0f}" for name, values in scores.items())
    return figure, f"How surprised the model is, mean minus ELBO: {means} nats. Beside it test images: {' and '.join(extremes)}."


@course_style
def beside_each_other(rows: Mapping[str, tuple[float, float]]) -> Picture:
    """By name the Fréchet distance (logarithmic) and the malformed share, as dots; a name ends in its bracket."""
    figure, axes = new_figure(1, 2, size=(8, 0.75 + 0.29 * len(rows)), sharey=True)
    for axis, column, title in ((axes[0, 0], 0, "Fréchet distance to test images"), (axes[0, 1], 1, "share malformed")):
        for row, (name, values) in enumerate(rows.items()):
            colour = ROLES["data"] if "images" in name else ROLES["generated"]
            axis.plot(values[column], row, "o", ms=7, color=colour)
            text = f"  {values[column]:.2f}" if values[column] >= 0.1 or column else f"  {values[column]:.3f}"
            axis.text(values[column], row, text, va="center", fontsize=9)
        axis.set(title=title, ylim=(len(rows) - 0.5, -0.5))
        axis.grid(axis="y", color="0.93")
    axes[0, 0].set(xscale="log")
    low, high = axes[0, 0].get_xlim()
    axes[0, 0].set_xlim(low, high * 4)
    axes[0, 1].set_xlim(-0.03, 1.15)
    axes[0, 0].set_yticks(range(len(rows)), list(rows), fontsize=9)
    text = "; ".join(f"{name} {values[0]:.3g} and {values[1]:.2f}" for name, values in rows.items())
    return figure, f"Fréchet distance and share of malformed images: {text}."


@course_style
def mistaken(panels: Mapping[str, tuple[Tensor, Tensor]], claims: Mapping[str, tuple[float, float, float]]) -> Picture:
    """Runs by name: four reconstructions and four samples, and below what each program claims (-log p(x|z), KL) and what is so.

    claims: believed reconstruction term, believed KL, and minus the ELBO measured by right code.
    """
    figure, axes = new_figure(2, len(panels), size=(8, 3.9), height_ratios=[1.05, 1], sharey="row")
    top = 1.15 * max(max(a + b, c) for a, b, c in claims.values())
    for column, (name, (rebuilt, new)) in enumerate(panels.items()):
        draw_image(axes[0, column], mosaic(torch.cat([rebuilt[:4], new[:4]]), 4), name)
        axis, (reconstruction, kl, measured) = axes[1, column], claims[name]
        axis.bar(0, reconstruction, color=ROLES["generated"], width=0.7)
        axis.bar(0, kl, bottom=reconstruction, color=ROLES["latent"], width=0.7)
        axis.bar(1, measured, color="0.6", width=0.7)
        for place, value in ((0, reconstruction + kl), (1, measured)):
            axis.text(place, value, f"{value:.0f}", ha="center", va="bottom", fontsize=9)
        axis.set(xticks=[0, 1], xticklabels=["claimed", "true"], ylim=(0, top), xlim=(-0.6, 1.6))
        axis.tick_params(axis="x", length=0)
    axes[1, 0].set_ylabel("nats per image")
    side = next(iter(panels.values()))[0].shape[-1] + 1
    axes[0, 0].set_yticks([0.5 * side, 1.5 * side], ["rebuilt", "new"], fontsize=9)
    axes[0, 0].tick_params(length=0)
    text = "; ".join(f"{name}: believed {a:.0f} + {b:.0f} KL, measured {c:.0f}" for name, (a, b, c) in claims.items())
    return figure, f"Reconstructions and samples of {len(panels)} programs, and minus the ELBO in nats. {text}."


@course_style
def collapsed(results: Mapping[str, Mapping[str, Any]]) -> Picture:
    """Recorded: the KL of each latent, sorted, for several trainings, and minus the ELBO of two seeds."""
    figure, axes = new_figure(1, len(results), size=(8, 2.4), sharey=True)
    for axis, (name, found) in zip(axes[0], results.items(), strict=True):
        values = sorted(found["latent_kl"], reverse=True)
        axis.bar(range(len(values)), values, color=ROLES["latent"], width=0.85)
        nats = " and ".join(f"{-value:.1f}" for value in found["elbo"])
        axis.set_title(f"{name}\n{nats} nats", fontsize=9)
        axis.set(xticks=[], xlabel="latents, sorted")
    axes[0, 0].set_ylabel("KL in nats")
    text = "; ".join(f"{name}: {found['on'][0]} latents on, {-found['elbo'][0]:.1f} nats" for name, found in results.items())
    return figure, f"The KL of 16 latents for {len(results)} trainings. {text}."
