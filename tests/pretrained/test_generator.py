"""The generators that the package brings draw what their metrics say, and one can be trained for a
set that has a judge.
"""

import pytest
import torch

from course_lib import data
from course_lib.gan import Generator, draw
from course_lib.pretrained import Pretrained, generator, load_generator, load_judge, train_generator, train_judge
from course_lib.pretrained.judge import RECIPES
from course_lib.pretrained.kept import WEIGHTS, kept_path
from course_lib.runtime import load_checkpoint

NAMES = ("glyphs", "mnist")
MEASURED = {"frechet_distance", "right", "variety", "steps", "seconds"}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_small_conditional_and_fixed(name, device):
    trained = load_generator(name, device=device)
    assert isinstance(trained, Pretrained) and isinstance(trained.generator, Generator)
    assert len(trained.classes) == trained.generator.classes == 10
    assert not trained.generator.training and not any(weight.requires_grad for weight in trained.generator.parameters())
    assert set(trained.metrics) == MEASURED
    assert (WEIGHTS / "generators" / f"{name}.pt").stat().st_size < 3_000_000


@pytest.mark.parametrize("name", NAMES)
def test_it_draws_the_digit_that_was_asked_for(name):
    trained, judge = load_generator(name, device="cpu"), load_judge(name, device="cpu")
    labels = torch.arange(10).repeat(30)
    images = draw(trained.generator, trained.generator.noise(300, torch.Generator().manual_seed(5)), labels)
    right = (judge(images).argmax(dim=1) == labels).double().mean().item()
    # 300 coins with the measured probability: five standard deviations below it is no chance.
    expected = trained.metrics["right"]
    assert expected > 0.95 and right > expected - 5 * (max(expected * (1 - expected), 0.002) / 300) ** 0.5
    # Not one image for each digit, whatever z: neither judge nor Frechet distance would notice
    # that.
    assert trained.metrics["variety"] > 0.8 and images.view(30, 10, -1).std(dim=0).mean() > 0.1


@pytest.mark.parametrize("path", sorted(WEIGHTS.rglob("*.pt")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_its_file_says_how_it_was_trained_and_names_no_machine(path):
    checkpoint = load_checkpoint(path)
    assert checkpoint.config["training"] and checkpoint.metrics and checkpoint.training is None
    contents = path.read_bytes()
    assert b"/home" not in contents and b"/root" not in contents


def test_the_package_has_the_three_kinds_for_both_sets():
    found = {(path.parent.name, path.stem) for path in WEIGHTS.rglob("*.pt")}
    both = {(kind, name) for kind in ("judges", "generators", "vaes") for name in NAMES}
    assert found == both | {("vaes", "glyphs-map")}  # two latents, for the map of chapter 9


def test_a_set_without_one_is_told_how_to_get_it(own_root):
    with pytest.raises(FileNotFoundError, match=r"no generator for 'cifar10'.*train_generator\('cifar10'\)"):
        load_generator("cifar10")


def test_one_is_trained_for_a_folder_and_found_again(folder_name, monkeypatch):
    monkeypatch.setitem(RECIPES, 1, f"{RECIPES[1]} --epochs 1")
    monkeypatch.setitem(generator.RECIPES, folder_name, f"{generator.RECIPES['mnist']} --steps 3 --widths 8,4")
    monkeypatch.setattr(generator, "SAMPLES", 40)
    with pytest.raises(FileNotFoundError, match="no judge"):
        train_generator(folder_name, device="cpu")
    train_judge(folder_name, device="cpu")
    trained, found = train_generator(folder_name, device="cpu"), load_generator(folder_name, device="cpu")
    assert found.metrics == trained.metrics and set(found.metrics) == MEASURED and found.metrics["steps"] == 3
    assert found.classes == trained.classes == data.load(folder_name, "test").classes
    z, labels = trained.generator.noise(4, torch.Generator().manual_seed(0)), torch.arange(4)
    torch.testing.assert_close(draw(found.generator, z, labels), draw(trained.generator, z, labels))
    assert kept_path("generator", folder_name).is_file()
