"""The estimators that notebook 08 asks for against the closed form: their means, their variances, and quadrature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.exercises import variational_bound as exercises
from course_lib.vae import Quadratic

SAMPLES = 40_000


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(Z=3, seed=0):
    f = Quadratic(random(Z, seed=seed).abs() + 0.2, random(Z, seed=seed + 1))
    return f, random(Z, seed=seed + 2), random(Z, seed=seed + 3) - 1


through_the_sample, score_function = exercises.through_the_sample.reference, exercises.score_function.reference
ESTIMATORS = {
    "through the sample": through_the_sample,
    "score function": score_function,
    "with a number as baseline": lambda f, *arguments: score_function(lambda z: f(z) - 5.0, *arguments),
    "leave one out": lambda *arguments: score_function(*arguments, baseline=True),
}
each_estimator = pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)


@each_estimator
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mean_is_the_gradient_within_its_standard_error(estimate, seed):
    f, mean, log_variance = problem(seed=10 * seed)
    samples = estimate(f, mean, log_variance, random(SAMPLES, 3, seed=seed))
    assert samples[0].shape == (SAMPLES, 3)
    for found, expected in zip(samples, f.gradient(mean, log_variance), strict=True):
        standard_error = found.std(dim=0) / math.sqrt(SAMPLES)
        assert ((found.mean(dim=0) - expected).abs() < 4.5 * standard_error).all()


@pytest.mark.parametrize("baseline", [0.0, 3.0])
@pytest.mark.parametrize("Z", [1, 4])
def test_the_variances_are_as_derived(Z, baseline):
    f, mean, log_variance = problem(Z)
    pairs = [
        (through_the_sample, f, f.reparameterisation_variance(mean, log_variance)),
        (score_function, lambda z: f(z) - baseline, f.score_function_variance(mean, log_variance, baseline)),
    ]
    for estimate, function, expected in pairs:
        samples = estimate(function, mean, log_variance, random(400_000, Z, seed=100))
        for found, variance in zip(samples, expected, strict=True):
            deviations = (found - found.mean(dim=0)).square()
            standard_error = deviations.std(dim=0) / math.sqrt(400_000)
            assert ((deviations.mean(dim=0) - variance).abs() < 4.5 * standard_error).all(), estimate.__name__


@given(seed=st.integers(0, 99), Z=st.integers(1, 2), baseline=st.floats(-5, 5))
def test_the_variances_are_those_of_quadrature(seed, Z, baseline):
    # Gauss-Hermite with 8 nodes is exact up to degree 15, and the squared estimates have degree 8.
    f, mean, log_variance = problem(Z, seed)
    nodes, weights = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(8))
    noise = torch.cartesian_prod(*[nodes] * Z).view(-1, Z)
    weight = torch.cartesian_prod(*[weights / weights.sum()] * Z).view(-1, Z).prod(dim=1)
    std = (log_variance / 2).exp()
    excess = (f(mean + std * noise) - baseline)[:, None]
    slope = 2 * f.scale * (mean + std * noise - f.centre)
    pairs = [
        ((slope, slope * std * noise / 2), f.reparameterisation_variance(mean, log_variance)),
        ((excess * noise / std, excess * (noise**2 - 1) / 2), f.score_function_variance(mean, log_variance, baseline)),
    ]
    for samples, variances in pairs:
        for found, variance in zip(samples, variances, strict=True):
            torch.testing.assert_close(weight @ found**2 - (weight @ found) ** 2, variance, atol=1e-9, rtol=1e-9)


@given(seed=st.integers(0, 99), Z=st.integers(1, 4))
def test_the_gradient_is_that_of_the_expectation(seed, Z):
    f, mean, log_variance = problem(Z, seed)
    parameters = [mean.requires_grad_(), log_variance.requires_grad_()]
    for found, expected in zip(torch.autograd.grad(f.expectation(*parameters), parameters), f.gradient(*parameters), strict=True):
        torch.testing.assert_close(found, expected)


def test_they_hold_for_a_function_that_is_no_polynomial():
    # E cos(z) = cos(mean) exp(-variance / 2).
    mean, log_variance = torch.tensor([0.7], dtype=torch.float64), torch.tensor([-0.5], dtype=torch.float64)
    size = math.exp(-math.exp(-0.5) / 2)
    expected = -math.sin(0.7) * size, -math.cos(0.7) * size * math.exp(-0.5) / 2
    for estimate in ESTIMATORS.values():
        samples = estimate(lambda z: z.cos().sum(dim=1), mean, log_variance, random(SAMPLES, 1, seed=2))
        for found, truth in zip(samples, expected, strict=True):
            assert abs(found.mean() - truth) < 4.5 * found.std() / math.sqrt(SAMPLES)


def test_the_score_is_that_of_torch_distributions():
    f, mean, log_variance = problem()
    noise = random(6, 3, seed=4)
    samples = score_function(f, mean, log_variance, noise)
    z = mean + (log_variance / 2).exp() * noise
    means, log_variances = (part.expand(6, 3).clone().requires_grad_() for part in (mean, log_variance))
    log_q = torch.distributions.Normal(means, (log_variances / 2).exp()).log_prob(z).sum()
    for found, score in zip(samples, torch.autograd.grad(log_q, [means, log_variances]), strict=True):
        torch.testing.assert_close(found, f(z)[:, None] * score)


def test_leave_one_out_uses_the_other_samples():
    f, mean, log_variance = problem()
    noise = random(4, 3, seed=5)
    plain, left = (score_function(f, mean, log_variance, noise, each)[0] for each in (False, True))
    values = f(mean + (log_variance / 2).exp() * noise)
    for n in range(4):
        others = values[[m for m in range(4) if m != n]].mean()
        torch.testing.assert_close(left[n], plain[n] * (1 - others / values[n]))


def test_the_variances_order_as_the_chapter_says():
    f, mean, log_variance = problem(8)
    plain = f.score_function_variance(mean, log_variance)
    with_baseline = f.score_function_variance(mean, log_variance, f.expectation(mean, log_variance).item())
    path = f.reparameterisation_variance(mean, log_variance)
    for a, b, c in zip(path, with_baseline, plain, strict=True):
        assert (a < b).all() and b.sum() < c.sum()
    # The best number for the mean's gradient is E f + 2 scale variance: a little to either side is worse.
    best = f.expectation(mean, log_variance) + 2 * (f.scale * log_variance.exp())[0]
    values = [f.score_function_variance(mean, log_variance, (best + step).item()).mean[0] for step in (-0.1, 0, 0.1)]
    assert values[1] < values[0] and values[1] < values[2]


def test_a_black_box_has_a_score_function_gradient_and_no_other():
    mean, log_variance = torch.zeros(1), torch.zeros(1)

    def positive(z):
        return (z > 0).float().sum(dim=1)

    eps = random(SAMPLES, 1).float()
    found = score_function(positive, mean, log_variance, eps)[0]
    expected = 1 / math.sqrt(2 * math.pi)  # the density of z at 0
    assert found.dtype == torch.float32
    assert abs(found.mean() - expected) < 4.5 * found.std() / math.sqrt(SAMPLES)
    with pytest.raises(RuntimeError, match="does not require grad"):
        through_the_sample(positive, mean, log_variance, eps)
