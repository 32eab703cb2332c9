"""A function for which the gradient of its expectation is known, and the scatter of its two estimators.

The question: for z ~ q = N(mean, exp(log_variance)), with independent latents, how does E_q[f(z)]
change with mean and log_variance? Through the sample, z = mean + std eps, if f has a derivative
(Kingma and Welling, Auto-Encoding Variational Bayes, 2014, section 2.4); or by the score, f(z) times
the gradient of log q(z), from values of f alone (Williams, Simple statistical gradient-following
algorithms for connectionist reinforcement learning, 1992). The estimate that a training step uses is
the mean over S samples, and its variance is that of one sample divided by S.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch


class Gradient(NamedTuple):
    """What belongs to the gradient with respect to mean, and to log_variance: each [Z]."""

    mean: torch.Tensor
    log_variance: torch.Tensor


@dataclass(frozen=True, eq=False)
class Quadratic:
    """f(z) = sum of scale_i (z_i - centre_i)^2: all of its gradients and variances are polynomials.

    E u^2 = 1, E u^4 = 3, E u^6 = 15, E u^8 = 105 of a normal u are all that they need.

    Attributes:
        scale: float [Z].
        centre: float [Z].
    """

    scale: torch.Tensor
    centre: torch.Tensor

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """f of each row: [S, Z] -> [S]."""
        return (self.scale * (z - self.centre).square()).sum(dim=-1)

    def expectation(self, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        """E_q[f] = sum of scale_i ((mean_i - centre_i)^2 + variance_i): a scalar."""
        return (self.scale * ((mean - self.centre).square() + log_variance.exp())).sum()

    def gradient(self, mean: torch.Tensor, log_variance: torch.Tensor) -> Gradient:
        """The gradient of the expectation, with respect to mean and to log_variance: each [Z]."""
        return Gradient(2 * self.scale * (mean - self.centre), self.scale * log_variance.exp())

    def reparameterisation_variance(self, mean: torch.Tensor, log_variance: torch.Tensor) -> Gradient:
        """Variance of one sample's reparameterisation gradient: each [Z], whatever the others do.

        With d = mean - centre and z = mean + std u, the samples are 2 scale (d + std u) and
        scale (d std u + variance u^2).
        """
        variance, distance = log_variance.exp(), mean - self.centre
        of_log_variance = self.scale.square() * (distance.square() * variance + 2 * variance.square())
        return Gradient(4 * self.scale.square() * variance, of_log_variance)

    def score_function_variance(self, mean: torch.Tensor, log_variance: torch.Tensor, baseline: float = 0.0) -> Gradient:
        """Variance of one sample's score-function gradient: each [Z].

        Latent i sees f - baseline = A + B u + C u^2 + R: its own part, and the scatter R of the
        others (mean 0). The samples are that times u / std and (u^2 - 1) / 2; take E of the
        squares, and subtract the squared gradient. The more latents, the larger R, and the others'
        mean in A: every latent is blamed for what all of them did.
        """
        variance, distance = log_variance.exp(), mean - self.centre
        A = self.expectation(mean, log_variance) - self.scale * variance - baseline
        B, C = 2 * self.scale * distance * variance.sqrt(), self.scale * variance
        scatter = B.square() + 2 * C.square()  # Var(B u + C u^2) of each latent
        others = scatter.sum() - scatter
        cross = B.square() + 2 * A * C
        squares = A.square() + 3 * cross + 15 * C.square() + others  # E (A + B u + C u^2 + R)^2 u^2
        of_mean = squares / variance - (2 * self.scale * distance).square()
        squares = 2 * A.square() + 10 * cross + 78 * C.square() + 2 * others  # with (u^2 - 1)^2
        return Gradient(of_mean, squares / 4 - C.square())
