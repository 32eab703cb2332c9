"""The likelihoods sum or integrate to one, agree with torch.distributions, and have the gradients that they should have."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Bernoulli, Normal

from course_lib.vae import (
    bernoulli_log_likelihood,
    discretised_logistic_log_likelihood,
    gaussian_log_likelihood,
    importance_weighted_bound,
    optimal_log_variance,
)

LEVELS = torch.arange(256, dtype=torch.float64)[:, None] / 255
LIKELIHOODS = {
    "bernoulli": bernoulli_log_likelihood,
    "gaussian": gaussian_log_likelihood,
    "optimal": lambda x, mean: gaussian_log_likelihood(x, mean, optimal_log_variance(x, mean)),
    "logistic": lambda x, mean: discretised_logistic_log_likelihood(x, mean, -2.0),
}


def images(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(logit=st.floats(-30, 30))
def test_bernoulli_sums_to_one(logit):
    logits = torch.full((2, 1), logit, dtype=torch.float64)
    both = bernoulli_log_likelihood(torch.tensor([[0.0], [1.0]], dtype=torch.float64), logits)
    assert abs(both.exp().sum().item() - 1) < 1e-12


def test_bernoulli_is_that_of_torch_distributions_and_not_cut_off():
    x, logits = images(3, 1, 5, 4).round(), 6 * images(3, 1, 5, 4, seed=1) - 3
    expected = Bernoulli(logits=logits).log_prob(x).flatten(1).sum(1)
    torch.testing.assert_close(bernoulli_log_likelihood(x, logits), expected)
    assert bernoulli_log_likelihood(torch.ones(1, 1), torch.tensor([[-500.0]])).item() == -500


@given(grey=st.floats(0.01, 0.99))
def test_bernoulli_of_grey_is_largest_at_its_own_probability_and_is_no_density(grey):
    x = torch.tensor([[grey]], dtype=torch.float64)
    logits = torch.logit(x).requires_grad_()
    bernoulli_log_likelihood(x, logits).sum().backward()
    assert logits.grad.abs().item() < 1e-12
    nodes = torch.linspace(0, 1, 2001, dtype=torch.float64)[:, None]
    density = bernoulli_log_likelihood(nodes, torch.logit(x).expand_as(nodes)).exp()
    integral = torch.trapezoid(density, nodes[:, 0]).item()
    # (2 p - 1) / log(p / (1 - p)): 1/2 at p = 1/2 and less elsewhere.
    expected = 0.5 if abs(grey - 0.5) < 1e-6 else (2 * grey - 1) / math.log(grey / (1 - grey))
    assert abs(integral - expected) < 1e-5 and integral < 0.5 + 1e-9


@given(mean=st.floats(-2, 2), log_variance=st.floats(-3, 3))
def test_gaussian_integrates_to_one(mean, log_variance):
    x = torch.linspace(-60, 60, 40_001, dtype=torch.float64)[:, None]
    density = gaussian_log_likelihood(x, torch.full_like(x, mean), log_variance).exp()
    assert abs(torch.trapezoid(density, x[:, 0]).item() - 1) < 1e-9


def test_gaussian_is_that_of_torch_distributions_with_any_shape_of_variance():
    x, mean = images(3, 2, 4, 5), images(3, 2, 4, 5, seed=1)
    for log_variance in (torch.tensor(-1.0), images(2, 1, 1, seed=2), images(3, 2, 4, 5, seed=3)):
        expected = Normal(mean, (log_variance.double() / 2).exp()).log_prob(x).flatten(1).sum(1)
        torch.testing.assert_close(gaussian_log_likelihood(x, mean, log_variance), expected)


def test_a_fixed_variance_is_squared_error_in_its_unit():
    x, mean = images(2, 3, 4), images(2, 3, 4, seed=1)
    error = (x - mean).square().flatten(1).sum(1)
    for sigma in (0.1, 1.0):
        constant = 12 * math.log(sigma * math.sqrt(2 * math.pi))
        result = gaussian_log_likelihood(x, mean, 2 * math.log(sigma))
        torch.testing.assert_close(result, -error / (2 * sigma**2) - constant)


def test_the_optimal_variance_is_the_best_and_following_it_costs_no_gradient():
    x, mean = images(4, 1, 3, 3), images(4, 1, 3, 3, seed=1).requires_grad_()
    best = optimal_log_variance(x, mean)
    torch.testing.assert_close(best.exp(), (x - mean).square().mean())
    at_best = gaussian_log_likelihood(x, mean, best.detach())
    for other in (best - 0.1, best + 0.1):
        assert gaussian_log_likelihood(x, mean, other.detach()).sum() < at_best.sum()
    (held,) = torch.autograd.grad(at_best.sum(), mean)
    (follows,) = torch.autograd.grad(gaussian_log_likelihood(x, mean, optimal_log_variance(x, mean)).sum(), mean)
    torch.testing.assert_close(held, follows)


def test_the_optimal_variance_has_a_floor():
    x = images(2, 4)
    assert optimal_log_variance(x, x).item() == pytest.approx(-12, abs=1e-9)  # a standard deviation of 0.0025
    assert LIKELIHOODS["optimal"](x, x).isfinite().all()


@given(mean=st.floats(-0.5, 1.5), log_scale=st.floats(-12, 6))
def test_the_discretised_logistic_sums_to_one_over_its_levels(mean, log_scale):
    probabilities = discretised_logistic_log_likelihood(LEVELS, torch.full_like(LEVELS, mean), log_scale).exp()
    assert abs(probabilities.sum().item() - 1) < 1e-9


def test_the_discretised_logistic_is_the_difference_of_the_distribution_function():
    mean, scale = 0.4, 0.03
    inner = (torch.arange(255, dtype=torch.float64) + 0.5) / 255
    edges = torch.cat([torch.tensor([-math.inf]), inner, torch.tensor([math.inf])])
    expected = torch.sigmoid((edges - mean) / scale).diff()
    result = discretised_logistic_log_likelihood(LEVELS, torch.full_like(LEVELS, mean), math.log(scale)).exp()
    torch.testing.assert_close(result, expected, atol=1e-12, rtol=1e-6)


def test_the_discretised_logistic_far_from_the_image_is_a_number_with_a_gradient():
    # In float32 the difference of two sigmoids is 0 here, and its logarithm minus infinity.
    mean = torch.full((3, 1), -3.0, requires_grad=True)
    log_scale = torch.tensor(-5.0, requires_grad=True)
    result = discretised_logistic_log_likelihood(torch.tensor([[0.5], [0.0], [1.0]]), mean, log_scale)
    result.sum().backward()
    assert result.isfinite().all() and mean.grad.isfinite().all() and mean.grad[0] > 0 and log_scale.grad.isfinite()


def test_values_between_the_levels_count_as_the_nearest():
    mean = torch.full((2, 1), 0.3)
    for level, between in ((100, 100.4), (101, 100.6)):
        one, other = discretised_logistic_log_likelihood(torch.tensor([[level / 255], [between / 255]]), mean, -3.0)
        assert one == other


def test_the_discretised_logistic_keeps_its_digits_where_a_bin_is_narrow():
    x = torch.tensor([[0.4]])
    for log_scale in (5.0, 15.0):  # at 15 a bin has 1e-9 of the probability, and 1 - exp(-1e-9) is 0 in float32
        exact = discretised_logistic_log_likelihood(x.double(), x.double(), log_scale)
        torch.testing.assert_close(discretised_logistic_log_likelihood(x, x, log_scale).double(), exact, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_gradients_strides_and_half_precision(name):
    likelihood = LIKELIHOODS[name]
    x, values = images(3, 2, 4, 4), images(3, 2, 4, 4, seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: likelihood(x, v), (values,))
    result = likelihood(x, values)
    assert result.shape == (3,)
    strided = likelihood(x.to(memory_format=torch.channels_last), values.detach().to(memory_format=torch.channels_last))
    torch.testing.assert_close(strided, result.detach())
    if name != "optimal":  # whose variance is that of the batch
        parts = [likelihood(x[i : i + 1], values[i : i + 1]) for i in range(3)]
        torch.testing.assert_close(torch.cat(parts), result)
    for dtype in (torch.bfloat16, torch.float16):
        half = likelihood(x.float(), values.detach().to(dtype))
        assert half.dtype == torch.float32
        torch.testing.assert_close(half, likelihood(x.float(), values.detach().to(dtype).float()))


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_bad_images_are_named(name):
    likelihood, good = LIKELIHOODS[name], torch.zeros(2, 1, 3, 3)
    with pytest.raises(ValueError, match=r"must have one shape, got \[2, 1, 3, 3\] and \[2, 1, 3, 1\]"):
        likelihood(good, good[..., :1])
    with pytest.raises(ValueError, match=r"x must be floating point, got torch.uint8; .*x.float\(\) / 255"):
        likelihood(good.byte(), good)


def test_the_importance_weighted_bound():
    weights = torch.tensor([[0.1, 4.0], [0.3, 2.0]], dtype=torch.float64)
    torch.testing.assert_close(importance_weighted_bound(weights.log()), weights.mean(dim=0).log())
    assert torch.equal(importance_weighted_bound(weights[:1].log()), weights[0].log()), "K = 1 is the ELBO's sample"
    assert importance_weighted_bound(torch.full((5, 1), -1e5)).item() == -1e5, "nothing underflows"
    for bad in (torch.zeros(3), torch.zeros(0, 3)):
        with pytest.raises(ValueError, match=r"log_weights must be \[K, N\]"):
            importance_weighted_bound(bad)


def test_the_importance_weighted_bound_rises_with_samples_and_stays_below_the_truth():
    # log w ~ N(-s^2/2, s^2) has E w = 1, so log p(x) = 0.
    s = 1.5
    log_w = s * torch.randn(64, 20_000, generator=torch.Generator().manual_seed(0)) - s * s / 2
    means = [importance_weighted_bound(log_w[:K]).mean().item() for K in (1, 2, 8, 64)]
    assert means == sorted(means) and abs(means[0] + s * s / 2) < 0.05 and -0.1 < means[-1] < 0
