"""The exercises of notebook 09: a convolutional VAE, what its latents cost, a mixture by EM, labels, and words for numbers."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import vae
from course_lib.exercises.exercise import Exercise


class _ConvVAE(nn.Module):
    """A VAE around two networks: encoder, images -> features [N, hidden]; decoder, z -> logits of the pixels."""

    classes = 0

    def __init__(self, encoder: nn.Module, decoder: nn.Module, hidden: int, latents: int) -> None:
        super().__init__()
        self.encoder, self.decoder, self.latents = encoder, decoder, latents
        self.mean = nn.Linear(hidden, latents)
        self.log_variance = nn.Linear(hidden, latents)

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        h = self.encoder(x)
        return self.mean(h), self.log_variance(h)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decoder(z)

    def forward(self, x: Tensor, y: Tensor | None = None, eps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encode(x, y)
        eps = torch.randn_like(mean) if eps is None else eps
        z = mean + (log_variance / 2).exp() * eps
        log_likelihood = -F.binary_cross_entropy_with_logits(self.decode(z, y), x, reduction="none")
        return log_likelihood.flatten(1).sum(dim=1), vae.gaussian_kl(mean, log_variance)

    def image(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.decode(z, y).sigmoid()

    def noise(self, count: int, rng: torch.Generator | None = None) -> Tensor:
        return torch.randn(count, self.latents, generator=rng).to(self.mean.weight)


class _ConditionalVAE(_ConvVAE):
    """A VAE that is told the label: encoder's heads and decoder get a one-hot vector of it too."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, hidden: int, latents: int, classes: int) -> None:
        super().__init__(encoder, decoder, hidden + classes, latents)
        self.classes = classes

    def encode(self, x: Tensor, y: Tensor | None = None) -> tuple[Tensor, Tensor]:
        assert y is not None
        h = torch.cat([self.encoder(x), F.one_hot(y, self.classes)], dim=1)
        return self.mean(h), self.log_variance(h)

    def decode(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        assert y is not None
        return self.decoder(torch.cat([z, F.one_hot(y, self.classes)], dim=1))


def _networks(channels: int, size: int, hidden: int, inputs: int, seed: int) -> tuple[nn.Module, nn.Module]:
    """A small encoder and decoder with the same weights for every answer."""
    rng = torch.Generator().manual_seed(seed)
    pixels = channels * size * size
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.Tanh())
    decoder = nn.Sequential(nn.Linear(inputs, pixels), nn.Unflatten(1, (channels, size, size)))
    with torch.no_grad():
        for weight in (*encoder.parameters(), *decoder.parameters()):
            weight.copy_(0.5 * torch.randn(weight.shape, generator=rng))
    return encoder, decoder


def _terms(answer: Any, channels: int, size: int, latents: int, classes: int, start: float) -> tuple | None:
    """Both terms, what they send back to the encoder, and images, of a model with known weights."""
    seed, hidden = int(1000 * start), 5
    networks = _networks(channels, size, hidden, latents + classes, seed)
    model = answer(*networks, hidden, latents, *([classes] if classes else []))
    rng = torch.Generator().manual_seed(seed)
    for name in ("mean", "log_variance"):
        head = getattr(model, name, None)
        if not isinstance(head, nn.Linear) or head.weight.shape != (latents, hidden + classes):
            raise ValueError(f"self.{name} should be nn.Linear({hidden + classes}, {latents}) here, and is {head}")
        with torch.no_grad():
            for weight in (head.weight, head.bias):
                weight.copy_(0.5 * torch.randn(weight.shape, generator=rng))
    if model.classes != classes:
        raise ValueError(f"self.classes is {model.classes}, and there are {classes} classes")
    x = torch.rand(4, channels, size, size, generator=rng)
    eps, y = torch.randn(4, latents, generator=rng), torch.randint(classes, (4,), generator=rng) if classes else None
    found = model(x, y, eps)
    if found is None:
        return None
    log_likelihood, kl = found
    (log_likelihood.sum() - kl.sum()).backward()
    image, z = model.image(eps, y), model.noise(2, torch.Generator().manual_seed(seed))
    return log_likelihood, kl, next(networks[0].parameters()).grad, image, z


def _sizes(classes: int) -> Callable[[torch.Generator], list[tuple]]:
    def cases(rng: torch.Generator) -> list[tuple]:
        starts = torch.rand(3, generator=rng).tolist()
        kinds = ((1, 2, 1), (1, 4, 3), (3, 4, 2))
        return [(*kind, number * classes, start) for number, (kind, start) in enumerate(zip(kinds, starts, strict=True), start=1)]

    return cases


TERMS = (
    "log-likelihood of each image",
    "KL of each latent",
    "gradient that the bound sends to the encoder",
    "image of z",
    "noise",
)
ConvVAE = Exercise(_ConvVAE, _sizes(0), TERMS, use=_terms, tolerance=1e-4)
ConditionalVAE = Exercise(_ConditionalVAE, _sizes(3), TERMS, use=_terms, tolerance=1e-4)


def _latent_cost(mean: Tensor, log_variance: Tensor, threshold: float = 0.05) -> tuple[Tensor, Tensor, int]:
    """mean, log_variance [N, Z] -> the KL of each latent, mean over images [Z]; their order, largest first; how many are on."""
    kl = vae.gaussian_kl(mean, log_variance).mean(dim=0)
    return kl, kl.argsort(descending=True), int((kl > threshold).sum())


