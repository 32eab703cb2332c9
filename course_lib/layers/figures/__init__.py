"""The pictures of chapter 3: `show(*figures.routing(x, g))`.

Each function returns a figure, or the frames of an animation, and its alternative text.
`shape_table` and `pooled_images`, which the explorers draw, return the figure alone.
"""

from course_lib.layers.figures.learning import (
    activations,
    dropped,
    forming_filters,
    gradient_norms,
    losses,
    mistakes_shown,
)
from course_lib.layers.figures.network import feature_maps, weights_and_work
from course_lib.layers.figures.schematics import backpropagation, graph_of_batch_norm, normalised_over, routing
from course_lib.layers.figures.tables import pooled_images, shape_table
