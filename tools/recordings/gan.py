"""What `make record` runs for chapter 6: each loss on points in the plane, three seeds."""

from functools import partial

import torch

from course_lib import gan
from course_lib.gan import figures

LOSSES = {
    "minimax": {"loss": gan.minimax},
    "non-saturating": {"loss": gan.non_saturating},
    "least squares": {"loss": gan.least_squares},
    "hinge": {"loss": gan.hinge},
    "Wasserstein": {"loss": gan.wasserstein, "penalty": gan.gradient_penalty},
}
MIXTURES = {
    "ring": (partial(gan.ring, 8, radius=2.0, std=0.1), 700),
    "grid": (partial(gan.grid, 4, spacing=1.2, std=0.12), 1000),
}


def find_modes(mixture: gan.Mixture, seed: int, steps: int, **settings) -> tuple[gan.Coverage, torch.Tensor]:
    """Train on a mixture; the coverage of 2,000 points, and the points."""
    torch.manual_seed(seed)
    generator, discriminator = gan.PointGenerator(), gan.PointDiscriminator()
    batches = gan.PointBatches(mixture, 128, rng=torch.Generator().manual_seed(seed))
    settings = {"generator_lr": 2e-3, "discriminator_lr": 2e-3, "rng": torch.Generator().manual_seed(seed), **settings}
    gan.fit_gan(generator, discriminator, batches, steps=steps, **settings)
    points = gan.sample(generator, 2000, torch.Generator().manual_seed(seed))
    return gan.coverage(points, mixture.centres, mixture.std), points


def points_in_the_plane() -> tuple[dict, dict]:
    """Every loss on a ring of 8 modes and a grid of 16, the same rates for all: modes found and share of good points."""
    numbers, pictures = {}, {}
    for place, (make, steps) in MIXTURES.items():
        mixture = make()
        found = {name: [find_modes(mixture, seed, steps, **settings) for seed in range(3)] for name, settings in LOSSES.items()}
        scores = {name: [coverage for coverage, _ in runs] for name, runs in found.items()}
        clouds = {name: runs[0][1] for name, runs in found.items()}
        numbers[place] = {name: [[c.modes, c.good] for c in runs] for name, runs in scores.items()}
        pictures[place] = (
            figures.point_clouds(clouds, mixture.centres),
            f"The {place}: true modes as circles, and the points drawn with each loss.",
        )
        pictures[f"{place}-scores"] = (
            figures.coverage_scores(scores, len(mixture.centres)),
            f"The {place}: modes found and share of good points, for each loss and three seeds.",
        )
    return numbers, pictures
