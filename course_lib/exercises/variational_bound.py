"""The exercises of notebook 08: PCA by gradient, a posterior on a grid, the KL, samples and their gradients, two bounds."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from course_lib import vae
from course_lib.exercises.exercise import Exercise


def _normal(rng: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=rng, dtype=torch.float64)


def _linear_autoencoder(x: Tensor, encoder: Tensor, decoder: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x [N, D], encoder [D, Z], decoder [D, Z] -> mean squared distance, and its gradients at both."""
    z = x @ encoder
    error = z @ decoder.mT - x
    loss = error.square().sum(dim=1).mean()
    return loss, 2 / len(x) * x.mT @ (error @ decoder), 2 / len(x) * error.mT @ z


def _linear_cases(rng: torch.Generator) -> list[tuple]:
    sizes = ((1, 3, 1), (4, 5, 2), (7, 12, 4))
    return [(_normal(rng, N, D), _normal(rng, D, Z), _normal(rng, D, Z)) for N, D, Z in sizes]


linear_autoencoder = Exercise(_linear_autoencoder, _linear_cases, ("loss", "gradient of the encoder", "gradient of the decoder"))


def _exact(log_joint: Tensor, dz: float) -> tuple[Tensor, Tensor]:
    """log p(x, z) on a grid of z, [N, G] -> log p(x) [N], and the density p(z|x) on the grid [N, G]."""
    log_p = log_joint.logsumexp(dim=1) + math.log(dz)
    return log_p, (log_joint - log_p[:, None]).exp()


def _joint_cases(rng: torch.Generator) -> list[tuple]:
    """The last case has values whose exponentials are all zero: only logsumexp can add them."""
    settings = ((1, 5, 1.0, 0.0), (3, 9, 2.0, -5.0), (4, 41, 5.0, -2000.0))
    cases = []
    for N, G, scale, level in settings:
        dz = 0.1 + torch.rand((), generator=rng).item()
        cases.append((level + _normal(rng, N, G, scale=scale), dz))
    return cases


exact = Exercise(_exact, _joint_cases, ("log p(x)", "posterior"))


def _gaussians(rng: torch.Generator) -> list[tuple]:
    return [(_normal(rng, N, Z, scale=1.5), _normal(rng, N, Z)) for N, Z in ((1, 1), (3, 2), (5, 7))]


def _noisy(rng: torch.Generator) -> list[tuple]:
    return [(*pair, _normal(rng, *pair[0].shape)) for pair in _gaussians(rng)]


def _reparameterise(mean: Tensor, log_variance: Tensor, eps: Tensor) -> Tensor:
    """mean, log_variance and eps of shapes that broadcast -> z = mean + std eps."""
    return mean + (log_variance / 2).exp() * eps


def _differentiated(answer: Callable, mean: Tensor, log_variance: Tensor, eps: Tensor) -> tuple | None:
    """z, and what a loss of it sends back to mean and log_variance."""
    mean, log_variance = mean.clone().requires_grad_(), log_variance.clone().requires_grad_()
    z = answer(mean, log_variance, eps)
    if z is None:
        return None
    if not z.requires_grad:
        raise ValueError("z has no graph back to mean and log_variance: no gradient can go through it")
    return z, *torch.autograd.grad(z.square().sum(), (mean, log_variance))


gaussian_kl = Exercise(vae.gaussian_kl, _gaussians, ("KL of each latent",))
BACK = ("z", "gradient that goes through z to the mean", "gradient that goes through z to the log-variance")
reparameterise = Exercise(_reparameterise, _noisy, BACK, use=_differentiated)


