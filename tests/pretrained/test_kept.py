"""Where trained models lie: the reader's own goes before the package's, every set has its file, and
a file knows its data.
"""

import pytest
import torch
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


def test_where_nothing_can_be_written_the_error_names_the_way_out(own_root, tmp_path):
    (tmp_path / "file").touch()
    settings = {"size": 32, "seed": 0, "device": "cpu"}
    with pytest.raises(OSError, match="COURSE_DATA"):
        kept.prepare("judge", "glyphs", tmp_path / "file" / "a.pt", **settings)
