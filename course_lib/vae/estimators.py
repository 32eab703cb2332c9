"""Two ways to estimate the gradient of an expectation, and a function where both are known.

The question: for z ~ q = N(mean, exp(log_variance)), with independent latents, how does E_q[f(z)]
change with mean and log_variance? Each function returns one estimate for each sample, [S, Z], so
that their scatter can be measured; the estimate that a training step uses is the mean over S, and
its variance is that of one sample divided by S.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from course_lib.runtime.checks import check_count


class GradientSamples(NamedTuple):
    """Estimates of the gradient with respect to mean and log_variance, each [S, Z]."""

    mean: torch.Tensor
    log_variance: torch.Tensor


def reparameterisation_gradients(
    f: Callable[[torch.Tensor], torch.Tensor],
    mean: torch.Tensor,
    log_variance: torch.Tensor,
    samples: int,
    rng: torch.Generator | None = None,
) -> GradientSamples:
    """The gradient through the sample: z = mean + exp(log_variance / 2) eps, so d f(z) = f'(z) dz.

    eps does not depend on the parameters, and the derivative moves inside the expectation. It needs
    f'.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014), section 2.4.

    Args:
        f: differentiable, z [S, Z] -> values [S], each from its own row.
        mean: [Z].
        log_variance: [Z], in nats.
        samples: S.
        rng: of the CPU, where eps is drawn.
    """
    eps = _draw(mean, log_variance, samples, rng)
    # A copy of the parameters for each sample: its gradient is that sample's own estimate.
    means = mean.detach().expand_as(eps).clone().requires_grad_()
    log_variances = log_variance.detach().expand_as(eps).clone().requires_grad_()
    values = _values(f, means + (log_variances / 2).exp() * eps)
    return GradientSamples(*torch.autograd.grad(values.sum(), [means, log_variances]))


@torch.no_grad()
def score_function_gradients(
    f: Callable[[torch.Tensor], torch.Tensor],
    mean: torch.Tensor,
    log_variance: torch.Tensor,
    samples: int,
    rng: torch.Generator | None = None,
    baseline: float | str = 0.0,
) -> GradientSamples:
    """The gradient of the density: (f(z) - baseline) times the gradient of log q(z), the score.

    It needs values of f only, so f may be a black box, and z discrete. The score has the mean 0, so
    a baseline that does not depend on the sample changes the variance and not the mean.
    "leave-one-out" takes, for each sample, the mean of f over the S - 1 others. (The mean over
    *all* samples would bias the estimate: it depends on the sample itself.)

    Source: Williams, Simple statistical gradient-following algorithms for connectionist
    reinforcement learning (1992), known as REINFORCE; leave-one-out: Mnih and Rezende, Variational
    inference for Monte Carlo objectives (2016), section 2.5.1.

    Arguments as in `reparameterisation_gradients`, but f need not be differentiable. baseline: a
    number, or "leave-one-out", which needs two samples (ValueError).
    """
    leave_one_out = baseline == "leave-one-out"
    eps = _draw(mean, log_variance, samples, rng, least=2 if leave_one_out else 1)
    std = (log_variance / 2).exp()
    values = _values(f, mean + std * eps)
    level = (values.sum() - values) / (samples - 1) if leave_one_out else float(baseline)
    excess = (values - level)[:, None]
    # log q = -(z - mean)^2 / (2 variance) - log_variance / 2 - ..., differentiated, with eps = (z -
    # mean) / std.
    return GradientSamples(excess * eps / std, excess * (eps.square() - 1) / 2)


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

    def gradient(self, mean: torch.Tensor, log_variance: torch.Tensor) -> GradientSamples:
        """The gradient of the expectation, with respect to mean and to log_variance: each [Z]."""
        return GradientSamples(2 * self.scale * (mean - self.centre), self.scale * log_variance.exp())

    def reparameterisation_variance(self, mean: torch.Tensor, log_variance: torch.Tensor) -> GradientSamples:
        """Variance of one sample's reparameterisation gradient: each [Z], whatever the others do.

        With d = mean - centre and z = mean + std u, the samples are 2 scale (d + std u) and
        scale (d std u + variance u^2).
        """
        variance, distance = log_variance.exp(), mean - self.centre
        of_log_variance = self.scale.square() * (distance.square() * variance + 2 * variance.square())
        return GradientSamples(4 * self.scale.square() * variance, of_log_variance)

    def score_function_variance(self, mean: torch.Tensor, log_variance: torch.Tensor, baseline: float = 0.0) -> GradientSamples:
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
        return GradientSamples(of_mean, squares / 4 - C.square())


def _draw(
    mean: torch.Tensor, log_variance: torch.Tensor, samples: int, rng: torch.Generator | None, least: int = 1
) -> torch.Tensor:
    """eps, standard normal [S, Z], in the type and on the device of mean, drawn on the CPU."""
    if mean.dim() != 1 or mean.shape != log_variance.shape:
        raise ValueError(f"mean and log_variance must be two [Z], got {list(mean.shape)} and {list(log_variance.shape)}")
    samples = check_count("samples", samples, least=least)
    return torch.randn(samples, len(mean), generator=rng, dtype=mean.dtype, device="cpu").to(mean.device)


def _values(f: Callable[[torch.Tensor], torch.Tensor], z: torch.Tensor) -> torch.Tensor:
    """f(z), if it is one number for each sample."""
    values = f(z)
    if values.shape != z.shape[:1]:
        raise ValueError(f"f must return [{len(z)}], one number for each sample, got {list(values.shape)}: sum over the latents")
    return values
