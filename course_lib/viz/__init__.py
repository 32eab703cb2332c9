"""Pictures shared by all chapters: a style, images side by side, showing with a text alternative, explorers."""

from course_lib.viz.curves import curves, draw_references
from course_lib.viz.explorer import Explorer
from course_lib.viz.images import draw_image, image_grid
from course_lib.viz.live import LiveFigure
from course_lib.viz.show import png, show
from course_lib.viz.style import COLOURS, GREY_MAP, LINES, SIGN_MAP, SIZE_MAP, new_figure

__all__ = [
    "COLOURS",
    "GREY_MAP",
    "LINES",
    "SIGN_MAP",
    "SIZE_MAP",
    "Explorer",
    "LiveFigure",
    "curves",
    "draw_image",
    "draw_references",
    "image_grid",
    "new_figure",
    "png",
    "show",
]
