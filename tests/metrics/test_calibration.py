"""Calibration against known cases, and against labels drawn from the probabilities."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.metrics import Calibration, calibration

LOGITS = torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 3], [4, 0, 0], [0, 5, 0]])
LABELS = torch.tensor([0, 1, 2, 1, 2])


def test_calibration_of_known_cases():
    probabilities = torch.tensor([[0.9, 0.1]] * 10 + [[0.3, 0.7]] * 10)
    # 90 % sure and 90 % right; 70 % sure and 40 % right.
    labels = torch.tensor([0] * 9 + [1] + [1] * 4 + [0] * 6)
    result = calibration(probabilities, labels, bins=10)
    assert isinstance(result, Calibration) and result.count.sum() == 20 and result.count[7] + result.count[6] == 10
    assert result.expected_error == pytest.approx(0.5 * 0 + 0.5 * 0.3, abs=1e-6)
    assert result.confidence.isnan().sum() == 8
    certain = calibration(torch.tensor([[1.0, 0.0]]), torch.tensor([0]))
    assert certain.count[-1] == 1 and certain.expected_error == 0


def test_a_calibrated_model_has_a_small_error_and_an_overconfident_one_not():
    rng = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(torch.randn(20_000, 5, generator=rng), dim=1)
    labels = torch.multinomial(probabilities, 1, generator=rng)[:, 0]
    assert calibration(probabilities, labels).expected_error < 0.02
    sharpened = torch.softmax(3 * probabilities.log(), dim=1)
    assert calibration(sharpened, labels).expected_error > 0.2


@given(seed=st.integers(0, 999), bins=st.integers(1, 20))
def test_the_error_is_that_of_a_loop_over_the_bins(seed, bins):
    rng = torch.Generator().manual_seed(seed)
    probabilities = torch.softmax(3 * torch.randn(60, 4, generator=rng, dtype=torch.float64), dim=1)
    labels = torch.randint(0, 4, (60,), generator=rng)
    confidence, predicted = probabilities.max(dim=1)
    expected = 0.0
    for number in range(bins):
        inside = (confidence >= number / bins) & (confidence < (number + 1) / bins)
        if inside.any():
            right = (predicted == labels)[inside].double().mean()
            expected += inside.double().mean() * (right - confidence[inside].mean()).abs()
    order = torch.randperm(60, generator=rng)
    assert calibration(probabilities, labels, bins).expected_error == pytest.approx(float(expected))
    assert calibration(probabilities[order], labels[order], bins).expected_error == pytest.approx(float(expected))


def test_logits_and_nan_are_not_taken_for_probabilities():
    probabilities = LOGITS.softmax(dim=1)
    broken, hidden = probabilities.clone(), probabilities.clone()
    broken[0, 0], hidden[0] = float("nan"), float("nan")
    for wrong in (LOGITS, broken, hidden, probabilities - 0.5, probabilities * 2):
        with pytest.raises(ValueError, match="apply softmax"):
            calibration(wrong, LABELS)


def test_what_does_not_fit_is_named():
    probabilities = LOGITS.softmax(dim=1)
    with pytest.raises(ValueError, match=r"labels must have the shape \[5\]"):
        calibration(probabilities, LABELS[:1])
    with pytest.raises(ValueError, match="a label is 3, outside the classes 0 to 2"):
        calibration(probabilities, LABELS + 1)
    with pytest.raises(ValueError, match="there are no images"):
        calibration(probabilities[:0], LABELS[:0])
    with pytest.raises(ValueError, match="bins is 0"):
        calibration(probabilities, LABELS, bins=0)
