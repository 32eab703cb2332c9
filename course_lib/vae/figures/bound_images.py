"""Pictures of chapter 8 with images: a linear decoder that finds PCA, a linear VAE's bound, latents over the water level."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from course_lib.vae.figures.bound_schematics import GAP, Frames, Picture
from course_lib.viz import COLOURS, LINES, ROLES, course_style, draw_image, image_grid, mosaic, new_figure


@course_style
def rows_of_images(rows: Mapping[str, Tensor], most: int = 10) -> Picture:
    """Images [N, C, H, W] in labelled rows, the first of each."""
    count = min(most, *map(len, rows.values()))
    left = 0.075 * max(map(len, rows)) + 0.15  # inches for the labels
    height = (8 - left) / max(count, 8)
    figure, axes = new_figure(len(rows), 1, size=(8, 1.06 * height * len(rows)))
    figure.set_layout_engine("none")
    for number, (axis, (name, images)) in enumerate(zip(axes[:, 0], rows.items(), strict=True), start=1):
        axis.set_position((left / 8, 1 - number / len(rows), 1 - left / 8, 0.94 / len(rows)))
        draw_image(axis, mosaic(images[:count].clamp(0, 1).float(), count))
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9.5)
        axis.set(frame_on=False, anchor="W")
    return figure, f"Rows of {count} images each: {'; '.join(rows)}."


@course_style
def signed_rows(rows: Mapping[str, Tensor]) -> Picture:
    """Directions [Z, C, H, W] in labelled rows, each scaled to its largest size; of several channels the mean."""
    tiles = torch.cat([row / row.abs().flatten(1).amax(dim=1)[:, None, None, None] for row in rows.values()]).mean(dim=1)
    count = len(next(iter(rows.values())))
    figure = image_grid(list(tiles.float()), columns=count, inches=0.76, signed=True, row_labels=list(rows))
    return figure, f"Signed images, {count} in a row, orange positive and purple negative: {'; '.join(rows)}."


@course_style
def turning_to_pca(states: Sequence[tuple[int, Tensor, Tensor, Tensor]], loss_of_pca: float, losses: Sequence[float]) -> Frames:
    """A linear autoencoder as it learns: a frame for each (step, images, reconstructions [N, C, H, W], angles [Z] in degrees).

    losses: of every step. The end comes first.
    """
    frames = []
    for step, images, back, angles in (states[-1], *states):
        figure, axes = new_figure(1, 3, size=(8, 2.9), width_ratios=[1.5, 1, 1])
        count = len(images)
        draw_image(axes[0, 0], mosaic(torch.cat([images, back.clamp(0, 1)]), count // 2), f"step {step}")
        axes[0, 0].set_xlabel(f"above: {count} images; below: decoded")
        axes[0, 1].bar(range(1, len(angles) + 1), angles.tolist(), color=ROLES["weight"])
        axes[0, 1].set(
            ylim=(0, 90),
            yticks=[0, 30, 60, 90],
            xticks=range(1, len(angles) + 1),
            xlabel="principal angle",
            title="degrees to PCA",
        )
        axes[0, 2].plot(losses[: step + 1], color=LINES[0], lw=1.2)
        axes[0, 2].axhline(loss_of_pca, color=ROLES["ink"], lw=1, ls="--")
        axes[0, 2].text(0.98 * len(losses), 0.85 * loss_of_pca, "PCA", ha="right", va="top", fontsize=9)
        axes[0, 2].set(xlim=(0, len(losses)), ylim=(0, 1.05 * max(losses)), xlabel="step", title="squared error of an image")
        frames.append(figure)
    return frames, (
        "Animation: a linear autoencoder learns. Its reconstructions turn from grey into blurred images, all principal angles "
        f"between its decoder and PCA fall, to at most {states[-1][3].max().item():.0f} degrees, and the error to that of PCA."
    )


@course_style
def bound_rises(steps: Sequence[int], elbo: Sequence[float], log_p: Sequence[float], best: float) -> Picture:
    """A linear VAE's exact ELBO and exact log p(x) as it learns, and the best log p(x) that a linear decoder can have."""
    figure, axes = new_figure(1, 2, size=(8, 3), width_ratios=[1, 1])
    for axis, first in ((axes[0, 0], 0), (axes[0, 1], len(steps) // 3)):
        x, low, high = steps[first:], list(elbo[first:]), list(log_p[first:])
        axis.axhline(best, color=ROLES["ink"], ls="--", lw=1, label="the best log p(x)")
        axis.plot(x, high, color=ROLES["ink"], lw=1.6, label="log p(x) of the decoder")
        axis.fill_between(x, low, high, label="gap", **GAP)
        axis.plot(x, low, color=COLOURS["blue"], lw=2, label="ELBO")
        axis.set(xlabel="step", xlim=(x[0], x[-1]))
        axis.grid(color="0.93")
    axes[0, 0].set(ylabel="nats per image", title="the whole run")
    axes[0, 1].set_title(f"from step {steps[len(steps) // 3]}")
    axes[0, 1].legend(fontsize=9, loc="lower right")
    return figure, (
        "A linear VAE learns: the ELBO rises, with log p(x) of the decoder above it and the best possible above both. At the end "
        f"{elbo[-1]:.1f}, {log_p[-1]:.1f} and {best:.1f} nats."
    )


@course_style
def water_level(
    variances: Tensor, levels: Mapping[str, float], learned: Mapping[str, Tensor], derived: Mapping[str, Tensor]
) -> Picture:
    """Above: the variance of the images along each direction, and each noise as a level.

    Below: the KL of each latent [Z] by name, learned (bars) and derived (dots).
    """
    count = len(levels)
    figure, axes = new_figure(2, count, size=(8, 4.4), sharey="row")
    places = list(range(1, len(variances) + 1))
    for (above, below), (name, level) in zip(axes.T, levels.items(), strict=True):
        above.plot(places, variances.tolist(), ".-", color=ROLES["data"], ms=4, lw=1)
        above.axhline(level, color=ROLES["latent"], lw=2)
        above.fill_between([0, places[-1] + 1], level, 1e-4, color=ROLES["latent"], alpha=0.18, linewidth=0)
        above.set(yscale="log", title=f"{name}\n" + rf"$\sigma^2$ = {level:.3g}", xlim=(0, places[-1] + 1))
        above.set_ylim(0.3 * min(variances.min().item(), *levels.values()), 3 * max(variances.max().item(), *levels.values()))
        values = learned[name].sort(descending=True).values
        below.bar(places, values.tolist(), color=COLOURS["sky"], label="learned")
        below.plot(places, derived[name].tolist(), "o", ms=3.5, color=COLOURS["vermilion"], label="derived")
        below.set(xlabel="direction, latent", xlim=(0, places[-1] + 1))
    axes[0, 0].set_ylabel("variance along it")
    axes[1, 0].set_ylabel("KL in nats")
    axes[1, 0].legend(fontsize=9)
    sums = "; ".join(f"{name}: {learned[name].sum():.1f} and {derived[name].sum():.1f}" for name in levels)
    return figure, (
        "Above, the variance of the images along each principal direction, and the noise of three losses as a water level. "
        f"Below, the KL of each latent: only directions above the level have one. Sums, learned and derived, in nats: {sums}."
    )


@course_style
def broken(ways: Mapping[str, tuple[float, float, Tensor]], best: float) -> Picture:
    """Losses with a mistake: by name what the code claims as its bound, the exact ELBO, and images that the prior draws."""
    figure, axes = new_figure(1, len(ways), size=(8, 3.3))
    low = min(min(claim, true) for claim, true, _ in ways.values())
    span = best - low
    for axis, (name, (claim, true, images)) in zip(axes[0], ways.items(), strict=True):
        for place, value, colour in ((0, claim, COLOURS["orange"]), (1, true, COLOURS["sky"])):
            axis.bar(place, value - low + 0.1 * span, bottom=low - 0.1 * span, color=colour, width=0.7)
        axis.axhline(best, color=ROLES["ink"], ls="--", lw=1)
        axis.set(
            xticks=[0, 1],
            xticklabels=[f"claimed\n{claim:.0f}", f"exact\n{true:.0f}"],
            ylim=(low - 0.1 * span, best + 1.0 * span),
            yticks=[],
        )
        axis.set_title(name, fontsize=9.5)
        inset = axis.inset_axes((0.02, 0.64, 0.96, 0.36))
        draw_image(inset, mosaic(images.clamp(0, 1), len(images) // 2))
    axes[0, 0].set_ylabel("ELBO, nats per image", fontsize=9)
    return (
        figure,
        "What the code claims as its bound and the exact ELBO, where the best log p(x) is "
        + f"{best:.0f}: "
        + "; ".join(f"{name}: {claim:.0f}, exact {true:.0f}" for name, (claim, true, _) in ways.items()),
    )
