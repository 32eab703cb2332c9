"""Trained models: the reader's own goes before the package's, and every set has a file of its own."""

from pathlib import Path

import torch

from course_lib.data import data_root
from course_lib.data.trained import load_packaged, load_trained, trained_path
from course_lib.runtime import save_checkpoint


def test_the_own_model_is_preferred_and_none_is_no_error(own_root, tmp_path):
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    assert load_trained("judges", "glyphs", packaged) is None and load_packaged(packaged, "glyphs") is None
    save_checkpoint(packaged / "glyphs.safetensors", {"weight": torch.zeros(1)})
    assert load_trained("judges", "glyphs", packaged).weights["weight"] == 0
    path = trained_path("judges", "glyphs")
    path.parent.mkdir(parents=True)
    save_checkpoint(path, {"weight": torch.ones(1)})
    assert load_trained("judges", "glyphs", packaged).weights["weight"] == 1
    assert load_packaged(packaged, "glyphs").weights["weight"] == 0
    assert load_trained("vaes", "glyphs", packaged).weights["weight"] == 0, "another kind"


def test_every_set_has_a_file_of_its_own(own_root):
    names = ("mnist", "folder:/a/b", "folder:/a_b", "folder:/c/b", "folder:~/b", "folder:b")
    paths = {trained_path(kind, name) for kind in ("judges", "vaes") for name in names}
    assert len(paths) == 2 * len(names) and {path.parent.parent for path in paths} == {data_root()}
    assert trained_path("judges", "folder:~/b") == trained_path("judges", f"folder:{Path.home()}/x/../b")