def _gaussians(rng: torch.Generator) -> list[tuple]:
    """Latents with a threshold between two of their costs."""
    cases = []
    for N, Z in ((1, 2), (5, 3), (8, 9)):
        mean = torch.randn(N, Z, generator=rng) * torch.rand(Z, generator=rng)
        log_variance = 0.3 * torch.randn(N, Z, generator=rng)
        costs = vae.gaussian_kl(mean, log_variance).mean(dim=0).sort().values
        cases.append((mean, log_variance, (costs[Z // 2 - 1] + costs[Z // 2]).item() / 2))
    return cases


latent_cost = Exercise(_latent_cost, _gaussians, ("KL of each latent", "order", "number that are on"), tolerance=1e-4)


def _e_step(z: Tensor, shares: Tensor, means: Tensor, covariances: Tensor) -> tuple[Tensor, Tensor]:
    """z [N, Z]; shares [K], means [K, Z], covariances [K, Z, Z] -> responsibilities [N, K], and log q(z) [N]."""
    L = torch.linalg.cholesky(covariances)
    whitened = torch.linalg.solve_triangular(L, (z - means[:, None]).mT, upper=False)  # [K, Z, N]
    log_det = 2 * L.diagonal(dim1=1, dim2=2).log().sum(dim=1)
    square = whitened.square().sum(dim=1) + log_det[:, None] + z.shape[1] * math.log(2 * math.pi)
    joint = shares.log() - square.mT / 2  # log of share times density, [N, K]
    log_q = joint.logsumexp(dim=1)
    return (joint - log_q[:, None]).exp(), log_q


def _m_step(z: Tensor, responsibilities: Tensor, ridge: float = 1e-3) -> tuple[Tensor, Tensor, Tensor]:
    """responsibilities [N, K] -> shares, means, covariances: the weighted ones, with a little on the diagonal."""
    counts = responsibilities.sum(dim=0)
    means = responsibilities.mT @ z / counts[:, None]
    covariances = []
    for k in range(len(counts)):
        apart = z - means[k]
        covariances.append((responsibilities[:, k, None] * apart).mT @ apart / counts[k])
    return counts / len(z), means, torch.stack(covariances) + ridge * torch.eye(z.shape[1]).to(z)


def _mixtures(rng: torch.Generator) -> list[tuple]:
    """Points, some of them far from every component, and a mixture with correlations."""
    cases = []
    for N, K, Z, far in ((2, 1, 1, 1.0), (6, 2, 2, 3.0), (9, 3, 4, 60.0)):
        z = far * torch.randn(N, Z, generator=rng, dtype=torch.float64)
        shares = torch.rand(K, generator=rng, dtype=torch.float64) + 0.2
        means = torch.randn(K, Z, generator=rng, dtype=torch.float64)
        A = torch.randn(K, Z, Z, generator=rng, dtype=torch.float64)
        cases.append((z, shares / shares.sum(), means, A @ A.mT / Z + 0.3 * torch.eye(Z, dtype=torch.float64)))
    return cases


def _weighted(rng: torch.Generator) -> list[tuple]:
    cases = []
    for N, K, Z in ((3, 1, 1), (7, 2, 2), (12, 3, 4)):
        z = 2 + torch.randn(N, Z, generator=rng, dtype=torch.float64)
        ridge = torch.rand((), generator=rng).item()
        cases.append((z, torch.randn(N, K, generator=rng, dtype=torch.float64).softmax(dim=1), ridge))
    return cases


e_step = Exercise(_e_step, _mixtures, ("responsibilities", "log q(z)"), tolerance=1e-6)
m_step = Exercise(_m_step, _weighted, ("shares", "means", "covariances"), tolerance=1e-6)


def _quantise(vectors: Tensor, codebook: Tensor, commitment: float = 0.25) -> tuple[Tensor, Tensor, Tensor]:
    """vectors [N, D], codebook [K, D] -> what the decoder gets [N, D], the numbers of the words [N], and the penalty."""
    codes = torch.cdist(vectors.detach(), codebook.detach()).argmin(dim=1)
    words = codebook[codes]
    follow = (words - vectors.detach()).square().sum(dim=1)
    stay = (vectors - words.detach()).square().sum(dim=1)
    penalty = (follow + commitment * stay).mean()
    return vectors + (words - vectors).detach(), codes, penalty


def _both_ways(answer: Callable, vectors: Tensor, codebook: Tensor, commitment: float) -> tuple | None:
    """What is found, and the gradients that a loss behind it and the penalty send to the vectors and to the codebook."""
    vectors, codebook = vectors.clone().requires_grad_(), codebook.clone().requires_grad_()
    found = answer(vectors, codebook, commitment)
    if found is None:
        return None
    passed, codes, penalty = found
    behind = torch.autograd.grad(passed.square().sum(), (vectors, codebook), retain_graph=True, allow_unused=True)
    beside = torch.autograd.grad(penalty, (vectors, codebook), allow_unused=True)
    slopes = [torch.zeros(()) if slope is None else slope for slope in (*behind, *beside)]
    return passed, codes, penalty, slopes[0], slopes[1].abs().max(), *slopes[2:]


def _words(rng: torch.Generator) -> list[tuple]:
    cases = []
    for N, K, D in ((1, 2, 1), (5, 3, 2), (9, 6, 4)):
        commitment = 0.1 + torch.rand((), generator=rng).item()
        cases.append((torch.randn(N, D, generator=rng), torch.randn(K, D, generator=rng), commitment))
    return cases


PASSED = (
    "vectors for the decoder",
    "numbers of the words",
    "penalty",
    "gradient that the decoder sends to the vectors",
    "largest gradient that the decoder sends to the codebook",
    "gradient that the penalty sends to the vectors",
    "gradient that the penalty sends to the codebook",
)
quantise = Exercise(_quantise, _words, PASSED, use=_both_ways, tolerance=1e-4)
