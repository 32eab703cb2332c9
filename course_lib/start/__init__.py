"""Chapter 0: the smallest model that can both recognise and generate, and pictures of the data.

The figures are in `figures`, the interactive one in `explorers`.
"""

from course_lib.start.pixels import fit_pixels, sample_pixels
