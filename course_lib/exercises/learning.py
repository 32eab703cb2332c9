"""The open task of chapter 5: write `learn(images, labels)`, which returns a model that reads
digits in typefaces that it has not seen. It has no right answer, but a score.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from course_lib.classification import CNN, fit_classifier
from course_lib.data import Augment, Batches, render, sample_factors
from course_lib.exercises.open_task import NoScore, attempt, learned, measured, tell
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
        tell(learn, self.measure(learn, name, seed), self._words, _recorded_lines())

    def _words(self, found: Score) -> str:
        share, low, high = (f"{100 * value:.1f} %" for value in (found.accuracy, *found.interval))
        used = f"{found.weights:,} of {self.weights:,} weights, and learned in {found.seconds:.0f} of {self.seconds:g}"
        return (
            f"reads {share} of {self.judged:,} digits in unseen typefaces (95 % interval: {low} to {high}).\n"
            f"Its model has {used} core-seconds."
        )

    def measure(self, learn: Any, name: str = "glyphs-color", seed: int = 0) -> Score | str:
        """The score of a `learn`, or what is wrong with it, as the rest of a sentence that begins
        with its name. It "is waiting for you" while it returns None.
        """
        return measured(lambda: self._measured(learn, name), seed)

    def _measured(self, learn: Any, name: str) -> Score:
        model, weights, seconds = learned(learn, self._draw(name, "train", self.images), self.seconds, self.weights)
        images, labels = self._draw(name, "unseen-fonts", self.judged)
        with attempt(self.seconds, "its model"), torch.no_grad():
            scores = torch.cat([model(batch.float() / 255) for batch in images.split(500)])
        if scores.shape != (self.judged, 10):
            raise NoScore(f"has no score yet: its model gives the shape {list(scores.shape)}, not [{self.judged}, 10]")
        if not scores.isfinite().all():
            raise NoScore("has no score yet: a score of its model is not a finite number (NaN or infinite)")
        right = int((scores.argmax(dim=1) == labels).sum())
        return Score(right / self.judged, accuracy_interval(right, self.judged), weights, seconds)

    def _draw(self, name: str, split: str, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The first images of a split, uint8 [count, 3, 32, 32], and their labels, int64 [count]."""
        factors = sample_factors(name, split, range(count))
        return render(factors)[0], factors["digit"]


task = LearningTask()


def _recorded_lines() -> Iterator[str]:
    """What `make record PART="learning"` measured, on the public images, as a table."""
    found = recorded("learning")
    yield f"{'recorded, public images':<28}{'reads':>17}{'weights':>14}{'core-seconds':>14}"
    for title, runs in found["scores"].items():
        low, high = (f"{100 * limit(runs['accuracy']):.1f}" for limit in (min, max))
        reads = f"{low} %" if low == high else f"{low} to {high} %"
        yield f"{title:<28}{reads:>17}{runs['weights']:>14,}{max(runs['seconds']):>14.0f}"
    yield f"Made {found['made']}."
