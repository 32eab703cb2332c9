"""The pictures of chapter 5 show what they are given; its explorer follows its controls."""

import pytest
import torch

from course_lib import data
from course_lib.classification import CNN, explorers, figures
from course_lib.data import TYPEFACES
from course_lib.exercises import judging
from course_lib.metrics import calibration, confusion_matrix
from course_lib.recorded import recorded
from course_lib.viz import animation, png

RNG = torch.Generator().manual_seed(0)
LOGITS = 2 * torch.randn(300, 10, generator=RNG)
LABELS = torch.multinomial(torch.softmax(LOGITS, dim=1), 1, generator=RNG).flatten()
CORRECT = LOGITS.argmax(dim=1) == LABELS
CLASSES = [str(digit) for digit in range(10)]
NAMES = {"validation": "validation", "test": "test", "unseen-fonts": "unseen typefaces"}


def bins():
    return judging.calibration.reference(torch.softmax(LOGITS, dim=1), LABELS, 10)


def groups(values, edges):
    return judging.accuracy_by_group.reference(CORRECT, values, edges)


def by_typeface():
    faces = torch.arange(300) % len(TYPEFACES)
    edges = torch.arange(len(TYPEFACES) + 1)
    known = groups(torch.where(faces < 19, faces, -1), edges)
    return figures.by_typeface({"test": known, "unseen typefaces": groups(torch.where(faces < 19, -1, faces), edges)}, 0.7)


PICTURES = {
    "splits": lambda: figures.splits({"training": 900, "validation": 100, "test": 100}),
    "sets": lambda: figures.sets({"test": data.load("glyphs-color", "test", size=16)}),
    "repeated_tests": lambda: figures.repeated_tests({"one": [(0.9, 1.0), (0.95, 0.96)], "two": [(1.0, 1.0)]}, 0.97),
    "seeds_on_sets": lambda: figures.seeds_on_sets(recorded("judging-seeds")["runs"], NAMES, dict.fromkeys(NAMES, (0.9, 1.0))),
    "confusion": lambda: figures.confusion(confusion_matrix(LOGITS.argmax(dim=1), LABELS, 10), CLASSES),
    "by_factor": lambda: figures.by_factor(
        {"margin": ([-4.0, 0, 4, 8], groups(LOGITS[:, 0], torch.tensor([-4.0, 0, 4, 8])))}, 0.6
    ),
    "by_typeface": by_typeface,
    "reliability": lambda: figures.reliability({"one": bins(), "two": calibration(torch.softmax(LOGITS, dim=1), LABELS)}),
    "before_and_after": lambda: figures.before_and_after(recorded("judging-seeds")["runs"], NAMES),
    "contest": lambda: figures.contest(recorded("judging-contest")["results"]),
    "amounts": lambda: figures.amounts(recorded("judging-amounts")),
    "two_models": lambda: figures.two_models(CORRECT, CORRECT.flip(0), ("one", "two")),
    "company": lambda: figures.company([2, 5, 10], {"mixed": [0.5, 0.6, 0.9], "sorted": [0.1, 0.2, 0.3]}, 0.95),
    "distances": lambda: figures.distances({"one": LOGITS.norm(dim=1), "two": torch.zeros(3)}),
    "best_of_many": lambda: figures.best_of_many(recorded("judging-chosen")),
    "nearest": lambda: figures.nearest({"by pixels": torch.rand(3, 1, 8, 8)}, ["asked", "1", "2"], columns=3),
}
MOVING = {
    "turning": lambda: figures.turning(recorded("judging-seeds")["turned"]),
    "temperature_turns": lambda: figures.temperature_turns(
        {"one": LOGITS, "two": LOGITS / 2}, {"one": LABELS, "two": LABELS}, 1.0
    ),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_figure_is_drawn_and_said_in_words(name):
    figure, alt = PICTURES[name]()
    assert 5 <= figure.get_figwidth() <= 8 or name in ("sets", "nearest", "confusion")
    assert len(alt.split()) > 7 and len(png(figure)) > 2000


@pytest.mark.parametrize("name", MOVING)
def test_every_animation_has_a_dozen_frames_of_one_size(name):
    frames, alt = MOVING[name]()
    assert len(frames) >= 12 and len({tuple(frame.get_size_inches()) for frame in frames}) == 1
    assert alt.startswith("Animation:") and animation(frames[:2])


def test_the_confusion_matrix_shows_every_count_on_light_ground():
    matrix = confusion_matrix(torch.tensor([0, 1, 1, 2]), torch.tensor([0, 0, 1, 2]), 3)
    figure, alt = figures.confusion(matrix, ["a", "b", "long name"])
    axis = figure.axes[0]
    texts = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in axis.texts}
    assert texts == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "1"}
    colours = axis.images[0].cmap(axis.images[0].norm(axis.images[0].get_array()))
    assert colours[1, 0][:3].mean() > 0.9, "no mistake is nearly white"
    assert "a taken for b, 1 times" in alt


def test_reliability_draws_the_interval_of_each_bin_and_leaves_out_empty_ones():
    probabilities = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.62, 0.38]])
    axes = figures.reliability({"one": calibration(probabilities, torch.tensor([0, 0, 1]), bins=10)})[0].axes
    points = [(*line.get_xdata(), *line.get_ydata()) for line in axes[0].lines if len(line.get_xdata()) == 1]
    assert [value for point in points for value in point] == pytest.approx([0.61, 0.5, 0.9, 1.0])
    ends = [list(line.get_ydata()) for line in axes[0].lines if len(line.get_xdata()) == 2][2::2]
    assert ends[0] == pytest.approx(judging.wilson_interval.reference(1, 2), abs=1e-4)


def test_typefaces_are_sorted_and_those_without_images_left_out():
    figure, alt = by_typeface()
    strip = figure.axes[0]
    assert len(strip.get_yticklabels()) == len(TYPEFACES)
    values = [line.get_xdata()[0] for line in figure.axes[1].lines if len(line.get_xdata()) == 1]
    assert values == sorted(values, reverse=True) and "worst" in alt


def test_intervals_beside_the_accuracy_stand_out():
    count, accuracy, low, high = torch.tensor([9, 0]), torch.tensor([0.5, 0]), torch.tensor([0.2, 0]), torch.tensor([0.8, 1])
    _, alt = figures.by_factor({"one": ([0, 1, 2], (count, accuracy, low, high))}, 0.9)
    assert "one: 1 of 1 intervals miss it" in alt
    assert "one misses it 1 times of 2" in PICTURES["repeated_tests"]()[1]


def test_predictions_mark_the_right_class():
    images, probabilities = torch.zeros(3, 1, 4, 4), torch.tensor([[0.7, 0.2, 0.1]] * 3)
    figure, alt = figures.predictions(images, probabilities, torch.tensor([0, 1, 2]), ["a", "b", "c"], columns=2, most=2)
    visible = [axis for axis in figure.axes if axis.get_visible()]
    assert len(visible) == 6 and visible[0].get_title() == "is a" and "b as a" in alt
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
    assert [axis.get_title() for axis in strip[0].axes[:2]] == ["as it is", "turned"]
