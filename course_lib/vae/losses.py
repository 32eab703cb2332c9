"""What a variational autoencoder wants: the evidence lower bound (ELBO), term by term.

    log p(x) >= E log p(x|z) - KL(q(z|x) || p(z)),  z drawn from q(z|x) = N(mean,
    diag(exp(log_variance))), and p(z) = N(0, I)

The likelihoods log p(x|z) return one number for each image, [N], summed over its pixels: a mean
over pixels instead would weigh the KL as many times more as there are pixels. The KL terms keep the
latents apart, [N, Z]: their sum over the last dimension is the KL of an image. Natural logarithms;
bfloat16 and float16 are computed in float32.

These functions stand in every training step, so they check shapes and read no values: images must
lie in [0, 1], as `Batches` makes them. Of pixels from 0 to 255 a likelihood is a number without a
meaning.

Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

# Values that a channel of a pixel can have: k / 255 for k = 0 to 255.
LEVELS = 256

# Floor of `optimal_log_variance`: a standard deviation of 0.0025, of the order of one of the 256
# levels.
LEAST_LOG_VARIANCE = -12.0


class Elbo(NamedTuple):
    """The bound and its terms, scalars, means over the images.

    objective: what is maximised, with beta and free bits. reconstruction: E log p(x|z). kl:
    KL(q(z|x) || p(z)), as it is: the bound itself is reconstruction - kl, whatever beta and
    free_bits were.
    """

    objective: torch.Tensor
    reconstruction: torch.Tensor
    kl: torch.Tensor


def gaussian_kl(mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of every latent: [N, Z] -> [N, Z] nats.

    (mean^2 + exp(log_variance) - 1 - log_variance) / 2; ``.sum(-1)`` is the KL of an image. Source:
    Kingma and Welling (2014), appendix B. Raises ValueError where the shapes differ.
    """
    mean, log_variance = _check_pair("mean", mean, "log_variance", log_variance)
    # expm1(v) - v is exact near v = 0, where exp(v) - 1 - v would be a difference of nearly equal
    # numbers.
    return (mean.square() + torch.expm1(log_variance) - log_variance) / 2


