"""What a variational autoencoder wants: the evidence lower bound (ELBO), term by term, in nats per image.

    log p(x) >= E log p(x|z) - KL(q(z|x) || p(z)),  z drawn from q(z|x) = N(mean, diag(exp(log_variance))),  p(z) = N(0, I)

The likelihoods log p(x|z) return one number for each image, [N], summed over its pixels: a mean over pixels instead would weigh
the KL as many times more as there are pixels. The KL terms keep the latents apart, [N, Z]: their sum over the last dimension is
the KL of an image. Natural logarithms; bfloat16 and float16 are computed in float32.

Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from course_lib.data.arguments import check_number, check_range

LEVELS = 256
"""Values that a channel of a pixel can have: k / 255 for k = 0 to 255."""

LEAST_LOG_VARIANCE = -12.0
"""Floor of `optimal_log_variance`: a standard deviation of 0.0025, of the order of one of the 256 levels."""


class Elbo(NamedTuple):
    """The bound and its terms, scalars, means over the images.

    objective: what is maximised, with beta and free bits. reconstruction: E log p(x|z). kl: KL(q(z|x) || p(z)), as it is: the
    bound itself is reconstruction - kl, whatever beta and free_bits were.
    """

    objective: torch.Tensor
    reconstruction: torch.Tensor
    kl: torch.Tensor


def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of every latent: [N, Z] -> [N, Z] nats; ``.sum(-1)`` is the KL of an image.

    (mean^2 + exp(log_variance) - 1 - log_variance) / 2. Source: Kingma and Welling (2014), appendix B. Raises ValueError where
    the shapes differ.
    """
    mean, log_variance = _check_pair("mean", mean, "log_variance", log_variance)
    # expm1(v) - v is exact near v = 0, where exp(v) - 1 - v would be a difference of nearly equal numbers.
    return (mean.square() + torch.expm1(log_variance) - log_variance) / 2


