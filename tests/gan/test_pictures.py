"""The pictures of chapter 6 show what they are given, and its explorer follows its controls."""

from types import SimpleNamespace

import pytest
import torch

from course_lib.gan import Coverage, Generator, PointGenerator, explorers, figures, ring
from course_lib.viz import png

X = torch.linspace(-3, 3, 61)
HEAP = torch.exp(-(X**2) / 2) / 2.5066


def record(steps=60):
    names = ("discriminator_loss", "generator_loss", "real", "fake", "fake_after")
    return SimpleNamespace(step=steps, steps={name: [0.5 + 0.001 * n for n in range(steps)] for name in names})


def test_densities_and_half_steps_draw_the_functions():
    above, below = figures.densities(X, HEAP, HEAP.roll(5), {"best": HEAP, "learned": HEAP / 2}).axes
    assert list(above.lines[1].get_ydata()) == pytest.approx(HEAP.roll(5).tolist())
    assert [line.get_label() for line in below.lines] == ["best", "learned"]
    axes = figures.half_steps(X, HEAP, [("start", HEAP, HEAP), ("D", HEAP, 2 * HEAP), ("G", HEAP, HEAP)], columns=2).axes
    assert [axis.get_title() for axis in axes[:3]] == ["start", "D", "G"] and not axes[3].get_visible()
    assert list(axes[1].lines[0].get_ydata()) == pytest.approx((2 * HEAP).tolist())


def test_pushforward_draws_the_curve_and_where_the_points_fell():
    curve, heap = figures.pushforward(X, X**3, torch.full((100,), 2.0)).axes
    assert list(curve.lines[0].get_ydata()) == pytest.approx((X**3).tolist())
    fullest = max(heap.patches, key=lambda bar: bar.get_width())
    assert fullest.get_y() <= 2.0 <= fullest.get_y() + fullest.get_height()


def test_paths_mark_start_and_solution():
    path = torch.tensor([[1.0, 0.5], [0.5, 0.7], [0.0, 0.2]])
    one, other = figures.paths({"a": path, "b": 2 * path}, (2, 0), limit=3).axes
    assert list(one.lines[0].get_xdata()) == [1, 0.5, 0] and other.get_title() == "b"
    assert one.lines[1].get_xdata()[0] == 1 and one.lines[2].get_xdata()[0] == 2 and one.get_xlim() == (-3, 3)


def test_transport_draws_a_line_for_each_mass_that_moves():
    x, y = torch.zeros(2, 2), torch.ones(3, 2)
    plan = torch.zeros(2, 3)
    plan[0, 1], plan[1, 2] = 0.5, 0.1
    (axis,) = figures.transport(x, y, {"plan": plan}).axes
    assert len(axis.lines) == 2 and axis.lines[0].get_linewidth() > axis.lines[1].get_linewidth()


def test_point_clouds_and_scores():
    mixture = ring(4)
    clouds = {"a": mixture.centres, "b": mixture.centres[:2], "c": mixture.centres}
    axes = figures.point_clouds(clouds, mixture.centres, columns=2).axes
    assert len(axes[1].collections[1].get_offsets()) == 2 and not axes[3].get_visible()
    results = {"a": [Coverage(4, 0.9, None), Coverage(3, 0.8, None)], "b": [Coverage(1, 0.2, None)]}
    modes, good = figures.coverage_scores(results, 4).axes
    assert list(modes.lines[0].get_xdata()) == [4, 3] and list(good.lines[1].get_xdata()) == [0.2]


def test_the_record_shows_running_means_of_losses_and_probabilities():
    losses, said = figures.game_record(record(), window=10).axes
    assert losses.lines[0].get_ydata()[-1] == pytest.approx(0.5 + 0.001 * 54.5) and losses.lines[0].get_ydata()[0] == 0.5
    assert [line.get_label() for line in said.lines[:3]] == ["of real images", "of generated ones", "of the same, after its step"]
    images = torch.rand(6, 1, 8, 8)
    sheet, _ = figures.live_game(record(3), images, columns=3).axes
    assert "after 3 steps" in sheet.get_title()
    pixels = sheet.images[0].get_array()
    assert pixels.shape == (17, 26)
    torch.testing.assert_close(torch.tensor(pixels[9:17, 9:17]), images[4, 0])


def test_symptoms_stand_beside_curves():
    images = torch.rand(4, 3, 8, 8)
    *panels, axis = figures.symptoms({"right": images, "wrong": images}, {"loss": [1.0] * 20}, references={"floor": 0.5}).axes
    assert [panel.get_title() for panel in panels] == ["right", "wrong"] and panels[0].images[0].get_array().shape == (17, 17, 3)
    assert list(axis.lines[0].get_ydata()) == [1.0] * 20 and axis.lines[1].get_ydata()[0] == 0.5


def test_strips_bars_histograms_and_overlaps():
    frames = {0: torch.rand(3, 1, 8, 8), 100: torch.rand(3, 1, 8, 8)}
    axes = figures.through_training(frames).axes
    assert axes[0].get_ylabel() == "step 0" and axes[3].get_ylabel() == "step 100" and len(axes) == 6
    (axis,) = figures.bars(["a", "b"], {"real": [0.1, 0.2], "generated": [0.3, 0.4]}, references={"even": 0.5}).axes
    assert [bar.get_width() for bar in axis.patches] == pytest.approx([0.1, 0.2, 0.3, 0.4]) and len(axis.lines) == 1
    (axis,) = figures.histograms({"a": torch.zeros(10), "b": torch.ones(10)}, "value", bins=4).axes
    assert axis.patches[0].get_data().values[0] == pytest.approx(1) and axis.patches[1].get_data().values[-1] == pytest.approx(1)
    (axis,) = figures.overlaps({"counts": torch.tensor([[1.0, 2], [4, 0]])}).axes
    assert [text.get_text() for text in axis.texts] == ["1", "2", "4", "0"]


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
