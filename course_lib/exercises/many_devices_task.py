"""The open task of chapter 12: write `message(gradient, rest)`, which says what a device sends of its gradient. It has no right
answer, but a score: how low the loss gets where every device may send one number in a hundred.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.open_task import NoScore, attempt, digits, measured, tell


def entry(gradient: Tensor, rest: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """The course's own answer: the largest numbers, and what was not sent is added to the next gradient."""
    total = gradient if rest is None else gradient + rest
    places = total.abs().topk(len(total) // 100).indices
    values, left = total[places], total.clone()
    left[places] = 0
    return places, values, left


def at_random(gradient: Tensor, rest: Tensor | None) -> tuple[Tensor, Tensor, None]:
    """The page's first entry: numbers at random places."""
    places = torch.randperm(len(gradient))[: len(gradient) // 100]
    return places, gradient[places], None


def everything(gradient: Tensor, rest: Tensor | None) -> tuple[Tensor, Tensor, None]:
    """What may not be sent: the whole gradient."""
    return torch.arange(len(gradient)), gradient, None


@dataclass(frozen=True)
class Score:
    """What was measured: the mean loss on fresh digits, and the numbers that a device sent in a step at most."""

    loss: float
    sent: int


@dataclass(frozen=True, eq=False)
class MessageTask:
    """The rules of the task, and how a `message` is scored.

    Attributes:
        reference: the course's own answer.
        devices: how many learn together; each sends to all others.
        steps: of gradient descent.
        share: of the gradient's numbers, how many may be sent.
        seconds: the most core-seconds.
    """

    reference: Callable = entry
    devices: int = 4
    steps: int = 120
    batch_size: int = 128
    share: float = 0.01
    seconds: float = 30.0

    def score(self, message: Any, name: str = "glyphs", seed: int = 0) -> None:
        """Print the score of a `message`, or what is wrong with it, and below it scores to compare with.

        Args:
            message: (gradient [P], rest) -> places int64 [M], values [M], rest. M is at most P / 100. What it returns as `rest`,
                it gets back in the next step; in the first step that is None.
            name: "glyphs", or "private:WORD": then the word chooses the images.
            seed: of the weights, of the order of the images and of PyTorch's random numbers.
        """
        compared = {"the course's own": self.reference, "as many at random places": at_random}
        below = []
        for title, answer in compared.items():
            found = self.measure(answer, name, seed)
            below.append(f"{title:<26}{found if isinstance(found, str) else f'{found.loss:.3f}'}")
        full = measured(lambda: self._measured(everything, name, limit=False), seed)
        tell(message, self.measure(message, name, seed), self._words, [*below, f"{'all numbers':<26}{full.loss:.3f}"])

    def _words(self, found: Score) -> str:
        return f"gets a loss of {found.loss:.3f} nats on fresh digits; a device sends up to {found.sent:,} numbers in a step."

    def measure(self, message: Any, name: str = "glyphs", seed: int = 0) -> Score | str:
        """The score of a `message`, or what is wrong with it, as the rest of a sentence that begins with its name."""
        return measured(lambda: self._measured(message, name), seed)

    def _measured(self, message: Callable, name: str, limit: bool = True) -> Score:
        seed = torch.initial_seed()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            model = nn.Sequential(nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 10))
        weights = list(model.parameters())
        sizes = [weight.numel() for weight in weights]
        x, y = _small(name, 0, 4000)
        rng, P = torch.Generator().manual_seed(seed), sum(sizes)
        most, sent, rests = int(self.share * P) if limit else P, 0, [None] * self.devices
        with attempt(self.seconds):
            for _ in range(self.steps):
                step = torch.zeros(P)
                chosen = torch.randint(len(x), (self.batch_size,), generator=rng)
                for k, own in enumerate(chosen.chunk(self.devices)):
                    parts = torch.autograd.grad(F.cross_entropy(model(x[own]), y[own]), weights)
                    gradient = torch.cat([part.flatten() for part in parts])
                    places, values, rests[k] = _checked(message(gradient, rests[k]), P, most)
                    step.index_add_(0, places, values / self.devices)
                    sent = max(sent, len(places))
                with torch.no_grad():
                    for weight, part in zip(weights, step.split(sizes), strict=True):
                        weight.sub_(0.3 * part.view_as(weight))
        x, y = _small(name, 10_000, 2000)
        with torch.no_grad():
            loss = F.cross_entropy(model(x), y).item()
        if not loss < float("inf"):
            raise NoScore("has no score yet: the loss is not a finite number (NaN or infinite)")
        return Score(loss, sent)


def _small(name: str, start: int, count: int) -> tuple[Tensor, Tensor]:
    """Grey digits of 16 x 16 in [0, 1], and their labels."""
    images, labels = digits(name, start, count)
    return F.avg_pool2d(images.float() / 255, 2), labels


def _checked(found: Any, P: int, most: int) -> tuple[Tensor, Tensor, Any]:
    """The three parts of a message; NoScore where they are none."""
    if found is None:
        raise NoScore("is waiting for you: it returns None")
    if not isinstance(found, tuple) or len(found) != 3:
        raise NoScore("has no score yet: it should return places, values and rest")
    places, values, rest = found
    if not isinstance(places, Tensor) or places.dtype != torch.int64 or places.dim() != 1:
        raise NoScore("has no score yet: the places should be int64 [M]")
    if not isinstance(values, Tensor) or values.shape != places.shape or not values.is_floating_point():
        raise NoScore(f"has no score yet: the values should be floats [{len(places)}], one for each place")
    if len(places) > most:
        raise NoScore(f"has no score yet: it sends {len(places):,} of {P:,} numbers, and {most:,} are allowed")
    if len(places) and not 0 <= int(places.min()) <= int(places.max()) < P:
        raise NoScore(f"has no score yet: a place lies outside of 0 to {P - 1}")
    return places, values.float(), rest


task = MessageTask()
