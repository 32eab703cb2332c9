"""The explorer of chapter 8 follows its controls, and moves the latents that it says it moves."""

import pytest
import torch

from course_lib import data
from course_lib.vae import VAE, Autoencoder, explorers, reconstruct

IMAGES = data.load("glyphs", "test", size=16).subset(slice(0, 20))
KL = torch.tensor([0.1, 2.0, 0.0, 0.7])


def model(kind=VAE):
    return kind(1, 16, 4, widths=(4, 6), hidden=12)


@pytest.mark.parametrize("kind", [VAE, Autoencoder])
def test_an_edit_changes_one_latent_and_no_other(kind):
    network, x = model(kind), IMAGES.images[3].float() / 255
    torch.testing.assert_close(explorers.edited(network, x, {}), reconstruct(network, x[None])[0])
    z = explorers.code(network, x)
    torch.testing.assert_close(explorers.edited(network, x, {2: z[2]}), explorers.edited(network, x, {}))
    z[2] = 1.5
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(explorers.edited(network, x, {2: 1.5}), network.image(z[None])[0])
    network.train()
    explorers.edited(network, x, {0: 1.0})
    assert network.training  # as it was


def test_the_explorer_follows_every_control():
    explorer = explorers.explore_latents(model(), IMAGES, KL)
    assert list(explorer.controls) == ["number", "z1", "z2", "z3", "z4"]
    for name, value in (("number", 7), ("z1", 2.0), ("z2", -2.0), ("z4", 1.0)):
        before = explorer.image.value
        explorer.controls[name].value = value
        assert not explorer.error.value and explorer.image.value != before, name


def test_the_first_slider_moves_the_latent_with_the_largest_kl_and_each_reaches_its_ends():
    network = model()
    explorer = explorers.explore_latents(network, IMAGES, KL)
    with torch.no_grad():
        network.decoder.dense[0].weight[:, [0, 2, 3]] = 0  # only the second latent, with the largest KL, draws anything
    before = explorer.render(number=0).axes[2].images[0].get_array()
    for place in range(1, 5):
        after = explorer.render(number=0, **{f"z{place}": 3.0}).axes[2].images[0].get_array()
        assert (before != after).any() == (place == 1)
    for control in explorer.controls.values():
        for value in (control.max, control.min):
            control.value = value
            assert not explorer.error.value, explorer.error.value


def test_sliders_come_in_the_order_of_the_kl():
    network = model()
    moved = explorers.render_edit(network, IMAGES.images, [1, 3], number=2, z1=2.0).axes[2].images[0].get_array()
    x = IMAGES.images[2].float() / 255
    expected = explorers.edited(network, x, {1: explorers.code(network, x)[1] + 2.0})
    torch.testing.assert_close(torch.tensor(moved), expected[0])
