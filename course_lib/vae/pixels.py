"""The last step of a decoder: what its numbers say of the pixels, p(x|z)."""

import math

import torch
from torch import nn

from course_lib.vae.losses import (
    bernoulli_log_likelihood,
    discretised_logistic_log_likelihood,
    gaussian_log_likelihood,
    optimal_log_variance,
)

LIKELIHOODS = ("bernoulli", "gaussian", "learned-gaussian", "optimal-gaussian", "logistic")
"""The distributions of a pixel that a model can be built with."""

FOLLOW = 0.05
"""Share of the present batch in the variance that "optimal-gaussian" keeps for evaluation."""

LEAST_LOG_SCALE = -7.0
"""Floor of the logistic's log scale, as in PixelCNN++: a quarter of a level, the standard deviation 0.0017."""


class Pixels(nn.Module):
    """p(x|z) from the numbers that a decoder returns, one for each pixel and channel, [N, C, H, W].

    Args:
        likelihood: "bernoulli": the numbers are logits. In all others they are the mean, of
            "gaussian": a normal distribution whose standard deviation is `sigma`: squared error, in a chosen unit;
            "learned-gaussian": one whose standard deviation is a parameter, one for all pixels, that starts at `sigma`;
            "optimal-gaussian": one with the variance under which the batch is most likely. It is remembered (a moving average of
            its logarithm), and evaluation mode uses what was remembered;
            "logistic": a logistic distribution over 256 levels, with a learned scale for each channel that starts at `sigma`
            and stays above a floor, 0.0017.
        sigma: in units of the pixels, which lie between 0 and 1.
        channels: of the images.

    Raises:
        ValueError: no such likelihood, or a sigma that is not positive.
    """

    def __init__(self, likelihood: str, sigma: float, channels: int) -> None:
        super().__init__()
        if likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood is {likelihood!r}: choose from {', '.join(LIKELIHOODS)}")
        if not 0 < sigma < math.inf:
            raise ValueError(f"sigma is {sigma}: a standard deviation is positive; that of pixels between 0 and 1 is at most 0.5")
        self.likelihood = likelihood
        if likelihood == "gaussian":
            self.fixed = 2 * math.log(sigma)
        elif likelihood == "learned-gaussian":
            self.log_variance = nn.Parameter(torch.tensor(2 * math.log(sigma)))
        elif likelihood == "optimal-gaussian":
            self.register_buffer("log_variance", torch.tensor(2 * math.log(sigma)))
        elif likelihood == "logistic":
            # The variance of a logistic distribution is (pi scale)^2 / 3.
            self.log_scale = nn.Parameter(torch.full((channels, 1, 1), math.log(sigma * math.sqrt(3) / math.pi)))

    def log_likelihood(self, x: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
        """log p(x|z): x in [0, 1] and parameters [N, C, H, W] -> [N], nats per image."""
        if self.likelihood == "bernoulli":
            return bernoulli_log_likelihood(x, parameters)
        if self.likelihood == "gaussian":
            return gaussian_log_likelihood(x, parameters, self.fixed)
        if self.likelihood == "learned-gaussian":
            return gaussian_log_likelihood(x, parameters, self.log_variance)
        if self.likelihood == "logistic":
            if not self.training:
                return discretised_logistic_log_likelihood(x, parameters, self.log_scale.clamp(min=LEAST_LOG_SCALE))
            # The parameter itself: at the floor a clamped copy of it has no gradient, and it would never come back.
            with torch.no_grad():
                self.log_scale.clamp_(min=LEAST_LOG_SCALE)
            return discretised_logistic_log_likelihood(x, parameters, self.log_scale)
        if not self.training:
            return gaussian_log_likelihood(x, parameters, self.log_variance)
        best = optimal_log_variance(x, parameters)
        self.log_variance.lerp_(best.detach().to(self.log_variance.dtype), FOLLOW)
        return gaussian_log_likelihood(x, parameters, best)

    def image(self, parameters: torch.Tensor) -> torch.Tensor:
        """The mean of p(x|z) as an image in [0, 1], of the same shape: what is shown. A draw from p(x|z) has noise on it."""
        return torch.sigmoid(parameters) if self.likelihood == "bernoulli" else parameters.clamp(0, 1)
