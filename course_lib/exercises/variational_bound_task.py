"""The open task of chapter 8: write `entry(log_joint, x, rng)`, which estimates log p(x) from 16 values of log p(x, z) for each
x. It has no right answer, but a score: how much nearer it comes than 16 draws from the prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal

from course_lib import vae
from course_lib.exercises.open_task import NoScore, attempt, measured, place_of, tell

PRIOR = Normal(torch.tensor(0.0, dtype=torch.float64), torch.tensor(1.0, dtype=torch.float64))


def entry(log_joint: Callable, x: Tensor, rng: torch.Generator) -> Tensor:
    """The course's own answer: z at 16 evenly spread quantiles of the prior, the same for every x."""
    z = PRIOR.icdf((torch.arange(16).double()[:, None] + 0.5) / 16).expand(-1, len(x))
    return vae.importance_weighted_bound(log_joint(z) - PRIOR.log_prob(z))


def from_the_prior(log_joint: Callable, x: Tensor, rng: torch.Generator) -> Tensor:
    """The page's first entry."""
    z = torch.randn(16, len(x), generator=rng, dtype=torch.float64)
    return vae.importance_weighted_bound(log_joint(z) - PRIOR.log_prob(z))


@dataclass(frozen=True)
class Score:
    """What was measured of an `entry`: its mean distance from log p(x) in nats, and that of draws from the prior."""

    off: float
    of_the_prior: float

    @property
    def share(self) -> float:
        """How much of the distance is gone, between 0 and 1."""
        return max(0.0, 1 - self.off / self.of_the_prior)


@dataclass(frozen=True, eq=False)
class LooksTask:
    """The rules of the task, and how an `entry` is scored.

    Attributes:
        reference: the course's own answer.
        looks: how many values of log p(x, z) it may ask for, for each x.
        points: how many x there are, drawn around the curve.
        seconds: the most core-seconds.
    """

    reference: Callable = entry
    looks: int = 16
    points: int = 500
    seconds: float = 20.0

    def score(self, entry: Any, name: str = "points", seed: int = 0) -> None:
        """Print the score of an `entry`, or what is wrong with it, and below it the course's own.

        Args:
            entry: (log_joint, x float64 [N, 2], rng) -> log p(x) [N]. log_joint takes z [K, N] and gives log p(x, z) [K, N].
            name: "points", or "private:WORD": then the word chooses the points.
            seed: of the points, of rng and of PyTorch's random numbers.
        """
        own = self.measure(self.reference, name, seed)
        below = own if isinstance(own, str) else f"the course's own: {100 * own.share:.1f} %, {own.off:.3f} nats"
        tell(entry, self.measure(entry, name, seed), self._words, [below])

    def _words(self, found: Score) -> str:
        return (
            f"scores {100 * found.share:.1f} % of the way: {found.off:.3f} nats from log p(x) in the mean,"
            f" draws of the prior {found.of_the_prior:.3f}."
        )

    def measure(self, entry: Any, name: str = "points", seed: int = 0) -> Score | str:
        """The score of an `entry`, or what is wrong with it, as the rest of a sentence that begins with its name."""
        place = seed + place_of(name)
        return measured(lambda: Score(self._off(entry, place), self._off(from_the_prior, place)), seed)

    def _off(self, entry: Callable, seed: int) -> float:
        rng, model, asked = torch.Generator().manual_seed(seed), vae.CurvedModel(), [0]
        z = 1.5 * torch.randn(self.points, generator=rng, dtype=torch.float64)
        x = model.curve(z) + model.noise * torch.randn(self.points, 2, generator=rng, dtype=torch.float64)
        right = model.log_prob(x)

        def log_joint(z: Tensor) -> Tensor:
            asked[0] += len(z)
            if asked[0] > self.looks:
                raise NoScore(
                    f"has no score yet: it asks for {asked[0]} values of log p(x, z) for each point, and {self.looks} are allowed"
                )
            return model.log_joint(x, z)

        with attempt(self.seconds):
            found = entry(log_joint, x.clone(), rng)
        if found is None:
            raise NoScore("is waiting for you: it returns None")
        if not isinstance(found, Tensor) or found.shape != (self.points,):
            shape = list(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise NoScore(f"has no score yet: it should return a tensor [{self.points}], and returns {shape}")
        off = (found.detach().double() - right).abs().mean().item()
        if not off < float("inf"):
            raise NoScore("has no score yet: one of its numbers is not finite (NaN or infinite)")
        return off


task = LooksTask()
