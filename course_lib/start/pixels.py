"""Naive Bayes on black-and-white pixels: a probability for each pixel and class, no more."""

import torch

from course_lib.runtime.checks import check_labels


def fit_pixels(images: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """How often each pixel is white in each class.

    The maximum-likelihood estimate, smoothed by one image of each kind.

    images: bool or 0/1 [N, D], labels: int64 [N] from 0 to classes - 1 -> theta float64 [classes,
    D], strictly between 0 and 1. Raises ValueError if a class has no image, a label is not from 0
    to classes - 1, or a pixel is neither 0 nor 1; TypeError for labels of another type.
    """
    _check_black_and_white(images)
    check_labels(labels, len(images), classes)
    counts = torch.bincount(labels, minlength=classes)
    if (counts == 0).any():
        raise ValueError(f"no image of class {int((counts == 0).nonzero()[0])}: every class needs at least one")
    white = torch.zeros(classes, images.shape[1], dtype=torch.float64, device=images.device).index_add_(
        0, labels, images.double()
    )
    return (white + 1) / (counts[:, None] + 2)  # without the 1 and 2 a pixel never seen white would be impossible for ever


def log_likelihood(images: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """log p(x|y) for every image and class, in nats.

    The sum over pixels of x log theta + (1 - x) log(1 - theta).

    images: bool or 0/1 [N, D], theta: [K, D] -> float64 [N, K]. Raises ValueError if a pixel is
    neither 0 nor 1.
    """
    _check_black_and_white(images)
    x, theta = images.double(), theta.double()
    return x @ theta.log().T + (1 - x) @ (1 - theta).log().T


def _check_black_and_white(images: torch.Tensor) -> None:
    wrong = (images != 0) & (images != 1)  # also NaN
    if wrong.any():
        value = images[wrong][0].item()
        raise ValueError(f"a pixel is {value:g}: it must be 0 or 1 (images > 127 makes grey bytes black and white)")


def posterior(log_likelihoods: torch.Tensor, log_prior: torch.Tensor) -> torch.Tensor:
    """p(y|x) by Bayes' rule: [N, K], each row summing to 1.

    log_likelihoods: log p(x|y), [N, K]. log_prior: log p(y), [K].

    Computed in logarithms: the likelihood of an image of a thousand pixels is too small for any
    floating-point number.
    """
    return torch.softmax(log_likelihoods + log_prior, dim=1)


def sample_pixels(theta: torch.Tensor, labels: torch.Tensor, rng: torch.Generator | None = None) -> torch.Tensor:
    """Draw images from p(x|y), pixel by pixel: theta [K, D], labels [N] -> 0/1 float32 [N, D]."""
    return torch.bernoulli(theta[labels], generator=rng).float()
