"""Chapter 4: two networks that play against each other, one drawing images, the other telling them from real ones.

`models` and `points` are the players, `losses` and `penalties` what they want. `divergences`, `games` and `mixtures` are where
the truth is known and every claim about the game can be checked; `frechet` measures images.
"""

from course_lib.gan.augmentation import DifferentiableAugment, brightness, cutout, translation
from course_lib.gan.divergences import earth_movers_distance, jensen_shannon, optimal_discriminator, value
from course_lib.gan.frechet import feature_statistics, frechet_distance
from course_lib.gan.games import alternating, averaged, extragradient, simultaneous
from course_lib.gan.latent import interpolate
from course_lib.gan.losses import hinge, least_squares, minimax, non_saturating, wasserstein
from course_lib.gan.mixtures import Coverage, Mixture, PointBatches, coverage, grid, ring
from course_lib.gan.models import Discriminator, Generator, initialise
from course_lib.gan.penalties import gradient_penalty, r1_penalty
from course_lib.gan.points import PointDiscriminator, PointGenerator
from course_lib.gan.pretrained import Pretrained, load_generator
from course_lib.gan.sampling import draw, sample
from course_lib.gan.spectral_norm import spectral_norm
from course_lib.gan.training import discriminator_step, fit_gan, follow, generator_step
from course_lib.gan.transport import Transport, optimal_transport

__all__ = [
    "Coverage",
    "DifferentiableAugment",
    "Discriminator",
    "Generator",
    "Mixture",
    "PointBatches",
    "PointDiscriminator",
    "PointGenerator",
    "Pretrained",
    "Transport",
    "alternating",
    "averaged",
    "brightness",
    "coverage",
    "cutout",
    "discriminator_step",
    "draw",
    "earth_movers_distance",
    "extragradient",
    "feature_statistics",
    "fit_gan",
    "follow",
    "frechet_distance",
    "generator_step",
    "gradient_penalty",
    "grid",
    "hinge",
    "initialise",
    "interpolate",
    "jensen_shannon",
    "least_squares",
    "load_generator",
    "minimax",
    "non_saturating",
    "optimal_discriminator",
    "optimal_transport",
    "r1_penalty",
    "ring",
    "sample",
    "simultaneous",
    "spectral_norm",
    "translation",
    "value",
    "wasserstein",
]
