"""Both gradient estimators against the closed form: their means, their variances, and autograd through quadrature."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.vae import GradientSamples, Quadratic, reparameterisation_gradients, score_function_gradients

SAMPLES = 40_000


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def problem(Z=3, seed=0):
    f = Quadratic(random(Z, seed=seed).abs() + 0.2, random(Z, seed=seed + 1))
    return f, random(Z, seed=seed + 2), random(Z, seed=seed + 3) - 1


ESTIMATORS = {
    "reparameterisation": lambda *arguments: reparameterisation_gradients(*arguments),
    "score function": lambda *arguments: score_function_gradients(*arguments),
    "with a number as baseline": lambda *arguments: score_function_gradients(*arguments, baseline=5.0),
    "leave one out": lambda *arguments: score_function_gradients(*arguments, baseline="leave-one-out"),
}
each_estimator = pytest.mark.parametrize("estimate", ESTIMATORS.values(), ids=ESTIMATORS)


@each_estimator
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_mean_is_the_gradient_within_its_standard_error(estimate, seed):
    f, mean, log_variance = problem(seed=10 * seed)
    samples = estimate(f, mean, log_variance, SAMPLES, torch.Generator().manual_seed(seed))
    assert isinstance(samples, GradientSamples) and samples.mean.shape == (SAMPLES, 3)
    for found, expected in zip(samples, f.gradient(mean, log_variance), strict=True):
        standard_error = found.std(dim=0) / math.sqrt(SAMPLES)
        assert ((found.mean(dim=0) - expected).abs() < 4.5 * standard_error).all()


@pytest.mark.parametrize("baseline", [0.0, 3.0])
@pytest.mark.parametrize("Z", [1, 4])
def test_the_variances_are_as_derived(Z, baseline):
    f, mean, log_variance = problem(Z)
    pairs = [
        (reparameterisation_gradients, {}, f.reparameterisation_variance(mean, log_variance)),
        (score_function_gradients, {"baseline": baseline}, f.score_function_variance(mean, log_variance, baseline)),
    ]
    for estimate, options, expected in pairs:
        samples = estimate(f, mean, log_variance, 400_000, torch.Generator().manual_seed(1), **options)
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
        samples = estimate(lambda z: z.cos().sum(dim=1), mean, log_variance, SAMPLES, torch.Generator().manual_seed(2))
        for found, truth in zip(samples, expected, strict=True):
            assert abs(found.mean() - truth) < 4.5 * found.std() / math.sqrt(SAMPLES)


def test_each_sample_is_its_own_estimate():
    f, mean, log_variance = problem()
    samples = reparameterisation_gradients(f, mean, log_variance, 5, torch.Generator().manual_seed(3))
    noise = torch.randn(5, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    std = (log_variance / 2).exp()
    slope = 2 * f.scale * (mean + std * noise - f.centre)
    torch.testing.assert_close(samples.mean, slope)
    torch.testing.assert_close(samples.log_variance, slope * std * noise / 2)


def test_the_score_is_that_of_torch_distributions():
    f, mean, log_variance = problem()
    samples = score_function_gradients(f, mean, log_variance, 6, torch.Generator().manual_seed(4), baseline=1.5)
    noise = torch.randn(6, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    z = mean + (log_variance / 2).exp() * noise
    means, log_variances = (part.expand(6, 3).clone().requires_grad_() for part in (mean, log_variance))
    log_q = torch.distributions.Normal(means, (log_variances / 2).exp()).log_prob(z).sum()
    for found, score in zip(samples, torch.autograd.grad(log_q, [means, log_variances]), strict=True):
        torch.testing.assert_close(found, (f(z) - 1.5)[:, None] * score)


def test_leave_one_out_uses_the_other_samples():
    f, mean, log_variance = problem()
    plain = score_function_gradients(f, mean, log_variance, 4, torch.Generator().manual_seed(5))
    left = score_function_gradients(f, mean, log_variance, 4, torch.Generator().manual_seed(5), baseline="leave-one-out")
    noise = torch.randn(4, 3, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    values = f(mean + (log_variance / 2).exp() * noise)
    for n in range(4):
        others = values[[m for m in range(4) if m != n]].mean()
        torch.testing.assert_close(left.mean[n], plain.mean[n] * (1 - others / values[n]))


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

    found = score_function_gradients(positive, mean, log_variance, SAMPLES, torch.Generator().manual_seed(0)).mean
    expected = 1 / math.sqrt(2 * math.pi)  # the density of z at 0
    assert found.dtype == torch.float32
    assert abs(found.mean() - expected) < 4.5 * found.std() / math.sqrt(SAMPLES)
    with pytest.raises(RuntimeError, match="does not require grad"):
        reparameterisation_gradients(positive, mean, log_variance, 3)


def test_estimates_are_numbers_and_hold_no_graph():
    parameters = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
    for estimate in ESTIMATORS.values():
        assert not any(samples.requires_grad for samples in estimate(lambda z: z.square().sum(dim=1), *parameters, 3))


def test_they_follow_their_parameters_to_their_device(device):
    f = Quadratic(torch.ones(2, device=device), torch.zeros(2, device=device))
    for estimate in ESTIMATORS.values():
        samples = estimate(f, torch.zeros(2, device=device), torch.zeros(2, device=device), 3)
        assert (
            samples.mean.device.type == device.type and not samples.mean.requires_grad and not samples.log_variance.requires_grad
        )


def test_bad_input_is_named():
    f, mean, log_variance = problem()
    with pytest.raises(ValueError, match=r"mean and log_variance must be two \[Z\], got \[3\] and \[2\]"):
        reparameterisation_gradients(f, mean, log_variance[:2], 4)
    with pytest.raises(ValueError, match="samples is 0: it must be at least 1"):
        score_function_gradients(f, mean, log_variance, 0)
    with pytest.raises(ValueError, match="samples is 1: it must be at least 2"):
        score_function_gradients(f, mean, log_variance, 1, baseline="leave-one-out")
    with pytest.raises(ValueError, match="'mean'"):
        score_function_gradients(f, mean, log_variance, 4, baseline="mean")
    for estimate in (reparameterisation_gradients, score_function_gradients):
        with pytest.raises(ValueError, match=r"f must return \[4\], .*got \[4, 3\]: sum over the latents"):
            estimate(torch.square, mean, log_variance, 4)
