"""The open task of chapter 5: write `learn(images, labels)`, which returns a model that reads
digits in typefaces that it has not seen. It has no right answer, but a score.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from course_lib.classification import CNN, fit_classifier
from course_lib.data import Augment, Batches, render, sample_factors
from course_lib.exercises.exercise import _Late, _same, _time_limit
from course_lib.metrics import accuracy_interval
from course_lib.recorded import recorded


def learn(images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    """The course's own answer: the convolutional network of chapter 3 with batch normalisation,
    trained as in chapter 4 on images that are shifted by up to two pixels.

    images: uint8 [N, 3, 32, 32], labels: int64 [N]. The model maps images in [0, 1] to scores
    [N, 10].
    """
    model = CNN(3, 32, 10, widths=(16, 32, 64), hidden=64, batch_norm=True).set_statistics(images)
    order, shifts = (torch.Generator().manual_seed(torch.initial_seed()) for _ in range(2))
    batches = Batches(images, labels, batch_size=min(128, len(images)), drop_last=True, rng=order, channels_last=True)
    fit_classifier(model, batches, epochs=11, lr=0.1, augment=Augment(shift=2, rng=shifts))
    return model


@dataclass(frozen=True)
class Score:
    """What was measured of a `learn`.

    Attributes:
        accuracy: share of the unseen images that its model reads.
        interval: the 95 % interval of the accuracy.
        weights: of the model: parameters, buffers, and tensors that are plain attributes.
        seconds: core-seconds that the learning took.
    """

    accuracy: float
    interval: tuple[float, float]
    weights: int
    seconds: float


@dataclass(frozen=True, eq=False)
class LearningTask:
    """The rules of the task, and how a `learn` is scored.

    Attributes:
        reference: the course's own answer.
        images: how many images it learns from, uint8 [images, 3, 32, 32].
        judged: how many images its model is judged on, of "unseen-fonts".
        weights: the most that the model may have, counted as in `Score`.
        seconds: the most core-seconds for the learning, and as many for the judging: the processor
            time of all threads, and of child processes that have ended.
    """

    reference: Callable = learn
    images: int = 10_000
    judged: int = 4_000
    weights: int = 100_000
    seconds: float = 60.0

    def score(self, learn: Any, name: str = "glyphs-color", seed: int = 0) -> None:
        """Print the score of a `learn`, or what is wrong with it, and below it the recorded scores.

        Args:
            learn: images uint8 [N, 3, 32, 32], labels int64 [N] -> nn.Module, which maps images in
                [0, 1], float32 [n, 3, 32, 32], to scores [n, 10].
            name: "glyphs-color", or "private:WORD" (see `data.load`).
            seed: of PyTorch's random numbers while it learns.
        """
        found, title = self.measure(learn, name, seed), getattr(learn, "__name__", "Your answer")
        if isinstance(found, str):
            print(f"{title} {found}.\n")
        else:
            share, low, high = (f"{100 * value:.1f} %" for value in (found.accuracy, *found.interval))
            print(f"{title} reads {share} of {self.judged:,} digits in unseen typefaces (95 % interval: {low} to {high}).")
            used = f"{found.weights:,} of {self.weights:,} weights, and learned in {found.seconds:.0f} of {self.seconds:g}"
            print(f"Its model has {used} core-seconds.\n")
        print("\n".join(_recorded_lines()))

    def measure(self, learn: Any, name: str = "glyphs-color", seed: int = 0) -> Score | str:
        """The score of a `learn`, or what is wrong with it, as the rest of a sentence that begins
        with its name. It "is waiting for you" while it returns None.
        """
        given = self._draw(name, "train", self.images)
        own = tuple(part.clone() for part in given)
        begin, who = _core_seconds(), "it"
        try:
            with _time_limit(self.seconds, cores=True), torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = learn(*given)
            seconds = _core_seconds() - begin
            if model is None:
                return "is waiting for you: it returns None"
            fault = None if _same(own, given) else "it changes its arguments, and may only read them"
            fault = fault or self._excess(model, seconds)
            if fault:
                return f"has no score yet: {fault}"
            who, weights = "its model", _weights(model)
            images, labels = self._draw(name, "unseen-fonts", self.judged)
            with _time_limit(self.seconds, cores=True), torch.no_grad():
                scores = torch.cat([model(batch.float() / 255) for batch in images.split(500)])
            if scores.shape != (self.judged, 10):
                return f"has no score yet: its model gives the shape {list(scores.shape)}, not [{self.judged}, 10]"
            if not scores.isfinite().all():
                return "has no score yet: a score of its model is not a finite number (NaN or infinite)"
        except _Late:
            return f"has no score yet: {who} takes more than {self.seconds:g} core-seconds"
        except (Exception, SystemExit) as error:
            text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            waiting = isinstance(error, NotImplementedError) and not error.args
            return "is waiting for you" if waiting else f"has no score yet: {who} raises {text}"
        right = int((scores.argmax(dim=1) == labels).sum())
        return Score(right / self.judged, accuracy_interval(right, self.judged), weights, seconds)

    def _draw(self, name: str, split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first images of a split, uint8 [count, 3, 32, 32], and their labels, int64 [count]."""
        factors = sample_factors(name, split, range(count))
        return render(factors)[0], factors["digit"]

    def _excess(self, model: Any, seconds: float) -> str | None:
        """What a model is that it may not be, in words; None if it keeps to the rules. Puts it on the
        CPU and into evaluation mode.
        """
        if not isinstance(model, nn.Module):
            return f"it returns a {type(model).__name__}, and an nn.Module is asked for"
        weights = _weights(model.cpu().eval())
        if weights > self.weights:
            return f"its model has {weights:,} weights, and {self.weights:,} are allowed"
        # Where there is no timer signal, and for child processes, this alone counts.
        return f"it takes {seconds:.0f} core-seconds, and {self.seconds:g} are allowed" if seconds > self.seconds else None


task = LearningTask()


def _core_seconds() -> float:
    """The processor time of this process and of its child processes that have ended."""
    return sum(os.times()[:4])


def _weights(model: nn.Module) -> int:
    """How many numbers a model holds: parameters, buffers, and tensors that are plain attributes."""
    attributes = [value for part in model.modules() for value in vars(part).values() if isinstance(value, torch.Tensor)]
    return sum(values.numel() for values in [*model.parameters(), *model.buffers(), *attributes])


def _recorded_lines() -> Iterator[str]:
    """What `make record PART="learning"` measured, on the public images, as a table."""
    found = recorded("learning")
    yield f"{'recorded, public images':<28}{'reads':>17}{'weights':>14}{'core-seconds':>14}"
    for title, runs in found["scores"].items():
        low, high = (f"{100 * limit(runs['accuracy']):.1f}" for limit in (min, max))
        reads = f"{low} %" if low == high else f"{low} to {high} %"
        yield f"{title:<28}{reads:>17}{runs['weights']:>14,}{max(runs['seconds']):>14.0f}"
    yield f"Made {found['made']}."
