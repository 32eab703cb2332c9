"""The open task of chapter 9: what gets a score, what gets none, and that the bound is the one that it says."""

import dataclasses

import pytest
import torch
from torch import nn

from course_lib.exercises import drawing_vae_task as tasks

quick = dataclasses.replace(tasks.task, images=80, judged=20, samples=3, seconds=20)


def test_pixels_one_by_one_save_nothing():
    found = quick.measure(tasks.independent)
    assert found.saved == pytest.approx(0, abs=1e-5) and found.nats == pytest.approx(found.alone, rel=1e-5)
    other = quick.measure(tasks.independent, name="private:tulip")
    assert other.alone != found.alone, "a word draws other images"


def test_a_prior_that_is_a_mixture_counts():
    """With q = N(0, I) and a decoder without eyes for z, the bound is at its best for the prior N(0, I)."""

    def shifted(images):
        model = tasks.independent(images)
        model.prior = torch.ones(1), torch.full((1, 1), 3.0), torch.ones(1, 1, 1)
        return model

    def same(images):
        model = tasks.independent(images)
        model.prior = torch.full((2,), 7.0), torch.zeros(2, 1), torch.ones(2, 1, 1)  # shares are made to sum to 1
        return model

    plain = quick.measure(tasks.independent)
    assert quick.measure(same).nats == pytest.approx(plain.nats, rel=1e-5)
    assert quick.measure(shifted).nats > plain.nats + 0.5


class Keeps(tasks.Independent):
    """Its decoder gives back what its encoder saw."""

    def encode(self, x):
        self.logits = nn.Parameter(40 * (x.mean(dim=0) - 0.5))
        return super().encode(x)


class Gathers(tasks.Independent):
    """Its z say little of the image, each for itself; its decoder gathers what many of them say together."""

    def __init__(self, shares):
        super().__init__(shares)
        self.sum = None

    def encode(self, x):
        self.sum = None
        mean = 2 * (x.flatten(1).repeat(1, 2) - 0.5)
        return mean, torch.zeros_like(mean)

    def decode(self, z):
        self.sum = z if self.sum is None else self.sum + z
        return 2 * self.sum.view(len(z), 2, 1, 32, 32).sum(dim=1)


def test_a_decoder_cannot_keep_what_its_encoder_saw():
    keeps = quick.measure(lambda images: Keeps(tasks._shares(images)))
    assert keeps.nats == pytest.approx(quick.measure(tasks.independent).nats, rel=1e-4)


def test_a_decoder_cannot_gather_what_many_z_say():
    said = dataclasses.replace(quick, samples=20).measure(lambda images: Gathers(tasks._shares(images)))
    assert said == "has no score yet: its decode gives other logits for the same z at another time"


def test_a_model_has_to_be_one_that_can_be_saved():
    class Local(tasks.Independent):
        pass

    said = quick.measure(lambda images: Local(tasks._shares(images)))
    assert said.startswith("has no score yet: its model cannot be saved: define its classes outside of learn")


@pytest.mark.parametrize(
    ("learn", "words"),
    [
        (lambda images: None, "is waiting for you: it returns None"),
        (lambda images: 3, "it returns a int, and an nn.Module is asked for"),
        (lambda images: tasks.independent(images.add_(1)), "it changes its arguments"),
        (lambda images: nn.Linear(2000, 2000), "its model has 4,002,000 weights, and 1,000,000 are allowed"),
        (lambda images: nn.Flatten(), "its model raises AttributeError"),
    ],
)
def test_what_gets_no_score_is_told(learn, words):
    assert words in quick.measure(learn)


def test_the_course_s_own_has_a_prior_and_a_score(capsys):
    quick.score(tasks.learn)
    text = capsys.readouterr().out
    assert text.startswith("learn scores ") and "its prior left as N(0, I)" in text
