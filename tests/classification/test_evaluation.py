"""Judging a model: what follows from its logits, in any batches, and what is refused."""

import math

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.classification import Evaluation, LinearClassifier, confident_mistakes, evaluate
from course_lib.metrics import accuracy_interval

LOGITS = torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 3], [4, 0, 0], [0, 5, 0]])
LABELS = torch.tensor([0, 1, 2, 1, 2])


def small_set(count=64):
    full = data.load("glyphs", "validation", size=12)
    return full.subset(slice(0, count))


def test_an_evaluation_says_what_follows_from_its_logits():
    result = Evaluation(LOGITS, LABELS)
    assert result.predicted.tolist() == [0, 1, 2, 0, 1] and result.correct.tolist() == [True, True, True, False, False]
    assert result.accuracy == 0.6 and result.interval == accuracy_interval(3, 5)
    assert result.loss == pytest.approx(nn.functional.cross_entropy(LOGITS, LABELS).item(), rel=1e-6)
    torch.testing.assert_close(result.probabilities, LOGITS.softmax(dim=1))
    assert confident_mistakes(result).tolist() == [4, 3] and confident_mistakes(result, 1).tolist() == [4]
    assert str(result).startswith("60.00% right (23.07% to 88.24%)")


@pytest.mark.parametrize("batch_size", [1, 7, 64, 500])
def test_evaluating_is_the_same_in_any_batches_and_leaves_the_mode(batch_size, device):
    images = small_set()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(400, 10)).to(device)
    model.train()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    result = evaluate(model, images, batch_size=batch_size)
    assert model.training and all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    expected = model.eval()(images.pixels().to(device)).detach().cpu()
    torch.testing.assert_close(result.logits, expected, rtol=1e-4, atol=1e-5)
    assert not result.logits.requires_grad and result.logits.device.type == "cpu"


def test_labels_out_of_range_and_empty_sets_are_named():
    images = small_set()
    with pytest.raises(ValueError, match=r"a label is \d, outside the classes 0 to 2"):
        evaluate(LinearClassifier(1, 12, 3), images)
    with pytest.raises(ValueError, match="there are no images"):
        evaluate(LinearClassifier(1, 12, 10), images.subset(slice(0, 0)))
    with pytest.raises(TypeError, match="labels must be int64"):
        evaluate(LinearClassifier(1, 12, 10), data.ImageSet(images.images, images.labels.int(), images.classes))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_not_taken_for_a_class(bad):
    model, images = LinearClassifier(1, 12, 10), small_set()
    nn.init.constant_(model.head.bias[3:4], bad)
    with pytest.raises(ValueError, match="a logit is not a finite number"):
        evaluate(model, images)
    assert model.training


def test_modes_are_restored_part_by_part_also_after_an_error():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 10)).train()
    model[1].eval()  # frozen by its owner
    evaluate(model, small_set())
    assert [part.training for part in model.modules()] == [True, True, False, True]
    with pytest.raises(RuntimeError):
        evaluate(model, data.load("glyphs", "validation", size=8))
    assert [part.training for part in model.modules()] == [True, True, False, True]


def test_models_in_double_precision_can_be_evaluated():
    torch.manual_seed(0)
    model = LinearClassifier(1, 12, 10)
    single = evaluate(model, small_set()).logits
    torch.testing.assert_close(evaluate(model.double(), small_set()).logits, single, rtol=1e-4, atol=1e-5)


def test_the_loss_of_a_hopeless_model_is_finite():
    assert math.isfinite(Evaluation(torch.tensor([[1000.0, -1000.0]]), torch.tensor([1])).loss)
