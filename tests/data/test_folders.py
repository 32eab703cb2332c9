"""Class folders of your own: any size, any mode, deterministic splits, and errors that name the file."""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data import load


def save(path, colour, size=(40, 40), mode="RGB", **options):
    """An image file of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


@pytest.fixture
def animals(tmp_path):
    """Twenty cats and ten dogs, each with its number as its red value, in odd sizes and formats."""
    for i in range(20):
        save(tmp_path / "cat" / f"{i:02}.png", (i, 0, 0), size=(20 + i, 50))
    for i in range(10):
        save(tmp_path / "dog" / "deep" / f"{i}.bmp", (100 + i, 200, 0), size=(70, 33 + i))
    (tmp_path / "dog" / "notes.txt").write_text("not an image")
    (tmp_path / "dog" / "._0.png").write_bytes(b"not one either")
    (tmp_path / ".hidden").mkdir()
    return tmp_path


def reds(images) -> list[int]:
    """The red value of each image."""
    return images.images[:, 0, 0, 0].tolist()


def test_every_tenth_image_of_each_class(animals):
    loaded = {split: load(f"folder:{animals}", split) for split in ("train", "validation", "test", "train+validation")}
    assert reds(loaded["validation"]) == [8, 18, 108]
    assert reds(loaded["test"]) == [9, 19, 109]
    assert reds(loaded["train+validation"]) == [i for i in range(20) if i % 10 != 9] + list(range(100, 109))
    assert reds(loaded["train"]) == [*range(8), *range(10, 18), *range(100, 108)]
    train = loaded["train"]
    assert train.images.shape == (24, 3, 32, 32)
    assert train.classes == ["cat", "dog"]
    assert train.labels.tolist() == [0] * 16 + [1] * 8
    assert train.factors is train.masks is None
    assert load(f"folder:{animals}", "test", size=9).images.shape == (3, 3, 9, 9)


def test_own_train_and_test_folders_are_used(tmp_path):
    for i in range(10):
        save(tmp_path / "train" / "a" / f"{i}.png", i, mode="L")
    save(tmp_path / "test" / "a" / "0.png", 50, mode="L")
    assert reds(load(f"folder:{tmp_path}", "train")) == list(range(9))
    assert reds(load(f"folder:{tmp_path}", "validation")) == [9]
    assert reds(load(f"folder:{tmp_path}", "train+validation")) == list(range(10))
    assert reds(load(f"folder:{tmp_path}", "test")) == [50]
    save(tmp_path / "validation" / "a" / "0.png", 60, mode="L")
    assert reds(load(f"folder:{tmp_path}", "train")) == list(range(10))
    assert reds(load(f"folder:{tmp_path}", "validation")) == [60]
    assert reds(load(f"folder:{tmp_path}", "train+validation")) == [*range(10), 60]


def test_grey_if_all_files_are(tmp_path):
    for i in range(10):
        save(tmp_path / "a" / f"{i}.png", i, mode="L")
    assert load(f"folder:{tmp_path}", "train").images.shape == (8, 1, 32, 32)
    save(tmp_path / "a" / "9.png", (1, 2, 3))  # one file in colour, in another split
    assert load(f"folder:{tmp_path}", "train").images.shape == (8, 3, 32, 32)


def test_the_central_square_is_kept_and_resizing_is_antialiased(tmp_path):
    stripes = np.zeros((64, 192, 3), np.uint8)
    stripes[:, 64:128:2] = 255  # one-pixel stripes in the middle third, black beside it
    (tmp_path / "a").mkdir()
    for i in range(10):
        Image.fromarray(stripes).save(tmp_path / "a" / f"{i}.png")
    image = load(f"folder:{tmp_path}", "test", size=16).images[0, 0, 2:-2, 2:-2].float()
    assert (image - 127.5).abs().max() < 8


def test_transparency_lies_on_white_and_cameras_may_be_turned(tmp_path):
    for i in range(9):
        save(tmp_path / "a" / f"{i}.png", (0, 0, 0, 0), mode="RGBA")
    half = Image.fromarray(np.vstack([np.full((20, 40), 200, np.uint8), np.zeros((20, 40), np.uint8)]))
    exif = half.getexif()
    exif[0x0112] = 3  # held upside down
    half.save(tmp_path / "a" / "9.png", exif=exif)
    assert load(f"folder:{tmp_path}", "train").images.min() == 255
    image = load(f"folder:{tmp_path}", "test").images[0, 0]
    assert image[4, 16] == 0
    assert image[-4, 16] == 200


def test_a_file_that_cannot_be_read_is_named(animals):
    short = animals / "cat" / "03.png"
    short.write_bytes(short.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"03\.png cannot be read as an image: repair it or take it away"):
        load(f"folder:{animals}", "train")
    short.write_bytes(b"")
    with pytest.raises(ValueError, match=r"03\.png cannot be read as an image"):
        load(f"folder:{animals}", "train")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(short)
    with pytest.raises(ValueError, match=r"03\.png has more than 8 bits for a colour \(mode I(;16)?\)"):
        load(f"folder:{animals}", "train")


def test_a_folder_of_another_layout_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(f"folder:{tmp_path / 'nowhere'}", "train")
    with pytest.raises(ValueError, match="has no subfolders: it needs one for each class"):
        load(f"folder:{tmp_path}", "train")
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match="has no image files in its class folders"):
        load(f"folder:{tmp_path}", "train")
    save(tmp_path / "a" / "0.png", 1, mode="L")
    assert torch.equal(load(f"folder:{tmp_path}", "train").labels, torch.tensor([0]))
    with pytest.raises(ValueError, match="has no image for the split 'test'"):
        load(f"folder:{tmp_path}", "test")
    (tmp_path / "train" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="has a subfolder train and no test"):
        load(f"folder:{tmp_path}", "train")
    save(tmp_path / "train" / "a" / "0.png", 1, mode="L")
    save(tmp_path / "test" / "b" / "0.png", 1, mode="L")
    with pytest.raises(ValueError, match="has a class 'b' that the training images lack: they have a"):
        load(f"folder:{tmp_path}", "train")
