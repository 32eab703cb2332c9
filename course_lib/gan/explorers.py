"""The interactive picture of chapter 6: a walk through the latent space of a generator."""

from collections.abc import Sequence

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure

from course_lib.gan.latent import draw, interpolate
from course_lib.gan.models import Generator
from course_lib.viz import COLOURS, Explorer, course_style, draw_image, new_figure, slider

STOPS = 7  # images along the path
SAMPLES = 50  # latent vectors to choose from


class Walk:
    """What a walk needs: a generator, 50 latent vectors, and two perpendicular directions.

    G: a generator, in whatever mode; it draws in evaluation mode. seed: of the vectors and the
    directions, which have length 1.
    """

    def __init__(self, G: Generator, seed: int = 0) -> None:
        self.G = G
        rng = torch.Generator().manual_seed(seed)
        self.vectors = G.noise(SAMPLES, rng)
        directions, _ = torch.linalg.qr(torch.randn(G.latent_size, 2, generator=rng))
        self.directions = directions.T.to(self.vectors)

    def images(
        self,
        start: int,
        end: int,
        positions: Sequence[float] | torch.Tensor,
        first: float = 0.0,
        second: float = 0.0,
        digit: int = 0,
    ) -> torch.Tensor:
        """Images [T, C, H, W] on the arc between two vectors, moved along the two directions."""
        z = interpolate(self.vectors[start], self.vectors[end], positions)
        z = z + first * self.directions[0] + second * self.directions[1]
        return draw(self.G, z, torch.full((len(z),), digit) if self.G.classes else None)


@course_style
def render_walk(
    walk: Walk,
    start: int = 0,
    end: int = 1,
    position: float = 0.0,
    first: float = 0.0,
    second: float = 0.0,
    digit: int = 0,
) -> Figure:
    """The image at a position between two latent vectors, and below it the path -> figure."""
    stops = torch.linspace(0, 1, STOPS)
    path = walk.images(start, end, stops, first, second, digit)
    here = walk.images(start, end, [position], first, second, digit)[0]
    figure, axes = new_figure(2, 1, size=(6.4, 3.9), height_ratios=[2.6, 1])
    draw_image(axes[0, 0], here, f"{position:.2f} of the way from z{start} to z{end}")
    C, H, W = here.shape
    strip = torch.ones(C, H, STOPS * (W + 2) - 2)
    for number, image in enumerate(path):
        strip[:, :, number * (W + 2) : number * (W + 2) + W] = image
    draw_image(axes[1, 0], strip)
    axes[1, 0].axvline(position * (STOPS - 1) * (W + 2) + W / 2 - 0.5, color=COLOURS["vermilion"], linewidth=2)
    return figure


def explore_latent(G: Generator, classes: Sequence[str] | None = None, seed: int = 0) -> Explorer:
    """The explorer: two latent vectors, the path between them, two directions, and the digit.

    classes: names for the labels of a conditional generator.
    """
    walk = Walk(G, seed)
    controls = {
        "start": slider("from z", 0, SAMPLES - 1, 0),
        "end": slider("to z", 0, SAMPLES - 1, 1),
        "position": slider("position", 0, 1, 0, 0.05),
        "first": slider("direction 1", -6, 6, 0, 0.5),
        "second": slider("direction 2", -6, 6, 0, 0.5),
    }
    if G.classes:
        names = [str(k) for k in range(G.classes)] if classes is None else classes
        options = [(name, k) for k, name in enumerate(names)]
        controls["digit"] = widgets.Dropdown(options=options, value=0, description="draw a")
    columns = list(controls.values())
    layout = [widgets.HBox([widgets.VBox(columns[:3]), widgets.VBox(columns[3:])])]
    alt = "Explorer: an image on the path between two latent vectors, with sliders for the position and for two directions."
    return Explorer(lambda **values: render_walk(walk, **values), controls, alt, layout=layout)


@course_style
def directions_strip(G: Generator, digit: int = 0, seed: int = 0, steps: Sequence[float] = (-6, -3, 0, 3, 6)) -> Figure:
    """What the two directions do: images over a grid of steps; the second goes down -> figure."""
    walk = Walk(G, seed)
    figure, axes = new_figure(len(steps), len(steps), size=(0.8 * len(steps) + 0.6, 0.8 * len(steps) + 0.4))
    for row, second in zip(axes, steps, strict=True):
        for axis, first in zip(row, steps, strict=True):
            draw_image(axis, walk.images(0, 1, [0.0], first=first, second=second, digit=digit)[0])
        row[0].set_ylabel(f"{second:g}", rotation=0, ha="right", va="center")
    for axis, first in zip(axes[-1], steps, strict=True):
        axis.set_xlabel(f"{first:g}")
    return figure
