"""What a decoder says of the pixels: each likelihood by its name, and the variance that follows the images."""

import math

import pytest
import torch

from course_lib.vae import (
    LIKELIHOODS,
    bernoulli_log_likelihood,
    discretised_logistic_log_likelihood,
    gaussian_log_likelihood,
    optimal_log_variance,
)
from course_lib.vae.likelihoods import Bernoulli, Gaussian, Logistic, OptimalGaussian, make_likelihood


def test_each_name_is_its_class():
    assert {
        "bernoulli": Bernoulli,
        "gaussian": Gaussian,
        "optimal-gaussian": OptimalGaussian,
        "logistic": Logistic,
    } == LIKELIHOODS


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 2, 4, 5, generator=generator), torch.rand(3, 2, 4, 5, generator=generator)


def test_each_likelihood_is_the_function_of_its_name(images):
    x, decoded = images
    expected = {
        "bernoulli": bernoulli_log_likelihood(x, decoded),
        "gaussian": gaussian_log_likelihood(x, decoded, 2 * math.log(0.3)),
        "optimal-gaussian": gaussian_log_likelihood(x, decoded, optimal_log_variance(x, decoded)),
        "logistic": discretised_logistic_log_likelihood(x, decoded, math.log(0.3 * math.sqrt(3) / math.pi)),
    }
    assert set(expected) == set(LIKELIHOODS)
    for name, value in expected.items():
        torch.testing.assert_close(make_likelihood(name, 2, 0.3).log_prob(x, decoded), value)


def test_sigma_is_the_standard_deviation_of_the_logistic_too():
    levels = torch.arange(256.0)[:, None, None, None] / 255
    p = Logistic(1, 0.05).log_prob(levels, torch.full_like(levels, 0.5)).exp()
    assert abs((p * (levels.flatten() - 0.5).square()).sum().sqrt().item() - 0.05) < 5e-4


def test_a_learned_scale_finds_that_of_the_errors():
    generator = torch.Generator().manual_seed(0)
    mean = torch.full((200, 1, 4, 4), 0.5)
    x = (mean + 0.08 * torch.randn(mean.shape, generator=generator)).clamp(0, 1)
    pixels = Logistic(1, 0.3)
    optimizer = torch.optim.Adam(pixels.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (-pixels.log_prob(x, mean).mean()).backward()
        optimizer.step()
    # The likeliest logistic on normal errors is a little narrower than they are.
    sigma = pixels.log_scale.exp() * math.pi / math.sqrt(3)
    assert abs(sigma.item() - 0.08) < 0.006


def test_a_learned_scale_comes_back_from_its_floor():
    """A perfect decoder takes it below, where a clamped parameter has no gradient; then the errors grow again."""
    generator = torch.Generator().manual_seed(0)
    x = (torch.rand(20, 1, 4, 4, generator=generator) * 255).round() / 255
    wrong = (x + 0.2 * torch.randn(x.shape, generator=generator)).clamp(0, 1)
    pixels = Logistic(1, 0.001)  # it starts below
    optimizer = torch.optim.Adam(pixels.parameters(), lr=0.1)
    found = []
    for mean in (x, wrong):
        for _ in range(100):
            optimizer.zero_grad()
            (-pixels.log_prob(x, mean).mean()).backward()
            optimizer.step()
        found.append(pixels.eval().log_prob(x, mean).mean().item())
        pixels.train()
    at_floor = discretised_logistic_log_likelihood(x, x, -7.0).mean().item()
    assert found[0] == pytest.approx(at_floor, rel=1e-5), "the floor is that of PixelCNN++"
    assert -4 < pixels.log_scale.item() < -2 and found[1] > -100


def test_each_channel_learns_a_scale_of_its_own():
    generator = torch.Generator().manual_seed(0)
    mean, errors = torch.full((100, 2, 4, 4), 0.5), torch.tensor([0.02, 0.15])[:, None, None]
    x = (mean + errors * torch.randn(mean.shape, generator=generator)).clamp(0, 1)
    pixels = Logistic(2, 0.1)
    optimizer = torch.optim.Adam(pixels.parameters(), lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        (-pixels.log_prob(x, mean).mean()).backward()
        optimizer.step()
    torch.testing.assert_close(pixels.log_scale.exp() * math.pi / math.sqrt(3), errors, rtol=0.1, atol=0)


def test_the_optimal_variance_is_remembered_for_evaluation(images):
    x, decoded = images
    pixels = OptimalGaussian(2, 1.0)
    best = optimal_log_variance(x, decoded)
    pixels.log_prob(x, decoded)
    torch.testing.assert_close(pixels.log_variance, 0.05 * best)
    for _ in range(300):
        pixels.log_prob(x, decoded)
    torch.testing.assert_close(pixels.log_variance, best, atol=1e-4, rtol=0)
    pixels.eval()
    one = pixels.log_prob(x[:1], decoded[:1])
    torch.testing.assert_close(one, pixels.log_prob(x, decoded)[:1])
    assert abs(pixels.log_variance.item() - best.item()) < 1e-4, "evaluation changes nothing"


def test_images_are_means_between_0_and_1():
    decoded = torch.tensor([[-1e3, 0.0, 0.25, 1e3]])
    assert torch.equal(Bernoulli(1, 1.0).mean(decoded)[0, [0, 1, 3]], torch.tensor([0.0, 0.5, 1.0]))
    for name in set(LIKELIHOODS) - {"bernoulli"}:
        assert torch.equal(make_likelihood(name, 1, 1.0).mean(decoded), torch.tensor([[0.0, 0.0, 0.25, 1.0]]))


@pytest.mark.parametrize("sigma", [0.0, -1.0, float("nan"), float("inf")])
def test_a_sigma_that_cannot_be_is_named(sigma):
    with pytest.raises(ValueError, match=f"sigma is {sigma}: a standard deviation is positive"):
        make_likelihood("gaussian", 1, sigma)
    with pytest.raises(ValueError, match="likelihood is 'mse': choose from bernoulli"):
        make_likelihood("mse", 1, 1.0)
