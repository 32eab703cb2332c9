"""The interactive picture of chapter 0: turn the factors of an image by hand."""

from typing import Any

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure

from course_lib.data import TYPEFACES, make_factors, render
from course_lib.start.figures import LIMITS, image_with_factors
from course_lib.viz import Explorer, course_style, image_grid, slider

PAPERS = {
    "white on black": None,
    "yellow on blue": ((0.95, 0.9, 0.3), (0.1, 0.2, 0.55)),
    "dark on pink": ((0.15, 0.1, 0.2), (0.9, 0.65, 0.7)),
}


def glyph_factors(
    paper: str = "white on black", texture: float = 0.0, neighbours: bool = False, **factors: Any
) -> dict[str, torch.Tensor]:
    """The factors of one image from the explorer's controls."""
    colours = PAPERS[paper]
    if colours is None:
        return make_factors("glyphs", **factors)
    foreground, background = colours
    return make_factors(
        "glyphs-color",
        foreground=foreground,
        background=background,
        texture=texture,
        texture_seed=1,
        neighbour_digit=(3, 8) if neighbours else (-1, -1),
        neighbour_typeface=(factors["typeface"], factors["typeface"]),
        **factors,
    )


@course_style
def render_glyph(**controls: Any) -> Figure:
    """The explorer's picture: one image, and where its factors lie in the ranges of the data."""
    return image_with_factors(glyph_factors(**controls))


def explore_glyphs() -> Explorer:
    """The explorer: every factor of an embedded image under the reader's hand.

    The limits are wider than the data's own.
    """
    faces = [(face.name, number) for number, face in enumerate(TYPEFACES)]
    controls = {
        "digit": slider("digit", 0, 9, 6),
        "typeface": widgets.Dropdown(options=faces, value=8, description="typeface"),
        "angle": slider("angle", *LIMITS["angle"], 0, 5.0),
        "height": slider("height", *LIMITS["height"], 20, 1.0),
        "shear": slider("shear", *LIMITS["shear"], 0, 0.05),
        "x": slider("x", *LIMITS["x"], 16, 1.0),
        "y": slider("y", *LIMITS["y"], 16, 1.0),
        "paper": widgets.Dropdown(options=list(PAPERS), description="paper"),
        "texture": slider("texture", 0, 1, 0.3, 0.1),
        "neighbours": widgets.Checkbox(value=True, description="neighbours"),
    }
    left = widgets.VBox([controls[name] for name in ("digit", "typeface", "height", "x", "y")])
    right = widgets.VBox([controls[name] for name in ("angle", "shear", "paper", "texture", "neighbours")])
    alt = (
        "Explorer: a digit with sliders for its typeface, angle, size, slant, place and colours; beside it, where the"
        " factors lie in the ranges of the data."
    )
    return Explorer(render_glyph, controls, alt, layout=[widgets.HBox([left, right])])


@course_style
def glyph_strip() -> tuple[Figure, str]:
    """What the explorer shows at seven settings, for readers without a kernel running, and its alternative text."""
    factors = {"digit": 6, "typeface": 8}
    settings: dict[str, dict[str, Any]] = {
        "as it starts": {},
        "angle 45": {"angle": 45},
        "angle 90": {"angle": 90},
        "shear 0.4": {"shear": 0.4},
        "height 9": {"height": 9},
        "texture": {"paper": "yellow on blue", "texture": 0.6},
        "neighbours": {"paper": "dark on pink", "neighbours": True},
    }
    images = [render(glyph_factors(**{**factors, **changed}), size=64)[0][0] for changed in settings.values()]
    alt = "The digit 6 at seven settings: upright, turned by 45 and 90 degrees, slanted, small, on texture, with neighbours."
    return image_grid(images, list(settings), columns=len(settings), inches=1.08), alt
