"""The exercises of notebook 07: the loop on images, the average, labels, the arc, a distance that no shift can fool, Fréchet."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course_lib import gan
from course_lib.exercises import drawing_players
from course_lib.exercises.drawing_players import LATENT
from course_lib.exercises.exercise import Exercise


def _filled(network: nn.Module, classes: int, seed: int) -> nn.Module:
    """The same weights in each answer: drawn in the order of their names, those of the one embedding last, and large."""
    tables = [part for part in network.modules() if isinstance(part, nn.Embedding)]
    if len(tables) != 1 or tables[0].num_embeddings != classes:
        raise ValueError(f"one nn.Embedding of {classes} rows is asked for, and there are {tables or 'none'}")
    rng, table = torch.Generator().manual_seed(seed), tables[0].weight
    with torch.no_grad():
        for _, weight in sorted((name, weight) for name, weight in network.named_parameters() if weight is not table):
            weight.copy_(0.1 * torch.randn(weight.shape, generator=rng))
        table.copy_(torch.randn(table.shape, generator=rng))
    return network.train()


def _asked(asks: Callable[[int, Tensor], Tensor]) -> Callable:
    """How a player is used: what it makes of a batch with labels."""

    def use(answer: Any, classes: int, channels: int, seed: int) -> Tensor | None:
        network, rng = answer(classes, channels), torch.Generator().manual_seed(seed)
        labels = torch.randint(classes, (12,), generator=rng)
        found = _filled(network, classes, seed)(asks(channels, torch.rand(1, generator=rng)), labels)
        return None if found is None else found.detach()

    return use


def _sizes(rng: torch.Generator) -> list[tuple]:
    seeds = torch.randint(10_000, (3,), generator=rng).tolist()
    return list(zip((3, 10, 2), (1, 1, 3), seeds, strict=True))


def _latent(channels: int, start: Tensor) -> Tensor:
    return torch.linspace(-2, 2, 12 * LATENT).roll(int(100 * start)).view(12, LATENT).sin() * 2


def _pictures(channels: int, start: Tensor) -> Tensor:
    return torch.linspace(0, 900, 12 * channels * 1024).add(start).sin().view(12, channels, 32, 32)


ConditionalGenerator = Exercise(
    drawing_players.ConditionalGenerator,
    _sizes,
    ("images",),
    use=_asked(_latent),
    tolerance=1e-4,
)
ConditionalDiscriminator = Exercise(
    drawing_players.ConditionalDiscriminator,
    _sizes,
    ("logits",),
    use=_asked(_pictures),
    tolerance=1e-4,
)


def _move_average(average: nn.Module, G: nn.Module, decay: float) -> None:
    """Weights move by the share 1 - decay; buffers are copied."""
    with torch.no_grad():
        for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
            mean.mul_(decay).add_((1 - decay) * weight)
        for old, value in zip(average.buffers(), G.buffers(), strict=True):
            old.copy_(value)


def _player(seed: int, width: int) -> nn.Sequential:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))
    network(torch.randn(9, 3))
    return network


def _moved(answer: Callable, width: int, decay: float, seed: int) -> tuple:
    """Weights and buffers of the average after three moves."""
    average, G = _player(seed, width), _player(seed + 1, width)
    kept = [weight.clone() for weight in G.parameters()]
    for _ in range(3):
        answer(average, G, decay)
    if not all(torch.equal(*pair) for pair in zip(kept, G.parameters(), strict=True)):
        raise ValueError("the weights of G have changed, and only the average may move")
    if any(weight.grad_fn is not None for weight in average.parameters()):
        raise ValueError("the average has grown a graph: torch.no_grad() keeps gradients out of it")
    flat = [torch.cat([part.detach().double().flatten() for part in parts()]) for parts in (average.parameters, average.buffers)]
    return flat[0], flat[1]


def _decays(rng: torch.Generator) -> list[tuple]:
    seeds = torch.randint(10_000, (3,), generator=rng).tolist()
    return list(zip((1, 4, 7), (0.5, 0.9, 0.99), seeds, strict=True))


move_average = Exercise(_move_average, _decays, ("average's weights", "average's buffers"), use=_moved, tolerance=1e-5)


def _train(
    G: Any,
    D: Any,
    batches: Iterable[tuple[Tensor, Tensor | None]],
    average: nn.Module,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.5, 0.99),
    decay: float = 0.99,
) -> list[tuple[float, float]]:
    """A step of D and a step of G for each batch (x in [0, 1], y); the average follows G. Both losses of each step."""
    d_optimizer = torch.optim.Adam(D.parameters(), lr=lr, betas=betas, fused=True)
    g_optimizer = torch.optim.Adam(G.parameters(), lr=lr, betas=betas, fused=True)
    losses = []
    for x, y in batches:
        real, fake = 2 * x - 1, G(torch.randn(len(x), G.latent_size, device=x.device), y)
        d_loss, _ = gan.non_saturating(D(real, y), D(fake.detach(), y))
        d_optimizer.zero_grad()
        d_loss.backward()
        d_optimizer.step()
        logits = D(fake, y)
        _, g_loss = gan.non_saturating(logits, logits)
        g_optimizer.zero_grad()
        g_loss.backward()
        g_optimizer.step()
        _move_average(average, G, decay)
        losses.append((d_loss.item(), g_loss.item()))
    return losses


class _Small(nn.Module):
    """A player of a small game: dense, with batch normalisation, and with an offset for each of three classes."""

    latent_size = 5

    def __init__(self, inputs: int, outputs: int, last: nn.Module) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(inputs, 8), nn.Tanh(), nn.Linear(8, 8, bias=False))  # the norm would undo a bias
        self.norm, self.second = nn.BatchNorm1d(8), nn.Linear(8, outputs)
        self.offset, self.last = nn.Embedding(3, 8), last

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = torch.relu(self.norm(self.first(x.flatten(1))))
        return self.last(self.second(h if y is None else h + self.offset(y)))


def _played(answer: Callable, steps: int, labelled: bool, lr: float, seed: int) -> tuple | None:
    """What is left of a game of a few steps on images of 4 x 4: losses, G, D, and the average."""
    torch.manual_seed(seed)
    G = _Small(5, 16, nn.Sequential(nn.Tanh(), nn.Unflatten(1, (1, 4, 4))))
    D, average = _Small(16, 1, nn.Flatten(0)), _Small(5, 16, nn.Sequential(nn.Tanh(), nn.Unflatten(1, (1, 4, 4))))
    average.load_state_dict(G.state_dict())
    batches = [(torch.rand(10, 1, 4, 4), torch.randint(3, (10,)) if labelled else None) for _ in range(steps)]
    losses = answer(G, D, iter(batches), average, lr=lr, betas=(0.5, 0.9), decay=0.8)
    if losses is None:
        return None
    after = [torch.cat([weight.detach().flatten() for weight in player.parameters()]) for player in (D, G, average)]
    return torch.as_tensor(losses, dtype=torch.float64), *after


def _games(rng: torch.Generator) -> list[tuple]:
    seeds = torch.randint(10_000, (3,), generator=rng).tolist()
    return list(zip((1, 4, 8), (False, False, True), (0.02, 0.02, 0.01), seeds, strict=True))


train = Exercise(_train, _games, ("losses", "weights of D", "weights of G", "average"), use=_played, tolerance=2e-3)


def forever(batches: Iterable[tuple[Tensor, Any]], *, steps: int) -> Iterator[tuple[Tensor, Any]]:
    """So many batches (x, y), in pass after pass."""
    done = 0
    while done < steps:
        for batch in batches:
            yield batch
            done += 1
            if done == steps:
                break


def _ends(rng: torch.Generator) -> list[tuple]:
    def ends(size: int) -> tuple[Tensor, Tensor]:
        return torch.randn(size, generator=rng), torch.randn(size, generator=rng)

    return [
        (*ends(2), torch.tensor([0.0, 0.5, 1.0])),
        (*ends(5), torch.rand(4, generator=rng)),
        (*ends(64), torch.rand(9, generator=rng)),
    ]


arc = Exercise(gan.interpolate, _ends, ("latent vectors",), tolerance=1e-4)


def _nearest(images: Tensor, known: Tensor, reach: int = 1) -> tuple[Tensor, Tensor]:
    """The distance of each image, moved by up to `reach` pixels, to the nearest known one, and which one that is."""
    best = torch.full((len(images),), torch.inf)
    which, rows = torch.zeros(len(images), dtype=torch.int64), known.flatten(1)
    for down in range(-reach, reach + 1):
        for right in range(-reach, reach + 1):
            moved = images.roll((down, right), dims=(2, 3)).flatten(1)
            distance, index = torch.cdist(moved, rows).min(dim=1)
            closer = distance < best
            best[closer], which[closer] = distance[closer], index[closer]
    return best, which


def _moved_images(rng: torch.Generator) -> list[tuple]:
    cases = []
    for count, channels, size, reach in ((2, 1, 4, 0), (5, 1, 6, 1), (7, 3, 7, 2)):
        known = torch.rand(9, channels, size, size, generator=rng)
        places = torch.randint(9, (count,), generator=rng)
        shifts = torch.randint(-reach, reach + 1, (count, 2), generator=rng).tolist()
        images = torch.stack([known[n].roll(tuple(by), dims=(1, 2)) for n, by in zip(places, shifts, strict=True)])
        cases.append((images + 0.1 * torch.rand(images.shape, generator=rng), known, reach))
    return cases


nearest = Exercise(_nearest, _moved_images, ("distance", "index"), tolerance=1e-3)


def _frechet_distance(a: Tensor, b: Tensor) -> float:
    """Of features [N, F] and [M, F]."""
    a, b = a.double(), b.double()
    A, B = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(A)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    roots = torch.linalg.eigvalsh(root @ B @ root).clamp(min=0).sqrt().sum()
    return ((a.mean(dim=0) - b.mean(dim=0)).square().sum() + A.trace() + B.trace() - 2 * roots).item()


def _features(rng: torch.Generator) -> list[tuple]:
    """Features with correlated columns; the last have fewer rows than columns, so a covariance without an inverse."""

    def drawn(rows: int, columns: int) -> Tensor:
        turn = torch.randn(columns, columns, generator=rng, dtype=torch.float64)
        return torch.randn(rows, columns, generator=rng, dtype=torch.float64) @ turn + torch.rand(columns, generator=rng)

    return [(drawn(20, 2), drawn(30, 2)), (drawn(100, 5), drawn(100, 5)), (drawn(6, 8), drawn(7, 8))]


frechet_distance = Exercise(_frechet_distance, _features, ("distance",), tolerance=1e-4)
