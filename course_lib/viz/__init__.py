"""Pictures shared by all chapters.

A style, images side by side, schematics, showing with a text alternative, explorers.
"""

from course_lib.viz.curves import curves, draw_references, running_mean
from course_lib.viz.diagrams import ROLES, draw_arrow, draw_block, draw_cells, new_diagram
from course_lib.viz.explorer import Explorer, slider
from course_lib.viz.images import draw_image, image_grid, mosaic
from course_lib.viz.live import LiveFigure
from course_lib.viz.show import animation, page_width, png, show, show_animation, show_png
from course_lib.viz.style import (
    COLOURS,
    COUNT_MAP,
    DASHES,
    GREY_MAP,
    LINES,
    MARKERS,
    SIGN_MAP,
    SIZE_MAP,
    course_style,
    new_figure,
    plain,
)
