"""The open task of chapter 6: write `entry(batches)`, which returns a generator for the points of a grid of 16 modes. It has no
right answer, but a score: the share of its points that are in place.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course_lib import gan
from course_lib.exercises import adversarial_game as game
from course_lib.exercises.open_task import NoScore, attempt, learned, measured, place_of, tell
from course_lib.recorded import recorded


def entry(batches: Iterator[Tensor]) -> nn.Module:
    """The course's own answer: the loop of the exercise with its own settings. batches: points [128, 2]."""
    G, D = game.Generator.reference(), game.Discriminator.reference()
    game.train.reference(G, D, batches, **game.RATES)
    return G


@dataclass(frozen=True)
class Score:
    """What was measured of an `entry`: the share of its points that are in place, and the core-seconds that it took."""

    placed: float
    seconds: float


@dataclass(frozen=True, eq=False)
class GridTask:
    """The rules of the task, and how an `entry` is scored.

    Attributes:
        reference: the course's own answer.
        batches: how many batches of 128 points it gets, which can be gone through once.
        judged: how many points its generator draws.
        seconds: the most core-seconds for the learning, and for the drawing.
    """

    reference: Callable = entry
    batches: int = 1000
    judged: int = 2000
    seconds: float = 120.0

    def score(self, entry: Any, name: str = "grid", seed: int = 0) -> None:
        """Print the score of an `entry`, or what is wrong with it, and below it the recorded scores.

        Args:
            entry: an iterator of points [128, 2] -> nn.Module, which makes points [n, 2] of z [n, its latent_size].
            name: "grid", or "private:WORD": then the word chooses the points.
            seed: of the points and of PyTorch's random numbers.
        """
        tell(entry, self.measure(entry, name, seed), self._words, _recorded_lines())

    def _words(self, found: Score) -> str:
        used = f"{found.seconds:.0f} of {self.seconds:g} core-seconds"
        return f"scores {100 * found.placed:.1f} % of {self.judged:,} points in place, after {used}."

    def measure(self, entry: Any, name: str = "grid", seed: int = 0) -> Score | str:
        """The score of an `entry`, or what is wrong with it, as the rest of a sentence that begins with its name."""
        return measured(lambda: self._measured(entry, seed + place_of(name)), seed)

    def _measured(self, entry: Any, seed: int) -> Score:
        mixture, rng = gan.grid(4, spacing=1.2, std=0.12), torch.Generator().manual_seed(seed)
        batches = (mixture.sample(128, rng) for _ in range(self.batches))
        G, _, seconds = learned(entry, (batches,), self.seconds)
        with attempt(self.seconds, "its generator"), torch.no_grad():
            points = G(torch.randn(self.judged, G.latent_size))
        if points.shape != (self.judged, 2):
            raise NoScore(f"has no score yet: its points have the shape {list(points.shape)}, not [{self.judged}, 2]")
        return Score(game.placed(points, mixture), seconds)


task = GridTask()


def _recorded_lines() -> Iterator[str]:
    """What `make record PART="gan-ring"` measured of the course's own answer."""
    found = recorded("gan-ring")
    yield "recorded, the course's own, three runs: " + ", ".join(f"{share:.1%}".replace("%", " %") for share in found["budget"])
    yield f"Made {found['made']}."
