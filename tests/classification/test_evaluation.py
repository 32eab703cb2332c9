"""Judging: closed forms, laws, and known answers for intervals, confusions, calibration and accuracy by factor."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import nn

from course_lib import data
from course_lib.classification import (
    Calibration,
    Evaluation,
    LinearClassifier,
    accuracy_by_factor,
    accuracy_interval,
    calibration,
    confident_mistakes,
    confusion_matrix,
    evaluate,
)

LOGITS = torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 3], [4, 0, 0], [0, 5, 0]])
LABELS = torch.tensor([0, 1, 2, 1, 2])


def small_set(count=64):
    full = data.load("glyphs", "validation", size=12)
    return data.ImageSet(full.images[:count], full.labels[:count], full.classes)


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
    expected = model.eval()((images.images.float() / 255).to(device)).detach().cpu()
    torch.testing.assert_close(result.logits, expected, rtol=1e-4, atol=1e-5)
    assert not result.logits.requires_grad and result.logits.device.type == "cpu"


def test_labels_that_are_no_classes_and_empty_sets_are_named():
    images = small_set()
    with pytest.raises(ValueError, match=r"a label is \d, outside the classes 0 to 2"):
        evaluate(LinearClassifier(1, 12, 3), images)
    with pytest.raises(ValueError, match="there are no images"):
        evaluate(LinearClassifier(1, 12, 10), data.ImageSet(images.images[:0], images.labels[:0], images.classes))


@given(count=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilsons_interval_is_scipys(count, share):
    correct = round(share * count)
    low, high = accuracy_interval(correct, count)
    expected = stats.binomtest(correct, count).proportion_ci(method="wilson")
    assert low == pytest.approx(expected.low, abs=1e-9) and high == pytest.approx(expected.high, abs=1e-9)
    assert 0 <= low <= correct / count + 1e-12 and correct / count - 1e-12 <= high <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    draws = torch.distributions.Binomial(200, torch.tensor(0.9)).sample((2000,)) if torch.manual_seed(0) else None
    covered = [low <= 0.9 <= high for low, high in (accuracy_interval(int(right), 200) for right in draws)]
    assert 0.93 < sum(covered) / len(covered) < 0.97


def test_another_level_is_another_interval():
    expected = stats.binomtest(90, 100).proportion_ci(0.99, method="wilson")
    assert accuracy_interval(90, 100, level=0.99) == pytest.approx((expected.low, expected.high))


def test_modes_are_restored_part_by_part_also_after_an_error():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 10)).train()
    model[1].eval()  # frozen by its owner
    evaluate(model, small_set())
    assert [part.training for part in model.modules()] == [True, True, False, True]
    with pytest.raises(RuntimeError):
        evaluate(model, data.load("glyphs", "validation", size=8))
    assert [part.training for part in model.modules()] == [True, True, False, True]


def test_double_precision_models_and_bfloat16_can_be_evaluated():
    torch.manual_seed(0)
    model = LinearClassifier(1, 12, 10)
    single = evaluate(model, small_set()).logits
    assert not torch.equal(evaluate(model, small_set(), bfloat16=True).logits, single)
    torch.testing.assert_close(evaluate(model.double(), small_set()).logits, single, rtol=1e-4, atol=1e-5)


def test_calibration_and_factors_refuse_what_does_not_fit():
    probabilities = LOGITS.softmax(dim=1)
    with pytest.raises(ValueError, match=r"labels must have the shape \[5\]"):
        calibration(probabilities, LABELS[:1])
    with pytest.raises(ValueError, match="bins is 0"):
        calibration(probabilities, LABELS, bins=0)
    for edges in ([], [5], [5, 0]):
        with pytest.raises(ValueError, match="edges must be at least two numbers in ascending order"):
            accuracy_by_factor(torch.ones(3, dtype=torch.bool), torch.arange(3), edges)


def test_bad_counts_are_named():
    for correct, count in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"{correct} right of {count}"):
            accuracy_interval(correct, count)
    with pytest.raises(ValueError, match="level is 95"):
        accuracy_interval(1, 2, level=95)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_the_confusion_matrix_counts_every_pair(pairs):
    labels, predicted = (torch.tensor(column) for column in zip(*pairs, strict=True))
    matrix = confusion_matrix(predicted, labels, 4)
    assert all(matrix[i, j] == pairs.count((i, j)) for i in range(4) for j in range(4))
    assert torch.equal(matrix.sum(dim=1), torch.bincount(labels, minlength=4))
    assert matrix.trace() == (labels == predicted).sum()


def test_the_confusion_matrix_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match=r"a label is 4, outside the classes 0 to 3"):
        confusion_matrix(torch.tensor([4]), torch.tensor([0]), 4)
    with pytest.raises(ValueError, match=r"\[2\] and \[1\]"):
        confusion_matrix(torch.tensor([1, 1]), torch.tensor([0]), 4)


def test_calibration_of_known_cases():
    probabilities = torch.tensor([[0.9, 0.1]] * 10 + [[0.3, 0.7]] * 10)
    labels = torch.tensor([0] * 9 + [1] + [1] * 4 + [0] * 6)  # 90 % sure and 90 % right; 70 % sure and 40 % right
    result = calibration(probabilities, labels, bins=10)
    assert isinstance(result, Calibration) and result.count.sum() == 20 and result.count[7] + result.count[6] == 10
    assert result.expected_error == pytest.approx(0.5 * 0 + 0.5 * 0.3, abs=1e-6)
    assert result.confidence.isnan().sum() == 8
    certain = calibration(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert certain.count[-1] == 1 and certain.expected_error == 0


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_not():
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(torch.randn(20_000, 5, generator=generator), dim=1)
    labels = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    assert calibration(probabilities, labels).expected_error < 0.02
    sharpened = torch.softmax(3 * probabilities.log(), dim=1)
    assert calibration(sharpened, labels).expected_error > 0.2


def test_logits_are_not_taken_for_probabilities():
    with pytest.raises(ValueError, match="apply softmax"):
        calibration(LOGITS, LABELS)


def test_accuracy_by_factor():
    correct = torch.tensor([True, True, False, True, False, True])
    rows = accuracy_by_factor(correct, torch.tensor([2, 2, 2, 5, 5, 7]))
    assert [(row["low"], row["count"]) for row in rows] == [(2, 3), (5, 2), (7, 1)]
    assert rows[0]["accuracy"] == pytest.approx(2 / 3) and rows[0]["interval"] == accuracy_interval(2, 3)
    values = torch.tensor([-10.0, -1, 0, 4.9, 5, 10])
    rows = accuracy_by_factor(correct, values, edges=[-10, 0, 5, 10])
    assert [row["count"] for row in rows] == [2, 2, 2], "a value on an edge belongs above it, the last edge to the last group"
    assert sum(row["count"] * row["accuracy"] for row in rows) == pytest.approx(4)
    assert [row["low"] for row in accuracy_by_factor(correct, values, edges=[-10, 5, 10, 20, 30])] == [-10, 5, 10]
    with pytest.raises(ValueError, match=r"\[6\] and \[5\]"):
        accuracy_by_factor(correct, values[:5])


def test_the_loss_of_a_hopeless_model_is_finite():
    assert math.isfinite(Evaluation(torch.tensor([[1000.0, -1000.0]]), torch.tensor([1])).loss)
