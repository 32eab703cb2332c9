"""The pictures of chapters 4 and 5."""

from course_lib.classification.figures.judging import (
    confusion,
    nearest,
    predictions,
    repeated_tests,
    seeds_on_sets,
    sets,
    splits,
    turning,
)
from course_lib.classification.figures.judging_confidence import before_and_after, reliability, temperature_turns
from course_lib.classification.figures.judging_factors import by_factor, by_typeface, image_and_probabilities
from course_lib.classification.figures.judging_many import amounts, best_of_many, company, contest, distances, two_models
from course_lib.classification.figures.optimizers import (
    descent_race,
    descents,
    explore_descent,
    momentum_paths,
    render_descent,
)
from course_lib.classification.figures.training import (
    augmentation_compared,
    depth_compared,
    distances_fall,
    learning_curves,
    loss_curves,
    mistakes_shown,
    normalisation_compared,
    rates_compared,
    signal_sizes,
    starts_compared,
)
from course_lib.classification.figures.training_filters import filters_form, kernels_and_maps
from course_lib.classification.figures.training_schematics import residual_block, three_piles, velocity
