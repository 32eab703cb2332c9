"""The interactive picture of chapter 5: an image turns and moves, and the probabilities follow."""

import math
from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure
from torch import nn

from course_lib.classification import figures
from course_lib.data import TYPEFACES, ImageSet, render
from course_lib.layers import softmax
from course_lib.training import evaluation_mode
from course_lib.viz import Explorer, course_style, slider

SAME = "as it is"


def moved(
    images: ImageSet,
    number: int,
    turn: float = 0.0,
    scale: float = 1.0,
    right: float = 0.0,
    down: float = 0.0,
    typeface: str = SAME,
) -> torch.Tensor:
    """One image of a set, turned, scaled and moved: float32 [C, H, W] in [0, 1].

    turn: in degrees, counter-clockwise; right, down: in pixels. An embedded image is drawn anew
    from its changed factors, so that no border comes into view, and can change its typeface. Any
    other is resampled; what comes in from outside continues the border.
    """
    if images.factors is not None:
        factors = {name: value[number : number + 1].clone() for name, value in images.factors.items()}
        pixel = 32 / images.images.shape[-1]  # factors count in pixels of a frame of 32 x 32
        for name, amount in (("angle", turn), ("x", right * pixel), ("y", down * pixel)):
            factors[name] += amount
        factors["height"] *= scale
        if typeface != SAME:
            factors["typeface"][:] = [face.name for face in TYPEFACES].index(typeface)
        return render(factors, images.images.shape[-1])[0][0].float() / 255
    image = images.pixels(slice(number, number + 1))
    H, W = image.shape[2:]
    cosine, sine = math.cos(math.radians(turn)) / scale, math.sin(math.radians(turn)) / scale
    # For each pixel of the result, where to look in the image: the inverse of the movement, in
    # coordinates from -1 to 1.
    x, y = -2 * right / W, -2 * down / H
    matrix = torch.tensor([[[cosine, -sine, cosine * x - sine * y], [sine, cosine, sine * x + cosine * y]]])
    grid = F.affine_grid(matrix, list(image.shape), align_corners=False)
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False)[0]


@course_style
@torch.no_grad()
def render_prediction(model: nn.Module, images: ImageSet, **movement: Any) -> Figure:
    """The moved image and what the model says of it -> figure. movement: arguments of `moved`."""
    device = next(model.parameters()).device
    image = moved(images, **movement)
    with evaluation_mode(model):
        probabilities = softmax(model(image[None].to(device)))[0].cpu()
    label = images.classes[images.labels[movement["number"]]]
    return figures.image_and_probabilities(image, probabilities, images.classes, f"is {label}")


def explore_predictions(model: nn.Module, images: ImageSet) -> Explorer:
    """The explorer: an image of the set, turned, scaled and moved, and its probabilities."""
    most = images.images.shape[-1] // 2
    controls = {
        "number": slider("number", 0, min(len(images), 1000) - 1, 0),
        "turn": slider("turn", -180, 180, 0, 5.0),
        "scale": slider("scale", 0.3, 2, 1, 0.05),
        "right": slider("right", -most, most, 0, 1.0),
        "down": slider("down", -most, most, 0, 1.0),
    }
    if images.factors is not None:
        faces = [SAME, *(face.name for face in TYPEFACES)]
        controls["typeface"] = widgets.Dropdown(options=faces, description="typeface")
    columns = list(controls.values())
    layout = [widgets.HBox([widgets.VBox(columns[:3]), widgets.VBox(columns[3:])])]
    alt = "Explorer: a test image with sliders to turn, scale and move it, and the model's probability of each class."
    return Explorer(lambda **values: render_prediction(model, images, **values), controls, alt, layout=layout)


@course_style
@torch.no_grad()
def prediction_strip(
    model: nn.Module, images: ImageSet, number: int, movements: Mapping[str, Mapping[str, Any]]
) -> tuple[Figure, str]:
    """What the explorer shows at several settings, side by side, and the text alternative.

    movements: arguments of `moved`, by the title of the picture.
    """
    device = next(model.parameters()).device
    pictures = torch.stack([moved(images, number, **movement) for movement in movements.values()])
    with evaluation_mode(model):
        probabilities = softmax(model(pictures.to(device))).cpu()
    labels = images.labels[number].repeat(len(pictures))
    titles = list(movements)
    return figures.predictions(pictures, probabilities, labels, images.classes, columns=len(pictures), titles=titles)
