"""What `make record PART=gan-ring` runs for chapter 6: the loop of its exercise on a ring, watched, with momentum, and broken."""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from course_lib import gan
from course_lib.exercises import adversarial_game as game
from course_lib.exercises.adversarial_game_task import task
from course_lib.gan.figures.game_ring import places

RING = gan.ring(8, radius=2.0, std=0.1)
LIMIT, DRAWN, SHOWN, RUNS = 2.8, 2000, 120, 3
MOMENTS = (0, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000, 1200, 1500, 2000)
MOMENTA, MOMENTUM_RUNS, STEPS = (0.0, 0.5, 0.9), 5, 1000
STRIP = range(250, 601, 50)
"""Steps at which the points of the slow discriminator's first run are kept."""
MISTAKES = ("healthy", "detach missing", "zero_grad missing in D's step", "G's step moves D, too", "D learns 20 times slower")


def drawn(G: nn.Module, count: int = DRAWN) -> Tensor:
    """Points from the same z each time."""
    with torch.no_grad():
        return G(torch.randn(count, 2, generator=torch.Generator().manual_seed(5)))


def watched() -> dict:
    """One long run of the course's answer, with the points and what D says at a dozen moments."""
    torch.manual_seed(0)
    G, D = game.Generator.reference(), game.Discriminator.reference()
    rng, frames = torch.Generator().manual_seed(0), []

    def look(step: int) -> None:
        with torch.no_grad():
            field = D(places(LIMIT)).sigmoid()
        points = drawn(G)
        rows = [[round(value, 2) for value in row] for row in points[:SHOWN].tolist()]
        share = round(game.placed(points, RING), 3)
        frames.append({"step": step, "points": rows, "field": [round(value, 2) for value in field.tolist()], "placed": share})

    def batches() -> Iterator[Tensor]:
        for step in range(MOMENTS[-1]):
            if step in MOMENTS:
                look(step)
            yield RING.sample(128, rng)

    game.train.reference(G, D, batches(), **game.RATES)
    look(MOMENTS[-1])
    return {"centres": RING.centres.tolist(), "std": RING.std, "limit": LIMIT, "frames": frames}


def momentum(beta: float, decay: float = 0.99) -> dict:
    """Runs with one first beta of Adam: the share of points in place, of the last weights and of their moving average."""
    found: dict = {"beta": beta, "last": [], "average": []}
    for seed in range(MOMENTUM_RUNS):
        torch.manual_seed(seed)
        G, D = game.Generator.reference(), game.Discriminator.reference()
        average, rng = copy.deepcopy(G), torch.Generator().manual_seed(seed)

        def batches(G: nn.Module = G, average: nn.Module = average, rng: torch.Generator = rng) -> Iterator[Tensor]:
            for _ in range(STEPS):
                yield RING.sample(128, rng)
                for mean, weight in zip(average.parameters(), G.parameters(), strict=True):
                    mean.data.lerp_(weight.data, 1 - decay)

        game.train.reference(G, D, batches(), lr=game.RATES["lr"], betas=(beta, 0.9 if beta < 0.9 else 0.99))
        for name, network in (("last", G), ("average", average)):
            found[name].append(round(game.placed(drawn(network), RING), 3))
    return found


def broken(mistake: str) -> dict:
    """Runs with one mistake in the loop: points and losses of the first, and the share of points in place of all.

    Of the slow discriminator also the points at the steps of `STRIP`.
    """
    found: dict = {"mistake": mistake, "placed": []}
    for seed in range(RUNS):
        torch.manual_seed(seed)
        G, D = game.Generator.reference(), game.Discriminator.reference()
        slower = 20 if mistake == "D learns 20 times slower" else 1
        d_optimizer = torch.optim.Adam(D.parameters(), lr=game.RATES["lr"] / slower, betas=game.RATES["betas"])
        moved = [*G.parameters(), *(D.parameters() if mistake == "G's step moves D, too" else [])]
        g_optimizer = torch.optim.Adam(moved, lr=game.RATES["lr"], betas=game.RATES["betas"])
        rng, losses = torch.Generator().manual_seed(seed), []
        for step in range(STEPS):
            if slower > 1 and seed == 0 and step in STRIP:
                points = drawn(G)
                rows = [[round(value, 2) for value in row] for row in points[:SHOWN].tolist()]
                strip = found.setdefault("strip", [])
                strip.append({"step": step, "points": rows, "placed": round(game.placed(points, RING), 3)})
            fake = G(torch.randn(128, 2))
            seen = fake if mistake == "detach missing" else fake.detach()
            d_loss, _ = gan.non_saturating(D(RING.sample(128, rng)), D(seen))
            if mistake != "zero_grad missing in D's step":
                d_optimizer.zero_grad()
            d_loss.backward(retain_graph=mistake == "detach missing")
            d_optimizer.step()
            logits = D(fake)
            _, g_loss = gan.non_saturating(logits, logits)
            g_optimizer.zero_grad()
            g_loss.backward()
            g_optimizer.step()
            losses.append((d_loss.item(), g_loss.item()))
        points = drawn(G)
        found["placed"].append(round(game.placed(points, RING), 3))
        if seed == 0:
            found["points"] = [[round(value, 2) for value in row] for row in points[:SHOWN].tolist()]
            blocks = torch.tensor(losses).view(-1, 25, 2).mean(dim=1)
            found["losses"] = [[round(value, 3) for value in row] for row in blocks.tolist()]
    return found


def on_the_ring() -> tuple[dict, dict]:
    """All of it, and the course's entry to the open task."""
    numbers = watched()
    numbers["momentum"] = [momentum(beta) for beta in MOMENTA]
    numbers["mistakes"] = [broken(name) for name in MISTAKES]
    numbers["budget"] = [round(task.measure(task.reference, seed=seed).placed, 3) for seed in range(RUNS)]
    return numbers, {}
