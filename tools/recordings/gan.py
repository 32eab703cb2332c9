"""What `make record` runs for chapter 6: seven ways to play on points in the plane, each tuned over the same settings.

All runs of one way are played side by side: weights [R, inputs, outputs] for R runs, one product of
matrices for all of them. No run sees another.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib import gan

MIXTURES = {"ring": gan.ring(8, radius=2.0, std=0.1), "grid": gan.grid(4, spacing=1.2, std=0.12)}
RATES = (2e-3, 4e-3, 8e-3, 16e-3)
BETAS = ((0.5, 0.99), (0.0, 0.9))
DISCRIMINATOR_STEPS = (1, 3)
STEPS, BATCH, WIDTH, DRAWN = 1000, 128, 64, 2000
TUNED_ON, JUDGED_ON, SHOWN = 2, 5, 200
AVERAGE_DECAY = 0.99


class Way(NamedTuple):
    """A loss, and what holds the discriminator's slope, if anything does."""

    loss: str
    penalty: str = ""
    weight: float = 0.0
    spectral: bool = False


WAYS = {
    "minimax": Way("minimax"),
    "non-saturating": Way("non_saturating"),
    "least squares": Way("least_squares"),
    "hinge": Way("hinge"),
    "Wasserstein, gradient penalty": Way("wasserstein", "gradient", 1.0),
    "non-saturating, spectral norm": Way("non_saturating", spectral=True),
    "non-saturating, R1": Way("non_saturating", "R1", 0.1),
}


class Setting(NamedTuple):
    lr: float
    betas: tuple[float, float]
    discriminator_steps: int


class Players:
    """R dense networks with two hidden layers, PyTorch's first weights, and an Adam for each."""

    def __init__(self, outputs: int, slope: float, settings: Sequence[Setting], rng: torch.Generator, spectral: bool = False):
        self.slope, self.runs, self.weights = slope, len(settings), []
        for inputs, width in itertools.pairwise((2, WIDTH, WIDTH, outputs)):
            for rows in (inputs, 1):
                first = torch.rand(self.runs, rows, width, generator=rng)
                self.weights.append(((2 * first - 1) / inputs**0.5).requires_grad_())
        shape = (len(settings), 1, 1)
        self.lr = torch.tensor([setting.lr for setting in settings]).view(shape)
        self.betas = [torch.tensor([setting.betas[n] for setting in settings]).view(shape) for n in range(2)]
        self.moments = [(torch.zeros_like(weight), torch.zeros_like(weight)) for weight in self.weights]
        self.steps = 0
        self.u = [torch.randn(self.runs, 1, weight.shape[2], generator=rng) for weight in self.weights[::2]] if spectral else None

    def __call__(self, x: Tensor, learning: bool = False) -> Tensor:
        """[R, N, 2] -> [R, N, outputs]."""
        for layer, (weight, bias) in enumerate(zip(self.weights[::2], self.weights[1::2], strict=True)):
            if self.u is not None:
                weight = weight / self._stretch(layer, weight, learning)
            x = torch.baddbmm(bias, x, weight)
            x = x if layer == 2 else F.leaky_relu(x, self.slope)
        return x

    def _stretch(self, layer: int, weight: Tensor, learning: bool) -> Tensor:
        """The largest singular value of each run's matrix [R, inputs, outputs], by one power iteration a step."""
        with torch.no_grad():
            v = F.normalize(self.u[layer] @ weight.mT, dim=2)
            u = F.normalize(v @ weight, dim=2)
            if learning:
                self.u[layer] = u
        return (v @ weight) @ u.mT

    def step(self, loss: Tensor, share: float) -> None:
        """One step of each run's Adam at a share of its rate. The loss is the sum over the runs."""
        self.steps += 1
        first, second = self.betas
        with torch.no_grad():
            gradients = torch.autograd.grad(loss, self.weights)
            for weight, gradient, (mean, square) in zip(self.weights, gradients, self.moments, strict=True):
                mean.mul_(first).add_((1 - first) * gradient)
                square.mul_(second).addcmul_(1 - second, gradient.square())
                root = (square / (1 - second**self.steps)).sqrt_().add_(1e-8)
                weight.sub_(share * self.lr / (1 - first**self.steps) * mean / root)


