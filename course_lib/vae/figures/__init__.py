"""The pictures of chapters 8 and 9."""

from course_lib.vae.figures.bound_bent import POINTS, bent_plane, climb, explore_q, fitting, opening, what_is_lost
from course_lib.vae.figures.bound_estimates import bounds, short_of, single_estimates, tightening, variance_growth
from course_lib.vae.figures.bound_images import bound_rises, broken, rows_of_images, signed_rows, turning_to_pca, water_level
from course_lib.vae.figures.bound_schematics import decomposition, dropped, two_graphs, two_terms
from course_lib.vae.figures.drawing import emerging, map_and_codes, mixture_learns, walk_the_map
from course_lib.vae.figures.drawing_latents import (
    beside_each_other,
    collapsed,
    known_factors,
    latent_costs,
    learned_priors,
    mistaken,
    price_of_a_nat,
    styles,
    surprise,
    two_ways,
)
from course_lib.vae.figures.drawing_schematics import codes_and_prior, encoder_decoder
