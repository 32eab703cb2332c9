"""What the open tasks share: an answer runs within limits, and what keeps it from a score is told in words."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.data import render, sample_factors
from course_lib.exercises.exercise import _Late, _same, _time_limit

FRESH = 1_000_000  # how far the images to judge on lie behind those to learn from


class NoScore(Exception):
    """Why an answer has no score: the rest of a sentence that begins with its name."""


@contextlib.contextmanager
def attempt(seconds: float, who: str = "it") -> Iterator[None]:
    """So many core-seconds for what runs inside. Whatever goes wrong there is raised as NoScore, and `who` is to blame."""
    try:
        with _time_limit(seconds, cores=True):
            yield
    except NoScore:
        raise
    except _Late:
        raise NoScore(f"has no score yet: {who} takes more than {seconds:g} core-seconds") from None
    except (Exception, SystemExit) as error:
        if isinstance(error, NotImplementedError) and not error.args:  # PyTorch's own have a text
            raise NoScore("is waiting for you") from None
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise NoScore(f"has no score yet: {who} raises {text}") from None


def learned(answer: Callable, given: tuple, seconds: float, weights: int | None = None) -> tuple[Any, int, float]:
    """What an answer returns for the arguments `given`, an nn.Module on the CPU in evaluation mode.

    seconds: the most core-seconds that it may take. weights: the most that the model may have. Returns the model, its
    weights and the core-seconds. Raises NoScore.
    """
    own, begin = tuple(part.clone() if isinstance(part, Tensor) else part for part in given), core_seconds()
    with attempt(seconds):
        model = answer(*given)
        used = core_seconds() - begin
        if model is None:
            raise NoScore("is waiting for you: it returns None")
        if not _same(own, given):
            raise NoScore("has no score yet: it changes its arguments, and may only read them")
        if not isinstance(model, nn.Module):
            raise NoScore(f"has no score yet: it returns a {type(model).__name__}, and an nn.Module is asked for")
        count = count_weights(model.cpu().eval())
    if weights is not None and count > weights:
        raise NoScore(f"has no score yet: its model has {count:,} weights, and {weights:,} are allowed")
    if used > seconds:  # where there is no timer signal, and for child processes, this alone counts
        raise NoScore(f"has no score yet: it takes {used:.0f} core-seconds, and {seconds:g} are allowed")
    return model, count, used


def measured(measure: Callable[[], Any], seed: int) -> Any:
    """What `measure` returns, or why there is no score, as a str. PyTorch's random numbers begin at `seed`, and go on after
    it as if nothing had been drawn.
    """
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return measure()
    except NoScore as reason:
        return str(reason)


def tell(answer: Any, found: Any, words: Callable[[Any], str], below: Iterable[str]) -> None:
    """Print what was `found` of an answer, a score in `words` or why there is none, and below it the scores to compare with."""
    said = f"{found}." if isinstance(found, str) else words(found)
    print(f"{getattr(answer, '__name__', 'Your answer')} {said}\n")
    print("\n".join(below))


def place_of(name: str) -> int:
    """A number for each "private:WORD", the same on every machine; 0 for any other name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:5], "big") if name.startswith("private:") else 0


def digits(name: str, start: int, count: int) -> tuple[Tensor, Tensor]:
    """Grey digits uint8 [count, 1, 32, 32] and their labels; a private word is a place of its own among all that there are."""
    factors = sample_factors("glyphs", "train", torch.arange(count) + start + 2 * FRESH * place_of(name))
    return render(factors)[0], factors["digit"]


def core_seconds() -> float:
    """The processor time of this process and of its child processes that have ended."""
    return sum(os.times()[:4])


def count_weights(model: nn.Module) -> int:
    """How many numbers a model holds: parameters, buffers, and tensors that are plain attributes."""
    attributes = [value for part in model.modules() for value in vars(part).values() if isinstance(value, Tensor)]
    return sum(values.numel() for values in [*model.parameters(), *model.buffers(), *attributes])
