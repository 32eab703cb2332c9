"""The pictures of chapter 5 where the truth is known show what they are given."""

import math

import pytest
import torch

from course_lib.vae import CurvedModel, figures
from course_lib.viz import png

POINTS = torch.tensor([[0.85, -0.65], [0.0, 0.95]], dtype=torch.float64)


def test_curves_have_the_median_as_line_and_all_seeds_in_the_band():
    rows = torch.tensor([[1.0, 5], [2, 4], [9, 3]])
    axis = figures.curves([10, 100], {"a": rows, "b": rows[0]}, "x", "y", log_x=True, references={"level": 2}, ylim=(0, 9)).axes[
        0
    ]
    assert list(axis.lines[0].get_ydata()) == [2, 4] and list(axis.lines[1].get_ydata()) == [1, 5]
    assert axis.lines[2].get_ydata()[0] == 2 and axis.get_xscale() == "log" and axis.get_ylim() == (0, 9)
    (band,) = axis.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == 1 and corners[:, 1].max() == 9
    styles = {(line.get_color(), line.get_linestyle()) for line in axis.lines[:2]}
    assert len(styles) == 2
    gap = figures.curves([1, 2], {"a": [math.nan, 1.0]}, "x", "y").axes[0]
    assert math.isnan(gap.lines[0].get_ydata()[0])


def test_error_bars_reach_two_standard_errors():
    series = {"one": ([1.0, 2.0], [0.1, 0.2]), "two": (torch.tensor([1.0, 2.0]), torch.tensor([0.1, 0.2]))}
    axis = figures.estimates([10, 1000], series, "samples", "nats", truth=1.5).axes[0]
    assert list(axis.lines[0].get_ydata()) == [1.5, 1.5]
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["exact: 1.500", "one", "two"]
    (bars,) = axis.containers[0][2]
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [pytest.approx([0.8, 1.2]), pytest.approx([1.6, 2.4])]
    first, second = (container[0].get_xdata()[0] for container in axis.containers)
    assert 9 < first < 10 < second < 11, "two series stand beside each other"
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "1,000"]
    assert len(figures.estimates([1, 2], {"one": series["one"]}, "samples", "nats").axes[0].lines) == 3, "no truth, no line"


def test_measured_marks_lie_on_derived_lines():
    axis = figures.measured_and_derived([1, 2, 4], {"a": [1.0, 2, 3]}, {"a": [1.1, 2.1, 3.1]}, "x", "y").axes[0]
    derived, measured, legend = axis.lines
    assert derived.get_ydata() == pytest.approx([1.1, 2.1, 3.1]) and measured.get_ydata() == pytest.approx([1, 2, 3])
    assert derived.get_color() == measured.get_color() and measured.get_linestyle() == "None"
    assert legend.get_label() == "derived" and axis.get_xscale() == axis.get_yscale() == "log"


def test_the_bent_latent_shows_the_density_and_each_posterior():
    model = CurvedModel(points=801)
    samples, _ = model.sample(50, torch.Generator().manual_seed(0))
    plane, line, *_ = figures.bent_latent(model, samples, POINTS).axes
    picture = plane.images[0].get_array()
    # The image's row is the second coordinate: at the bottom of the arc p is large, at its top small.
    assert picture[28, 60] > picture[92, 60] > picture[0, 0]
    corner = model.log_prob(torch.tensor([[-1.9, -1.9]]))[0]
    assert picture[0, 0] == pytest.approx(corner.item())
    assert {"A", "B", "z = 0"} <= {text.get_text() for text in plane.texts}
    posterior, bell = line.lines[0], line.lines[1]
    torch.testing.assert_close(torch.as_tensor(posterior.get_ydata()), model.posterior(POINTS)[0])
    spacing = model.spacing
    assert sum(bell.get_ydata()) * spacing == pytest.approx(1, abs=1e-3) and bell.get_linestyle() == "--"
    assert max(bell.get_ydata()) == pytest.approx(max(posterior.get_ydata()), rel=0.05), "at A the posterior is nearly Gaussian"


def test_the_gap_map_is_largest_where_the_ends_of_the_arc_meet():
    picture = figures.gap_map(CurvedModel(points=801), steps=9).axes[0].images[0].get_array()
    assert picture.shape == (9, 9) and picture.min() >= 0
    assert picture[8, 4] == pytest.approx(math.log(2), abs=0.02) and picture[0, 4] < 0.01
    torch.testing.assert_close(torch.as_tensor(picture), torch.as_tensor(picture[:, ::-1].copy()), atol=1e-3, rtol=0)


def test_the_bound_is_a_curve_under_a_line_with_the_gap_between():
    axis = figures.bound([0, 1, 2], torch.tensor([-5.0, -2, -9]), -1.0, "mean of q", depth=4).axes[0]
    assert list(axis.lines[1].get_ydata()) == [-5, -2, -9] and axis.lines[0].get_ydata()[0] == -1
    corners = axis.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() == -9 and corners[:, 1].max() == -1
    assert axis.get_ylim() == pytest.approx((-5, -0.8))
    assert figures.bound([0, 1], [-5.0, -2.0], -1.0, "x").axes[0].get_ylim()[0] < -5


def test_histograms_count_what_lies_beyond_the_axis_at_its_ends():
    samples = {"wide": torch.tensor([-99.0, 0, 99, 99]), "narrow": torch.zeros(4)}
    wide, narrow = figures.gradient_histograms(samples, 0.5, (-10, 10), bins=4).axes
    assert [bar.get_height() for bar in wide.patches] == pytest.approx([0.05, 0, 0.05, 0.1])
    assert "mean 24.75" in wide.get_title(loc="left") and "standard deviation 0.00" in narrow.get_title(loc="left")
    assert wide.lines[0].get_xdata()[0] == 0.5 and "0.50" in narrow.get_xlabel()


def test_latent_bars_are_sorted_and_stand_below_their_derived_dots():
    measured = {"one": torch.tensor([0.1, 2.0, 0.5]), "two": [0.0, 0.0, 0.0]}
    figure = figures.latent_bars(measured, {"one": [2.0, 0.4, 0.1], "two": [0.0] * 3}, columns=1)
    one, two = figure.axes
    assert [bar.get_height() for bar in one.patches] == pytest.approx([2, 0.5, 0.1])
    assert list(one.lines[0].get_ydata()) == pytest.approx([2, 0.4, 0.1])
    assert "learned: 2.6 in all" in [text.get_text() for text in one.get_legend().get_texts()]
    assert two.get_title() == "two" and png(figure)
    visible = [axis.get_visible() for axis in figures.latent_bars({str(n): [1.0] for n in range(4)}, columns=3).axes]
    assert visible == [True] * 4 + [False] * 2