def gaussian_kl_sampled(z: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
    """The same by one sample: log q(z|x) - log p(z), z [..., N, Z] from q(z|x) -> [..., N, Z].

    In nats; its mean over draws of z is `gaussian_kl`; a single value can be negative. Raises
    ValueError where the shapes do not fit.
    """
    mean, log_variance = _check_pair("mean", mean, "log_variance", log_variance)
    if z.shape[-mean.dim() :] != mean.shape:
        raise ValueError(f"z has the shape {list(z.shape)} and mean {list(mean.shape)}: z must be [..., N, Z], one row for each")
    return gaussian_log_density(z, mean, log_variance) - gaussian_log_density(z, 0.0, 0.0)


def gaussian_log_density(z: torch.Tensor, mean: torch.Tensor | float, log_variance: torch.Tensor | float) -> torch.Tensor:
    """log N(z; mean, exp(log_variance)) of every element, in nats; shapes are broadcast."""
    log_variance = torch.as_tensor(log_variance, dtype=z.dtype, device=z.device)
    return -(math.log(2 * math.pi) + log_variance + (z - mean).square() * torch.exp(-log_variance)) / 2


def bernoulli_log_likelihood(x: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """log p(x|z) of pixels that are 1 with probability sigmoid(logits): [N, ...] -> [N] nats.

    x log p + (1 - x) log(1 - p), summed over the pixels; x lies in [0, 1]. For x of 0 and 1 it is
    the logarithm of a probability. For grey values it is the usual cross-entropy, at its largest
    where p = x, but the logarithm of no density: its exponential does not integrate to 1 over x
    (Loaiza-Ganem and Cunningham, The continuous Bernoulli, 2019), so figures for grey, thresholded
    and dynamically binarised images must not be compared. Raises ValueError where the shapes
    differ.
    """
    x, logits = _check_pair("x", x, "logits", logits)
    # The cross-entropy, with softplus inside: nothing overflows, and no probability is rounded to 1
    # before its logarithm.
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)


def gaussian_log_likelihood(x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor | float = 0.0) -> torch.Tensor:
    """log N(x; mean, exp(log_variance)), a density: x and mean [N, ...] -> [N] nats.

    Summed over the pixels. log_variance: one number for all, or a tensor that broadcasts against x.
    With a fixed one this is squared error, in units of twice the variance, plus a constant: "just
    use the MSE" is a choice of the variance, and so of beta. Raises ValueError where the shapes of
    x and mean differ.
    """
    x, mean = _check_pair("x", x, "mean", mean)
    return gaussian_log_density(x, mean, log_variance).flatten(1).sum(dim=1)


def optimal_log_variance(x: torch.Tensor, mean: torch.Tensor) -> torch.Tensor:
    """The log of the one variance under which images x and mean [N, ...] are most likely: a scalar.

    It is that of the mean squared error, and at least LEAST_LOG_VARIANCE. The gradient of the
    likelihood by `mean` is the same whether this variance follows or is held: at the best variance
    the derivative by it is zero. Source: Rybkin, Daniilidis and Levine, Simple and Effective VAE
    Training with Calibrated Decoders (2021). Raises ValueError where the shapes differ.
    """
    x, mean = _check_pair("x", x, "mean", mean)
    return (x - mean).square().mean().clamp(min=math.exp(LEAST_LOG_VARIANCE)).log()


def discretised_logistic_log_likelihood(x: torch.Tensor, mean: torch.Tensor, log_scale: torch.Tensor | float) -> torch.Tensor:
    """log p(x|z) of pixels with 256 levels, k / 255: x and mean [N, ...] -> [N] nats.

    A probability, that sums to 1 over the levels. A logistic distribution around `mean` with the
    scale exp(log_scale), both in the unit of x, is cut into 256 bins of width 1 / 255 around the
    levels; the first and the last take the tails. Other values of x in [0, 1] count as the nearest
    level. log_scale: a number, or a tensor that broadcasts against x. Source: Kingma et al.,
    Improved Variational Inference with Inverse Autoregressive Flow (2016); bins and edges as in
    Salimans et al., PixelCNN++ (2017), equation 2. Raises ValueError where the shapes of x and mean
    differ.
    """
    x, mean = _check_pair("x", x, "mean", mean)
    level = (x * (LEVELS - 1)).round()
    # Width of a bin in units of the logistic's scale.
    width = torch.exp(-torch.as_tensor(log_scale, dtype=x.dtype, device=x.device)) / (LEVELS - 1)
    upper = (level + 0.5 - mean * (LEVELS - 1)) * width
    lower = upper - width
    # sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - exp(-(u - l))): a product, where the
    # difference would round to 0.
    below_upper = torch.where(level == LEVELS - 1, 0.0, F.logsigmoid(upper))
    above_lower = torch.where(level == 0, 0.0, F.logsigmoid(-lower))
    within = torch.where((level == 0) | (level == LEVELS - 1), 0.0, torch.log(-torch.expm1(-width)))
    return (below_upper + above_lower + within).flatten(1).sum(dim=1)


def elbo(log_likelihood: torch.Tensor, kl: torch.Tensor, *, beta: float = 1.0, free_bits: float = 0.0) -> Elbo:
    """The bound from log p(x|z) [N] and the KL of every latent [N, Z], averaged over the images.

    objective = E log p(x|z) - beta sum_j max(free_bits, KL_j), with KL_j the mean over the images
    of latent j's KL.

    beta: weight of the KL, at least 0; 1 is the bound. Source: Higgins et al., beta-VAE (2017),
    equation 4. free_bits: nats of each latent, at least 0, that cost nothing, so that the optimiser
    has no reason to switch a latent off. Source: Kingma et al. (2016), "free bits". Raises
    ValueError for shapes that do not fit, or no images.
    """
    if log_likelihood.dim() != 1 or kl.dim() != 2 or len(log_likelihood) != len(kl) or len(kl) == 0:
        raise ValueError(
            f"log_likelihood and kl must be [N] and [N, Z] with N at least 1, got {list(log_likelihood.shape)} and "
            f"{list(kl.shape)}: leave the latents' KL unsummed"
        )
    reconstruction, kl_of_latents = log_likelihood.mean(), kl.mean(dim=0)
    penalty = kl_of_latents.clamp(min=free_bits) if free_bits else kl_of_latents
    return Elbo(reconstruction - beta * penalty.sum(), reconstruction, kl_of_latents.sum())


def importance_weighted_bound(log_weights: torch.Tensor) -> torch.Tensor:
    """log (1/K) sum_k w_k from log w_k = log p(x, z_k) - log q(z_k|x): [K, N] -> [N] nats.

    log p(x, z) = log p(x|z) + log p(z). In expectation at most log p(x), and not smaller for larger
    K; K = 1 is the ELBO. Source: Burda, Grosse and Salakhutdinov, Importance Weighted Autoencoders
    (2016), equation 8. Raises ValueError for what is not [K, N], or K = 0.
    """
    if log_weights.dim() != 2 or len(log_weights) == 0:
        raise ValueError(f"log_weights must be [K, N] with K at least 1, got the shape {list(log_weights.shape)}")
    return torch.logsumexp(log_weights, dim=0) - math.log(len(log_weights))


def _check_pair(name: str, values: torch.Tensor, other: str, others: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both in float32 at least. ValueError unless they are floating point and have one shape."""
    if values.shape != others.shape:
        shapes = f"{list(values.shape)} and {list(others.shape)}"
        raise ValueError(f"{name} and {other} must have one shape, got {shapes}: a silent broadcast would add up the wrong terms")
    if not values.is_floating_point():
        raise ValueError(f"{name} must be floating point, got {values.dtype}; images become so with x.float() / 255")
    dtype = torch.promote_types(torch.promote_types(values.dtype, others.dtype), torch.float32)
    return values.to(dtype), others.to(dtype)
