"""Whether a classifier's confidence can be believed."""

from dataclasses import dataclass

import torch

from course_lib.runtime.checks import check_count, check_labels


@dataclass(frozen=True, eq=False)
class Calibration:
    """What `calibration` returns, for each bin.

    Attributes:
        confidence: mean of the images in the bin, float64 [bins]; NaN where there are none.
        accuracy: share of them that is right, float64 [bins]; NaN where there are none.
        count: how many they are, int64 [bins].
        expected_error: mean over all images of |accuracy - confidence| of their bin.
    """

    confidence: torch.Tensor
    accuracy: torch.Tensor
    count: torch.Tensor
    expected_error: float


def calibration(probabilities: torch.Tensor, labels: torch.Tensor, bins: int = 15) -> Calibration:
    """Is the model right in 80 % of the cases in which it says 80 %?

    The images are sorted into bins of equal width by their confidence, the largest probability.
    The expected error is a biased estimate: with few images in a bin chance alone makes it larger
    than zero.

    Source: Pakdaman Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using
    Bayesian Binning (2015); by the largest of K probabilities: Guo et al., On Calibration of Modern
    Neural Networks (2017).

    probabilities: [N, K], each row summing to 1; labels: int64 [N]. Raises ValueError for no
    images, labels that are not classes, and logits or NaN in place of probabilities.
    """
    if len(labels) == 0:
        raise ValueError("there are no images to measure: the mean over none is not defined")
    check_labels(labels, *probabilities.shape)
    bins = check_count("bins", bins)
    sums = probabilities.sum(dim=1)
    # Both are false for NaN.
    if not ((probabilities >= 0).all() and torch.allclose(sums, torch.ones_like(sums), atol=1e-3)):
        raise ValueError("probabilities must be at least 0 and sum to 1 in each row: apply softmax to logits first")
    confidence, predicted = probabilities.double().max(dim=1)
    correct = (predicted == labels).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    count = torch.bincount(place, minlength=bins)
    # 0 / 0 is NaN: nothing is known of an empty bin.
    mean_confidence = torch.bincount(place, confidence, minlength=bins) / count
    accuracy = torch.bincount(place, correct, minlength=bins) / count
    gap = (accuracy - mean_confidence).abs().nan_to_num()
    return Calibration(mean_confidence, accuracy, count, (count * gap).sum().item() / len(labels))
