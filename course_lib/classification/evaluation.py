"""Judging a classifier: from logits to accuracy with its uncertainty, confusions, calibration and accuracy by factor."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn

from course_lib.data import Batches, ImageSet
from course_lib.data.arguments import check_count, check_labels
from course_lib.layers import cross_entropy, softmax
from course_lib.runtime import evaluation_mode


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model says of a set, on the CPU, and what follows from it.

    Attributes:
        logits: float32 [N, K].
        labels: int64 [N].
    """

    logits: torch.Tensor
    labels: torch.Tensor

    @property
    def probabilities(self) -> torch.Tensor:
        """p(y|x), float32 [N, K]."""
        return softmax(self.logits)

    @property
    def predicted(self) -> torch.Tensor:
        """The most probable class of each image, int64 [N]."""
        return self.logits.argmax(dim=1)

    @property
    def correct(self) -> torch.Tensor:
        """Whether each image is recognised, bool [N]."""
        return self.predicted == self.labels

    @property
    def accuracy(self) -> float:
        """Share of the images that are recognised."""
        return self.correct.double().mean().item()

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats, without label smoothing."""
        return cross_entropy(self.logits.double(), self.labels).item()

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy: see `accuracy_interval`."""
        return accuracy_interval(int(self.correct.sum()), len(self.labels))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.accuracy:.2%} right ({low:.2%} to {high:.2%}), cross-entropy {self.loss:.3f} nats"


@torch.no_grad()
def evaluate(model: nn.Module, images: ImageSet, *, batch_size: int = 500, bfloat16: bool = False) -> Evaluation:
    """Run a model over a set in evaluation mode, on the device where it lies, and leave the modes of its parts as they were.

    Args:
        model: images [N, C, H, W] in [0, 1] -> logits [N, K].
        images: with labels.
        batch_size: images at once: memory against speed, nothing else.
        bfloat16: under autocast.

    Raises:
        ValueError: no images, or labels that are no classes of the model.
    """
    parameter = next(model.parameters())
    device, dtype = parameter.device, parameter.dtype
    if len(images) == 0:
        raise ValueError("there are no images to measure: the mean over none is not defined")
    check_labels(images.labels, len(images))
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=device, channels_last=True, dtype=dtype)
    with evaluation_mode(model), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
        logits = torch.cat([model(x).float() for x, _ in batches]).cpu()
    check_labels(images.labels, len(images), logits.shape[1])
    return Evaluation(logits, images.labels)


def accuracy_interval(correct: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval for the share of right answers, when `correct` of `count` independent images were recognised.

    The values p from which the measured share lies at most z standard deviations sqrt(p (1 - p) / count) away, with z the
    normal quantile of the level. It stays inside [0, 1], also where all answers are right. It speaks of the choice of the test
    images alone: another seed of the training is another source of chance.

    Source: Wilson, Probable Inference (1927). Raises ValueError for no images, or counts that do not fit.
    """
    if count < 1 or not 0 <= correct <= count:
        raise ValueError(f"{correct} right of {count} images: it takes at least one image, and not more right than there are")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: it must lie between 0 and 1, for example 0.95")
    z = torch.special.ndtri(torch.tensor((1 + level) / 2, dtype=torch.float64)).item()
    share = correct / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, centre - half), min(1.0, centre + half)


def confusion_matrix(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """How often images of class i were taken for class j: int64 [classes, classes], row i, column j; the diagonal is right.

    predicted, labels: int64 [N]. Raises ValueError where one is no class, or their lengths differ.
    """
    if predicted.shape != labels.shape or labels.dim() != 1:
        raise ValueError(f"predicted and labels must be two [N], got {list(predicted.shape)} and {list(labels.shape)}")
    check_labels(predicted, len(predicted), classes)
    check_labels(labels, len(labels), classes)
    return torch.bincount(labels * classes + predicted, minlength=classes * classes).view(classes, classes)


class Calibration(NamedTuple):
    """What `calibration` returns: for each bin its mean confidence, its accuracy (both NaN where it is empty) and its count."""

    confidence: torch.Tensor  # float64 [bins]
    accuracy: torch.Tensor  # float64 [bins]
    count: torch.Tensor  # int64 [bins]
    expected_error: float


def calibration(probabilities: torch.Tensor, labels: torch.Tensor, bins: int = 15) -> Calibration:
    """Is the model right in 80 % of the cases in which it says 80 %?

    The images are sorted into bins of equal width by their confidence, the largest probability. `expected_error` is the mean
    over all images of |accuracy - confidence| of their bin. It is a biased estimate: with few images in a bin chance alone makes
    it larger than zero.

    Source: Pakdaman Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning (2015); by the
    largest of K probabilities: Guo et al., On Calibration of Modern Neural Networks (2017).

    probabilities: [N, K], each row summing to 1; labels: int64 [N]. Raises ValueError for logits in their place.
    """
    if len(labels) == 0:
        raise ValueError("there are no images to measure: the mean over none is not defined")
    check_labels(labels, *probabilities.shape)
    bins = check_count("bins", bins, "there must be at least one")
    sums = probabilities.sum(dim=1)
    if probabilities.min() < 0 or not torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        raise ValueError("probabilities must be at least 0 and sum to 1 in each row: apply softmax to logits first")
    confidence, predicted = probabilities.double().max(dim=1)
    correct = (predicted == labels).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    count = torch.bincount(place, minlength=bins)
    mean_confidence = torch.bincount(place, confidence, minlength=bins) / count  # 0 / 0 is NaN: nothing is known there
    accuracy = torch.bincount(place, correct, minlength=bins) / count
    gap = (accuracy - mean_confidence).abs().nan_to_num()
    return Calibration(mean_confidence, accuracy, count, (count * gap).sum().item() / len(labels))


def confident_mistakes(evaluation: Evaluation, count: int = 10) -> torch.Tensor:
    """Indices of the wrongly labelled images, the most confident first: int64 [at most count]."""
    wrong = (~evaluation.correct).nonzero().flatten()
    confidence = evaluation.probabilities[wrong].amax(dim=1)
    return wrong[confidence.argsort(descending=True)[:count]]


def accuracy_by_factor(correct: torch.Tensor, values: torch.Tensor, edges: Sequence[float] | None = None) -> list[dict]:
    """Accuracy in groups of a factor: of each whole number, or between each two edges (low <= value < high; the last closed).

    correct: bool [N], values: [N]; a value outside the edges belongs to no group. Returns a dict for each group that has images,
    in ascending order: "low" and "high" of the group, "count", "accuracy" and "interval".
    """
    if correct.shape != values.shape:
        raise ValueError(f"correct and values must be two [N], got {list(correct.shape)} and {list(values.shape)}")
    if edges is None:
        groups = [(value, value, values == value) for value in values.unique().tolist()]
    else:
        edges = list(edges)
        if len(edges) < 2 or edges != sorted(edges):
            raise ValueError(f"edges must be at least two numbers in ascending order, got {edges}")
        groups = [(low, high, (values >= low) & (values < high)) for low, high in itertools.pairwise(edges)]
        low, high, inside = groups[-1]
        groups[-1] = (low, high, inside | (values == high))
    rows = []
    for low, high, inside in groups:
        right, count = int(correct[inside].sum()), int(inside.sum())
        if count:
            interval = accuracy_interval(right, count)
            rows.append({"low": low, "high": high, "count": count, "accuracy": right / count, "interval": interval})
    return rows
