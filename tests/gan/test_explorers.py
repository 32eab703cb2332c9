"""The explorer of chapter 7 follows its controls."""

import pytest
import torch

from course_lib.gan import Generator, PointGenerator, explorers
from course_lib.viz import png


def changed(explorer, **values):
    before = explorer.image.value
    for name, value in values.items():
        explorer.controls[name].value = value
    assert not explorer.error.value
    return explorer.image.value != before


def test_the_explorer_follows_every_control():
    torch.manual_seed(0)
    G = Generator(1, 16, 8, widths=(16, 8), classes=3)
    explorer = explorers.explore_latent(G, ["zero", "one", "two"])
    assert G.training  # as it was
    for name, value in (("position", 0.5), ("start", 3), ("end", 4), ("first", 2.0), ("second", -2.0), ("digit", 2)):
        assert changed(explorer, **{name: value}), name
    assert "digit" not in explorers.explore_latent(Generator(1, 16, 8, widths=(16, 8))).controls
    with pytest.raises(ValueError, match="an image must be"):
        explorers.explore_latent(PointGenerator())  # points are no images


def test_a_walk_begins_and_ends_at_its_vectors_and_its_directions_are_perpendicular():
    torch.manual_seed(0)
    G = Generator(1, 16, 8, widths=(16, 8))
    walk = explorers.Walk(G)
    first, second = walk.directions
    assert first.norm().item() == pytest.approx(1, abs=1e-5) and (first @ second).abs().item() < 1e-5
    whole = walk.images(2, 5, [0.0, 1.0])
    torch.testing.assert_close(whole[:1], walk.images(2, 3, [0.0]))
    torch.testing.assert_close(whole[1:], walk.images(5, 3, [0.0]))
    figure = explorers.directions_strip(G, steps=(-1, 0, 1))
    assert len(figure.axes) == 9 and png(figure)
