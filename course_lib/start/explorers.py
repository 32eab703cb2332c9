"""The interactive picture of chapter 0: turn the factors of an image by hand."""

import ipywidgets as widgets

from course_lib.data import TYPEFACES, make_factors, render
from course_lib.start.figures import image_with_factors
from course_lib.viz import Explorer, image_grid

PAPERS = {
    "white on black": None,
    "yellow on blue": ((0.95, 0.9, 0.3), (0.1, 0.2, 0.55)),
    "dark on pink": ((0.15, 0.1, 0.2), (0.9, 0.65, 0.7)),
}


def glyph_factors(paper="white on black", texture=0.0, neighbours=False, **factors):
    """The factors of one image from the explorer's controls: grey, or in colour with texture and neighbours."""
    if PAPERS[paper] is None:
        return make_factors("glyphs", **factors)
    foreground, background = PAPERS[paper]
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


def render_glyph(**controls):
    """The explorer's picture: one image with its mask and its factors."""
    return image_with_factors(glyph_factors(**controls))


def explore_glyphs():
    """The explorer: every factor of an embedded image under the reader's hand. The limits are wider than the data's own."""

    def number(low, high, value, step):
        return widgets.FloatSlider(value=value, min=low, max=high, step=step, continuous_update=False)

    controls = {
        "digit": widgets.IntSlider(value=4, min=0, max=9, continuous_update=False),
        "typeface": widgets.Dropdown(options=[(face.name, number) for number, face in enumerate(TYPEFACES)], value=8),
        "angle": number(-90, 90, 0, 5),
        "height": number(8, 30, 20, 1),
        "shear": number(-0.6, 0.6, 0, 0.05),
        "x": number(4, 28, 16, 1),
        "y": number(4, 28, 16, 1),
        "paper": widgets.Dropdown(options=list(PAPERS)),
        "texture": number(0, 1, 0.3, 0.1),
        "neighbours": widgets.Checkbox(value=True),
    }
    for name, control in controls.items():
        control.description = name
    left = widgets.VBox([controls[name] for name in ("digit", "typeface", "height", "x", "y")])
    right = widgets.VBox([controls[name] for name in ("angle", "shear", "paper", "texture", "neighbours")])
    alt = (
        "Explorer: a digit with sliders for its typeface, angle, size, slant and place, and its colours, with its mask beside it."
    )
    return Explorer(render_glyph, controls, alt, layout=[widgets.HBox([left, right])])


def glyph_strip():
    """What the explorer shows at six settings, for readers without a kernel running."""
    factors = {"digit": 4, "typeface": 8}
    settings = {
        "as it starts": {},
        "another typeface": {"typeface": 21},
        "angle 60": {"angle": 60},
        "shear 0.4": {"shear": 0.4},
        "texture": {"paper": "yellow on blue", "texture": 0.6},
        "neighbours": {"paper": "dark on pink", "neighbours": True},
    }
    images = [render(glyph_factors(**{**factors, **changed}), size=64)[0][0] for changed in settings.values()]
    return image_grid(images, list(settings), columns=len(settings), inches=1.4)
