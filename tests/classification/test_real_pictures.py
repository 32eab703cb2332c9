"""The pictures of runs on real images show what they are given."""

from types import SimpleNamespace

import pytest
import torch

from course_lib.classification import CNN, ResNet
from course_lib.classification.figures import real
from course_lib.data import ImageSet
from course_lib.metrics import calibration
from course_lib.viz import png


def run(accuracy):
    epochs = [
        {"epoch": n + 1, "loss": 1 / (n + 1), "accuracy": a - 0.1, "validation_loss": 0.5, "validation_accuracy": a}
        for n, a in enumerate(accuracy)
    ]
    return SimpleNamespace(epochs=epochs)


def test_curves_have_a_line_for_each_seed():
    figure, alt = real.seed_curves([run([0.4, 0.6]), run([0.5, 0.7004])])
    loss, accuracy = figure.axes
    assert [list(line.get_ydata()) for line in loss.lines] == [[1, 0.5]] * 2 + [[0.5, 0.5]] * 2
    assert list(accuracy.lines[3].get_ydata()) == [0.5, 0.7004]
    assert len(loss.get_legend().get_texts()) == 2
    assert "40.0 % to 50.0 % are right after epoch 1, and 60.0 % to 70.1 % after epoch 2" in alt
    assert figure.get_figwidth() == 8 and png(figure)


def test_the_confusion_matrix_and_the_reliability_diagrams_are_as_wide_as_the_page():
    figure, alt = real.wide_confusion(torch.tensor([[1000, 0], [3, 20]]), ["automobile", "cat"])
    assert "cat taken for automobile, 3 times" in alt and "1,020 of 1,023 images" in alt
    assert [label.get_rotation() for label in figure.axes[0].get_xticklabels()] == [0, 0]
    assert figure.get_figwidth() == 8 and png(figure)
    result = calibration(torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.62, 0.38]]), torch.tensor([0, 0, 1]))
    figure, alt = real.wide_reliability({"as trained": result, "divided by T = 2": result})
    assert "divided by T = 2" in alt and figure.get_figwidth() == 8 and png(figure)


def test_mistakes_say_what_is_taken_for_what_and_how_surely():
    images = ImageSet(torch.zeros(4, 3, 5, 5, dtype=torch.uint8), torch.tensor([0, 1, 2, 0]), ["cat", "dog", "frog"])
    probabilities = torch.tensor([[0.0625, 0.9375, 0], [0.0003, 0, 0.9997], [0.8, 0.1, 0.1], [0.25, 0.0, 0.75]])
    figure, alt = real.surest_mistakes(images, probabilities, columns=3)
    titles = [axis.get_title() for axis in figure.axes if axis.get_visible()]
    assert titles[:2] == ["is cat\ntaken for dog\n93.7 % sure", "is dog\ntaken for frog\n99.9 % sure"] and len(titles) == 4
    assert "4 mistakes" in alt and "75.0 % or more" in alt and "frog taken for cat" in alt
    assert figure.get_figwidth() == 8 and png(figure)


@pytest.mark.parametrize("model", [CNN(1, 28, 10, widths=(18, 4), batch_norm=True), ResNet(3, 16, 10, widths=(4, 4))])
def test_filters_stand_above_what_they_make_of_an_image(model):
    model.eval()
    image = torch.rand(model.channels, model.size, model.size)
    figure, alt = real.filters_and_maps(model, image, "seven", most=4)
    kernels = next(module for module in model.modules() if isinstance(module, torch.nn.Conv2d)).weight
    drawn = [axis for axis in figure.axes if axis.get_visible()]
    assert len(drawn) == len(kernels) + 1 + 4 and f"the {len(kernels)} kernels" in alt
    assert drawn[0].images[0].get_array().shape[:2] == (3, 3)
    numbers = [int(axis.get_title()) for axis in drawn[-4:]]
    expected = model.body[:3]((image[None] - model.mean) / model.std)[0, numbers[0] - 1]
    assert torch.allclose(torch.tensor(drawn[-4].images[0].get_array().data), expected, atol=1e-6)
    assert figure.get_figwidth() == 8 and png(figure)


def test_shares_are_rounded_so_that_they_are_true():
    assert real.percent(0.99999) == "99.9 %" and real.percent(1.0) == "100.0 %" and real.percent(0.3) == "30.0 %"
    assert real.percent(0.70001, up=True) == "70.1 %"
