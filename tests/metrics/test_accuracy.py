"""Accuracy against closed forms and SciPy: intervals, confusions, groups of a factor."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from course_lib.metrics import accuracy_by_factor, accuracy_interval, confusion_matrix


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


@given(seed=st.integers(0, 999), groups=st.integers(1, 6))
def test_groups_are_those_of_a_loop_over_the_images(seed, groups):
    rng = torch.Generator().manual_seed(seed)
    correct, values = torch.rand(50, generator=rng) < 0.7, torch.rand(50, generator=rng).mul(12).round() / 2
    edges = torch.linspace(1, 5, groups + 1).tolist()
    order = torch.randperm(50, generator=rng)
    rows = accuracy_by_factor(correct, values, edges)
    assert rows == accuracy_by_factor(correct[order], values[order], edges), "the order of the images counts for nothing"
    for low, high in itertools.pairwise(edges):
        inside = [n for n in range(50) if low <= values[n] < high or (high == edges[-1] and values[n] == high)]
        found = [row for row in rows if row["low"] == low]
        assert sum(row["count"] for row in found) == len(inside)
        assert sum(row["count"] * row["accuracy"] for row in found) == pytest.approx(sum(correct[n] for n in inside))


def test_what_does_not_fit_a_factor_is_named():
    correct, values = torch.ones(3, dtype=torch.bool), torch.arange(3)
    with pytest.raises(ValueError, match=r"\[3\] and \[2\]"):
        accuracy_by_factor(correct, values[:2])
    with pytest.raises(ValueError, match="all values finite"):
        accuracy_by_factor(correct, values / 0)
    for edges in ([], [5], [5, 0], [0, 0], [0, float("nan"), 1]):
        with pytest.raises(ValueError, match="edges must be at least two numbers in ascending order"):
            accuracy_by_factor(correct, values, edges)
