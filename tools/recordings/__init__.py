"""The recipes of `make record`, by name."""

from collections.abc import Callable

from tools.recordings import (
    answers,
    building_a_cnn,
    devices,
    gan,
    gan_images,
    gan_ring,
    judging,
    learning,
    real_drawings,
    real_images,
    training,
    vae,
    vae_images,
)

RECIPES: dict[str, Callable[[], tuple[dict, dict]]] = {
    **training.RECIPES,
    "mnist": real_images.mnist,
    "cifar10": real_images.cifar10,
    **real_drawings.RECIPES,
    "judging-seeds": judging.seeds,
    "judging-contest": judging.contest,
    "judging-amounts": judging.amounts,
    "judging-chosen": judging.chosen,
    "learning": learning.learning,
    "building_a_cnn": building_a_cnn.building_a_cnn,
    "gan-points": gan.points_in_the_plane,
    "gan-ring": gan_ring.on_the_ring,
    **gan_images.RECIPES,
    "answers": answers.answers,
    "vae-beta": vae.beta_sweep,
    "vae-collapse": vae.collapse,
    **vae_images.RECIPES,
    **devices.RECIPES,
}
