"""The pictures of chapter 8 show what they are given."""

import math
from types import SimpleNamespace

import pytest
import torch

from course_lib.vae import CurvedModel, figures
from course_lib.viz import png

POINTS = torch.tensor([[0.85, -0.65], [0.0, 0.95]], dtype=torch.float64)


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


def run(steps=40, epochs=2, validated=True):
    """A record as a run leaves it: the reconstruction term rises from -200, the KL from 0."""
    terms = {"reconstruction": [-200.0 + n for n in range(steps)], "kl": [0.5 * n for n in range(steps)]}
    ends = [
        {"step": (n + 1) * steps // epochs, "validation_reconstruction": -150.0 - n, "validation_kl": 9.0} for n in range(epochs)
    ]
    return SimpleNamespace(step=steps, steps=terms, epochs=ends if validated else [{"step": steps}])


def test_progress_draws_the_two_terms_apart_and_positive():
    images = torch.rand(4, 1, 8, 8)
    sheet, reconstruction, kl = figures.progress(run(), images, columns=2, window=1).axes
    assert sheet.images[0].get_array().shape == (17, 17) and "40 steps" in sheet.get_title()
    assert list(reconstruction.lines[0].get_ydata())[:2] == [200, 199]
    assert list(reconstruction.lines[1].get_ydata()) == [150, 151] and list(kl.lines[1].get_ydata()) == [9, 9]
    assert list(kl.lines[0].get_ydata())[-1] == pytest.approx(19.5)
    assert len(figures.progress(run(validated=False), images).axes[1].lines) == 1


def test_progress_shows_its_best_values_whatever_their_sign():
    terms = {"reconstruction": [100.0 + 6 * n for n in range(100)], "kl": [0.0] * 100}  # a density's, of an autoencoder
    ends = [{"step": 50, "validation_reconstruction": 300, "validation_kl": 0.0}, {"step": 100, "validation_reconstruction": 800}]
    record = SimpleNamespace(step=100, steps=terms, epochs=ends)
    _, reconstruction, kl = figures.progress(record, torch.rand(4, 1, 8, 8), window=1).axes
    low, high = reconstruction.get_ylim()
    assert -900 < low < -800 and -130 < high < -90, "the first steps may be cut off, the others not"
    assert kl.get_ylim() == (-1, 1)
    low, high = figures.progress(run(), torch.rand(4, 1, 8, 8), window=1).axes[1].get_ylim()
    assert 140 < low < 150 and 198 < high < 205


def test_rate_and_distortion_lie_on_lines_of_equal_sum():
    axis = figures.rate_distortion({"one": [(1.0, 50.0), (2.0, 40.0)], "two": [(9.0, 30.0)]}).axes[0]
    assert list(axis.lines[0].get_xdata()) == [1, 2] and list(axis.lines[1].get_ydata()) == [30]
    (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
    levels = []
    for line in axis.lines[2:]:
        level, other = (x + y for x, y in zip(line.get_xdata(), line.get_ydata(), strict=True))
        assert level == pytest.approx(other) and list(line.get_xdata()) == [left, right]
        levels.append(level)
    step = (right + high - left - low) / 9  # between the corners of the picture: each line is seen
    assert levels[0] == 39 and levels[1:] == pytest.approx([left + low + n * step for n in range(1, 9)])


def test_the_map_of_two_latents_labels_rows_from_the_top():
    images, means, labels = torch.rand(9, 1, 4, 4), torch.randn(5, 2), torch.tensor([0, 1, 0, 1, 1])
    picture, plane = figures.latent_map(images, [-1.0, 0.0, 1.0], means, labels, ["a", "b"]).axes
    assert picture.images[0].get_array().shape == (14, 14)
    assert [label.get_text() for label in picture.get_yticklabels()] == ["1.0", "0.0", "-1.0"]
    assert [label.get_text() for label in picture.get_xticklabels()] == ["-1.0", "0.0", "1.0"]
    assert [len(line.get_xdata()) for line in plane.lines] == [2, 3]
    torch.testing.assert_close(torch.tensor(plane.lines[1].get_ydata()), means[labels == 1, 1].double(), check_dtype=False)


def test_the_table_shows_shares_of_the_entropy():
    axis = figures.information_table(torch.tensor([[1.0, 0.0], [0.5, 2.0]]), ["digit", "angle"], torch.tensor([2.0, 4.0])).axes[0]
    assert [text.get_text() for text in axis.texts] == ["0.50", "0.00", "0.25", "0.50"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["z1", "z2"]


def test_scores_are_shares_and_single_ones_are_lines():
    axis = figures.scores({"test": torch.tensor([1.0, 1.0, 3.0, 5.0]), "black": torch.tensor([0.0])}, "nats", bins=5).axes[0]
    assert list(axis.patches[0].get_data().values) == pytest.approx([0, 0.5, 0, 0.25, 0.25])
    assert axis.lines[0].get_xdata()[0] == 0


def test_symptoms_have_a_colour_for_each_term_and_a_dash_for_each_run():
    images, record = torch.rand(4, 3, 8, 8), {"reconstruction": [5.0] * 20, "KL": [1.0] * 20}
    records = {"right": record, "mistaken": record}
    *panels, axis = figures.symptoms({"right": images, "wrong": images}, records, highest=9).axes
    assert [panel.get_title() for panel in panels] == ["right", "wrong"] and panels[0].images[0].get_array().shape == (8, 35, 3)
    assert [line.get_ydata()[0] for line in axis.lines] == [5, 1, 5, 1] and axis.get_ylim()[1] == 9
    colours = [line.get_color() for line in axis.lines]
    assert colours[:2] == colours[2:] and colours[0] != colours[1]
    assert axis.lines[0].get_linestyle() != axis.lines[2].get_linestyle()
    assert axis.get_legend().get_texts()[3].get_text() == "mistaken: KL"