def _through_the_sample(f: Callable, mean: Tensor, log_variance: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of E f(z) at mean and log_variance [Z], an estimate for each row of eps: two [S, Z]."""
    std = (log_variance / 2).exp()
    z = (mean + std * eps).detach().requires_grad_()
    (slope,) = torch.autograd.grad(f(z).sum(), z)
    return slope, slope * std * eps / 2


def _score_function(
    f: Callable, mean: Tensor, log_variance: Tensor, eps: Tensor, baseline: bool = False
) -> tuple[Tensor, Tensor]:
    """The same from values of f alone; baseline: subtract from each the mean of the others."""
    std = (log_variance / 2).exp()
    values = f(mean + std * eps)
    if baseline:
        values = values - (values.sum() - values) / (len(values) - 1)
    return values[:, None] * eps / std, values[:, None] * (eps.square() - 1) / 2


def _quadratics(rng: torch.Generator) -> list[tuple]:
    cases = []
    for S, Z in ((2, 1), (3, 2), (8, 5)):
        f = vae.Quadratic(_normal(rng, Z).abs(), _normal(rng, Z))
        cases.append((f, _normal(rng, Z), _normal(rng, Z), _normal(rng, S, Z)))
    return cases


def _score_cases(rng: torch.Generator) -> list[tuple]:
    return [(*case, number > 0) for number, case in enumerate(_quadratics(rng))]


GRADIENTS = ("estimate for the mean", "estimate for the log-variance")
score_function = Exercise(_score_function, _score_cases, GRADIENTS)
through_the_sample = Exercise(_through_the_sample, _quadratics, GRADIENTS)


def _log_normal(x: Tensor, mean: Tensor | float, variance: Tensor | float) -> Tensor:
    """log N(x; mean, variance) summed over the last dimension."""
    return vae.gaussian_log_density(x, mean, torch.as_tensor(variance, dtype=x.dtype).log()).sum(dim=-1)


def _elbo(
    x: Tensor, decode: Callable, mean: Tensor, log_variance: Tensor, noise_variance: float, eps: Tensor
) -> tuple[Tensor, Tensor]:
    """x [N, D], q's mean, log_variance and eps [N, Z] -> reconstruction and KL, means over the images."""
    z = _reparameterise(mean, log_variance, eps)
    return _log_normal(x, decode(z), noise_variance).mean(), vae.gaussian_kl(mean, log_variance).sum(dim=1).mean()


def _log_weights(x: Tensor, decode: Callable, mean: Tensor, log_variance: Tensor, noise_variance: float, eps: Tensor) -> Tensor:
    """eps [K, N, Z] -> log p(x|z) + log p(z) - log q(z) of each sample, [K, N]."""
    z = _reparameterise(mean, log_variance, eps)
    log_joint = _log_normal(x, decode(z), noise_variance) + _log_normal(z, 0.0, 1.0)
    return log_joint - _log_normal(z, mean, log_variance.exp())


class _Decoder:
    """x = offset + z weight^T, as a function of z."""

    def __init__(self, weight: Tensor, offset: Tensor) -> None:
        self.weight, self.offset = weight, offset

    def __call__(self, z: Tensor) -> Tensor:
        return self.offset + z @ self.weight.mT


def _bounded(rng: torch.Generator, samples: tuple[tuple[int, ...], ...]) -> list[tuple]:
    cases = []
    for lead, (N, D, Z) in zip(samples, ((1, 2, 1), (3, 4, 2), (5, 9, 3)), strict=True):
        decode = _Decoder(_normal(rng, D, Z), _normal(rng, D))
        q = _normal(rng, N, Z), _normal(rng, N, Z, scale=0.5)
        noise = 0.3 + torch.rand((), generator=rng).item()
        cases.append((_normal(rng, N, D), decode, *q, noise, _normal(rng, *lead, N, Z)))
    return cases


elbo = Exercise(_elbo, lambda rng: _bounded(rng, ((), (), ())), ("reconstruction", "KL"))
log_weights = Exercise(_log_weights, lambda rng: _bounded(rng, ((1,), (2,), (7,))), ("log-weight",))


def _weights(rng: torch.Generator) -> list[tuple]:
    settings = ((1, 1, 1.0, 0.0), (3, 2, 3.0, 2.0), (50, 4, 9.0, -2000.0))
    return [(level + _normal(rng, K, N, scale=scale),) for K, N, scale, level in settings]


importance_weighted_bound = Exercise(vae.importance_weighted_bound, _weights, ("bound",))


def _best_decoder(variances: Tensor, noise_variance: float) -> tuple[Tensor, Tensor]:
    """Variances along the principal directions [Z] -> the best columns' lengths, and the latents' mean KL."""
    lengths = (variances - noise_variance).clamp(min=0).sqrt()
    return lengths, (variances / noise_variance).log().clamp(min=0) / 2


def _levels(rng: torch.Generator) -> list[tuple]:
    cases = []
    for Z, noise in ((2, 0.5), (5, 1.3), (9, 0.1)):
        variances = 2 * torch.rand(Z, generator=rng, dtype=torch.float64) + 0.01
        cases.append((variances.sort(descending=True).values, noise * (0.9 + 0.2 * torch.rand((), generator=rng).item())))
    return cases


best_decoder = Exercise(_best_decoder, _levels, ("length of the columns", "KL of each latent"))
