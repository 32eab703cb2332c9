"""The pictures of chapter 4 show what they are given; its explorer follows its controls."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F

from course_lib import data
from course_lib.classification import CNN, explorers, figures, loss_along_line
from course_lib.data import TYPEFACES
from course_lib.metrics import accuracy_by_factor, calibration, confusion_matrix
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
    assert loss.lines[1].get_ydata()[0] == pytest.approx(sum(record().steps["loss"][:20]) / 20)
    assert list(loss.lines[2].get_xdata()) == [20, 40, 60] and list(accuracy.lines[1].get_ydata()) == [0.8] * 3
    assert list(accuracy.lines[0].get_ydata()) == [0, 0.1, 0.2] and list(rate.lines[0].get_ydata()) == [0.1] * 60
    assert len(figures.learning_curves(record(validation=False)).axes[0].lines) == 2
    assert len(figures.learning_curves(record(epochs=0)).axes[1].lines) == 1
    assert len(figures.learning_curves(record(epochs=30)).axes[1].get_xticks()) < 15


def test_descent_paths_and_scores():
    path = torch.tensor([[1.0, 1], [0.5, -0.5], [0, 0]])
    axes = figures.descent_paths((1, 10), {"one": path, "two": path}, steps=1).axes
    assert list(axes[0].lines[0].get_xdata()) == [1, 0.5] and axes[1].get_title() == "two"
    axis = figures.scores({"a": [0.1, 0.2, 0.4], "b": [0.9]}, "share", {"guessing": 0.1}).axes[0]
    assert list(axis.lines[0].get_ydata()) == [0.1, 0.2, 0.4] and axis.lines[1].get_ydata()[0] == pytest.approx(0.2)
    assert "20.0%" in [text.get_text() for text in axis.texts]


def test_the_confusion_matrix_shows_every_count():
    matrix = confusion_matrix(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 2]), 3)
    axis = figures.confusion(matrix, ["a", "b", "long name"]).axes[0]
    texts = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axis.texts}
    assert texts == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "1"}
    assert axis.images[0].get_array()[0][0] == 0, "the diagonal has no colour"


def test_reliability_leaves_out_empty_bins():
    probabilities = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.62, 0.38]])
    result = calibration(probabilities, torch.tensor([0, 0, 1]), bins=10)
    axes = figures.reliability({"one": result, "two": result}).axes
    measured = axes[0].lines[1]
    assert measured.get_xdata() == pytest.approx([0.61, 0.9]) and list(measured.get_ydata()) == [0.5, 1.0]
    assert "0.1" in axes[0].get_title() and len(axes) == 4


def test_accuracy_bars_draw_intervals_also_where_all_is_right():
    rows = accuracy_by_factor(torch.ones(40, dtype=torch.bool), torch.arange(40) % 2)
    figure = figures.accuracy_bars({"short": [("a", rows[0])], "long": [("a very long label", row) for row in rows]}, 0.9)
    assert len(figure.axes) == 2 and png(figure)


def test_predictions_mark_the_right_class():
    images = torch.zeros(3, 1, 4, 4)
    probabilities = torch.tensor([[0.7, 0.2, 0.1]] * 3)
    figure = figures.predictions(images, probabilities, torch.tensor([0, 1, 2]), ["a", "b", "c"], columns=2, most=2)
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert len(visible) == 6 and visible[0].get_title() == "is a"
    greens = [
        [bar.get_facecolor()[1] > bar.get_facecolor()[0] for bar in axis.patches] for axis in visible if len(axis.patches) == 2
    ]
    assert greens == [[True, False], [False, True], [False, False]]


@pytest.fixture(scope="module")
def glyphs():
    return data.load("glyphs", "validation", size=32).subset(slice(0, 20))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return CNN(1, 32, 10, widths=(4, 8), hidden=8)


def test_an_embedded_image_is_drawn_anew_from_changed_factors(glyphs):
    still = explorers.moved(glyphs, 3)
    assert torch.equal(still, glyphs.pixels(slice(3, 4))[0])
    right = explorers.moved(glyphs, 3, right=4)
    assert (right[:, :, 4:] - still[:, :, :-4]).abs().max() < 0.02
    down = explorers.moved(glyphs, 3, down=-3)
    assert (down[:, :-3] - still[:, 3:]).abs().max() < 0.02
    assert explorers.moved(glyphs, 3, scale=0.5).sum() < 0.4 * still.sum()
    assert not torch.equal(explorers.moved(glyphs, 3, typeface=TYPEFACES[20].name), still)
    assert torch.equal(explorers.moved(glyphs, 3), still), "the set itself is not changed"


def test_any_other_image_is_moved_the_same_way(glyphs):
    plain = data.ImageSet(glyphs.images, glyphs.labels, glyphs.classes)
    for movement in ({"right": 3}, {"down": 2}, {"turn": 30}, {"scale": 0.7}, {"turn": 20, "right": 2, "down": -3, "scale": 1.2}):
        drawn, resampled = explorers.moved(glyphs, 5, **movement), explorers.moved(plain, 5, **movement)
        if "turn" in movement or "scale" in movement:
            # About the middle of the image, and not of the digit: compared on a digit in the
            # middle.
            centred = {name: values.clone() for name, values in glyphs.factors.items()}
            centred["x"][:], centred["y"][:] = 16, 16
            images = data.render(centred)[0]
            drawn = explorers.moved(data.ImageSet(images, glyphs.labels, glyphs.classes, factors=centred), 5, **movement)
            resampled = explorers.moved(data.ImageSet(images, glyphs.labels, glyphs.classes), 5, **movement)
        assert (drawn - resampled).abs().mean() < 0.03, movement


def test_the_explorer_follows_its_controls(glyphs, model):
    explorer = explorers.explore_predictions(model, glyphs)
    before = explorer.image.value
    changes = {"number": 4, "turn": 40, "scale": 1.3, "right": 3, "down": -2, "typeface": TYPEFACES[22].name}
    for name, value in changes.items():
        explorer.controls[name].value = value
        assert explorer.error.value == "" and explorer.image.value != before, name
        before = explorer.image.value
    plain = data.ImageSet(glyphs.images, glyphs.labels, glyphs.classes)
    assert "typeface" not in explorers.explore_predictions(model, plain).controls
    strip = explorers.prediction_strip(model, plain, 2, {"as it is": {}, "turned": {"turn": 90}})
    assert [axis.get_title() for axis in strip.axes[:2]] == ["as it is", "turned"]


def test_the_loss_along_a_line_is_the_loss_at_its_ends(glyphs):
    torch.manual_seed(0)
    models = [CNN(1, 32, 10, widths=(4, 8), hidden=8, batch_norm=True) for _ in range(2)]
    start, end = (m.state_dict() for m in models)
    x, y = glyphs.pixels(), glyphs.labels
    losses = loss_along_line(models[0], start, end, x, y, [0, 0.5, 1])
    for place, model in ((0, models[0]), (2, models[1])):
        expected = F.cross_entropy(model.train()(x), y).item()
        assert losses[place] == pytest.approx(expected, rel=1e-5)
    halfway = CNN(1, 32, 10, widths=(4, 8), hidden=8, batch_norm=True)
    halfway.load_state_dict({name: (start[name] + end[name]) / 2 if "num" not in name else end[name] for name in end})
    assert losses[1] == pytest.approx(F.cross_entropy(halfway.train()(x), y).item(), rel=1e-4)


def test_the_line_has_no_chance_in_it_and_moves_no_random_state(glyphs):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(0.5), torch.nn.Linear(1024, 10))
    before = torch.get_rng_state()
    state = model.state_dict()
    losses = loss_along_line(model, state, state, glyphs.pixels(), glyphs.labels, [0, 0, 0.5])
    assert losses[0] == losses[1] == pytest.approx(losses[2]) and torch.equal(torch.get_rng_state(), before)
