"""What is recorded is whole, says when it was made, and is read by name."""

import json
import re

import pytest
import torch
from PIL import Image

from course_lib import data
from course_lib.classification import CNN
from course_lib.recorded import FOLDER, recorded, show_recorded
from course_lib.viz import new_figure
from tools import record
from tools.recordings import RECIPES, real_images

NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_is_whole(name):
    numbers = recorded(name)
    assert name in RECIPES, "no command makes it"
    assert re.match(r"\d{4}-\d\d-\d\d, [\d.]+ (core-)?minutes on .+, Python .+, PyTorch ", numbers["made"])
    for picture, shown in numbers["pictures"].items():
        assert set(shown) == {"alt", "width"} and len(shown["alt"]) > 40, picture
        with Image.open(FOLDER / f"{name}-{picture}.png") as image:
            assert image.size[0] == 2 * shown["width"] and shown["width"] <= 800, picture


@pytest.mark.parametrize("name", NAMES)
def test_a_recording_knows_no_place_of_the_machine(name):
    text = (FOLDER / f"{name}.json").read_text(encoding="utf-8")
    assert not re.search(r"/(tmp|home|work|root|Users)\b|folder:", text)


def test_every_picture_belongs_to_a_recording():
    pictures = {f"{name}-{picture}" for name in NAMES for picture in recorded(name)["pictures"]}
    assert {path.stem for path in FOLDER.glob("*.png")} == pictures


@pytest.mark.parametrize("name", [name for name in ("mnist", "cifar10") if name in NAMES])
def test_the_real_images_are_reported_in_full(name):
    numbers = recorded(name)
    assert list(numbers["pictures"]) == ["curves", "confusion", "calibration", "mistakes", "filters"]
    for seed in range(len(numbers["seeds"])):
        low, high = numbers["interval"][seed]
        assert low < numbers["accuracy"][seed] < high
        assert numbers["accuracy"][seed] > max(numbers["baselines"]["linear"]["accuracy"])
    right = sum(row[k] for k, row in enumerate(numbers["confusion"]))
    assert right / numbers["images"]["test"] == pytest.approx(numbers["accuracy"][0], abs=1e-5)


def test_a_wrong_name_is_answered_with_those_that_exist(record_of_one):
    with pytest.raises(FileNotFoundError, match="'nothing'; there are one"):
        recorded("nothing")
    with pytest.raises(KeyError, match="one has no picture 'nothing', but line"):
        show_recorded("one", "nothing")


def test_what_is_recorded_is_read_and_shown(record_of_one, monkeypatch):
    assert recorded("one") == record_of_one and record_of_one["answer"] == 42
    shown = []
    monkeypatch.setattr("course_lib.viz.show_png", lambda png, alt, width: shown.append((png, alt, width)))
    show_recorded("one", "line")
    (png, alt, width) = shown[0]
    assert png.startswith(b"\x89PNG") and alt == "A line." and width == 300


def test_the_command_names_what_there_is(record_of_one, capsys):
    assert record.main([]) == record.main(["nothing"]) == 2
    assert "one" in capsys.readouterr().out
    assert record.main(["one"]) == 0


def test_a_network_is_recorded_as_the_plan_says(monkeypatch):
    monkeypatch.setattr(real_images, "SEEDS", (0, 1))
    sizes = {"train": 256, "validation": 60, "test": 50}
    plan = real_images.Plan(
        title="glyphs",
        parts={part: data.load("glyphs", part, size=16).subset(slice(0, count)) for part, count in sizes.items()},
        build=lambda: CNN(1, 16, 10, widths=(4,), hidden=8, batch_norm=True),
        training={"epochs": 2, "lr": 0.1},
        augment={"shift": 1},
        queries=20,
    )
    outcomes = real_images.learned(plan)
    numbers = json.loads(json.dumps(real_images.numbers_of(plan, outcomes)))
    assert numbers["images"] == sizes and numbers["weights"] == sum(p.numel() for p in outcomes[0].model.parameters())
    assert numbers["training"] == {"epochs": 2, "lr": 0.1, "batch_size": 128, "augment": {"shift": 1}}
    assert numbers["accuracy"] == [pytest.approx(outcome.test.accuracy) for outcome in outcomes]
    assert [len(values) for values in numbers["epochs"]["validation_loss"]] == [2, 2]
    assert numbers["baselines"]["neighbour"]["queries"] == 20 and len(numbers["baselines"]["linear"]["accuracy"]) == 2
    validation, T = outcomes[0].validation, outcomes[0].temperature
    losses = [torch.nn.functional.cross_entropy(validation.logits / value, validation.labels) for value in (T / 1.1, T, T * 1.1)]
    assert losses[1] <= min(losses)
    for figure, alt in real_images.pictures_of(plan, outcomes).values():
        assert figure.get_figwidth() == 8 and len(alt) > 40


@pytest.fixture
def record_of_one(tmp_path, monkeypatch):
    """A recording of one number and one picture, the only one there is."""

    def recipe():
        figure, axes = new_figure(size=(3, 2))
        axes[0, 0].plot([0, 1])
        return {"answer": 42}, {"line": (figure, "A line.")}

    monkeypatch.setitem(RECIPES, "one", recipe)
    monkeypatch.setattr("course_lib.recorded.recordings.FOLDER", tmp_path)
    monkeypatch.setattr(record.record, "__defaults__", (tmp_path,))
    return record.record("one", tmp_path)
