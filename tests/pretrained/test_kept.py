"""Where trained models lie: the reader's own goes before the package's, every set has its file, and
a file knows its data.
"""

import re

import pytest
import torch
from PIL import Image
from torch import nn

from course_lib import data
from course_lib.pretrained import kept
from course_lib.runtime import load_checkpoint, save_checkpoint


def kept_by(root, weight):
    """A model of one number, saved where `load_kept` looks for it."""
    path = root / "judges" / "glyphs.pt"
    path.parent.mkdir(parents=True)
    save_checkpoint(path, {"weight": torch.full((1, 1), weight)}, config={"model": {"in_features": 1, "out_features": 1}})


def linear(in_features, out_features):
    return nn.Linear(in_features, out_features, bias=False)


def test_the_own_model_is_preferred(own_root, tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "WEIGHTS", tmp_path / "packaged")
    with pytest.raises(FileNotFoundError, match=r"no judge for 'glyphs'.*pretrained\.train_judge\('glyphs'\)"):
        kept.load_kept("judge", "glyphs", linear, "cpu")
    kept_by(tmp_path / "packaged", 0.0)
    assert kept.load_kept("judge", "glyphs", linear, "cpu")[0].weight.item() == 0
    kept_by(own_root, 1.0)
    model, _ = kept.load_kept("judge", "glyphs", linear, "cpu")
    assert model.weight.item() == 1 and not model.training
    with pytest.raises(FileNotFoundError, match="no vae for 'glyphs'"):
        kept.load_kept("vae", "glyphs", linear, "cpu")


def test_every_set_has_a_file_of_its_own(own_root, monkeypatch, tmp_path):
    names = ("mnist", "folder:/a/b", "folder:/a_b", "folder:/c/b", "folder:~/b", "folder:b")
    paths = {kept.kept_path(kind, name) for kind in ("judge", "vae") for name in names}
    assert len(paths) == 2 * len(names) and {path.parent.parent for path in paths} == {data.data_root()}
    private = [kept.kept_path("judge", f"private:{word}").name for word in ("tulip", "rose")]
    assert private[0] != private[1] and not any("tulip" in name or "rose" in name for name in private)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert kept.kept_path("judge", "folder:~/b") == kept.kept_path("judge", f"folder:{tmp_path}/x/../b")


def test_a_file_names_the_images_that_its_model_learned_from(folder_name, tmp_path):
    images = data.load(folder_name, "train")
    digests = []
    for part in (images, images, images.subset(slice(0, 9))):
        kept.keep(tmp_path / "a.pt", linear(1, 1), {"seed": 0}, part, {"loss": 1.0})
        found = load_checkpoint(tmp_path / "a.pt")
        assert found.config["data"]["images"] == len(part) and found.config["data"]["name"] == folder_name
        assert found.config["classes"] == images.classes and found.metrics == {"loss": 1.0}
        digests.append(found.config["data"]["digest"])
    assert digests[0] == digests[1] != digests[2]


def test_a_model_is_that_of_its_images_and_classes(folder_name, own_root, capsys):
    def learned(name):
        images, config = data.load(name, "train+validation"), {"model": {"in_features": 1, "out_features": 1}}
        kept.keep(kept.kept_path("judge", name), linear(1, 1), config, images, {})

    learned(folder_name)
    kept.load_kept("judge", folder_name, linear, "cpu")
    file = next((own_root / "images" / "train" / "3").iterdir())
    turned = Image.open(file).rotate(180)
    turned.save(file)
    with pytest.raises(FileNotFoundError, match=r"learned from other ones.*train_judge\(.*again"):
        kept.load_kept("judge", folder_name, linear, "cpu")
    learned(folder_name)
    (own_root / "images" / "train" / "3").rename(own_root / "images" / "train" / "three")
    (own_root / "images" / "test" / "3").rename(own_root / "images" / "test" / "three")
    with pytest.raises(FileNotFoundError, match=r"9, three and 300 images.*other ones, 0, 1, 2, 3,"):
        kept.load_kept("judge", folder_name, linear, "cpu")
    assert not capsys.readouterr().out


def test_what_cannot_be_kept_is_used_and_said(folder_name, own_root, monkeypatch, capsys):
    (own_root / "file").touch()
    monkeypatch.setenv("COURSE_DATA", str(own_root / "file"))
    path, images = kept.kept_path("judge", folder_name), data.load(folder_name, "train+validation")
    kept.keep(path, linear(1, 1), {}, images, {})
    assert re.search(r"can be used, but not kept in .*file.*COURSE_DATA", capsys.readouterr().out)
    path.parent.parent.unlink()
    path.mkdir(parents=True)  # the file's own place is taken
    kept.keep(path, linear(1, 1), {}, images, {})
    assert "COURSE_DATA" in capsys.readouterr().out


def test_a_folder_with_a_long_name_in_any_language_has_a_file(own_root, tmp_path):
    for name in ("ž" * 120, "猫と犬" * 28, "e\u0301", "a $ _ %"):
        path = kept.kept_path("judge", f"folder:{tmp_path / name}")
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert kept.kept_path("vae", f"folder:{tmp_path}/e\u0301") == kept.kept_path("vae", f"folder:{tmp_path}/\u00e9")
    assert kept.kept_path("vae", "folder:~nobody-of-that-name/b").name.startswith("folder-b-")


def test_where_nothing_can_be_written_the_error_names_the_way_out(own_root, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="COURSE_DATA"):
        kept.prepare("judge", "glyphs", tmp_path / "file" / "a.pt", "classification", seed=0, device="cpu")
