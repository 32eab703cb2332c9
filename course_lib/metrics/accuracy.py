"""How often a classifier is right: with what uncertainty, and for which classes."""

import math

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