def gaussian_kl_sampled(z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """The same by one sample: log q(z|x) - log p(z), z [..., N, Z] drawn from q(z|x) -> [..., N, Z] nats.

    Its mean over draws of z is `gaussian_kl`; a single value can be negative. Raises ValueError where the shapes do not fit.
    """
    mean, log_variance = _check_pair("mean", mean, "log_variance", log_variance)
    z = _check_floats("z", z)
    if z.shape[z.dim() - mean.dim() :] != mean.shape:
        raise ValueError(f"z has the shape {list(z.shape)} and mean {list(mean.shape)}: z must be [..., N, Z], one row for each")
    return gaussian_log_density(z, mean, log_variance) - gaussian_log_density(z, 0.0, 0.0)


def gaussian_log_density(z: torch.Tensor, mean: torch.Tensor | float, log_variance: torch.Tensor | float) -> torch.Tensor:
    """log N(z; mean, exp(log_variance)) of every element, in nats; shapes are broadcast."""
    z = _check_floats("z", z)
    mean = torch.as_tensor(mean, dtype=z.dtype, device=z.device)
    log_variance = torch.as_tensor(log_variance, dtype=z.dtype, device=z.device)
    return -(math.log(2 * math.pi) + log_variance + (z - mean).square() * torch.exp(-log_variance)) / 2


def bernoulli_log_likelihood(x: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """log p(x|z) of pixels that are 1 with probability sigmoid(logits): x [N, ...] in [0, 1], logits [N, ...] -> [N] nats.

    x log p + (1 - x) log(1 - p), summed over the pixels. For x of 0 and 1 it is the logarithm of a probability. For grey values
    it is the usual cross-entropy, at its largest where p = x, but the logarithm of no density: its exponential does not integrate
    to 1 over x (Loaiza-Ganem and Cunningham, The continuous Bernoulli, 2019), so figures for grey, thresholded and dynamically
    binarised images must not be compared. Raises ValueError where shapes differ, or for x on the CPU outside [0, 1].
    """
    x, logits = _check_images(x, "logits", logits)
    check_range(x)
    # The cross-entropy, with softplus inside: nothing overflows and no probability is rounded to 1 before its logarithm.
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)


def gaussian_log_likelihood(x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor | float = 0.0) -> torch.Tensor:
    """log N(x; mean, exp(log_variance)), a density, summed over the pixels: x and mean [N, ...] -> [N] nats.

    log_variance: one number for all, or a tensor that broadcasts against x. With a fixed one this is squared error, in units of
    twice the variance, plus a constant: "just use the MSE" is a choice of the variance, and so of beta. Raises ValueError where
    the shapes of x and mean differ.
    """
    x, mean = _check_images(x, "mean", mean)
    log_variance = _check_broadcast("log_variance", log_variance, x)
    return gaussian_log_density(x, mean, log_variance).flatten(1).sum(dim=1)


def optimal_log_variance(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """The log of the one variance under which these images, [N, ...] all together, are most likely: that of the mean squared
    error. A scalar, at least LEAST_LOG_VARIANCE. Source: Rybkin, Daniilidis and Levine, Simple and Effective VAE Training with
    Calibrated Decoders (2021).
    """
    x, mean = _check_images(x, "mean", mean)
    return (x - mean).square().mean().clamp(min=math.exp(LEAST_LOG_VARIANCE)).log()


def optimal_gaussian_log_likelihood(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """`gaussian_log_likelihood` under `optimal_log_variance` of the batch: x and mean [N, ...] -> [N] nats.

    No variance has to be chosen, and so no beta. Its gradient by `mean` is the same whether the variance follows or is held: at
    the best variance the derivative by it is zero. Source: Rybkin et al. (2021).
    """
    return gaussian_log_likelihood(x, mean, optimal_log_variance(x, mean))


def discretised_logistic_log_likelihood(x: torch.Tensor, mean: torch.Tensor, log_scale: torch.Tensor | float) -> torch.Tensor:
    """log p(x|z) of pixels with 256 levels, k / 255: x and mean [N, ...] -> [N] nats. A probability, that sums to 1 over levels.

    A logistic distribution around `mean` with the scale exp(log_scale), both in the unit of x, is cut into 256 bins of width
    1 / 255 around the levels; the first and the last take the tails. Other values of x count as the nearest level. log_scale: a
    number, or a tensor that broadcasts against x. Source: Kingma et al., Improved Variational Inference with Inverse
    Autoregressive Flow (2016); bins and edges as in Salimans et al., PixelCNN++ (2017), equation 2. Raises ValueError
    where the shapes of x and mean differ, or for x on the CPU outside [0, 1].
    """
    x, mean = _check_images(x, "mean", mean)
    check_range(x)
    log_scale = _check_broadcast("log_scale", log_scale, x)
    level = (x * (LEVELS - 1)).round()
    scale = torch.exp(-log_scale) / (LEVELS - 1)  # width of a bin in units of the logistic's scale
    upper = (level + 0.5 - mean * (LEVELS - 1)) * scale
    lower = upper - scale
    # sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(-(u - l))): a product, where the difference would round to 0.
    below_upper = torch.where(level == LEVELS - 1, 0.0, F.logsigmoid(upper))
    above_lower = torch.where(level == 0, 0.0, F.logsigmoid(-lower))
    within = torch.where((level == 0) | (level == LEVELS - 1), 0.0, torch.log(-torch.expm1(-scale)))
    return (below_upper + above_lower + within).flatten(1).sum(dim=1)


def elbo(log_likelihood: torch.Tensor, kl: torch.Tensor, *, beta: float = 1.0, free_bits: float = 0.0) -> Elbo:
    """The bound from log p(x|z) [N] and the KL of every latent [N, Z], averaged over the images.

    objective = E log p(x|z) - beta sum_j max(free_bits, KL_j), with KL_j the mean over the images of latent j's KL.

    beta: weight of the KL; 1 is the bound. Source: Higgins et al., beta-VAE (2017), equation 4. free_bits: nats of each latent
    that cost nothing, so that the optimiser has no reason to switch a latent off. Source: Kingma et al. (2016), "free bits".
    Raises ValueError for shapes that do not fit, no images, or a beta or free_bits that is negative or not finite.
    """
    log_likelihood, kl = _check_floats("log_likelihood", log_likelihood), _check_floats("kl", kl)
    if log_likelihood.dim() != 1 or kl.dim() != 2 or len(log_likelihood) != len(kl):
        shapes = f"{list(log_likelihood.shape)} and {list(kl.shape)}"
        raise ValueError(f"log_likelihood and kl must be [N] and [N, Z], got {shapes}: leave the latents' KL unsummed")
    if len(kl) == 0:
        raise ValueError("log_likelihood is empty: the mean over no image is not defined")
    check_number("beta", beta)
    check_number("free_bits", free_bits)
    reconstruction, kl_of_latents = log_likelihood.mean(), kl.mean(dim=0)
    penalty = kl_of_latents.clamp(min=free_bits) if free_bits else kl_of_latents
    return Elbo(reconstruction - beta * penalty.sum(), reconstruction, kl_of_latents.sum())


def importance_weighted_bound(log_weights: torch.Tensor) -> torch.Tensor:
    """log (1/K) sum_k w_k from log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x): [K, N] -> [N] nats.

    In expectation at most log p(x), and not smaller for larger K; K = 1 is the ELBO. Source: Burda, Grosse and Salakhutdinov,
    Importance Weighted Autoencoders (2016), equation 8. Raises ValueError for what is not [K, N], or K = 0.
    """
    log_weights = _check_floats("log_weights", log_weights)
    if log_weights.dim() != 2 or len(log_weights) == 0:
        raise ValueError(f"log_weights must be [K, N] with K at least 1, got the shape {list(log_weights.shape)}")
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def bits_per_dimension(nats: torch.Tensor | float, dimensions: int) -> torch.Tensor | float:
    """-log p(x) of images in nats (not log p(x): the result is positive) as bits for each of their `dimensions` C H W numbers.

    It compares images of all sizes where p is a probability of 256 levels. From a density of x in [0, 1], the bits of a level
    are about 8 more. Raises ValueError for dimensions below 1.
    """
    if dimensions < 1:
        raise ValueError(f"dimensions is {dimensions}: an image has at least one, channels times height times width")
    return nats / (dimensions * math.log(2))


def _check_floats(name: str, values: torch.Tensor) -> torch.Tensor:
    """The values, in float32 at least."""
    if not values.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {values.dtype}; images become so with x.float() / 255")
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values


def _check_pair(name: str, values: torch.Tensor, other: str, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    values, others = _check_floats(name, values), _check_floats(other, others)
    if values.shape != others.shape:
        shapes = f"{list(values.shape)} and {list(others.shape)}"
        raise ValueError(f"{name} and {other} must have one shape, got {shapes}: a silent broadcast would add up the wrong terms")
    return values, others


def _check_images(x: torch.Tensor, name: str, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    x, values = _check_pair("x", x, name, values)
    if x.dim() < 2:
        raise ValueError(
            f"x has the shape {list(x.shape)}: it must be [N, ...], one row for each image; x[None] makes a batch of one"
        )
    return x, values


def _check_broadcast(name: str, values: torch.Tensor | float, x: torch.Tensor) -> torch.Tensor:
    """The values as a tensor that can stand beside x without making it larger."""
    values = torch.as_tensor(values, dtype=x.dtype, device=x.device)
    fits = values.dim() <= x.dim() and all(a in (1, b) for a, b in zip(values.shape[::-1], x.shape[::-1], strict=False))
    if not fits:
        raise ValueError(f"{name} has the shape {list(values.shape)}, and x {list(x.shape)}: it must broadcast against x")
    return values
