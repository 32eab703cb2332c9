"""Class folders of your own: any size, any mode, deterministic splits, and errors that name the
file.
"""

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data import load


@pytest.fixture(autouse=True)
def root_elsewhere(tmp_path_factory, monkeypatch):
    """An empty data root that lies in no folder of images."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path_factory.mktemp("root")))


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
    """The red values of the images, in ascending order."""
    return sorted(images.images[:, 0, 0, 0].tolist())


def test_every_tenth_image_of_each_class(animals):
    loaded = {split: load(f"folder:{animals}", split) for split in ("train", "validation", "test", "train+validation")}
    assert reds(loaded["validation"]) == [8, 18, 108]
    assert reds(loaded["test"]) == [9, 19, 109]
    assert reds(loaded["train+validation"]) == [i for i in range(20) if i % 10 != 9] + list(range(100, 109))
    assert reds(loaded["train"]) == [*range(8), *range(10, 18), *range(100, 108)]
    train = loaded["train"]
    assert train.images.shape == (24, 3, 32, 32)
    assert train.classes == ["cat", "dog"]
    assert train.labels.tolist() == (train.images[:, 0, 0, 0] >= 100).tolist()
    assert train.factors is train.masks is None
    assert load(f"folder:{animals}", "test", size=9).images.shape == (3, 3, 9, 9)


def test_classes_are_mixed_and_the_order_is_the_same_each_time(tmp_path):
    # The first images of a set stand for it in many places: they must not all be of its first
    # class.
    for i in range(60):
        save(tmp_path / "abc"[i // 20] / f"{i:02d}.png", i, mode="L")
    images = load(f"folder:{tmp_path}", "train")
    assert len(images.labels[:12].unique()) == 3
    assert torch.equal(load(f"folder:{tmp_path}", "train").images, images.images)


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
    with pytest.raises(ValueError, match=r"03\.png cannot be read as an image \(.*\): repair it, convert it or take it away"):
        load(f"folder:{animals}", "train")
    short.write_bytes(b"")
    with pytest.raises(ValueError, match=r"03\.png cannot be read as an image"):
        load(f"folder:{animals}", "train")
    Image.fromarray(np.zeros((9, 9), np.uint16)).save(short)
    with pytest.raises(ValueError, match=r"03\.png cannot be read .*more than 8 bits for a colour, mode I(;16)?\)"):
        load(f"folder:{animals}", "train")


def test_a_folder_of_another_layout_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        load(f"folder:{tmp_path / 'nowhere'}", "train")
    with pytest.raises(ValueError, match="has no subfolders: it needs one for each class"):
        load(f"folder:{tmp_path}", "train")
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match=r"a has no image files \(known are .*\): put some into it, or take the folder away"):
        load(f"folder:{tmp_path}", "train")
    save(tmp_path / "a" / "0.png", 1, mode="L")
    assert torch.equal(load(f"folder:{tmp_path}", "train").labels, torch.tensor([0]))
    with pytest.raises(ValueError, match="has no image of class 'a' for the split 'test': each class needs at least ten"):
        load(f"folder:{tmp_path}", "test")
    (tmp_path / "train" / "a").mkdir(parents=True)
    with pytest.raises(ValueError, match="has a subfolder train and no test"):
        load(f"folder:{tmp_path}", "train")
    save(tmp_path / "train" / "a" / "0.png", 1, mode="L")
    save(tmp_path / "test" / "b" / "0.png", 1, mode="L")
    with pytest.raises(ValueError, match="has a subfolder 'a' beside test and train: move it into one of them, or away"):
        load(f"folder:{tmp_path}", "train")
    (tmp_path / "a" / "0.png").unlink()
    (tmp_path / "a").rmdir()
    with pytest.raises(ValueError, match="has a class 'b' that the training images lack: they have a"):
        load(f"folder:{tmp_path}", "train")


def test_a_class_without_images_in_the_split_is_named(animals):
    (animals / "dog" / "deep" / "9.bmp").unlink()
    assert len(load(f"folder:{animals}", "validation")) == 3
    with pytest.raises(ValueError, match=r"has no image of class 'dog' for the split 'test': each class needs at least ten"):
        load(f"folder:{animals}", "test")
    (animals / "bird").mkdir()
    with pytest.raises(ValueError, match=r"bird has no image files .*take the folder away"):
        load(f"folder:{animals}", "train")


def test_what_is_hidden_or_no_file_is_passed_over(animals):
    before = reds(load(f"folder:{animals}", "train+validation"))
    save(animals / "cat" / ".thumbnails" / "deep" / "00.png", (255, 0, 0))
    (animals / "cat" / "00a.png").mkdir()
    for name in ("__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"):
        save(animals / name / "cat" / "00.png", (255, 0, 0))
        save(animals / "cat" / name / "00.png", (255, 0, 0))
    for name in ("Thumbs.db", "desktop.ini", ".DS_Store"):
        (animals / "cat" / name).write_bytes(b"x")
        (animals / name).write_bytes(b"x")
    assert reds(load(f"folder:{animals}", "train+validation")) == before


def test_names_of_splits_in_other_spellings(tmp_path):
    for i in range(3):
        save(tmp_path / "Train" / "a" / f"{i}.png", i, mode="L")
    save(tmp_path / "TEST" / "a" / "0.png", 50, mode="L")
    save(tmp_path / "val" / "a" / "0.png", 60, mode="L")
    loaded = {split: reds(load(f"folder:{tmp_path}", split)) for split in ("train", "validation", "test")}
    assert loaded == {"train": [0, 1, 2], "validation": [60], "test": [50]}
    save(tmp_path / "extra" / "a" / "0.png", 60, mode="L")
    with pytest.raises(ValueError, match="has a subfolder 'extra' beside TEST and Train and val: move it"):
        load(f"folder:{tmp_path}", "train")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_an_image_too_large_to_open_is_named(animals, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1200)  # twice that is an error; the largest of the others has 2,940 pixels
    with pytest.raises(ValueError, match=r"\.bmp cannot be read as an image \(.*pixels.*exceeds limit.*\)"):
        load(f"folder:{animals}", "train")


def test_rows_columns_and_channels_keep_their_order(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    (tmp_path / "a").mkdir()
    for i in range(10):
        Image.fromarray(pixels).save(tmp_path / "a" / f"{i}.png")
    image = load(f"folder:{tmp_path}", "test", size=8).images[0]
    assert torch.equal(image, torch.from_numpy(pixels).permute(2, 0, 1))
