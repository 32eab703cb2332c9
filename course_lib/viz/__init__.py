"""Pictures shared by all chapters: a style, images side by side, showing with a text alternative, explorers."""

from course_lib.viz.curves import curves, draw_references, running_mean
from course_lib.viz.explorer import Explorer, slider
from course_lib.viz.images import draw_image, image_grid, mosaic
from course_lib.viz.live import LiveFigure
from course_lib.viz.show import png, show
from course_lib.viz.style import COLOURS, DASHES, GREY_MAP, LINES, MARKERS, SIGN_MAP, SIZE_MAP, new_figure

__all__ = [
    "COLOURS",
    "DASHES",
    "GREY_MAP",
    "LINES",
    "MARKERS",
    "SIGN_MAP",
    "SIZE_MAP",
    "Explorer",
    "LiveFigure",
    "curves",
    "draw_image",
    "draw_references",
    "image_grid",
    "mosaic",
    "new_figure",
    "png",
    "running_mean",
    "show",
    "slider",
]
