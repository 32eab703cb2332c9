"""Power iteration against the singular value decomposition and against PyTorch's."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import parametrizations

from course_lib.gan import spectral_norm


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(outputs=st.integers(1, 8), inputs=st.integers(1, 5), kernel=st.integers(1, 3), seed=st.integers(0, 50))
def test_it_finds_the_largest_singular_value_from_below(outputs, inputs, kernel, seed):
    weight = normal(outputs, inputs, kernel, kernel, seed=seed)
    u = normal(outputs, seed=seed + 1)
    largest = torch.linalg.svdvals(weight.flatten(1))[0]
    before = torch.zeros((), dtype=torch.float64)
    for iterations in (1, 2, 5, 20):
        sigma, _ = spectral_norm(weight, u, iterations)
        assert before - 1e-12 <= sigma <= largest + 1e-12, "more iterations never find less, and none finds too much"
        before = sigma
    sigma, found = spectral_norm(weight, u, 2000)
    assert abs(sigma - largest) < 1e-3 * largest and abs(found.norm() - 1) < 1e-12


def test_the_error_shrinks_by_the_ratio_of_the_singular_values_to_the_fourth():
    # sigma is as good as the square of the angle, and the angle shrinks by (2/3)^2 an iteration.
    weight, u = torch.diag(torch.tensor([3.0, 2.0], dtype=torch.float64)), torch.ones(2, dtype=torch.float64)
    errors = [3 - spectral_norm(weight, u, iterations)[0].item() for iterations in (10, 11, 12)]
    assert abs(errors[1] / errors[0] - (2 / 3) ** 4) < 1e-3 and abs(errors[2] / errors[1] - (2 / 3) ** 4) < 1e-3


def test_going_on_from_u_is_the_same_as_more_iterations():
    weight, u = normal(6, 4), normal(6, seed=1)
    sigma, found = spectral_norm(weight, u, 3)
    for _ in range(3):
        step, u = spectral_norm(weight, u, 1)
    assert torch.allclose(step, sigma, atol=1e-14) and torch.allclose(u, found, atol=1e-14)


@pytest.mark.parametrize("layer", [nn.Linear(6, 5), nn.Conv2d(3, 4, 3)], ids=["linear", "convolution"])
def test_pytorch_takes_the_same_steps(layer):
    layer = parametrizations.spectral_norm(layer.double())
    weight = layer.parametrizations.weight.original.detach()
    u = layer.parametrizations.weight[0]._u.clone()
    for _ in range(4):
        _ = layer.weight  # each use in training mode is one iteration, ending with v instead of u
        _, u = spectral_norm(weight, u, 1)
        torch.testing.assert_close(layer.parametrizations.weight[0]._u, u, atol=1e-12, rtol=0)
    for _ in range(300):
        _ = layer.weight
    sigma, _ = spectral_norm(weight, u, 300)
    torch.testing.assert_close(layer.weight.detach(), weight / sigma, atol=1e-9, rtol=0)


def test_its_gradient_is_that_of_the_singular_value():
    weight = normal(5, 4).requires_grad_()
    sigma, u = spectral_norm(weight, normal(5, seed=1), 500)
    (gradient,) = torch.autograd.grad(sigma, weight)
    (expected,) = torch.autograd.grad(torch.linalg.matrix_norm(weight, 2), weight)
    torch.testing.assert_close(gradient, expected, atol=1e-9, rtol=0)
    assert not u.requires_grad


def test_a_weight_of_zeros_and_wrong_shapes():
    sigma, u = spectral_norm(torch.zeros(3, 2), torch.ones(3))
    assert sigma.item() == 0 and u.isfinite().all()
    with pytest.raises(ValueError, match=r"weight must be.*\[3\]"):
        spectral_norm(torch.ones(3), torch.ones(3))
    with pytest.raises(ValueError, match=r"u \[O\].*\[3, 2\] and \[2\]"):
        spectral_norm(torch.ones(3, 2), torch.ones(2))
    with pytest.raises(ValueError, match="iterations is 0"):
        spectral_norm(torch.ones(3, 2), torch.ones(3), 0)
