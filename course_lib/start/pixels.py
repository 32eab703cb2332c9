"""Naive Bayes on black-and-white pixels: a probability for each pixel and class, no more."""

import torch


def fit_pixels(x: torch.Tensor, y: torch.Tensor, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Learn by counting: x of 0.0 and 1.0 [N, D], y int64 [N] -> theta [classes, D], log p(y) [classes].

    theta is the share of white for each pixel and class, after one white and one black image were
    added, so that nothing is impossible because it has not been seen yet.
    """
    counts = torch.bincount(y, minlength=classes)
    white = torch.zeros(classes, x.shape[1], dtype=x.dtype).index_add_(0, y, x)
    return (white + 1) / (counts[:, None] + 2), (counts.to(x.dtype) / len(y)).log()


def sample_pixels(
    theta: torch.Tensor, log_prior: torch.Tensor, count: int, rng: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw labels from p(y) and an image from p(x|y) for each: x of 0 and 1 [count, D], y [count]."""
    y = torch.multinomial(log_prior.exp(), count, replacement=True, generator=rng)
    return torch.bernoulli(theta[y], generator=rng), y
