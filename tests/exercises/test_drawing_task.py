"""The open task of chapter 7: a score for what is new, and words for what has none."""

import dataclasses

import pytest
import torch
from torch import nn

from course_lib.exercises import drawing_gan_task, open_task
from course_lib.exercises.drawing_gan_task import Score

quick = dataclasses.replace(drawing_gan_task.task, images=300, judged=200, compared=20, seconds=20.0)


class Shelf(nn.Module):
    """Draws given images [10, n, 1, 32, 32] of each digit in turn."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, move: int = 0) -> None:
        super().__init__()
        self.rows = [images[labels == digit].float().roll(move, dims=3) / 255 for digit in range(10)]

    def forward(self, labels):
        places = torch.arange(len(labels))
        return torch.stack([self.rows[y][n % len(self.rows[y])] for y, n in zip(labels.tolist(), places.tolist(), strict=True)])


@pytest.mark.parametrize("move", [0, 1])
def test_replayed_training_images_are_worth_nothing_moved_or_not(move):
    found = quick.measure(lambda images, labels: Shelf(images, labels, move))
    assert isinstance(found, Score) and found.new == found.score == 0 and found.coverage > 0.5


def test_fresh_images_are_worth_a_lot_and_a_private_word_chooses_others():
    images, labels = open_task.digits("glyphs", 5_000, 2_000)
    found = quick.measure(lambda *_: Shelf(images, labels))
    assert found.score > 0.5 and found.new > 0.8
    assert not torch.equal(images[:9], open_task.digits("private:tulip", 5_000, 9)[0])


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda images, labels: None, "is waiting for you"),
        (lambda images, labels: images, "returns a Tensor"),
        (lambda images, labels: nn.Embedding(10, 3), "have the shape [200, 3]"),
        (lambda images, labels: images.add_(1), "changes its arguments"),
        (lambda images, labels: 1 / 0, "raises ZeroDivisionError"),
    ],
    ids=["waiting", "no module", "shape", "changes", "raises"],
)
def test_what_has_no_score_says_why(draw, words):
    assert words in quick.measure(draw)


def test_the_course_s_own_answer_has_a_score_and_the_recorded_ones_stand_below(capsys):
    quick.score(dataclasses.replace(quick).reference)
    output = capsys.readouterr().out
    assert output.startswith("draw scores ") and "the course's own" in output and "replayed training images" in output
