"""The pictures of chapter 12 show what they are given."""

import pytest

from course_lib.recorded import recorded
from course_lib.training import figures
from course_lib.viz import png

ROWS = [("Conv2d 1", 100.0, 40.0), ("ReLU 1", 10.0, 80.0), ("Linear 1", 50.0, 80.0)]


def test_the_shares_add_up_and_the_words_name_the_largest():
    figure, alt = figures.costs(ROWS)
    for axis in figure.axes:
        assert sum(bar.get_width() for bar in axis.patches) == pytest.approx(1)
    assert "most operations are in Conv2d 1, most bytes in ReLU 1" in alt


def test_layers_are_sorted_by_the_side_of_the_ridge():
    figure, alt = figures.roofline(100e9, 10e9, {"ReLU 1": (0.125, 1e9), "Conv2d 1": (40.0, 60e9)})
    roof, *_ = figure.axes[0].lines
    assert list(roof.get_ydata())[1:] == [100, 100] and roof.get_xdata()[1] == 10
    assert "Under its slope: ReLU 1. Under its flat part: Conv2d 1." in alt


def test_a_layer_climbs_with_the_batch_and_the_last_frame_comes_first():
    frames, alt = figures.growing_batch(10.0, 1.0, {1: [("Linear 1", 2.0, 4.0)], 64: [("Linear 1", 128.0, 8.0)]})
    assert [frame.axes[0].get_title() for frame in frames] == ["batch of 64", "batch of 1", "batch of 64"] and "to 64" in alt
    assert list(frames[0].axes[0].lines[-1].get_ydata()) == [10 / 1e9], "on the flat part"
    assert list(frames[1].axes[0].lines[-1].get_ydata()) == [0.5 / 1e9]


def test_a_ring_ends_with_every_part_everywhere():
    frames, alt = figures.ring(3)
    assert len(frames) == 2 + 1 + 3 * 4 and "A ring of 3 devices" in alt
    filled = [
        sum(patch.get_facecolor()[:3] != (1, 1, 1) for patch in frame.axes[0].patches if patch.get_zorder() == 3)
        for frame in frames
    ]
    assert filled[0] == filled[-1] == 27, "of 9 chunks each stripe is coloured"
    assert filled[1] == 9, "at first a device has its own part of each chunk"


def test_recorded_rates_have_a_line_for_each_batch_and_the_best_is_named():
    made = {"rates": [0.1, 1.0], "losses": {"16": [[2.0, 1.0], [2.0, None]], "64": [[2.0, 0.5], [3.0, 0.5]]}}
    figure, alt = figures.batch_and_rate(made)
    assert [line.get_label() for line in figure.axes[0].lines] == ["batch of 16", "batch of 64"]
    assert alt == "Best learning rate: 0.1 in batches of 16, 1 in batches of 64."


def test_the_other_pictures_draw_all_that_they_are_given():
    figure, alt = figures.scaling([1, 2, 4], {"a": [4.0, 2.0, 3.0]}, {1: 4.0, 2: 2.5})
    assert list(figure.axes[1].lines[0].get_ydata()) == [1, 2, pytest.approx(4 / 3)] and alt.endswith("a: 2.")
    assert figure.axes[0].lines[0].get_linestyle() == "--", "a projection"
    figure, alt = figures.all_reduce_fit([1e3, 1e6], [0.001, 0.002], 0.001, 1e9)
    line = figure.axes[0].lines[0].get_ydata()
    assert [line[0], line[-1]] == pytest.approx([1.001, 2.0], rel=1e-4) and "1 ms" in alt
    figure, _ = figures.normalised_slices([2, 4], [[0.2, 0.0], [0.4, 0.0]], recorded("devices-slices"))
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.4, 0.0]
    figure, _ = figures.drifting({"right": [0.0, 1e-16]}, {"right": [0.0, 0.0]})
    assert min(figure.axes[0].lines[0].get_ydata()) == 1e-17
    figure, alt = figures.one_step((2, 1))
    assert "gradient × 1/3" in [text.get_text() for text in figure.axes[0].texts] and "3 images" in alt
    for figure, _ in (
        figures.bits("01" * 16, dict.fromkeys(("float32", "bfloat16", "float16"), "")),
        figures.growing_sums([1, 10], {"exact": [1, 10], "rounded": [1, 8]}),
        figures.small_steps({"float32": [2.0, 1.0], "bfloat16": [2.0, 1.5]}),
        figures.spread([1, 4], [1.1, 0.2], [1.0, 0.25]),
    ):
        assert png(figure)
