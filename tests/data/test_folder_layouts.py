"""How people's folders really look: read as they are meant, or refused with what was seen."""

import os
import unicodedata

import pytest
from PIL import Image

from course_lib.data import load, tree


@pytest.fixture(autouse=True)
def root_elsewhere(tmp_path_factory, monkeypatch):
    """An empty data root that lies in no folder of images."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path_factory.mktemp("root")))


def photos(folder, *classes, count=10, suffix=".png"):
    """Class folders with a few images each, a red value for each class."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            Image.new("RGB", (12, 9), (50 + 20 * label, 0, 0)).save(folder / name / f"{i:02}{suffix}")
    return folder


def read(folder, split="train"):
    """The classes of a folder and the number of images in a split, each with its class's colour."""
    images = load(f"folder:{folder}", split, size=4)
    assert ((images.images[:, 0, 0, 0].long() - 50) // 20 == images.labels).all()
    return images.classes, len(images)


@pytest.mark.parametrize("inner", ["pets", "pets/PetImages", "Own Photos (2)/data"])
def test_a_folder_around_the_classes_is_passed_through(tmp_path, inner):
    photos(tmp_path / inner, "cat", "dog")
    (tmp_path / "README.md").write_text("an archive's")
    photos(tmp_path / "__MACOSX" / inner, "cat", "dog")
    assert read(tmp_path) == (["cat", "dog"], 16)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("Training", "Validation", "Testing"),
        ("training_set", "dev-set", "test_set"),
        ("TRAIN", "valid", "Test"),
        ("train_images", "val_images", "test_images"),
        ("train data", "val data", "test data"),
        ("train/train", "val/val", "test/test"),
        ("archive/train", "archive/val", "archive/test"),
    ],
)
def test_splits_under_other_names(tmp_path, train, validation, test):
    for split, count in ((train, 5), (validation, 3), (test, 2)):
        photos(tmp_path / split, "cat", "dog", count=count)
    assert [read(tmp_path, split) for split in ("train", "validation", "test")] == [(["cat", "dog"], 2 * n) for n in (5, 3, 2)]


@pytest.mark.parametrize(
    "folders",
    [
        ["images/cat", "images/dog", "masks/cat", "masks/dog"],
        ["images/cat", "labels/cat"],
        ["images", "masks"],
        ["images"],
        ["seg_train/seg_train/cat", "seg_train/seg_train/dog", "seg_test/seg_test/cat", "seg_test/seg_test/dog"],
        ["2023/cat", "2023/dog", "2024/cat", "2024/dog"],
        ["animals/cat", "animals/dog", "plants/rose"],
        ["cat", "cat/kitten"],
        [".", "edited"],
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_the_tree(tmp_path, folders):
    photos(tmp_path, *folders)
    first = sorted(set(folders) - {"."})[0].split("/")[0]
    with pytest.raises(
        ValueError, match=rf"(?s)not clear which folders .*are its classes:\n  {first}/  \d+ images\n.*needs a sub"
    ):
        read(tmp_path)


def test_class_folders_may_have_folders(tmp_path):
    photos(tmp_path / "one", "cat/images", "dog/images", "eel/eel")
    assert read(tmp_path / "one") == (["cat", "dog", "eel"], 24)
    photos(tmp_path / "two", "cat", "dog/poodle")
    assert read(tmp_path / "two") == (["cat", "dog"], 16)
    photos(tmp_path / "three", "mask", "no mask")
    assert read(tmp_path / "three") == (["mask", "no mask"], 16)


@pytest.mark.parametrize("folders", [["train", "val"], ["test", "val"], ["train", "train_set", "test"], ["train", "test", "cat"]])
def test_splits_that_are_missing_or_twice_there_are_refused(tmp_path, folders):
    for folder in folders:
        photos(tmp_path / folder, "cat", "dog")
    with pytest.raises(ValueError, match=r"has a subfolder .*(and no|beside)"):
        read(tmp_path)


def test_names_are_compared_in_one_form(tmp_path):
    composed, apart = (unicodedata.normalize(form, "ké ガ") for form in ("NFC", "NFD"))
    photos(tmp_path / apart / "train", apart, "z")
    photos(tmp_path / apart / "test", composed, "z", count=1)
    assert read(tmp_path / composed) == read(tmp_path / apart) == ([composed, "z"], 18)
    assert read(tmp_path / composed / "train")[0] == [composed, "z"]
    photos(tmp_path / apart / "train", composed)
    with pytest.raises(ValueError, match="has two folders that are both called"):
        read(tmp_path / apart)


def test_names_in_any_language_and_of_any_shape(tmp_path):
    names = ["$5_{x}$", "_hidden", "%s {0}", "ñandú", "кошка", "हिन्दी", "ไทย", "한국어", "猫", "🐈"]
    assert read(photos(tmp_path / "100 % [x] *?", *sorted(names), count=1))[0] == sorted(names)
    rough = os.fsdecode(b"caf\xe9")  # no UTF-8, as old archives leave it
    photos(tmp_path / "old", rough, count=1)
    assert load(f"folder:{tmp_path / 'old'}", "train").classes == [rough]


def test_links_lead_on_and_never_in_circles(tmp_path):
    photos(tmp_path / "elsewhere", "cat", "dog")
    (tmp_path / "here").mkdir()
    for name in ("cat", "dog"):
        (tmp_path / "here" / name).symlink_to(tmp_path / "elsewhere" / name)
    (tmp_path / "elsewhere" / "cat" / "up").symlink_to(tmp_path / "here")
    assert read(tmp_path / "here") == (["cat", "dog"], 16)


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    photos(tmp_path, "cat", "dog")
    walk = os.walk

    def refuse(top, onerror, followlinks):
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "cat")))
        return walk(top)

    monkeypatch.setattr(tree.os, "walk", refuse)
    with pytest.raises(ValueError, match=r"cat cannot be read \(Permission denied\)"):
        read(tmp_path)


def test_an_unknown_users_home_is_no_folder():
    with pytest.raises(FileNotFoundError, match="there is no folder ~nobody-of-that-name/photos"):
        load("folder:~nobody-of-that-name/photos", "train")
