"""The last step of a decoder: what its numbers say of the pixels, p(x|z).

Each class has one signature, that of `Likelihood`. What is shown is the mean of p(x|z): a draw has
noise on it. sigma is a standard deviation in units of the pixels, which lie in [0, 1].
"""

import math

import torch
from torch import nn

from course_lib.runtime.checks import check_choice
from course_lib.vae.losses import (
    bernoulli_log_likelihood,
    discretised_logistic_log_likelihood,
    gaussian_log_likelihood,
    optimal_log_variance,
)

# Share of the present batch in the variance that `OptimalGaussian` keeps for evaluation.
FOLLOW = 0.05

# Floor of the logistic's log scale, as in PixelCNN++: a quarter of a level, the standard deviation
# 0.0017.
LEAST_LOG_SCALE = -7.0


class Likelihood(nn.Module):
    """p(x|z) of the pixels; a subclass says how likely their values are."""

    def __init__(self, channels: int, sigma: float) -> None:
        super().__init__()

    def log_prob(self, x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """log p(x|z): x in [0, 1] and decoded, both [N, C, H, W] -> [N], nats per image."""
        raise NotImplementedError

    def mean(self, decoded: torch.Tensor) -> torch.Tensor:
        """The mean of p(x|z), cut to [0, 1], as an image of the same shape: what is shown."""
        return decoded.clamp(0, 1)


class Bernoulli(Likelihood):
    """Pixels that are white with probability sigmoid(decoded): logits. It has no sigma."""

    def log_prob(self, x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """The cross-entropy with its sign turned, [N]."""
        return bernoulli_log_likelihood(x, decoded)

    def mean(self, decoded: torch.Tensor) -> torch.Tensor:
        """The probability of white."""
        return torch.sigmoid(decoded)


class Gaussian(Likelihood):
    """Normal pixels around `decoded`, with the standard deviation sigma: squared error."""

    def __init__(self, channels: int, sigma: float) -> None:
        super().__init__(channels, sigma)
        self.log_variance = 2 * math.log(sigma)

    def log_prob(self, x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """A density, [N]."""
        return gaussian_log_likelihood(x, decoded, self.log_variance)


class OptimalGaussian(Likelihood):
    """Normal pixels with the variance under which the batch is most likely.

    It is remembered (a moving average of its logarithm, from sigma on), and evaluation mode uses
    what was remembered.
    """

    log_variance: torch.Tensor

    def __init__(self, channels: int, sigma: float) -> None:
        super().__init__(channels, sigma)
        self.register_buffer("log_variance", torch.tensor(2 * math.log(sigma)))

    def log_prob(self, x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """A density, [N]."""
        if not self.training:
            return gaussian_log_likelihood(x, decoded, self.log_variance)
        best = optimal_log_variance(x, decoded)
        self.log_variance.lerp_(best.detach().to(self.log_variance.dtype), FOLLOW)
        return gaussian_log_likelihood(x, decoded, best)


class Logistic(Likelihood):
    """Logistic pixels, cut into 256 levels, with a learned scale for each channel.

    The scale starts at sigma and stays above a floor, a standard deviation of 0.0017.
    """

    def __init__(self, channels: int, sigma: float) -> None:
        super().__init__(channels, sigma)
        # The variance of a logistic distribution is (pi scale)^2 / 3.
        log_scale = math.log(sigma * math.sqrt(3) / math.pi)
        self.log_scale = nn.Parameter(torch.full((channels, 1, 1), log_scale))

    def log_prob(self, x: torch.Tensor, decoded: torch.Tensor) -> torch.Tensor:
        """A probability of the levels, [N]."""
        # The parameter itself: at the floor a clamped copy of it has no gradient, and it would
        # never come back.
        with torch.no_grad():
            self.log_scale.clamp_(min=LEAST_LOG_SCALE)
        return discretised_logistic_log_likelihood(x, decoded, self.log_scale)


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
    "optimal-gaussian": OptimalGaussian,
    "logistic": Logistic,
}


def make_likelihood(name: str, channels: int, sigma: float) -> Likelihood:
    """The likelihood of this name. ValueError for an unknown one, or no positive sigma."""
    check_choice("likelihood", name, tuple(LIKELIHOODS))
    if not 0 < sigma < math.inf:
        raise ValueError(f"sigma is {sigma}: a standard deviation is positive; that of pixels between 0 and 1 is at most 0.5")
    return LIKELIHOODS[name](channels, sigma)
