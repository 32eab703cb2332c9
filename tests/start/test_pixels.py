"""Naive Bayes on pixels, against sums over every possible small image."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.start import fit_pixels, log_likelihood, posterior, sample_pixels

EVERY_IMAGE = torch.tensor(list(itertools.product((0, 1), repeat=4)))  # all 16 images of 2 x 2 pixels


def thetas(classes, seed):
    """Random probabilities [classes, 4]."""
    return torch.rand(classes, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 0.98 + 0.01


@given(classes=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_likelihood_is_a_distribution_over_images(classes, seed):
    total = log_likelihood(EVERY_IMAGE, thetas(classes, seed)).exp().sum(dim=0)
    assert torch.allclose(total, torch.ones(classes, dtype=torch.float64), rtol=0, atol=1e-12)


@given(seed=st.integers(0, 99))
def test_the_posterior_is_bayes_rule(seed):
    theta, prior = thetas(3, seed), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    likelihood = torch.stack([torch.where(EVERY_IMAGE == 1, row, 1 - row).prod(dim=1) for row in theta], dim=1)  # [16, 3]
    expected = likelihood * prior / (likelihood * prior).sum(dim=1, keepdim=True)
    assert torch.allclose(posterior(log_likelihood(EVERY_IMAGE, theta), prior.log()), expected, rtol=0, atol=1e-12)


def test_the_posterior_survives_tiny_likelihoods():
    result = posterior(torch.tensor([[-5000.0, -5001.0]], dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    assert result[0, 0].item() == pytest.approx(1 / (1 + torch.tensor(-1.0).exp().item()))


def test_fit_finds_the_probabilities_of_its_own_samples():
    theta, labels = thetas(2, seed=1), torch.arange(40_000) % 2
    images = sample_pixels(theta, labels, rng=torch.Generator().manual_seed(0))
    assert set(images.unique().tolist()) == {0.0, 1.0}
    found = fit_pixels(images, labels, classes=2)
    # The standard error of a share of 20,000 is at most 0.0036; 5 of them for 8 numbers.
    assert torch.allclose(found, theta, rtol=0, atol=5 * 0.0036)
    few = fit_pixels(torch.tensor([[1, 0]]), torch.tensor([0]), classes=1)
    assert few.tolist() == [[2 / 3, 1 / 3]]  # one image, and one more of each kind


@pytest.mark.parametrize("value", [255.0, 0.5, float("nan")])
def test_pixels_are_black_or_white(value):
    images = torch.tensor([[0.0, 1.0], [1.0, value]])
    for wrong in (images, images.nan_to_num().to(torch.uint8)) if value == 255 else (images,):
        with pytest.raises(ValueError, match=f"a pixel is {value:g}: it must be 0 or 1"):
            fit_pixels(wrong, torch.tensor([0, 0]), classes=1)
        with pytest.raises(ValueError, match=f"a pixel is {value:g}: it must be 0 or 1"):
            log_likelihood(wrong, torch.full((1, 2), 0.5))


def test_the_likelihood_takes_theta_of_any_type():
    theta = torch.tensor([[0.25, 0.5, 0.75, 0.125]])  # exact in float32
    found = log_likelihood(EVERY_IMAGE > 0, theta)
    assert found.dtype == torch.float64
    assert torch.equal(found, log_likelihood(EVERY_IMAGE, theta.double()))


def test_samples_are_those_of_the_generator():
    theta, labels = thetas(2, seed=1), torch.arange(50) % 2
    first, again, other = (sample_pixels(theta, labels, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    before = torch.get_rng_state()
    sample_pixels(theta, labels, torch.Generator().manual_seed(0))
    assert torch.equal(before, torch.get_rng_state())  # the global generator is left alone


def test_fit_names_what_is_missing():
    with pytest.raises(ValueError, match="a label is -1, outside the classes 0 to 2"):
        fit_pixels(torch.ones(2, 4), torch.tensor([0, -1]), classes=3)
    with pytest.raises(ValueError, match="no image of class 1"):
        fit_pixels(torch.ones(2, 4), torch.tensor([0, 2]), classes=3)
    with pytest.raises(ValueError, match="a label is 2, outside the classes 0 to 1"):
        fit_pixels(torch.ones(2, 4), torch.tensor([0, 2]), classes=2)
