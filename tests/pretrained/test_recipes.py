"""A recipe is a line of the command `python -m course_lib train`: whoever types it gets the same weights."""

import shlex

import pytest
import torch

from course_lib import train
from course_lib.pretrained import generator, judge, train_generator, train_judge, train_vae, vae
from course_lib.pretrained.kept import WEIGHTS, kept_path
from course_lib.runtime import load_checkpoint
from tests.pretrained.test_small_sets import photos

SHIPPED = [
    ("judge", "glyphs", judge.RECIPES[1]),
    ("judge", "mnist", judge.RECIPES[1]),
    *(("generator", name, generator.RECIPES[name]) for name in ("glyphs", "mnist")),
    *(("vae", name, vae.RECIPES[name]) for name in ("glyphs", "mnist")),
]


def test_the_printed_line_trains_the_same_weights(own_root, tmp_path, monkeypatch, capsys):
    name = photos(own_root / "photos", "ab", 20)
    monkeypatch.setitem(judge.RECIPES, 3, f"{judge.RECIPES[3]} --epochs 2 --widths 4,8")
    monkeypatch.setitem(generator.RECIPES, "mnist", f"{generator.RECIPES['mnist']} --steps 2 --widths 8,4")
    monkeypatch.setitem(vae.RECIPES, "other", f"{vae.RECIPES['other']} --epochs 2 --widths 4,8")
    monkeypatch.setattr(generator, "SAMPLES", 40)
    for drawing in ("png", "run_curves", "sample_sheet"):  # drawn by the tests of the command
        monkeypatch.setattr(train, drawing, lambda *_: b"")
    for kind, recipe in (("judge", train_judge), ("generator", train_generator), ("vae", train_vae)):
        recipe(name, seed=3, device="cpu")
        words = shlex.split(capsys.readouterr().out)
        assert words[:4] == ["python", "-m", "course_lib", "train"]
        torch.manual_seed(99)
        assert train.main([*words[4:], "--out", str(tmp_path / kind)]) == 0
        capsys.readouterr()
        kept, typed = load_checkpoint(kept_path(kind, name)), load_checkpoint(tmp_path / kind / "model.pt")
        assert kept.config["model"] == typed.config["model"] and kept.weights.keys() == typed.weights.keys()
        for which, value in kept.weights.items():
            assert torch.equal(value, typed.weights[which].to(value.dtype)), f"{kind}: {which}"


@pytest.mark.parametrize(("kind", "name", "recipe"), SHIPPED, ids=lambda word: word.partition(" ")[0])
def test_the_line_of_a_shipped_model_has_its_settings(kind, name, recipe):
    options = vars(train.parse([*recipe.split(), "--data", name, "--out", "runs"]))
    known = load_checkpoint(WEIGHTS / f"{kind}s" / f"{name}.pt")
    settings = {**known.config["model"], **known.config["training"]}
    if "steps" in known.metrics:
        settings["steps"] = known.metrics["steps"]
    both = {setting for setting in settings if options.get(setting) is not None}
    assert both >= {"size", "widths"} and both & {"epochs", "steps"}
    assert {setting: options[setting] for setting in both} == {setting: settings[setting] for setting in both}
