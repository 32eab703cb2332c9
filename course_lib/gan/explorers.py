"""The interactive picture of chapter 4: a walk through the latent space of a generator."""

import ipywidgets as widgets
import torch

from course_lib.gan.latent import interpolate
from course_lib.gan.sampling import draw
from course_lib.viz import COLOURS, Explorer, draw_image, new_figure, slider

STOPS = 7  # images along the path
SAMPLES = 50  # latent vectors to choose from


class Walk:
    """What a walk needs: a generator, 50 latent vectors, and two directions of length 1, perpendicular to each other.

    generator: as `Generator`, in whatever mode; it draws in evaluation mode. seed: of the vectors and the directions.
    """

    def __init__(self, generator, seed=0):
        self.generator = generator
        drawn = torch.Generator().manual_seed(seed)
        self.vectors = generator.noise(SAMPLES, drawn)
        directions, _ = torch.linalg.qr(torch.randn(generator.latent_size, 2, generator=drawn))
        self.directions = directions.T.reshape(2, *self.vectors.shape[1:]).to(self.vectors)

    def images(self, start, end, positions, first=0.0, second=0.0, digit=0):
        """Images [T, C, H, W] at positions on the arc between two of the vectors, moved along the two directions."""
        z = interpolate(self.vectors[start], self.vectors[end], positions)
        z = z + first * self.directions[0] + second * self.directions[1]
        labels = torch.full((len(z),), digit) if getattr(self.generator, "classes", 0) else None
        return draw(self.generator, z, labels)


def render_walk(walk, start=0, end=1, position=0.0, first=0.0, second=0.0, digit=0):
    """The image at a position between two latent vectors, large, and below it the whole path -> figure."""
    stops = torch.linspace(0, 1, STOPS)
    way = {"first": first, "second": second, "digit": digit}
    path = walk.images(start, end, stops, **way)
    here = walk.images(start, end, [position], **way)[0]
    figure, axes = new_figure(2, 1, size=(6.4, 3.9), height_ratios=[2.6, 1])
    draw_image(axes[0, 0], here, f"{position:.2f} of the way from z{start} to z{end}")
    C, H, W = here.shape
    strip = torch.ones(C, H, STOPS * (W + 2) - 2)
    for number, image in enumerate(path):
        strip[:, :, number * (W + 2) : number * (W + 2) + W] = image
    draw_image(axes[1, 0], strip)
    axes[1, 0].axvline(position * (STOPS - 1) * (W + 2) + W / 2 - 0.5, color=COLOURS["vermilion"], linewidth=2)
    return figure


def explore_latent(generator, classes=None, seed=0):
    """The explorer: two latent vectors, a position on the path between them, two directions, and the digit.

    classes: names for the labels of a conditional generator.
    """
    walk = Walk(generator, seed)
    controls = {
        "start": slider("from z", 0, SAMPLES - 1, 0),
        "end": slider("to z", 0, SAMPLES - 1, 1),
        "position": slider("position", 0, 1, 0, 0.05),
        "first": slider("direction 1", -6, 6, 0, 0.5),
        "second": slider("direction 2", -6, 6, 0, 0.5),
    }
    if getattr(generator, "classes", 0):
        names = [str(k) for k in range(generator.classes)] if classes is None else classes
        options = [(name, k) for k, name in enumerate(names)]
        controls["digit"] = widgets.Dropdown(options=options, value=0, description="draw a")
    columns = list(controls.values())
    layout = [widgets.HBox([widgets.VBox(columns[:3]), widgets.VBox(columns[3:])])]
    alt = "Explorer: an image on the path between two latent vectors, with sliders for the position and for two directions."
    return Explorer(lambda **values: render_walk(walk, **values), controls, alt, layout=layout)


def directions_strip(generator, digit=0, seed=0, steps=(-6, -3, 0, 3, 6)):
    """What the two directions do: images over a grid of steps, one row for each step along the second direction -> figure."""
    walk = Walk(generator, seed)
    figure, axes = new_figure(len(steps), len(steps), size=(0.8 * len(steps) + 0.6, 0.8 * len(steps) + 0.4))
    for row, second in zip(axes, steps, strict=True):
        for axis, first in zip(row, steps, strict=True):
            draw_image(axis, walk.images(0, 1, [0.0], first=first, second=second, digit=digit)[0])
        row[0].set_ylabel(f"{second:g}", rotation=0, ha="right", va="center")
    for axis, first in zip(axes[-1], steps, strict=True):
        axis.set_xlabel(f"{first:g}")
    return figure
