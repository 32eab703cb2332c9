"""The interactive pictures of chapter 9: turn the few numbers of an image, walk over the map of two, see what they draw."""

from collections.abc import Mapping, Sequence

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure

from course_lib.data import ImageSet
from course_lib.training import evaluation_mode
from course_lib.vae.figures.drawing import decoded_map, draw_map
from course_lib.vae.models import VAE, Autoencoder
from course_lib.viz import ROLES, Explorer, course_style, draw_image, new_figure, slider

SLIDERS = 8  # latents that can be turned


@torch.no_grad()
def edited(model: VAE | Autoencoder, x: torch.Tensor, changes: Mapping[int, torch.Tensor | float]) -> torch.Tensor:
    """One image [C, H, W] in [0, 1], encoded, with some latents changed, and decoded.

    changes: the new values by the latents' numbers; empty for the reconstruction. The code is the
    mean of q. The model has no labels.
    """
    with evaluation_mode(model):
        z = code(model, x)
        for number, value in changes.items():
            z[number] = value
        return model.image(z[None].to(next(model.parameters())))[0].cpu()


@torch.no_grad()
def code(model: VAE | Autoencoder, x: torch.Tensor) -> torch.Tensor:
    """The mean of q(z|x) of one image [C, H, W], or an autoencoder's z: [Z] on the CPU."""
    with evaluation_mode(model):
        z = model.encode(x[None].to(next(model.parameters()).device))
        return (z[0] if isinstance(z, tuple) else z)[0].cpu()


@course_style
def render_edit(model: VAE | Autoencoder, images: torch.Tensor, order: Sequence[int], number: int = 0, **values: float) -> Figure:
    """A test image, what the model makes of it, and that after its latents were moved.

    images: uint8 [N, C, H, W]. order: the latents that the sliders move. values: z1, z2, ... by how
    much each is moved.
    """
    x = images[number].float() / 255
    z = code(model, x)
    changes = {latent: z[latent] + values.get(f"z{place}", 0.0) for place, latent in enumerate(order, start=1)}
    decoded, moved = edited(model, x, {}), edited(model, x, changes)
    figure, axes = new_figure(1, 3, size=(6.6, 2.4))
    for axis, image, title in zip(axes[0], (x, decoded, moved), ("the image", "decoded", "decoded, moved"), strict=True):
        draw_image(axis, image, title)
    return figure


def explore_latents(model: VAE | Autoencoder, images: ImageSet, latent_kl: torch.Tensor) -> Explorer:
    """The explorer: choose a test image, encode it, move its latents, and see what they draw.

    latent_kl: [Z], as in `VAEEvaluation`: the sliders move the latents with the largest.
    """
    order = torch.as_tensor(latent_kl).argsort(descending=True)[:SLIDERS].tolist()
    controls = {"number": slider("image", 0, min(len(images), 1000) - 1, 0)}
    for place in range(1, len(order) + 1):
        controls[f"z{place}"] = slider(f"z{place} +", -3, 3, 0, 0.25)
    columns = list(controls.values())
    half = (len(columns) + 1) // 2
    layout = [widgets.HBox([widgets.VBox(columns[:half]), widgets.VBox(columns[half:])])]
    alt = "Explorer: a test image, its reconstruction, and the image after its latents were moved by sliders."
    return Explorer(lambda **values: render_edit(model, images.images, order, **values), controls, alt, layout=layout)


def explore_map(model: VAE) -> Explorer:
    """The explorer: walk over the map of a VAE with two latents, and see what is drawn there."""
    sheet = decoded_map(model)
    controls = {"z1": slider("z1", -1.8, 1.8, -0.5, 0.1), "z2": slider("z2", -1.8, 1.8, 0.3, 0.1)}
    alt = "Explorer: a map of decoded digits with a circle that two sliders move, and the digit under the circle, drawn large."
    return Explorer(lambda z1, z2: render_place(model, sheet, z1, z2), controls, alt)


@course_style
@torch.no_grad()
def render_place(model: VAE, sheet: torch.Tensor, z1: float, z2: float) -> Figure:
    """A place on the map `sheet`, and what the model draws there."""
    z = torch.tensor([[z1, z2]])
    figure, axes = new_figure(1, 2, size=(8, 4.9), width_ratios=[1.5, 1])
    draw_map(axes[0, 0], sheet)
    place = torch.distributions.Normal(0.0, 1.0).cdf(z[0]).tolist()
    axes[0, 0].plot(*place, "o", ms=13, mfc="none", mec=ROLES["latent"], mew=3)
    draw_image(axes[0, 1], model.image(z)[0], f"z = ({z1:+.1f}, {z2:+.1f})")
    return figure
