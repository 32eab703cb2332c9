"""The open tasks of chapters 6 and 8, which need no images: what gets a score, what gets none, and what a private word does."""

import dataclasses
import re

import pytest
import torch
from torch import nn

from course_lib import gan, vae
from course_lib.exercises import adversarial_game_task, variational_bound_task

grid = dataclasses.replace(adversarial_game_task.task, batches=5, judged=500)
looks = variational_bound_task.task


class Knows(nn.Module):
    """Draws the grid's own points, or all of them at one place."""

    latent_size = 1

    def __init__(self, std: float = 0.12, centre: tuple = ()) -> None:
        super().__init__()
        self.mixture, self.centre = gan.grid(4, spacing=1.2, std=std), centre

    def forward(self, z):
        return torch.tensor([self.centre]).expand(len(z), 2) if self.centre else self.mixture.sample(len(z))


def test_the_share_in_place_is_the_score():
    # Three standard deviations of a Gaussian in the plane hold 98.9 %; heaps of chance are uneven. One mode counts for 1 / 16.
    assert 0.9 < grid.measure(lambda batches: Knows()).placed < 0.989
    assert grid.measure(lambda batches: Knows(centre=tuple(gan.grid(4, spacing=1.2).centres[5].tolist()))).placed == 1 / 16
    assert grid.measure(lambda batches: Knows(centre=(9.0, 9.0))).placed == 0


def test_an_entry_gets_the_batches_once_and_a_private_word_chooses_others():
    seen = {}
    for name in ("grid", "grid", "private:tulip"):
        points = []
        assert grid.measure(lambda batches, points=points: points.extend(batches), name) == "is waiting for you: it returns None"
        assert len(points) == 5 and points[0].shape == (128, 2)
        assert name not in seen or torch.equal(seen[name], points[0])
        seen[name] = points[0]
    assert not torch.equal(seen["grid"], seen["private:tulip"])


def test_the_course_s_own_entries_have_scores(capsys):
    for task in (grid, looks):
        task.score(task.reference)
        first = capsys.readouterr().out.splitlines()[0]
        assert re.search(r"scores \d+\.\d % of", first)


def test_exact_answers_are_all_of_the_way_and_draws_from_the_prior_none():
    model = vae.CurvedModel()
    assert looks.measure(lambda log_joint, x, rng: model.log_prob(x)).share == 1
    found = looks.measure(variational_bound_task.from_the_prior)
    assert found.share == 0 and found.off == found.of_the_prior > 1
    assert 0.3 < looks.measure(looks.reference).share < 1
    assert looks.measure(looks.reference, name="private:tulip").off != looks.measure(looks.reference).off


@pytest.mark.parametrize(
    ("task", "answer", "words"),
    [
        (grid, lambda batches: Knows, "it returns a type, and an nn.Module is asked for"),
        (grid, lambda batches: nn.Identity(), "its generator raises AttributeError"),
        (looks, lambda log_joint, x, rng: log_joint(torch.zeros(17, len(x))).sum(dim=0), "it asks for 17 values"),
        (looks, lambda log_joint, x, rng: x, r"should return a tensor \[500\], and returns \[500, 2\]"),
        (looks, lambda log_joint, x, rng: x[:, 0] / 0, "not finite"),
        (looks, lambda log_joint, x, rng: 1 / 0, "it raises ZeroDivisionError"),
    ],
    ids=["no module", "latent size", "looks", "shape", "not finite", "raises"],
)
def test_what_has_no_score_says_why(task, answer, words):
    assert re.search(words, task.measure(answer))
