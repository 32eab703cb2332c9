"""The pictures of chapters 1 and 2: `show(*figures.by_hand(x, w))`.

Each function returns a figure, or the frames of an animation, and its alternative text.
What begins with `draw` draws into an axis.
"""

from course_lib.convolution.figures.backward import met_pixels, patches_as_columns, sent_back, stamps, stamps_2d
from course_lib.convolution.figures.cells import draw_kernel, draw_numbers, draw_response, frame
from course_lib.convolution.figures.further import gains, matrix_and_transpose, receptive_fields
from course_lib.convolution.figures.learning import (
    grey_photograph,
    kernel_and_loss,
    kernel_forms,
    learned,
    losses_of_two,
    minus_surroundings,
    oriented_kernel,
    unblurring,
)
from course_lib.convolution.figures.results import (
    broken_equivariance,
    colour,
    edges_of,
    gallery,
    letters,
    noisy,
    photograph_and_edges,
    rings,
)
from course_lib.convolution.figures.schematics import by_hand, channels, dense_to_convolution, detector, settings, sliding
from course_lib.convolution.figures.transposed import checkerboards, counts, draw_counts, enlarged, enlargements
