"""The judges: what came with the package reads its set as well as it says, and one can be trained for any other."""

import pytest
import torch

from course_lib import data
from course_lib.classification import Judge, evaluate, judge, load_judge, train_judge
from course_lib.data.trained import trained_path
from course_lib.runtime import save_checkpoint


def test_the_judge_of_glyphs_reads_them(device):
    result = load_judge("glyphs", device=device)
    assert isinstance(result, Judge) and result.metrics["test_accuracy"] > 0.995
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


def test_features_are_what_the_head_sees_and_gradients_reach_the_image():
    result = load_judge("glyphs", device="cpu")
    x = torch.rand(2, 1, 32, 32, requires_grad=True)
    features = result.features(x)
    assert features.shape == (2, result.feature_count) == (2, 64)
    torch.testing.assert_close(result.model.head(features), result(x))
    features.sum().backward()
    assert x.grad.abs().sum() > 0 and not any(p.requires_grad for p in result.parameters())


def test_it_stays_in_evaluation_mode():
    result = load_judge("glyphs", device="cpu").train()
    x = torch.rand(4, 1, 32, 32)
    assert not result.training and not result.model.training
    torch.testing.assert_close(result(x)[:1], result(x[:1]))


def test_bad_images_are_refused():
    result = load_judge("glyphs", device="cpu")
    with pytest.raises(ValueError, match="with their channels"):
        result(torch.rand(1, 3, 28, 28))
    with pytest.raises(TypeError, match=r"torch\.uint8"):
        result(torch.zeros(1, 1, 28, 28, dtype=torch.uint8))


def test_without_a_judge_the_error_says_how_to_get_one(own_root):
    with pytest.raises(FileNotFoundError, match=r"no judge for 'cifar10': course_lib.classification.train_judge\('cifar10'\)"):
        load_judge("cifar10")


def test_one_is_trained_for_a_folder_and_found_again(folder_name, monkeypatch):
    monkeypatch.setitem(judge.GREY_TRAINING, "epochs", 15)
    trained = train_judge(folder_name, device="cpu")
    found = load_judge(folder_name, device="cpu")
    test = data.load(folder_name, "test")
    assert found.metrics == trained.metrics and found.classes == test.classes
    assert evaluate(found, test).accuracy == trained.metrics["test_accuracy"] > 0.7


def test_images_in_another_range_are_refused():
    result = load_judge("glyphs", device="cpu")
    for images in (torch.rand(2, 1, 32, 32) * 2 - 1, torch.rand(2, 1, 32, 32) * 255):
        with pytest.raises(ValueError, match="takes images between 0 and 1"):
            result(images)


def test_an_own_judge_is_preferred(own_root):
    packaged = load_judge("glyphs", device="cpu")
    path = trained_path("judges", "glyphs")
    path.parent.mkdir(parents=True)
    config = {"model": packaged.model.config, "classes": ["own"] * 10, "data": "glyphs"}
    save_checkpoint(path, packaged.model, config=config, metrics={"test_accuracy": 0.5})
    assert load_judge("glyphs", device="cpu").classes == ["own"] * 10


def test_resizing_takes_means_and_not_single_pixels():
    result = load_judge("glyphs", device="cpu")
    stripes = torch.zeros(1, 1, 128, 128)
    stripes[..., ::4] = 1  # finer than a pixel of the judge: a quarter grey everywhere
    grey = result._resized(stripes)
    assert grey.shape[2:] == (32, 32) and (grey[..., 1:-1] - 0.25).abs().max() < 0.01