def play(way: Way, mixture: gan.Mixture, settings: Sequence[Setting], seed: int, decay: bool = True) -> tuple[Tensor, Tensor]:
    """A run for each setting, all with the same number of discriminator steps -> 2,000 points of each [R, 2000, 2].

    Once from the last weights of the generators and once from their moving averages. decay: the rates
    fall in a straight line to zero in the second half.
    """
    rng = torch.Generator().manual_seed(seed)
    R, loss = len(settings), getattr(gan, way.loss)
    G, D = Players(2, 0.0, settings, rng), Players(1, 0.2, settings, rng, way.spectral)
    average = [weight.detach().clone() for weight in G.weights]
    for step in range(STEPS):
        share = min(1.0, 2 * (1 - step / STEPS)) if decay else 1.0
        for _ in range(settings[0].discriminator_steps):
            real = mixture.sample(R * BATCH, rng).view(R, BATCH, 2)
            with torch.no_grad():
                fake = G(torch.randn(R, BATCH, 2, generator=rng))
            d_loss, _ = loss(D(real, learning=True).flatten(), D(fake).flatten())
            if way.penalty:
                d_loss = d_loss + way.weight * _penalty(way.penalty, D, real, fake, rng)
            D.step(R * d_loss, share)  # the loss is a mean over all runs
        logits = D(G(torch.randn(R, BATCH, 2, generator=rng))).flatten()
        G.step(R * loss(logits, logits)[1], share)
        for mean, weight in zip(average, G.weights, strict=True):
            mean.lerp_(weight.detach(), 1 - AVERAGE_DECAY)
    z = torch.randn(R, DRAWN, 2, generator=rng)
    with torch.no_grad():
        last, G.weights = G(z), average
        return last, G(z)


def _penalty(name: str, D: Players, real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """The mean over all runs of (|gradient| - 1)^2 between the points, or of |gradient|^2 / 2 at the real ones."""
    t = torch.rand(*real.shape[:2], 1, generator=rng) if name == "gradient" else 1.0
    x = (t * real + (1 - t) * fake).requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    if name == "gradient":
        return (gradient.norm(dim=2) - 1).square().mean()
    return gradient.square().sum(dim=2).mean() / 2


def scores(points: Tensor, mixture: gan.Mixture) -> tuple[float, float, float]:
    """Of points: the share of the mass that is where it belongs, the share that is good, and the modes found.

    A mode of K may count for 1 / K at most, so that neither stray points nor a crowd on one mode count.
    """
    found, modes = gan.coverage(points, mixture.centres, mixture.std), len(mixture.centres)
    placed = (found.counts / len(points)).clamp(max=1 / modes).sum().item()
    return placed, found.good, found.modes


def points_in_the_plane() -> tuple[dict, dict]:
    """Each way with its best setting, chosen on two runs, judged on five others; equal generator steps for all."""
    numbers: dict = {"settings": {"steps": STEPS, "rates": RATES, "betas": BETAS, "discriminator_steps": DISCRIMINATOR_STEPS}}
    for place, mixture in MIXTURES.items():
        truth = [scores(mixture.sample(DRAWN, torch.Generator().manual_seed(seed)), mixture) for seed in range(JUDGED_ON)]
        numbers[place] = {"centres": mixture.centres.tolist(), "std": mixture.std, "truth": _rounded(truth), "ways": {}}
        for name, way in WAYS.items():
            tried = {}
            for count in DISCRIMINATOR_STEPS:
                settings = [Setting(lr, betas, count) for lr in RATES for betas in BETAS]
                drawn, _ = play(way, mixture, settings * TUNED_ON, seed=0)
                found = torch.tensor([scores(points, mixture)[0] for points in drawn]).view(TUNED_ON, -1).mean(dim=0)
                tried |= dict(zip(settings, found.tolist(), strict=True))
            best = max(tried, key=lambda setting: tried[setting])
            drawn, _ = play(way, mixture, [best] * JUDGED_ON, seed=1)
            judged = [scores(points, mixture) for points in drawn]
            shown = drawn[sorted(range(JUDGED_ON), key=lambda run: judged[run][0])[JUDGED_ON // 2]]
            numbers[place]["ways"][name] = {
                "best": best,
                "tried": _rounded([(*setting, value) for setting, value in tried.items()]),
                "judged": _rounded(judged),
                "points": _rounded(shown[:SHOWN].tolist(), 2),
            }
            if name == "non-saturating":
                both = play(way, mixture, [best] * JUDGED_ON, seed=2, decay=False)
                found = [[scores(points, mixture)[0] for points in drawn] for drawn in both]
                numbers[place]["constant rate"] = dict(zip(("last weights", "average"), _rounded(found), strict=True))
    return numbers, {}


def _rounded(rows: Sequence, digits: int = 3) -> list:
    """Rows of numbers with so many digits; what is no float stays as it is."""
    return [[round(value, digits) if isinstance(value, float) else value for value in row] for row in rows]
