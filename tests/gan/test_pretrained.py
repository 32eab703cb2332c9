"""The generators that the package brings draw what their metrics say, and a set without one is told so."""

import json
import struct
from importlib import resources

import pytest
import torch

from course_lib.gan import Pretrained, draw, load_generator

NAMES = ("glyphs", "mnist")


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_conditional_and_fixed(name, device):
    trained = load_generator(name, device=device)
    assert isinstance(trained, Pretrained) and len(trained.classes) == trained.generator.classes == 10
    assert not trained.generator.training and not any(weight.requires_grad for weight in trained.generator.parameters())
    assert set(trained.metrics) == {"frechet_distance", "right", "variety", "steps", "seconds"}
    path = resources.files("course_lib.gan").joinpath("generators", f"{name}.safetensors")
    assert len(path.read_bytes()) < 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_it_draws_the_digit_that_was_asked_for(name):
    # A test may ask another chapter's judge; the package may not.
    from course_lib.classification import load_judge

    trained, judge = load_generator(name, device="cpu"), load_judge(name, device="cpu")
    labels = torch.arange(10).repeat(30)
    images = draw(trained.generator, trained.generator.noise(300, torch.Generator().manual_seed(5)), labels)
    right = (judge(images).argmax(dim=1) == labels).double().mean().item()
    # 300 coins with the measured probability: five standard deviations below it is no chance.
    expected = trained.metrics["right"]
    assert expected > 0.95 and right > expected - 5 * (max(expected * (1 - expected), 0.002) / 300) ** 0.5
    # Not one image for each digit, whatever z: neither judge nor Frechet distance would notice that.
    assert trained.metrics["variety"] > 0.8 and images.view(30, 10, -1).std(dim=0).mean() > 0.1


@pytest.mark.parametrize("name", NAMES)
def test_its_file_says_how_it_was_trained_and_names_no_machine(name):
    data = resources.files("course_lib.gan").joinpath("generators", f"{name}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])["__metadata__"]
    assert json.loads(header["contents"])["config"]["training"]["generator_lr"] > 0
    assert "/home" not in str(header) and "/root" not in str(header)


def test_a_set_without_one_is_told_which_there_are():
    with pytest.raises(ValueError, match="no generator for 'cifar10': the package has glyphs, mnist"):
        load_generator("cifar10")
