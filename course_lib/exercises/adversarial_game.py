"""The exercises of notebook 06: the best discriminator, five losses, three ways to step, transport, slopes, a GAN on a ring."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course_lib import gan
from course_lib.exercises.exercise import Exercise


def _normal(rng: torch.Generator, *shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, generator=rng, dtype=torch.float64)


def _densities(rng: torch.Generator, points: int) -> tuple[Tensor, Tensor, float]:
    """Two positive densities on a grid, and its spacing."""
    x = torch.linspace(-6, 6, points, dtype=torch.float64)
    dx = 12 / (points - 1)
    heaps = [torch.exp(-((x - 2 * torch.rand((), generator=rng) + 1) ** 2) / (0.5 + n)) for n in range(2)]
    p, q = (heap / (heap.sum() * dx) for heap in heaps)
    return p, q, dx


def _optimal_discriminator(p: Tensor, q: Tensor, s: float = 0.0, t: float = 0.0) -> Tensor:
    """The best D where the target of the real points is 1 - s and that of the generated ones t."""
    return ((1 - s) * p + t * q) / (p + q)


def _optimal_cases(rng: torch.Generator) -> list[tuple]:
    targets = ((0.0, 0.0), (0.1, 0.0), (0.0, 0.2), (0.1, 0.3))
    return [(*_densities(rng, points)[:2], s, t) for points, (s, t) in zip((3, 7, 41, 41), targets, strict=True)]


optimal_discriminator = Exercise(_optimal_discriminator, _optimal_cases, ("probability of real",), tolerance=1e-6)


def _value_cases(rng: torch.Generator) -> list[tuple]:
    cases = []
    for points in (7, 41, 201):
        p, q, dx = _densities(rng, points)
        cases.append((p, q, 0.05 + 0.9 * torch.rand(points, generator=rng, dtype=torch.float64), dx))
    return cases


def _value(p: Tensor, q: Tensor, D: Tensor, dx: float) -> Tensor:
    """V as a sum over the grid."""
    return (p * D.log() + q * (1 - D).log()).sum() * dx


def _divergence_cases(rng: torch.Generator) -> list[tuple]:
    """Two cases of positive densities, and two boxes that share no place, with room where both are zero."""
    boxes = torch.zeros(2, 30, dtype=torch.float64)
    place = int(torch.randint(3, 9, (), generator=rng))
    boxes[0, place : place + 4], boxes[1, place + 8 : place + 12] = 2.5, 2.5
    return [_densities(rng, 7), _densities(rng, 201), (*boxes, 0.1)]


value = Exercise(_value, _value_cases, ("value",))
jensen_shannon = Exercise(gan.jensen_shannon, _divergence_cases, ("divergence",))


def _logits(rng: torch.Generator) -> list[tuple]:
    """Logits of both signs; in the last case so large that a rounded probability has no logarithm."""
    sizes = ((1, 1, 1.0), (3, 5, 2.0), (64, 64, 4.0), (9, 6, 300.0))
    return [(_normal(rng, N, scale=scale), _normal(rng, M, scale=scale)) for N, M, scale in sizes]


BOTH = ("loss of the discriminator", "loss of the generator")
minimax = Exercise(gan.minimax, _logits, BOTH)
non_saturating = Exercise(gan.non_saturating, _logits, BOTH)
least_squares = Exercise(gan.least_squares, _logits, BOTH)
hinge = Exercise(gan.hinge, _logits, BOTH)
wasserstein = Exercise(gan.wasserstein, _logits, BOTH)


def _simultaneous(slopes: Callable, x: Any, y: Any, lr: float) -> tuple:
    """Both step at once."""
    x_slope, y_slope = slopes(x, y)
    return x - lr * x_slope, y + lr * y_slope


def _alternating(slopes: Callable, x: Any, y: Any, lr: float) -> tuple:
    """y answers to the new x."""
    x = x - lr * slopes(x, y)[0]
    return x, y + lr * slopes(x, y)[1]


def _extragradient(slopes: Callable, x: Any, y: Any, lr: float) -> tuple:
    """A trial step; then the step with the slopes found there."""
    x_slope, y_slope = slopes(*_simultaneous(slopes, x, y, lr))
    return x - lr * x_slope, y + lr * y_slope


def _game(answer: Callable, x: Tensor, y: Tensor, lr: float, pull: float, steps: int) -> tuple:
    """Where some steps lead in the game f = x y + pull (x^2 - y^2) / 2."""
    for _ in range(steps):
        found = answer(lambda x, y: (y + pull * x, x - pull * y), x, y, lr)
        if not isinstance(found, tuple) or len(found) != 2:
            return found
        x, y = found
    return x, y


def _starts(rng: torch.Generator) -> list[tuple]:
    settings = ((1, 0.5, 0.0, 1), (1, 0.3, 0.4, 1), (3, 0.2, 0.1, 7))
    return [(_normal(rng, n), _normal(rng, n), lr, pull, steps) for n, lr, pull, steps in settings]


simultaneous, alternating, extragradient = (
    Exercise(rule, _starts, ("new x", "new y"), use=_game) for rule in (_simultaneous, _alternating, _extragradient)
)


def _lines(rng: torch.Generator) -> list[tuple]:
    return [(_normal(rng, n), _normal(rng, n, scale=2.0)) for n in (1, 5, 40)]


earth_movers_distance = Exercise(gan.earth_movers_distance, _lines, ("distance",))


def _slope_penalty(D: Callable, x: Tensor, target: float) -> Tensor:
    """Mean of (|gradient of D at its own point| - target)^2, itself differentiable."""
    x = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - target).square().mean()


def _penalised(answer: Callable, weight: Tensor, head: Tensor, x: Tensor, target: float) -> tuple | None:
    """The penalty of a small network D, and the gradient that it sends to the weights."""
    weight = weight.clone().requires_grad_()
    penalty = answer(lambda x: torch.tanh(x.flatten(1) @ weight) @ head, x, target)
    if penalty is None:
        return None
    if not penalty.requires_grad:
        raise ValueError("the penalty has no graph back to the weights of D: create_graph=True keeps it")
    return penalty, torch.autograd.grad(penalty, weight)[0]


def _slopes(rng: torch.Generator) -> list[tuple]:
    shapes = (((1, 2), 1.0), ((5, 2), 0.0), ((4, 3), 1.0), ((3, 1, 2, 2), 1.0))
    cases = []
    for shape, target in shapes:
        inputs = math.prod(shape[1:])
        cases.append((_normal(rng, inputs, 6), _normal(rng, 6), _normal(rng, *shape), target))
    return cases


slope_penalty = Exercise(_slope_penalty, _slopes, ("penalty", "gradient of the penalty in the weights"), use=_penalised)


def _matrices(rng: torch.Generator) -> list[tuple]:
    return [(_normal(rng, O, I), _normal(rng, O), rounds) for O, I, rounds in ((2, 3, 1), (5, 4, 3), (8, 20, 40))]


power_iteration = Exercise(gan.spectral_norm, _matrices, ("stretch", "new u"))


class _Generator(nn.Module):
    """z [N, 2] -> points [N, 2]."""

    latent_size = 2

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, z: Tensor) -> Tensor:
        return self.layers(z)


class _Discriminator(nn.Module):
    """Points [N, 2] -> logits [N]."""

    def __init__(self) -> None:
        super().__init__()
        slope = 0.2
        hidden = (nn.Linear(2, 64), nn.LeakyReLU(slope), nn.Linear(64, 64), nn.LeakyReLU(slope))
        self.layers = nn.Sequential(*hidden, nn.Linear(64, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).squeeze(1)


def _train(
    G: Any,
    D: nn.Module,
    batches: Iterable[Tensor],
    loss: Callable = gan.non_saturating,
    lr: float = 4e-3,
    betas: tuple[float, float] = (0.0, 0.9),
) -> list[tuple[float, float]]:
    """A step of D and a step of G for each batch of real points; both losses of each step."""
    d_optimizer = torch.optim.Adam(D.parameters(), lr=lr, betas=betas)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=lr, betas=betas)
    losses = []
    for x in batches:
        fake = G(torch.randn(len(x), G.latent_size, device=x.device))
        d_loss, _ = loss(D(x), D(fake.detach()))
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        logits = D(fake)
        _, g_loss = loss(logits, logits)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        losses.append((d_loss.item(), g_loss.item()))
    return losses


def placed(points: Tensor, mixture: gan.Mixture) -> float:
    """The share of points that are where they belong; a mode of K counts for 1 / K at most."""
    counts = gan.coverage(points, mixture.centres, mixture.std).counts
    return (counts / len(points)).clamp(max=1 / len(mixture.centres)).sum().item()


RATES: dict[str, Any] = {"lr": 4e-3, "betas": (0.0, 0.9)}
_known: dict[tuple, float] = {}  # what the course's own players reached: it takes a second, and does not change


def _played(role: str) -> Callable:
    """How an answer is used: with the course's other parts it plays on a ring of its own."""

    def use(answer: Any, modes: int, radius: float, steps: int, seed: int) -> float:
        course = {"generator": _Generator, "discriminator": _Discriminator, "train": _train}
        key, own = (modes, radius, steps, seed), answer is course[role]
        if own and key in _known:
            return _known[key]
        parts: dict[str, Any] = course | {role: answer}
        torch.manual_seed(seed)
        G, D = parts["generator"](), parts["discriminator"]()
        found = {"Generator": (G(torch.randn(5, G.latent_size)), (5, 2)), "Discriminator": (D(torch.randn(5, 2)), (5,))}
        for name, (output, shape) in found.items():
            if tuple(output.shape) != shape:
                raise ValueError(f"the output of {name} has the shape {list(output.shape)}, and should have {list(shape)}")
        mixture, rng = gan.ring(modes, radius, std=0.1 * radius), torch.Generator().manual_seed(seed)
        batches: Iterator[Tensor] = (mixture.sample(128, rng) for _ in range(steps))
        parts["train"](G, D, batches, loss=gan.non_saturating, **RATES)
        with torch.no_grad():
            share = placed(G(torch.randn(2000, G.latent_size)), mixture)
        if own:
            _known[key] = share
        return share

    return use


def _rings(rng: torch.Generator) -> list[tuple]:
    """A ring of four and one of six modes, with steps enough for most points to find their places."""
    drawn = [(1.5 + torch.rand((), generator=rng).item(), int(torch.randint(1000, (), generator=rng))) for _ in range(2)]
    return [(modes, radius, steps, seed) for modes, steps, (radius, seed) in zip((4, 6), (200, 400), drawn, strict=True)]


PLACED = ("share of points that are where they belong, after training,",)
Generator = Exercise(_Generator, _rings, PLACED, use=_played("generator"), tolerance=0.35, seconds=60)
Discriminator = Exercise(_Discriminator, _rings, PLACED, use=_played("discriminator"), tolerance=0.35, seconds=60)
train = Exercise(_train, _rings, PLACED, use=_played("train"), tolerance=0.35, seconds=60)
