"""The real MNIST, where it is there."""

import pytest

from course_lib.data import available, data_root, load


def test_the_real_mnist():
    if not available()["mnist"]:
        pytest.skip(f"MNIST is not in the data root ({data_root()}): set COURSE_DATA to the folder that holds it")
    sizes = {"train": 55_000, "validation": 5_000, "test": 10_000, "train+validation": 60_000}
    loaded = {split: load("mnist", split, download=False) for split in sizes}
    assert {split: len(images) for split, images in loaded.items()} == sizes
    assert loaded["train+validation"].labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert loaded["test"].labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert loaded["test"].classes == list("0123456789")
    # Its mean and standard deviation are known to everyone who has normalised it: 0.1307 and
    # 0.3081.
    pixels = loaded["train+validation"].images.double() / 255
    assert round(pixels.mean().item(), 4) == 0.1307
    assert round(pixels.std().item(), 4) == 0.3081
