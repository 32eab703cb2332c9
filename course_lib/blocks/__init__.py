"""Pieces of networks that several models share.

The residual block, layers that halve and double an image's side, and initialisation.
"""

from course_lib.blocks.initialisation import initialise
from course_lib.blocks.residual import ResidualBlock
from course_lib.blocks.resizing import Resize, doubling, halved_sides
