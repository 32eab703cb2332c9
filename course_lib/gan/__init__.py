"""Chapters 6 and 7: two networks play against each other: one draws, the other tells it from real.

`models` are the players, `losses` and `slope` what they want, and `training` the game.
`divergences`, `games` and `mixtures` are where the truth is known and every claim about the game
can be checked.
"""

from course_lib.gan.divergences import (
    Transport,
    earth_movers_distance,
    jensen_shannon,
    optimal_discriminator,
    optimal_transport,
    value,
)
from course_lib.gan.games import alternating, extragradient, simultaneous
from course_lib.gan.latent import draw, interpolate, sample
from course_lib.gan.losses import hinge, least_squares, minimax, non_saturating, wasserstein
from course_lib.gan.mixtures import Coverage, Mixture, PointBatches, coverage, grid, ring
from course_lib.gan.models import Discriminator, Generator, PointDiscriminator, PointGenerator
from course_lib.gan.slope import gradient_penalty, r1_penalty, spectral_norm
from course_lib.gan.training import discriminator_step, fit_gan, generator_step
