"""The pictures of chapter 7 show what they are given."""

import pytest
import torch

from course_lib.gan import figures
from course_lib.recorded import recorded
from course_lib.viz import png

IMAGES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("channels", [1, 3])
def test_packed_images_come_back_as_they_were_but_for_the_levels(channels):
    images = torch.rand(3, channels, 8, 8)
    assert (figures.unpacked(figures.packed(images)) - images).abs().max() <= 0.5 / 15 + 1e-6
    black = figures.unpacked(figures.packed(torch.full((2, 1, 4, 4), -3.0)))
    assert black.shape == (2, 1, 4, 4) and not black.any()


def test_the_run_is_an_animation_whose_last_frame_comes_first():
    made = {
        "moments": [0, 50],
        "frames": [figures.packed(IMAGES[:1].expand(30, 1, 8, 8)), figures.packed(torch.ones(30, 1, 8, 8))],
    }
    frames, alt = figures.emerging(made)
    assert [frame.axes[0].get_title() for frame in frames] == ["step 50", "step 0", "step 50"] and "50 steps" in alt
    assert frames[0].axes[0].images[0].get_array().min() == 1


def test_images_in_labelled_rows():
    figure, alt = figures.filmstrip({0: IMAGES, 100: IMAGES})
    assert [axis.get_ylabel() for axis in figure.axes[::4]] == ["step 0", "step 100"] and "step 100" in alt
    figure, alt = figures.rows({"real": IMAGES, "generated": IMAGES}, "Some images.", columns=list("abcd"))
    assert len(figure.axes) == 8 and figure.axes[3].get_title() == "d" and alt == "Some images. Rows: real, generated."


def test_a_walk_goes_there_and_back():
    frames, alt = figures.walk({"arc": IMAGES[:, None], "blend": IMAGES[:, None]})
    assert len(frames) == 6 and [axis.get_ylabel() for axis in frames[0].axes] == ["arc", "blend"] and "arc, blend" in alt
    assert (frames[1].axes[0].images[0].get_array() == frames[5].axes[0].images[0].get_array()).all()


def test_losses_and_mistakes_draw_their_curves():
    figure, alt = figures.losses([(1.0, 2.0)] * 30)
    assert list(figure.axes[0].lines[1].get_ydata()) == pytest.approx([2.0] * 30) and "30 steps" in alt
    figure, alt = figures.gone_wrong(
        {"right": IMAGES, "wrong": IMAGES}, {"a": [1.0], "b": [2.0]}, "loss", references={"floor": 0.5}
    )
    assert [line.get_label() for line in figure.axes[2].lines] == ["a", "b", "floor"] and "right and wrong" in alt


def test_a_collapse_has_a_frame_for_each_moment():
    points = torch.ones(5, 2)
    frames, _ = figures.collapse([(0, points), (100, 2 * points)], torch.eye(2), 0.1)
    assert [frame.axes[0].get_title() for frame in frames] == ["step 0", "step 0", "step 100"], "nearest to a mode, then all"
    assert frames[2].axes[0].lines[1].get_xydata().tolist() == [[1, 1], [2, 2]], "the way of the mean"


def test_what_is_judged_is_in_the_picture_and_in_the_words():
    figure, alt = figures.trade({1.0: (0.2, 0.14), 0.8: (0.1, 0.12)}, (0.04, 0.15))
    assert figure.axes[0].lines[0].get_xydata().tolist() == [[0.14, 0.2], [0.12, 0.1]] and "0.8 z: 0.100 malformed" in alt
    series = {"generated": torch.linspace(1, 3, 101), "copies": torch.full((50,), 0.5)}
    figure, alt = figures.histogram(series, "distance")
    assert "Medians: generated 2.00, copies 0.50" in alt and figure.axes[0].texts[0].get_text() == "up to 1.00"
    figure, alt = figures.named_bars({"noise": 90.0, "generated": 0.04}, "Fréchet distance", ["generated"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["90", "0.04"] and "noise 90" in alt


def test_schematics():
    figure, alt = figures.networks((8, 4, 2), channels=3)
    assert any(text.get_text() == "3 × 32 × 32" for text in figure.axes[0].texts) and "8 maps of 4 x 4" in alt
    figure, _ = figures.stamps()
    assert {text.get_text() for text in figure.axes[0].texts} == {"1", "2", "4"}
    figure, alt = figures.where_the_gradient_stops()
    assert any("detach" in text.get_text() for text in figure.axes[0].texts) and "detach" in alt


def test_the_recordings_are_drawn_as_they_are():
    made, faces = recorded("gan-drawing"), recorded("gan-faces")
    figure, alt = figures.by_steps(made)
    assert list(figure.axes[0].lines[0].get_ydata()) == [part["malformed"] for part in made["with labels"]["average"]][3:]
    assert len(figures.unpacked(made["frames"][-1])) == 30 and len(made["frames"]) == len(made["moments"])
    figure, alt = figures.typefaces(faces)
    assert len(figure.axes[0].get_yticklabels()) == len(faces["faces"]) == 19 and "as read" in alt
    assert len(png(figure)) > 1000
