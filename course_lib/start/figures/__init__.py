"""The pictures of chapter 0: `show(*figures.typeface_table())`.

Each function returns a figure, or the frames of an animation, and its alternative text.
`image_with_factors`, which the explorer draws, returns the figure alone.
"""

from course_lib.start.figures.directions import hero, road_map
from course_lib.start.figures.images import LIMITS, first_images, image_with_factors, typeface_table
from course_lib.start.figures.model import drawings, mistakes, theta_forms
