"""How often a classifier is right: with what uncertainty, for which classes, where in a factor."""

import itertools
import math
from collections.abc import Sequence

import torch

from course_lib.runtime.checks import check_labels

Z = 1.959963984540054
"""The quantile of the normal distribution that leaves 95 % between -Z and Z."""


def accuracy_interval(correct: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the share of right answers, `correct` of `count` images.

    The values p from which the measured share lies at most Z standard deviations
    sqrt(p (1 - p) / count) away, if the images are independent. It stays inside [0, 1], also where
    all answers are right. It speaks of the choice of the test images alone: another seed of the
    training is another source of chance.

    Source: Wilson, Probable Inference (1927). Raises ValueError for no images, or counts that do
    not fit.
    """
    if count < 1 or not 0 <= correct <= count:
        raise ValueError(f"{correct} right of {count} images: it takes at least one image, and not more right than there are")
    share = correct / count
    centre = (share + Z * Z / (2 * count)) / (1 + Z * Z / count)
    half = Z * math.sqrt(share * (1 - share) / count + Z * Z / (4 * count * count)) / (1 + Z * Z / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def confusion_matrix(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """How often images of class i were taken for class j: int64 [classes, classes].

    Row i, column j; the diagonal is right. predicted, labels: int64 [N]. Raises ValueError where
    one of them is not a class, or their lengths differ.
    """
    check_labels(labels, len(labels), classes)
    check_labels(predicted, len(labels), classes)
    return torch.bincount(labels * classes + predicted, minlength=classes * classes).view(classes, classes)


def accuracy_by_factor(correct: torch.Tensor, values: torch.Tensor, edges: Sequence[float] | None = None) -> list[dict]:
    """Accuracy in groups of a factor: for each whole number, or between each two edges.

    A group is low <= value < high, the last one closed; a value outside the edges belongs to no
    group. correct: bool [N], values: [N]. Returns a dict for each group that has images, in
    ascending order: "low" and "high" of the group, "count", "accuracy" and "interval". Raises
    ValueError for shapes that do not fit, values that are not finite, or edges out of order.
    """
    if correct.shape != values.shape or not values.isfinite().all():
        shapes = f"{list(correct.shape)} and {list(values.shape)}"
        raise ValueError(f"correct and values must be two [N], all values finite, got {shapes}")
    if edges is None:
        bounds = [(value, value) for value in values.unique().tolist()]
    else:
        bounds = list(itertools.pairwise(edges))
        if not bounds or not all(low < high for low, high in bounds):
            raise ValueError(f"edges must be at least two numbers in ascending order, got {list(edges)}")
    rows = []
    for low, high in bounds:
        closed = high in (low, bounds[-1][1])  # a whole number alone, or the last group
        inside = (values >= low) & ((values <= high) if closed else (values < high))
        right, count = int(correct[inside].sum()), int(inside.sum())
        if count:
            interval = accuracy_interval(right, count)
            rows.append({"low": low, "high": high, "count": count, "accuracy": right / count, "interval": interval})
    return rows
