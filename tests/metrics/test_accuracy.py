"""Accuracy against closed forms and SciPy: intervals and confusions."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from course_lib.metrics import accuracy_interval, confusion_matrix


@given(count=st.integers(1, 5000), share=st.floats(0, 1))
def test_wilsons_interval_is_scipys(count, share):
    correct = round(share * count)
    low, high = accuracy_interval(correct, count)
    expected = stats.binomtest(correct, count).proportion_ci(method="wilson")
    assert low == pytest.approx(expected.low, abs=1e-9) and high == pytest.approx(expected.high, abs=1e-9)
    assert 0 <= low <= correct / count + 1e-12 and correct / count - 1e-12 <= high <= 1


def test_the_interval_covers_the_truth_as_often_as_it_says():
    torch.manual_seed(0)
    draws = torch.distributions.Binomial(200, torch.tensor(0.9)).sample((2000,))
    covered = [low <= 0.9 <= high for low, high in (accuracy_interval(int(right), 200) for right in draws)]
    assert 0.93 < sum(covered) / len(covered) < 0.97


def test_bad_counts_are_named():
    for correct, count in ((1, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match=f"{correct} right of {count}"):
            accuracy_interval(correct, count)


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
    with pytest.raises(ValueError, match=r"shape \[1\].*got \[2\]"):
        confusion_matrix(torch.tensor([1, 1]), torch.tensor([0]), 4)
