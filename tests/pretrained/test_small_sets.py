"""A few photos of one's own are enough for every recipe, or what it needs is said before it trains."""

import numpy as np
import pytest
from PIL import Image

from course_lib import data
from course_lib.classification import CNN, fit_classifier
from course_lib.pretrained import judge, load_judge, load_vae, train_generator, train_judge, train_vae, vae


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    for recipes, which in ((judge.RECIPES, 3), (vae.RECIPES, "other")):
        monkeypatch.setitem(recipes, which, f"{recipes[which]} --epochs 1")


def photos(folder, classes, count):
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(rng.integers(0, 256, (30, 40, 3), dtype=np.uint8)).save(folder / name / f"{i}.jpg")
    return f"folder:{folder}"


@pytest.mark.parametrize(("classes", "count"), [(("cups", "forks", "spoons"), 20), ("abcdefghijkl", 10), ("a", 10)])
def test_class_folders_of_a_few_colour_photos(own_root, classes, count):
    name = photos(own_root / "photos", classes, count)
    assert train_judge(name, device="cpu").classes == load_judge(name, device="cpu").classes == list(classes)
    assert train_vae(name, device="cpu").metrics == load_vae(name, device="cpu").metrics
    train, validation = data.load(name, "train"), data.load(name, "validation")
    assert len(train) == len(classes) * count * 8 // 10
    model = CNN(3, 32, len(classes), batch_norm=True).set_statistics(train.images)
    assert fit_classifier(model, data.Batches(train, batch_size=len(train)), validation, epochs=1).step == 1
    assert train.sample(10_000).images.shape == train.images.shape


def test_what_a_generator_needs_is_said_before_it_trains(own_root):
    name = photos(own_root / "photos", "ab", 10)
    train_judge(name, device="cpu")
    with pytest.raises(ValueError, match="class 0 has 1 images: a spread needs at least 2 of each class"):
        train_generator(name, device="cpu")


def test_too_few_to_be_divided_are_refused_at_once(own_root):
    with pytest.raises(ValueError, match=r"no image of class 'a' for the split 'test': each class needs at least ten"):
        train_judge(photos(own_root / "photos", "ab", 9), device="cpu")
