"""The pictures of chapter 6 show what they are given, and its explorer follows its controls."""

import pytest
import torch

from course_lib import gan
from course_lib.gan import figures
from course_lib.gan.figures.game_players import follow
from course_lib.recorded import recorded
from course_lib.viz import png

X = torch.linspace(-3, 3, 61)
HEAP = torch.exp(-(X**2) / 2) / 2.5066
RING = gan.ring(8, radius=2.0, std=0.1)


def in_turn(slopes, x, y, lr):
    x = x - lr * slopes(x, y)[0]
    return x, y + lr * slopes(x, y)[1]


def test_a_generator_on_a_line_and_the_best_discriminators():
    figure, alt = figures.flat_and_steep(X, X**3, torch.full((100,), 2.0))
    curve, heap = figure.axes
    fullest = max(heap.patches, key=lambda bar: bar.get_width())
    assert list(curve.lines[0].get_ydata()) == pytest.approx((X**3).tolist()) and "two peaks" in alt
    assert fullest.get_y() <= 2.0 <= fullest.get_y() + fullest.get_height()
    figure, alt = figures.best_discriminators(X, HEAP, HEAP.roll(5), {"best": HEAP, "learned": HEAP / 2})
    assert [line.get_label() for line in figure.axes[1].lines] == ["best", "learned"] and "best, learned" in alt


def test_the_game_on_a_line_has_a_frame_for_each_state():
    frames, _ = figures.line_game(X, HEAP, [("start", HEAP, HEAP), ("D", HEAP, 2 * HEAP)])
    assert [frame.axes[0].get_title() for frame in frames] == ["start", "D"]
    assert list(frames[1].axes[0].lines[2].get_ydata()) == pytest.approx((2 * HEAP).tolist())


def test_pushes_distances_and_iterations_draw_their_curves():
    figure, _ = figures.pushes(X, {"minimax": HEAP, "hinge": 2 * HEAP})
    assert list(figure.axes[0].lines[1].get_ydata()) == pytest.approx((2 * HEAP).tolist())
    figure, _ = figures.blind([0, 1, 2], {"JS": [0, 0.69, 0.69], "W": [0, 1, 2]})
    assert list(figure.axes[3].lines[1].get_ydata()) == [0, 1, 2]
    figure, _ = figures.iterations({"a": [1.0, 1.5, 2.0]}, {"a": 2.0})
    assert list(figure.axes[0].lines[0].get_ydata()) == pytest.approx([0.5, 0.25, 1e-7])


def test_paths_start_at_a_square_and_each_panel_is_as_large_as_its_path():
    paths = {"a": follow(in_turn, 0.3), "b": 10 * follow(in_turn, 0.3)}
    frames, alt = figures.spirals(paths, most=12)
    small, large = frames[0].axes
    assert len(frames) == 13 and large.get_xlim()[1] == pytest.approx(10 * small.get_xlim()[1]) and "a: " in alt
    figure, _ = figures.orbits(paths, (0.0, 0.0), "theta", "a")
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim()
    figure, _ = figures.momentum_paths(paths)
    assert list(figure.axes[2].lines[0].get_ydata()) == pytest.approx(paths["a"].norm(dim=1).tolist())


def test_the_explorer_follows_its_controls():
    explorer = figures.explore_players({"in turn": in_turn})
    before = explorer.image.value
    explorer.controls["pull"].value = 1.0
    assert explorer.image.value != before and not explorer.error.value
    figure, alt = figures.players_at({"in turn": in_turn}, [("in turn", 0.3, 0.0), ("in turn", 0.3, 1.0)])
    assert len(figure.axes) == 2 and "pull 1" in alt
    assert follow(in_turn, 0.3, pull=1.0)[-1].norm() < 1e-3 < follow(in_turn, 0.3)[-1].norm()


def test_schematics_and_plans():
    figure, alt = figures.the_game()
    assert "detach" in alt and any("detach" in text.get_text() for text in figure.axes[0].texts)
    plan = torch.zeros(2, 3)
    plan[0, 1], plan[1, 2] = 0.5, 0.1
    figure, _ = figures.carried(torch.zeros(2, 2), torch.ones(3, 2), {"plan": plan})
    wide, narrow = figure.axes[0].patches
    assert wide.get_linewidth() > narrow.get_linewidth()


@pytest.mark.parametrize("channels", [1, 3])
def test_images_a_hair_apart(channels):
    images = torch.rand(2, channels, 8, 8)
    figure, _ = figures.hair_apart(images, images, ("real", "with noise"))
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == ["real", "with noise"]


def test_points_that_find_the_ring():
    field = torch.zeros(len(figures.places(2.8)))
    frames = [{"step": step, "points": RING.centres[:step], "field": field, "placed": step / 10} for step in (1, 4)]
    drawn, alt = figures.finding(frames, RING.centres, RING.std, limit=2.8)
    last, first, _ = (frame.axes[0] for frame in drawn)
    assert len(last.collections[0].get_offsets()) == 4 and len(first.collections[0].get_offsets()) == 1 and "40%" in alt
    figure, _ = figures.losses_and_points([(1.4, 0.7)] * 50, {"last": RING.centres}, RING.centres, RING.std)
    assert list(figure.axes[0].lines[0].get_ydata()) == pytest.approx([1.4] * 50)
    figure, _ = figures.clouds({"a": RING.centres, "b": RING.centres[:2]}, RING.centres, RING.std, columns=2)
    assert len(figure.axes[1].collections[0].get_offsets()) == 2


def test_the_recordings_are_drawn_as_they_are():
    made, ring = recorded("gan-points"), recorded("gan-ring")
    ways = list(made["ring"]["ways"])
    for draw in (figures.ways_compared, figures.settings_matter, figures.setting_table):
        figure, alt = draw(made)
        assert all(way in alt for way in ways) or draw is figures.settings_matter
        assert len(png(figure)) > 1000
    dots = figures.ways_compared(made)[0].axes[0].lines[0]
    assert list(dots.get_xdata()) == [run[0] for run in made["ring"]["ways"][ways[0]]["judged"]]
    figure, _ = figures.momenta(ring)
    assert list(figure.axes[0].lines[0].get_xdata()) == ring["momentum"][0]["last"]
    strip = ring["mistakes"][-1]["strip"]
    figure, _ = figures.clouds({str(part["step"]): part["points"] for part in strip}, ring["centres"], ring["std"], limit=5)
    assert [axis.get_xlim() for axis in figure.axes[: len(strip)]] == [(-5, 5)] * len(strip)
    figure, alt = figures.mistakes_shown(ring)
    assert len(figure.axes) == 2 * len(ring["mistakes"]) and "detach missing" in alt
