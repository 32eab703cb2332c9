"""The pictures of notebook 99 show what they are given."""

import pytest
import torch

from course_lib import pretrained
from course_lib.data import load
from course_lib.recorded import recorded
from course_lib.start.figures import answers
from course_lib.viz import png


def test_half_a_digit_keeps_the_half_that_is_seen_and_draws_the_other(monkeypatch):
    monkeypatch.setattr(answers, "SHOWN_STEPS", (0, 2, 5))
    images = load("glyphs", "test").pixels(slice(0, 3))
    frames, alt = answers.half_a_digit(pretrained.load_vae("glyphs", device="cpu"), images, starts=2)
    assert len(frames) == 4 and alt.startswith("Animation: 3 digits")
    assert [frame.get_suptitle().split()[1] for frame in frames] == ["5", "0", "2", "5"]
    arrays = [torch.tensor(axis.images[0].get_array()) for axis in frames[0].axes]
    for n in range(3):
        assert torch.equal(arrays[3 + n][:16], images[n, 0, :16]) and torch.equal(arrays[6 + n], images[n, 0])
        assert not torch.equal(arrays[3 + n][16:], images[n, 0, 16:])
    assert png(frames[1]) != png(frames[2])


@pytest.mark.parametrize(("count", "words"), [(175e9, "175 billion"), (60e6, "60 million"), (22_602, "22.6 thousand"), (7, "7")])
def test_sizes_are_bars_of_the_memory_with_the_number_in_words(count, words):
    figure, alt = answers.sizes({"small": 1000, "asked": count}, {"a laptop": 16e9})
    bars = figure.axes[0].patches
    assert [bar.get_width() for bar in bars] == sorted([16_000, 16 * count]) and f"asked {words}" in alt
    assert [text.get_text() for text in figure.axes[0].texts] == [
        "1 thousand" if count > 1000 else words,
        words if count > 1000 else "1 thousand",
        "a laptop",
    ]


def test_few_labels_has_a_line_for_each_method():
    figure, alt = answers.few_labels([20, 50], {"one": [[0.4, 0.6], [0.5, 0.7]], "other": [[0.5, 0.9], [0.6, 0.9]]})
    lines = figure.axes[0].get_lines()
    assert [list(line.get_ydata()) for line in lines] == [pytest.approx([0.45, 0.65]), pytest.approx([0.55, 0.9])]
    assert "With 20 labels" in alt and "one 45%; other 55%" in alt


def test_falling_noise_ends_first_and_begins_wide():
    centres = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    clouds = {size: size * torch.randn(30, 2, generator=torch.Generator().manual_seed(0)) for size in (5.0, 1.0, 0.1)}
    frames, alt = answers.falling_noise(clouds, centres, 0.05, shown=20)
    assert [frame.get_suptitle() for frame in frames] == [f"noise of size {size}" for size in ("0.1", "5", "1", "0.1")]
    assert frames[0].axes[0].get_xlim()[1] > 5 > frames[0].axes[1].get_xlim()[1] and "20 points" in alt and "2 heaps" in alt


def test_the_attack_is_shown_at_equal_passes_and_at_equal_images():
    attacks = [
        {"images": images, "passes": passes, "runs": [{"attack": found, "accuracy": 0.9}, {"attack": found, "accuracy": 0.8}]}
        for images, passes, found in ((200, 40, 0.8), (1000, 40, 0.7), (1000, 5, 0.6))
    ]
    figure, alt = answers.attack(attacks, passes=40, images=1000)
    left, right = ([list(line.get_xdata()) for line in axis.get_lines()[:1]] for axis in figure.axes)
    assert left == [[200, 1000]] and right == [[5, 40]]
    assert "80% of pairs at 200 and 70% at 1000" in alt and "60% of pairs at 5 and 70% at 40" in alt


def test_reasons_stand_below_their_images():
    images, each = torch.rand(4, 6, 6), torch.randn(4, 6, 6)
    figure, alt = answers.reasons(images, {"gradient": each, "none": torch.zeros(4, 6, 6)}, columns=3)
    assert [axis.get_ylabel() for axis in figure.axes[::3]] == ["image", "gradient", "none"] and alt.startswith("3 images")
    shown = torch.tensor(figure.axes[3].images[0].get_array())
    assert torch.allclose(shown, each[0].to(shown)) and len(png(figure)) > 1000


def test_mistaken_images_stand_below_what_was_there():
    real, repaired = torch.rand(3, 1, 5, 5), torch.rand(3, 1, 5, 5)
    figure, alt = answers.mistaken(real, repaired, ["3: 0.87", "0: 0.80", "3: 0.71"])
    assert [axis.get_title() for axis in figure.axes] == ["", "", "", "3: 0.87", "0: 0.80", "3: 0.71"]
    shown = [torch.tensor(axis.images[0].get_array()) for axis in figure.axes]
    assert torch.equal(shown[1], real[1, 0]) and torch.equal(shown[4], repaired[1, 0]) and "0: 0.80" in alt


def test_the_recording_holds_what_the_notebook_shows():
    made = recorded("answers")
    labels, scores = made["few labels"]["labels"], made["few labels"]["scores"]
    assert all(len(run) == len(labels) for runs in scores.values() for run in runs)
    assert {row["passes"] for row in made["attacks"]} >= {5, 40} and {row["images"] for row in made["attacks"]} >= {200, 1000}
    for picture in (answers.few_labels(labels, scores), answers.attack(made["attacks"], passes=40, images=1000)):
        assert picture[0].axes and len(picture[1].split()) > 12
