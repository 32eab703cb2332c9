"""The open task of chapter 7: write `draw(images, labels)`, which returns a network that draws digits. It has no right
answer, but a score, in which replayed training images are worth nothing.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.data import Batches
from course_lib.exercises.drawing_gan import nearest
from course_lib.exercises.open_task import FRESH, NoScore, attempt, digits, learned, measured, tell
from course_lib.gan import Discriminator, Generator, fit_gan
from course_lib.metrics import feature_statistics, features_of, frechet_distance, variety
from course_lib.pretrained import load_judge
from course_lib.recorded import recorded


class Drawer(nn.Module):
    """labels int64 [n] -> images [n, 1, 32, 32] in [0, 1], from fresh noise."""

    def __init__(self, G: Generator) -> None:
        super().__init__()
        self.G = G

    def forward(self, labels: Tensor) -> Tensor:
        return (self.G(torch.randn(len(labels), self.G.latent_size), labels) + 1) / 2


def draw(images: Tensor, labels: Tensor) -> nn.Module:
    """The course's own answer: the conditional GAN of the chapter, for longer.

    images: uint8 [N, 1, 32, 32], labels: int64 [N].
    """
    G, D = Generator(1, 32, 64, widths=(64, 32, 16), classes=10), Discriminator(1, 32, widths=(16, 32, 64), classes=10)
    average, steps = copy.deepcopy(G), min(2000, len(images) // 5)
    order, rng = (torch.Generator().manual_seed(torch.initial_seed()) for _ in range(2))
    batches = Batches(images, labels, batch_size=min(64, len(images)), drop_last=True, rng=order, channels_last=True)
    fit_gan(G, D, batches, steps=steps, average=average, generator_lr=2e-3, discriminator_lr=2e-3, rng=rng)
    return Drawer(average)


@dataclass(frozen=True)
class Score:
    """What was measured of a `draw`.

    Attributes:
        score: coverage * variety * new / (1 + distance), between 0 and 1.
        distance: Fréchet distance to fresh images, in the features of the course's judge.
        coverage: share of the fresh images that have a drawn one in their neighbourhood.
        variety: of a pixel within a digit, as a share of that of the fresh images, at most 1.
        new: share of the drawn images that are no training image, also moved by a pixel.
        seconds: core-seconds that the learning took.
    """

    score: float
    distance: float
    coverage: float
    variety: float
    new: float
    seconds: float


@dataclass(frozen=True, eq=False)
class DrawingTask:
    """The rules of the task, and how a `draw` is scored.

    Attributes:
        reference: the course's own answer.
        images: how many images it learns from, uint8 [images, 1, 32, 32].
        judged: how many images it draws, and how many fresh ones they are compared with.
        compared: how many of them are looked up among the training images.
        seconds: the most core-seconds for the learning, and for the drawing.
    """

    reference: Callable = draw
    images: int = 10_000
    judged: int = 2_000
    compared: int = 400
    seconds: float = 200.0

    def score(self, draw: Any, name: str = "glyphs", seed: int = 0) -> None:
        """Print the score of a `draw`, or what is wrong with it, and below it the recorded scores.

        Args:
            draw: images uint8 [N, 1, 32, 32], labels int64 [N] -> nn.Module, which takes labels int64 [n] and returns
                images float32 [n, 1, 32, 32] in [0, 1].
            name: "glyphs", or "private:WORD": then the word chooses the images to learn from, and the fresh ones.
            seed: of PyTorch's random numbers.
        """
        tell(draw, self.measure(draw, name, seed), self._words, _recorded_lines())

    def _words(self, found: Score) -> str:
        return (
            f"scores {100 * found.score:.1f} % after {found.seconds:.0f} of {self.seconds:g} core-seconds:\n"
            f"   coverage {found.coverage:.3f} * variety {found.variety:.3f} * new {found.new:.3f}"
            f" / (1 + Fréchet distance {found.distance:.3f})"
        )

    def measure(self, draw: Any, name: str = "glyphs", seed: int = 0) -> Score | str:
        """The score of a `draw`, or what is wrong with it, as the rest of a sentence that begins with its name. It "is waiting
        for you" while it returns None.
        """
        return measured(lambda: self._measured(draw, name), seed)

    def _measured(self, draw: Any, name: str) -> Score:
        given, labels = digits(name, 0, self.images), torch.arange(self.judged) % 10
        known = given[0].clone()
        model, _, seconds = learned(draw, given, self.seconds)
        with attempt(self.seconds), torch.no_grad():
            drawn = torch.cat([model(some) for some in labels.split(500)]).float()
        if drawn.shape != (self.judged, 1, 32, 32):
            raise NoScore(f"has no score yet: its images have the shape {list(drawn.shape)}, not [{self.judged}, 1, 32, 32]")
        if not ((drawn >= -0.001) & (drawn <= 1.001)).all():
            raise NoScore("has no score yet: a pixel is not between 0 and 1")
        return self._scored(drawn, labels, known, digits(name, FRESH, self.judged), seconds)

    def _scored(self, drawn: Tensor, labels: Tensor, known: Tensor, fresh: tuple[Tensor, Tensor], seconds: float) -> Score:
        judge, reals = load_judge("glyphs", device="cpu"), fresh[0].float() / 255
        statistics = [feature_statistics(features_of(judge.features, images)) for images in (drawn, reals)]
        distance = frechet_distance(*statistics[0], *statistics[1])
        # In pixels: to the judge all fives look alike. A neighbourhood reaches to the fifth of the other fresh images.
        radius = torch.cdist(reals.flatten(1), reals.flatten(1)).kthvalue(6, dim=1).values
        covered = torch.cdist(reals.flatten(1), drawn.flatten(1)).amin(dim=1) <= radius
        spread = min(1.0, variety(drawn, labels, 10) / variety(reals, fresh[1], 10))
        rows = torch.linspace(0, self.judged - 1, self.compared).long()
        far, usual = (nearest.reference(images[rows], known.float() / 255)[0] for images in (drawn, reals))
        new = (far >= usual.quantile(0.02)).double().mean().item()
        coverage = covered.double().mean().item()
        return Score(coverage * spread * new / (1 + distance), distance, coverage, spread, new, seconds)


task = DrawingTask()


def _recorded_lines() -> Iterator[str]:
    """What `make record PART="gan-task"` measured, as a table."""
    found = recorded("gan-task")
    columns = ("score", "distance", "coverage", "variety", "new", "seconds")
    yield f"{'recorded':<36}" + "".join(f"{column:>10}" for column in columns)
    for title, runs in found["scores"].items():
        middle = sorted(runs, key=lambda run: run["score"])[len(runs) // 2]
        shown = [
            f"{100 * middle['score']:.1f} %",
            *(f"{middle[column]:.3f}" for column in columns[1:-1]),
            f"{middle['seconds']:.0f}",
        ]
        yield f"{title:<36}" + "".join(f"{part:>10}" for part in shown)
    yield f"Made {found['made']}."
