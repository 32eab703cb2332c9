"""The picture that the course begins with: two trained networks, one for each direction; and the road map."""

import math
from pathlib import Path
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from course_lib.data import make_factors, render
from course_lib.viz import GREY_MAP, ROLES, SIZE_MAP, course_style, draw_arrow

WIDTH, HEIGHT, FRAMES = 8.0, 3.8, 18
SHOWN = ((4, "DejaVu Serif"), (7, "DejaVu Sans"), (2, "STIX"))  # digits and their typefaces, six frames each
SEEN_MAPS, DRAWN_MAPS = (2, 3, 8, 9, 5, 10, 14, 15), (0, 1, 3, 25, 10, 13, 16, 27)  # channels in which much is seen

MAP_WIDTH = 800
MAP_FILE = Path(__file__).parent.parent / "road_map.png"


def seen(frame: int) -> torch.Tensor:
    """The image [1, 1, 32, 32] that the classifier looks at in a frame: a digit that turns and moves."""
    digit, typeface = SHOWN[frame * len(SHOWN) // FRAMES]
    turn = 2 * math.pi * (frame % (FRAMES // len(SHOWN))) / (FRAMES // len(SHOWN))
    factors = {"angle": 15 * math.sin(turn), "x": 16 + 2 * math.sin(turn), "height": 22 + 2 * math.cos(turn)}
    images, _ = render(make_factors("glyphs", digit=digit, typeface=typeface, **factors))
    return images.float() / 255


@torch.no_grad()
def drawn(generator: Any, frame: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """z on a circle, the maps half-way to the image of a 7, and the images of all ten digits for it."""
    u, v = torch.randn(2, generator.project.in_features, generator=torch.Generator().manual_seed(5))
    turn = 2 * math.pi * frame / FRAMES
    z = (math.cos(turn) * u + math.sin(turn) * v).expand(10, -1)
    maps: list[torch.Tensor] = []
    hook = generator.body[6].register_forward_hook(lambda module, given, found: maps.append(found[7]))
    images = generator(z, torch.arange(10)).add(1).div(2).clamp(0, 1)
    hook.remove()
    return z[0], maps[0], images[:, 0]


@course_style
def hero(judge: nn.Module, generator: nn.Module) -> tuple[list[Figure], str]:
    """The animation: a trained classifier looks at an image, and a trained generator draws some.

    judge, generator: what `pretrained` loads for "glyphs".
    """
    alt = (
        "Animation in two rows. What does this image show? A digit turns, feature maps of a trained network light up where its"
        " strokes are, and one of ten bars is high. What could an image show? Random numbers move, feature maps of another"
        " network change, and it draws all ten digits in a style that changes with the numbers."
    )
    return [_frame(judge, generator, number) for number in range(FRAMES)], alt


def _frame(judge: Any, generator: nn.Module, number: int) -> Figure:
    figure = Figure(figsize=(WIDTH, HEIGHT))
    image = seen(number)
    with torch.no_grad():
        maps = judge.model.body[:4]((image - judge.model.mean) / judge.model.std)[0]
        p = judge(image).softmax(dim=1)[0]
    z, way, images = drawn(generator, number)
    _pixels(figure, image[0, 0], (0.15, 2.2, 1.3), "data")
    _pixels(figure, _sheet([_stretched(maps[place]) for place in SEEN_MAPS], 4), (2.15, 2.2, 2.6, 1.3), "data", SIZE_MAP)
    _pixels(figure, _sheet([_stretched(way[place]) for place in DRAWN_MAPS], 4), (2.15, 0.3, 2.6, 1.3), "generated", SIZE_MAP)
    _pixels(figure, _sheet(list(images), 5), (5.4, 0.38, 2.45, 1.0), "generated")
    _bars(figure, p.tolist(), (5.4, 2.4, 2.45, 1.1), [ROLES["data"] if value == p.max() else "#b5cfe3" for value in p], (0, 1))
    _bars(figure, z[:16].tolist(), (0.15, 0.35, 1.3, 1.15), [ROLES["latent"]] * 16, (-2.6, 2.6))
    axis = _axes(figure, (0, 0, WIDTH, HEIGHT))
    axis.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    axis.axis("off")
    see = ("an image", "8 of its 16 maps inside a trained network", "how probable each digit is")
    generate = ("random numbers", "8 maps on the way to the 7", "drawn by the network, one of each digit")
    rows = (("data", 2.0, "What does this image show?", see), ("generated", 0.1, "What could an image show?", generate))
    for role, low, heading, texts in rows:
        axis.text(0.15, low + 1.6, heading, fontsize=12, fontweight="bold", color=ROLES[role])
        for left, right in ((1.52, 2.08), (4.82, 5.36)):
            draw_arrow(axis, (left, low + 0.85), (right, low + 0.85), role)
        for place, text in zip((0.8, 3.45, 6.62), texts, strict=True):
            axis.text(place, low, text, fontsize=8.5, color="0.3", ha="center")
    return figure


def _axes(figure: Figure, place: tuple[float, float, float, float]) -> Axes:
    """Axes at a place in inches: left, bottom, width, height."""
    left, bottom, width, height = place
    return figure.add_axes((left / WIDTH, bottom / HEIGHT, width / WIDTH, height / HEIGHT))


def _bars(figure: Figure, values: list[float], place: tuple, colours: list[str], limits: tuple[float, float]) -> None:
    """Bars over a line at zero; where they are probabilities, with the digits below."""
    axis = _axes(figure, place)
    axis.bar(range(len(values)), values, color=colours)
    axis.axhline(0, color="0.6", linewidth=0.8)
    axis.set(ylim=limits, yticks=[], xticks=range(10) if limits[0] == 0 else [])
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)


def _pixels(figure: Figure, pixels: torch.Tensor, place: tuple, role: str, cmap: str = GREY_MAP) -> None:
    """Numbers from 0 to 1 as a picture, at left, bottom, width (and height) in inches; NaN is left white."""
    axis = _axes(figure, place if len(place) == 4 else (*place, place[2]))
    axis.imshow(pixels.numpy(), cmap=cmap, vmin=0, vmax=1)
    axis.set(xticks=[], yticks=[])
    for side in axis.spines.values():
        side.set(visible=True, color=ROLES[role], linewidth=1.6)


def _stretched(values: torch.Tensor) -> torch.Tensor:
    """A map from 0 at its smallest value to 1 at its largest."""
    return (values - values.min()) / (values.max() - values.min()).clamp(min=1e-6)


def _sheet(images: list[torch.Tensor], columns: int) -> torch.Tensor:
    """Images [H, W] beside and below each other, with a blank pixel between: [rows, columns]."""
    padded = [nn.functional.pad(image, (1, 1, 1, 1), value=torch.nan) for image in images]
    rows = [torch.cat(padded[start : start + columns], dim=1) for start in range(0, len(padded), columns)]
    return torch.cat(rows)[1:-1, 1:-1]


def road_map() -> tuple[bytes, str, int]:
    """The road map as a PNG, its alternative text, and its width: `show_png(*road_map())`.

    `make figures` draws it from the notebooks.
    """
    alt = "The road map: a picture from each notebook with its number and title, in the order in which they are read."
    return MAP_FILE.read_bytes(), alt, MAP_WIDTH
