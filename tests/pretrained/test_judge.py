"""The judges: what came with the package reads its set as well as it says, and one can be trained
for any other.
"""

import shutil

import pytest
import torch

from course_lib import data
from course_lib.classification import evaluate
from course_lib.pretrained import Judge, judge, load_judge, train_judge
from course_lib.pretrained.kept import kept_path
from course_lib.runtime import load_checkpoint, save_checkpoint


@pytest.fixture(scope="module")
def glyphs() -> Judge:
    """The judge of the embedded digits, on the CPU."""
    return load_judge("glyphs", device="cpu")


def test_the_judge_of_glyphs_reads_them(device):
    result = load_judge("glyphs", device=device)
    assert result.metrics["test_accuracy"] > 0.995
    images = data.load("glyphs", "test").subset(slice(0, 1000))
    assert evaluate(result, images).accuracy > 0.99
    assert result.classes == images.classes


def test_the_judge_of_mnist_reads_it_at_both_sizes(device):
    result = load_judge("mnist", device=device)
    assert result.metrics["test_accuracy"] >= 0.994
    if not data.available()["mnist"]:
        pytest.skip("MNIST is not in the data root")
    for size in (28, 32):
        assert evaluate(result, data.load("mnist", "test", size=size)).accuracy > 0.99


def test_features_are_what_the_head_sees_and_gradients_reach_the_image(glyphs):
    x = torch.rand(2, 1, 32, 32, requires_grad=True)
    features = glyphs.features(x)
    assert features.shape == (2, glyphs.feature_count) == (2, 64)
    torch.testing.assert_close(glyphs.model.head(features), glyphs(x))
    features.sum().backward()
    assert x.grad.abs().sum() > 0 and not any(p.requires_grad for p in glyphs.parameters())


def test_it_stays_in_evaluation_mode(glyphs):
    x = torch.rand(4, 1, 32, 32)
    assert glyphs.train() is glyphs and not glyphs.training and not glyphs.model.training
    torch.testing.assert_close(glyphs(x)[:1], glyphs(x[:1]))


def test_bad_images_are_refused(glyphs):
    with pytest.raises(ValueError, match="channels"):
        glyphs(torch.rand(1, 3, 28, 28))
    with pytest.raises(ValueError, match="shape"):
        glyphs(torch.rand(1, 32, 32))
    with pytest.raises(TypeError, match=r"torch\.uint8"):
        glyphs(torch.zeros(1, 1, 32, 32, dtype=torch.uint8))


@pytest.mark.parametrize("images", [torch.rand(2, 1, 32, 32) * 2 - 1, torch.rand(2, 1, 28, 28) * 255])
def test_images_in_another_range_are_refused(glyphs, images):
    for look in (glyphs, glyphs.features):
        with pytest.raises(ValueError, match=r"between 0 and 1.*x / 255"):
            look(images)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.1])
def test_one_bad_pixel_is_refused(glyphs, bad):
    images = torch.rand(2, 1, 32, 32)
    images[1, 0, 3, 4] = bad
    with pytest.raises(ValueError, match="between 0 and 1"):
        glyphs(images)


def test_no_images_have_no_logits(glyphs):
    assert glyphs(torch.zeros(0, 1, 32, 32)).shape == (0, 10)


def test_without_a_judge_the_error_says_how_to_get_one(own_root):
    with pytest.raises(FileNotFoundError, match=r"no judge for 'cifar10'.*course_lib\.pretrained\.train_judge\('cifar10'\)"):
        load_judge("cifar10")


def test_one_is_trained_for_a_folder_and_found_again(folder_name, own_root, monkeypatch):
    monkeypatch.setitem(judge.RECIPES, 1, f"{judge.RECIPES[1]} --epochs 15")
    trained = train_judge(folder_name, device="cpu")
    found = load_judge(folder_name, device="cpu")
    test = data.load(folder_name, "test")
    assert found.metrics == trained.metrics and found.classes == test.classes
    assert evaluate(found, test).accuracy == trained.metrics["test_accuracy"] > 0.7
    known = load_checkpoint(kept_path("judge", folder_name)).config
    assert known["data"]["name"] == folder_name and known["data"]["images"] == 300
    # A class that is added makes every label another one.
    shutil.copytree(own_root / "images" / "train" / "0", own_root / "images" / "train" / "0a")
    with pytest.raises(FileNotFoundError, match=r"0, 0a, 1.*train_judge\(.*again"):
        load_judge(folder_name, device="cpu")


def test_an_own_judge_is_preferred(own_root, glyphs):
    path = kept_path("judge", "glyphs")
    path.parent.mkdir(parents=True)
    config = {"model": glyphs.model.config, "classes": ["own"] * 10}
    save_checkpoint(path, glyphs.model, config=config, metrics={"test_accuracy": 0.5})
    assert load_judge("glyphs", device="cpu").classes == ["own"] * 10


def test_resizing_takes_means_and_not_single_pixels(glyphs):
    stripes = torch.zeros(1, 1, 128, 128)
    stripes[..., ::4] = 1  # finer than a pixel of the judge: a quarter grey everywhere
    grey = glyphs._resized(stripes)
    assert grey.shape[2:] == (32, 32) and (grey[..., 1:-1] - 0.25).abs().max() < 0.01
