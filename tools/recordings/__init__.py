"""The recipes of `make record`, by name."""

from collections.abc import Callable

from tools.recordings import building_a_cnn, gan, judging, learning, real_images, training, vae

RECIPES: dict[str, Callable[[], tuple[dict, dict]]] = {
    **training.RECIPES,
    "mnist": real_images.mnist,
    "cifar10": real_images.cifar10,
    "judging-seeds": judging.seeds,
    "judging-contest": judging.contest,
    "judging-amounts": judging.amounts,
    "judging-chosen": judging.chosen,
    "learning": learning.learning,
    "building_a_cnn": building_a_cnn.building_a_cnn,
    "gan-points": gan.points_in_the_plane,
    "vae-beta": vae.beta_sweep,
    "vae-collapse": vae.collapse,
}
