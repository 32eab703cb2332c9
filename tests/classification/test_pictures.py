"""The pictures of chapter 4 show what they are given."""

from types import SimpleNamespace

import pytest
import torch

from course_lib.classification import SGD, figures
from course_lib.recorded import recorded
from course_lib.viz import png


def record(epochs=3, validation=True):
    measured = {"validation_loss": 0.5, "validation_accuracy": 0.8} if validation else {}
    return SimpleNamespace(
        steps={"loss": [3.0 - n / 40 for n in range(60)], "learning_rate": [0.1] * 60},
        epochs=[{"epoch": n + 1, "step": 20 * (n + 1), "accuracy": n / 10, **measured} for n in range(epochs)],
    )


def test_learning_curves_show_steps_epochs_and_validation():
    loss, accuracy, rate = figures.learning_curves(record()).axes
    assert list(loss.lines[0].get_ydata()) == pytest.approx(record().steps["loss"])
    assert loss.lines[1].get_ydata()[19] == pytest.approx(sum(record().steps["loss"][:20]) / 20)
    assert list(loss.lines[2].get_xdata()) == [20, 40, 60] and list(accuracy.lines[1].get_ydata()) == [0.8] * 3
    assert list(accuracy.lines[0].get_ydata()) == [0, 0.1, 0.2] and list(rate.lines[0].get_ydata()) == [0.1] * 60
    assert len(figures.learning_curves(record(validation=False)).axes[0].lines) == 2
    assert len(figures.learning_curves(record(epochs=0)).axes[1].lines) == 1
    assert len(figures.learning_curves(record(epochs=30)).axes[1].get_xticks()) < 15


PATH = torch.tensor([[-1.3, 0.9], [0.5, -0.5], [0.01, 0.02]])
DRAWN = {
    "three_piles": figures.three_piles,
    "velocity": figures.velocity,
    "residual_block": figures.residual_block,
    "loss_curves": lambda: figures.loss_curves({"one": [2.0, 1.0, 0.5], "two": [3.0, 1.0]}, guessing=2.3, window=2),
    "distances_fall": lambda: figures.distances_fall({"one": [1.0, 0.1], "two": [1.0, 0.5]}),
    "signal_sizes": lambda: figures.signal_sizes({"one": torch.ones(2, 4), "two": 2 * torch.ones(2, 4)}),
    "momentum_paths": lambda: figures.momentum_paths((1, 10), {"without": PATH, "with momentum": PATH}),
    "descents": lambda: figures.descents(SGD, [(0.05, 0.0), (0.05, 0.5)]),
    "kernels_and_maps": lambda: figures.kernels_and_maps(
        torch.rand(3, 8, 8), torch.randn(16, 3, 5, 5), [torch.rand(16, 8, 8), torch.rand(16, 4, 4)]
    ),
    "rates_compared": lambda: figures.rates_compared(recorded("training-optimizers")),
    "starts_compared": lambda: figures.starts_compared(recorded("training-initialisation")),
    "normalisation_compared": lambda: figures.normalisation_compared(recorded("training-normalisation")),
    "depth_compared": lambda: figures.depth_compared(recorded("training-depth")),
    "augmentation_compared": lambda: figures.augmentation_compared(recorded("training-augmentation")),
    "mistakes_shown": lambda: figures.mistakes_shown(recorded("training-mistakes")),
}
MOVING = {
    "descent_race": lambda: figures.descent_race((1, 10), {"one": PATH, "two": PATH}),
    "filters_form": lambda: figures.filters_form(recorded("training-filters")),
}


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_of_training_is_drawn_and_said(name):
    figure, alt = DRAWN[name]()
    assert len(png(figure, dpi=20)) > 500
    assert alt[0].isupper() and alt.endswith(".") and len(alt.split()) >= 8, alt
    assert not any(word in alt for word in ("nan", "inf,", "{")), alt


@pytest.mark.parametrize("name", MOVING)
def test_every_animation_of_training_has_frames_of_one_size_and_is_said(name):
    frames, alt = MOVING[name]()
    assert len({tuple(frame.get_size_inches()) for frame in frames}) == 1
    assert png(frames[0], dpi=20) == png(frames[-1], dpi=20), "the still is the end"
    assert alt.startswith("Animation: ") and alt.endswith(".")


def test_paths_are_drawn_step_by_step_and_momentums_picture_shows_both_directions():
    axes = figures.momentum_paths((1, 10), {"without": PATH, "with momentum": PATH})[0].axes
    assert list(axes[0].lines[-1].get_xdata()) == pytest.approx([-1.3, 0.5, 0.01])
    assert [list(line.get_ydata()) for line in axes[2].lines] == [
        pytest.approx(PATH[:, place].abs().tolist()) for place in (0, 1)
    ]
    frames = figures.descent_race((1, 10), {"one": PATH})[0]
    assert [len(frame.axes[0].lines[1].get_xdata()) for frame in frames] == [3, 1, 2, 3]


def test_the_explorer_of_descents_follows_its_controls():
    explorer = figures.explore_descent(SGD)
    before = explorer.image.value
    for name, value in (("lr", 0.1), ("momentum", 0.5), ("curvature", 50)):
        explorer.controls[name].value = value
        assert explorer.error.value == "" and explorer.image.value != before, name
        before = explorer.image.value
    figure = figures.render_descent(SGD, lr=0.02, momentum=0.0, curvature=10)
    assert figure.axes[0].lines[-1].get_xdata()[1] == pytest.approx(-1.3 * 0.98)
    assert "= 0.20" in figure.axes[0].get_title()


def test_lines_of_seeds_leave_gaps_where_a_run_diverged():
    recording = {"rates": [0.1, 1.0], "steps": 80, "made": "today", "losses": {"SGD": [[1.0, None], [2.0, 3.0], [1.5, 2.0]]}}
    figure, alt = figures.rates_compared(recording)
    first, *_, median, _ = figure.axes[0].lines
    assert first.get_ydata()[1] != first.get_ydata()[1] and median.get_ydata()[0] == 1.5
    assert "SGD 1.50 at 0.1" in alt and "today" in figure.get_supxlabel()


def test_kernels_are_grey_where_they_are_zero_and_maps_black():
    from course_lib.classification.figures.training_filters import bright, tiles

    assert tiles(torch.zeros(2, 3, 5, 5)).unique().tolist() == [0.5]
    assert tiles(torch.randn(4, 7, 3, 3)).shape == (4, 1, 3, 3)
    maps = bright(torch.tensor([[[-1.0, 2.0]], [[0.0, 0.0]]]))
    assert maps.tolist() == [[[[0.0, 1.0]]], [[[0.0, 0.0]]]]
