"""Settings are checked alike for all loops, and recorded as they can be saved."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from course_lib.data import Batches
from course_lib.training import check_last_batch, check_settings


def test_settings_come_back_as_plain_numbers():
    found = check_settings(epochs=np.int64(3), lr=1, betas=(0, 0.9), schedule="cosine", momentum=0, kl_warm_up=1, loss="hinge")
    assert found == {
        "epochs": 3,
        "lr": 1.0,
        "betas": [0.0, 0.9],
        "schedule": "cosine",
        "momentum": 0.0,
        "kl_warm_up": 1,
        "loss": "hinge",
    }
    assert type(found["epochs"]) is int and type(found["lr"]) is float


@pytest.mark.parametrize("name", ["epochs", "steps", "batch_size", "discriminator_steps", "watch_every"])
def test_counts_are_whole_numbers_of_at_least_one(name):
    with pytest.raises(ValueError, match=f"{name} is 0.*at least 1"):
        check_settings(**{name: 0})
    with pytest.raises(TypeError, match=rf"{name} is 2\.5"):
        check_settings(**{name: 2.5})


@pytest.mark.parametrize("name", ["lr", "generator_lr", "discriminator_lr", "weight_decay", "beta", "free_bits"])
def test_numbers_are_finite_and_at_least_zero(name):
    assert check_settings(**{name: 7}) == {name: 7.0}
    for value in (-0.1, math.nan, math.inf):
        with pytest.raises(ValueError, match=f"{name} is {value}.*at least 0"):
            check_settings(**{name: value})


@pytest.mark.parametrize("name", ["momentum", "label_smoothing", "average_decay"])
def test_shares_lie_below_one(name):
    assert check_settings(**{name: 0.999}) == {name: 0.999}
    for value in (1, -0.1, math.nan):
        with pytest.raises(ValueError, match=rf"{name} is {float(value)}.*below 1"):
            check_settings(**{name: value})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"betas": 0.9}, r"betas is 0\.9: Adam takes two numbers"),
        ({"betas": (0.9,)}, r"betas is \(0\.9,\)"),
        ({"betas": (0.9, 1.0)}, r"one of betas is 1\.0"),
        ({"schedule": "step"}, "schedule is 'step': choose from one-cycle, cosine"),
        ({"kl_warm_up": 1.5}, r"kl_warm_up is 1\.5.*between 0 and 1"),
        ({"kl_warm_up": math.nan}, "kl_warm_up is nan"),
    ],
)
def test_other_settings_are_named(settings, words):
    with pytest.raises(ValueError, match=words):
        check_settings(**settings)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(16), nn.BatchNorm2d(1)])
def test_a_last_batch_of_one_is_refused_where_it_would_be_normalised(layer):
    images = torch.zeros(33, 1, 4, 4, dtype=torch.uint8)
    normalised, plain = nn.Sequential(nn.Flatten(), layer), nn.Sequential(nn.Flatten(), nn.LayerNorm(16))
    with pytest.raises(ValueError, match=r"last batch of 33 images in batches of 16 has one: .*drop_last=True"):
        check_last_batch(Batches(images, batch_size=16), normalised)
    for drop_last in (False, True):
        with pytest.raises(ValueError, match=r"batches of 1 has one: .*at least two"):
            check_last_batch(Batches(images, batch_size=1, drop_last=drop_last), normalised)
    check_last_batch(Batches(images, batch_size=16, drop_last=True), normalised)
    check_last_batch(Batches(images, batch_size=15), normalised)
    check_last_batch(Batches(images, batch_size=33), normalised)
    check_last_batch(Batches(images, batch_size=16), plain)
    check_last_batch(Batches(images, batch_size=1), plain)
