"""`python -m course_lib train`: every chapter, a kill and what goes on from it, mistakes at the door."""

import json

import pytest
import torch

from course_lib import train
from course_lib.classification import ResNet
from course_lib.runtime import load_checkpoint, load_weights
from course_lib.training.figures import mistake_sheet, run_curves, sample_sheet

CHAPTERS = {
    "classification": ["--epochs", "2", "--widths", "4,8", "--shift", "1", "--network", "resnet"],
    "gan": ["--steps", "9", "--watch-every", "4", "--widths", "8,4", "--latent-size", "4", "--conditional", "--r1", "0.5"],
    "vae": ["--epochs", "2", "--widths", "4,8", "--latent-size", "3", "--hidden", "8", "--binarise", "dynamic"],
}


@pytest.fixture(scope="module", autouse=True)
def small_set():
    """300 embedded images to learn from and 60 to validate, so that a pass has three batches."""
    whole = {split: train.load("glyphs", split, size=16) for split in ("train", "validation")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "load", lambda name, split, size: whole[split].subset(slice(0, 300 if split == "train" else 60)))
        yield


def command(chapter, out, *changed):
    return train.main(
        [chapter, "--data", "glyphs", "--device", "cpu", "--no-bfloat16", "--out", str(out), *CHAPTERS[chapter], *changed]
    )


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_killed_run_goes_on_as_if_nothing_had_been(chapter, tmp_path, monkeypatch, capsys):
    assert command(chapter, tmp_path / "whole") == 0
    made = {path.name for path in (tmp_path / "whole").iterdir()}
    assert made == {"checkpoint.pt", "metrics.json", "model.pt", "curves.png", "samples.png"}, "and no half files"

    def killed(*arguments, **options):
        raise KeyboardInterrupt  # when the first checkpoint has been written, and is reported

    monkeypatch.setattr(train, "print", killed, raising=False)
    with pytest.raises(KeyboardInterrupt):
        command(chapter, tmp_path / "killed")
    monkeypatch.undo()
    kept = load_checkpoint(tmp_path / "killed" / "checkpoint.pt").training
    assert 0 < kept["step"] < kept["settings"].get("steps", 4)
    torch.manual_seed(99)
    assert command(chapter, tmp_path / "killed") == 0

    whole, resumed = (load_checkpoint(tmp_path / name / "checkpoint.pt") for name in ("whole", "killed"))
    assert all(torch.equal(resumed.weights[name], value) for name, value in whole.weights.items())
    assert resumed.training["steps"] == whole.training["steps"]
    metrics = json.loads((tmp_path / "killed" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["step"] == whole.training["step"] and metrics["options"]["seed"] == 0
    if chapter == "classification":
        model = load_checkpoint(tmp_path / "killed" / "model.pt")
        load_weights(ResNet(**model.config["model"]), model.weights)
        assert len(model.config["classes"]) == 10

    assert command(chapter, tmp_path / "killed") == 0, "a finished run is left as it is"
    assert load_checkpoint(tmp_path / "killed" / "checkpoint.pt").training["steps"] == whole.training["steps"]
    assert command(chapter, tmp_path / "killed", "--seed", "3") == 1
    assert "--seed is 3, and 0 in the run of" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (["--lr", "-1"], r"lr is -1.0: it must be at least 0"),
        (["--widths", "4,0"], "is 0"),
        (["--device", "cuda:77"], "there is no device 'cuda:77'"),
        (["--out", "/dev/null/runs"], "Not a directory"),
    ],
)
def test_what_the_reader_can_mend_is_one_line(changed, words, tmp_path, capsys):
    assert command("vae", tmp_path, *changed) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and words in error and len(error.splitlines()) == 2
    assert not (tmp_path / "checkpoint.pt").exists()


def test_pictures_show_what_was_recorded_and_drawn():
    run = train.Run({})
    run.step, run.steps = 3, {"loss": [3.0, 2.0, 1.0], "learning_rate": [1.0, 1.0, 1.0], "accuracy": [0.0, 0.5, 1.0]}
    run.epochs = [{"epoch": 1, "step": 3, "validation_loss": 1.5}]
    axes = run_curves(run, window=2).axes
    assert [axis.get_title() for axis in axes] == ["loss", "accuracy"]
    assert axes[0].lines[0].get_ydata().tolist() == [3.0, 2.5, 1.5] and axes[0].lines[1].get_xdata().tolist() == [3]

    images = train.load("glyphs", "validation", 16)
    logits = torch.nn.functional.one_hot(images.labels, 10).float() * 2
    logits[7] = 3 * torch.eye(10)[(images.labels[7] + 1) % 10]
    titles = [axis.get_title() for axis in mistake_sheet(images, logits.softmax(dim=1), count=20).axes]
    true, taken = (images.classes[(int(images.labels[7]) + shift) % 10] for shift in (0, 1))
    assert titles[0] == f"{true}: {taken}" and len(titles) == 20

    asked = []

    def draw(model, count, rng, labels):
        asked.append(labels)
        return torch.rand(count, 1, 4, 4, generator=rng)

    model = torch.nn.Identity()
    model.classes = 3
    assert len(sample_sheet(draw, model, count=6).axes) == 6 and asked[0].tolist() == [0, 1, 2, 0, 1, 2]
