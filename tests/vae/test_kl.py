"""The KL terms against torch.distributions, quadrature and Monte Carlo, and the bound that is made of them."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from course_lib.vae import Elbo, elbo, gaussian_kl, gaussian_kl_sampled, gaussian_log_density

NUMBERS = st.lists(st.tuples(st.floats(-5, 5), st.floats(-6, 4)), min_size=1, max_size=6).map(
    lambda pairs: torch.tensor(pairs, dtype=torch.float64).T
)
TINY = torch.tensor([[1e-8, -3e-9]], dtype=torch.float64)


@given(numbers=NUMBERS)
def test_the_closed_form_is_the_kl_of_two_gaussians(numbers):
    mean, log_variance = numbers[:, None]
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros_like(mean), 1.0))
    result = gaussian_kl(mean, log_variance)
    assert result.shape == mean.shape and (result >= 0).all()
    torch.testing.assert_close(result, expected, atol=1e-12, rtol=1e-9)


def test_the_closed_form_is_the_integral():
    mean, log_variance = torch.tensor([[0.7, -1.3]], dtype=torch.float64), torch.tensor([[-1.0, 0.5]], dtype=torch.float64)
    z = torch.linspace(-15, 15, 20001, dtype=torch.float64)[:, None, None].expand(-1, 1, 2)
    density = gaussian_log_density(z, mean, log_variance).exp()
    integral = torch.trapezoid(density * gaussian_kl_sampled(z, mean, log_variance), z, dim=0)
    torch.testing.assert_close(integral, gaussian_kl(mean, log_variance), atol=1e-9, rtol=0)


def test_it_is_zero_at_the_prior_and_exact_beside_it():
    zeros = torch.zeros(2, 3)
    assert torch.equal(gaussian_kl(zeros, zeros), zeros)
    torch.testing.assert_close(gaussian_kl(0 * TINY, TINY), TINY.square() / 4, atol=0, rtol=1e-2)


def test_one_sample_is_right_on_average_and_within_its_error(device):
    generator = torch.Generator().manual_seed(0)
    mean, log_variance = torch.randn(2, 4, 3, generator=generator).to(device)
    noise = torch.randn(40_000, 4, 3, generator=generator).to(device)
    samples = gaussian_kl_sampled(mean + (log_variance / 2).exp() * noise, mean, log_variance)
    assert samples.shape == (40_000, 4, 3)
    error = samples.std(dim=0) / math.sqrt(len(samples))
    assert ((samples.mean(dim=0) - gaussian_kl(mean, log_variance)).abs() < 4.5 * error).all()
    assert (samples < 0).any(), "a single sample can be negative"


@given(numbers=NUMBERS)
def test_the_density_is_that_of_torch_distributions(numbers):
    z, log_variance = numbers
    expected = Normal(0.5, (log_variance / 2).exp()).log_prob(z)
    torch.testing.assert_close(gaussian_log_density(z, 0.5, log_variance), expected, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("function", [gaussian_kl, lambda m, v: gaussian_kl_sampled(torch.ones_like(m), m, v)])
def test_gradients(function):
    mean, log_variance = (torch.randn(2, 3, dtype=torch.float64).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(function, (mean, log_variance))


def test_the_gradient_of_the_closed_form():
    mean, log_variance = torch.tensor([[2.0]], requires_grad=True), torch.tensor([[1.0]], requires_grad=True)
    gaussian_kl(mean, log_variance).sum().backward()
    assert mean.grad.item() == 2.0 and abs(log_variance.grad.item() - (math.e - 1) / 2) < 1e-6


def test_half_precision_and_strides():
    mean, log_variance = torch.randn(2, 6, 4)
    half = gaussian_kl(mean.bfloat16(), log_variance.bfloat16())
    assert half.dtype == torch.float32
    assert torch.equal(half, gaussian_kl(mean.bfloat16().float(), log_variance.bfloat16().float()))
    strided = gaussian_kl(mean.T.contiguous().T[:, ::2], log_variance[:, ::2])
    assert torch.equal(strided, gaussian_kl(mean, log_variance)[:, ::2])


def test_the_bound_and_its_terms():
    log_likelihood, kl = torch.tensor([-10.0, -20.0]), torch.tensor([[1.0, 0.0, 3.0], [3.0, 0.5, 1.0]])
    result = elbo(log_likelihood, kl)
    assert isinstance(result, Elbo)
    assert (result.reconstruction.item(), result.kl.item()) == (-15.0, 4.25)
    assert result.objective.item() == -19.25 == (log_likelihood - kl.sum(-1)).mean().item()
    weighted = elbo(log_likelihood, kl, beta=4)
    assert weighted.objective.item() == -15 - 4 * 4.25 and weighted.kl.item() == 4.25, "the term itself is not weighted"


def test_free_bits_cost_nothing_and_pull_nowhere():
    kl = torch.tensor([[0.1, 2.0], [0.3, 4.0]], requires_grad=True)
    result = elbo(torch.zeros(2), kl, beta=2, free_bits=0.5)
    assert abs(result.objective.item() + 2 * (0.5 + 3.0)) < 1e-6 and abs(result.kl.item() - 3.2) < 1e-6
    result.objective.backward()
    assert torch.equal(kl.grad, torch.tensor([[0.0, -1.0], [0.0, -1.0]])), "the first latent is free, the second pays"
    # It is the mean over the images that is free: 0.1 and 0.9 together are not.
    assert elbo(torch.zeros(2), torch.tensor([[0.1], [0.9]]), free_bits=0.4).objective.item() == -0.5


def test_bad_input_is_named():
    good = torch.zeros(2, 3)
    with pytest.raises(ValueError, match=r"mean and log_variance must have one shape, got \[2, 3\] and \[2, 1\]"):
        gaussian_kl(good, good[:, :1])
    with pytest.raises(ValueError, match=r"mean must be floating point, got torch.int64"):
        gaussian_kl(good.long(), good)
    with pytest.raises(ValueError, match=r"z has the shape \[3\] and mean \[2, 3\]"):
        gaussian_kl_sampled(good[0], good, good)
    for likelihood, kl in ((torch.zeros(2), torch.zeros(2)), (torch.zeros(3), good), (good, good), (good[:0, 0], good[:0])):
        with pytest.raises(ValueError, match=r"log_likelihood and kl must be \[N\] and \[N, Z\]"):
            elbo(likelihood, kl)
