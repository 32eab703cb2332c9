"""The interactive picture of chapter 5: an image becomes a few numbers; turn them, and watch the image that they draw."""

import ipywidgets as widgets
import torch

from course_lib.runtime import evaluation_mode
from course_lib.viz import Explorer, draw_image, new_figure, slider

SLIDERS = 8  # latents that can be turned


@torch.no_grad()
def edited(model, x, changes):
    """One image [C, H, W] in [0, 1], encoded (the mean of q), with some latents set to other values, and decoded: [C, H, W].

    changes: dict of latents' numbers and the values that they get; empty for the reconstruction. The model has no labels.
    """
    with evaluation_mode(model):
        z = code(model, x)
        for number, value in changes.items():
            z[number] = value
        return model.image(z[None].to(next(model.parameters())))[0].cpu()


@torch.no_grad()
def code(model, x):
    """The mean of q(z|x) of one image [C, H, W] in [0, 1], or an autoencoder's z: a tensor [Z] on the CPU."""
    with evaluation_mode(model):
        z = model.encode(x[None].to(next(model.parameters()).device))
        return (z[0] if isinstance(z, tuple) else z)[0].cpu()


def render_edit(model, images, order, number=0, **values):
    """A test image, what the model makes of it, and the same after its latents were moved -> figure.

    images: uint8 [N, C, H, W]. order: the latents that the sliders move. values: z1, z2, ... by how much each is moved.
    """
    x = images[number].float() / 255
    z = code(model, x)
    changes = {latent: z[latent] + values.get(f"z{place}", 0.0) for place, latent in enumerate(order, start=1)}
    decoded, moved = edited(model, x, {}), edited(model, x, changes)
    figure, axes = new_figure(1, 3, size=(6.6, 2.4))
    for axis, image, title in zip(axes[0], (x, decoded, moved), ("the image", "decoded", "decoded, moved"), strict=True):
        draw_image(axis, image, title)
    return figure


def explore_latents(model, images, latent_kl):
    """The explorer: choose a test image, encode it, move its latents, and see what they draw.

    images: an `ImageSet`. latent_kl: [Z], as in `VAEEvaluation`: the sliders move the latents with the largest.
    """
    order = torch.as_tensor(latent_kl).argsort(descending=True)[:SLIDERS].tolist()
    controls = {"number": slider("image", 0, min(len(images), 1000) - 1, 0)}
    controls |= {f"z{place}": slider(f"z{place} +", -3, 3, 0, 0.25) for place in range(1, len(order) + 1)}
    columns = list(controls.values())
    half = (len(columns) + 1) // 2
    layout = [widgets.HBox([widgets.VBox(columns[:half]), widgets.VBox(columns[half:])])]
    alt = "Explorer: a test image, its reconstruction, and the image after its latents were moved by sliders."
    return Explorer(lambda **values: render_edit(model, images.images, order, **values), controls, alt, layout=layout)


def traversal_strip(model, images, number, latent_kl, steps=(-2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5), rows=6):
    """What the sliders do: one row for each of the latents with the largest KL, which is set to the given values -> figure."""
    x = images.images[number].float() / 255
    latents = torch.as_tensor(latent_kl).argsort(descending=True)[:rows].tolist()
    figure, axes = new_figure(len(latents), len(steps) + 1, size=(0.75 * (len(steps) + 1) + 0.4, 0.75 * len(latents) + 0.3))
    for place, (row, latent) in enumerate(zip(axes, latents, strict=True), start=1):
        draw_image(row[0], x if place == 1 else edited(model, x, {}))
        for axis, value in zip(row[1:], steps, strict=True):
            draw_image(axis, edited(model, x, {latent: value}))
        row[1].set_ylabel(f"z{place}", rotation=0, ha="right", va="center")
        row[0].set_visible(place <= 2)
    for axis, value in zip(axes[-1, 1:], steps, strict=True):
        axis.set_xlabel(f"{value:g}")
    return figure
