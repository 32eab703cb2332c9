"""The pictures of chapter 8 show what they are given, and its explorer follows its controls."""

import math

import pytest
import torch

from course_lib import vae
from course_lib.vae import figures
from course_lib.viz import png

MODEL = vae.CurvedModel(points=801)
IMAGES = torch.rand(8, 1, 6, 6, generator=torch.Generator().manual_seed(0))


def test_the_schematics_name_their_parts():
    for (figure, alt), words in ((figures.two_terms(), "encoder"), (figures.two_graphs(), "noise")):
        assert words in alt and any(words in text.get_text() for text in figure.axes[0].texts)


def test_bars_of_the_bound_end_at_log_p():
    figure, alt = figures.decomposition({"A: one": (-3.0, 1.0), "A: two": (-2.5, 0.5), "B": (-9.0, 4.0)}, floor=-6.0)
    ends = [bar.get_x() + bar.get_width() for bar in figure.axes[0].patches]
    assert ends == pytest.approx([-3, -2, -2.5, -2, -6, -5]) and "A: two: -2.50 + 0.50" in alt


def test_what_is_left_out_is_drawn_by_name():
    shares = torch.tensor([0.1, 0.5])
    figure, alt = figures.dropped(shares, {"q": -(1 - shares).log(), "GAN": shares * math.log(2)})
    assert list(figure.axes[0].lines[0].get_ydata()) == pytest.approx((-(1 - shares).log()).tolist())
    assert "q: 0.69 nats at 50%" in alt


def test_the_plane_has_three_points_and_their_posteriors():
    drawn, _ = MODEL.sample(20, torch.Generator().manual_seed(0))
    posterior = MODEL.posterior(figures.POINTS)
    figure, _ = figures.bent_plane(MODEL.curve, MODEL.log_prob, MODEL.grid, figures.POINTS, posterior, drawn)
    curves = figure.axes[2].lines
    assert [line.get_label() for line in curves] == ["A", "B", "C"]
    assert list(curves[1].get_ydata()) == pytest.approx(posterior[1].tolist())
    gap = torch.linspace(0, 0.7, 9)
    figure, alt = figures.what_is_lost(torch.cartesian_prod(*[torch.linspace(-1, 1, 3)] * 2), gap, MODEL.curve)
    assert figure.axes[0].images[0].get_array()[0, 1] == pytest.approx(gap[3].item()) and "0.70 nats" in alt


def test_q_is_drawn_at_each_step_and_the_gap_of_the_climb():
    log_p, posterior = MODEL.log_prob(figures.POINTS), MODEL.posterior(figures.POINTS)
    mean, log_variance = torch.zeros(3), torch.zeros(3)
    path = [(step, mean, log_variance - step, log_p - 2 + step) for step in (0, 1)]
    frames, alt = figures.fitting(MODEL.grid, posterior, log_p, path)
    assert [frame.get_suptitle() for frame in frames] == ["step 1", "step 0", "step 1"] and "A 1.00" in alt
    assert max(frames[1].axes[0].lines[0].get_ydata()) == pytest.approx(1 / math.sqrt(2 * math.pi), rel=1e-3)
    figure, alt = figures.climb(torch.stack([log_p - 4, log_p - 1]), log_p)
    assert list(figure.axes[0].lines[2].get_ydata()) == pytest.approx([4, 1]) and "C 1.00" in alt


def test_the_opening_is_an_animation_that_closes_two_gaps():
    frames, alt = figures.opening()
    assert len(frames) >= 12 and "A 0.00" in alt and "C 0.0" in alt


def test_the_explorer_follows_its_controls():
    explorer = figures.explore_q()
    before = explorer.image.value
    explorer.controls["mean"].value = -2.0
    assert explorer.image.value != before and not explorer.error.value
    assert "log p(x)" in explorer.figure.axes[1].get_title()


def test_rows_of_images_are_labelled():
    for figure, alt in (figures.rows_of_images({"one": IMAGES, "two": IMAGES[:5]}), figures.signed_rows({"one": IMAGES - 0.5})):
        assert figure.axes[0].get_ylabel() == "one" and "one" in alt and png(figure)
    (first,) = figures.rows_of_images({"one": IMAGES[:1]})[0].axes
    assert first.images[0].get_array().tolist() == IMAGES[0, 0].tolist()


def test_a_linear_autoencoder_and_a_linear_vae_as_they_learn():
    states = [(step, IMAGES, IMAGES, torch.tensor([1.0, 50.0 - step])) for step in (0, 2)]
    frames, alt = figures.turning_to_pca(states, 1.0, [3.0, 2.0, 1.5])
    assert len(frames) == 3 and [bar.get_height() for bar in frames[1].axes[1].patches] == [1, 50] and "48 degrees" in alt
    figure, alt = figures.bound_rises([1, 2, 3], [1.0, 2.0, 3.0], [2.0, 3.0, 3.5], 4.0)
    assert list(figure.axes[0].lines[2].get_ydata()) == [1, 2, 3] and "3.0, 3.5 and 4.0" in alt


def test_the_water_level_and_the_mistakes():
    found = {"low": torch.tensor([0.5, 1.0]), "high": torch.zeros(2)}
    figure, alt = figures.water_level(torch.tensor([2.0, 1.0]), {"low": 0.1, "high": 5.0}, found, found)
    assert [bar.get_height() for bar in figure.axes[2].patches] == [1.0, 0.5] and "low: 1.5 and 1.5" in alt
    figure, alt = figures.broken({"right": (9.0, 8.5, IMAGES), "wrong": (12.0, 3.0, IMAGES)}, best=10.0)
    assert [axis.get_title() for axis in figure.axes[:2]] == ["right", "wrong"] and "wrong: 12, exact 3" in alt


def test_estimates_are_drawn_as_they_are():
    rows = torch.tensor([[3.0, 1.0], [5.0, 2.0], [4.0, 1.5]])
    figure, alt = figures.short_of([10, 100], {"1 latent": rows})
    assert list(figure.axes[0].lines[0].get_ydata()) == [4, 1.5] and "1 latent 1.5" in alt
    figure, alt = figures.single_estimates({"a": torch.randn(50), "b": 3 * torch.ones(50)}, 0.0, limit=5.0)
    assert len(figure.axes) == 2 and "mean 3.00" in figure.axes[1].get_title(loc="left")
    figure, _ = figures.variance_growth([1, 2], {"a": [1.0, 2.0]}, {"a": [1.5, 2.5]})
    assert [list(line.get_ydata()) for line in figure.axes[0].lines[:2]] == [[1.5, 2.5], [1, 2]]
    figure, alt = figures.bounds([1, 2], {"q": ([-3.0, -2.5], [0.1, 0.1])}, truth=-2.0, depth=4.0)
    assert figure.axes[0].get_ylim()[0] == -6 and "q 0.50" in alt
    frames, alt = figures.tightening({1: torch.full((9,), -4.0), 8: torch.full((9,), -2.5)}, truth=-2.0)
    assert [frame.axes[0].get_title() for frame in frames] == ["K = 8", "K = 1", "K = 8"] and "from 2.00 to 0.50" in alt
