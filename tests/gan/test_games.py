"""The game x y: every rule has its known factor per step, and what it keeps."""

import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import alternating, extragradient, simultaneous

STARTS = st.tuples(st.floats(-2, 2), st.floats(-2, 2)).filter(lambda start: abs(start[0]) + abs(start[1]) > 0.1)
RATES = st.floats(0.01, 0.9)
RULES = [simultaneous, alternating, extragradient]


def matrix(rule, lr):
    """What a rule does to (1, 0) and (0, 1) in one step, as columns."""
    return torch.stack([rule((1.0, 0.0), lr, 1)[1], rule((0.0, 1.0), lr, 1)[1]], dim=1)


@given(start=STARTS, lr=RATES)
def test_simultaneous_steps_spiral_outwards(start, lr):
    length = simultaneous(start, lr, 40).norm(dim=1)
    torch.testing.assert_close(length[1:] / length[:-1], torch.full((40,), math.sqrt(1 + lr**2), dtype=torch.float64))


@given(start=STARTS, lr=RATES)
def test_extragradient_steps_spiral_inwards(start, lr):
    length = extragradient(start, lr, 40).norm(dim=1)
    factor = math.sqrt(1 - lr**2 + lr**4)
    assert factor < 1
    torch.testing.assert_close(length[1:] / length[:-1], torch.full((40,), factor, dtype=torch.float64))


@given(start=STARTS, lr=st.floats(0.01, 1.9))
def test_alternating_steps_stay_on_an_ellipse(start, lr):
    x, y = alternating(start, lr, 500).unbind(dim=1)
    form = x**2 - lr * x * y + y**2
    torch.testing.assert_close(form, form[:1].expand_as(form), rtol=1e-9, atol=0)


@given(lr=RATES)
def test_the_spectral_radii(lr):
    radius = {rule: torch.linalg.eigvals(matrix(rule, lr)).abs().max().item() for rule in RULES}
    assert abs(radius[simultaneous] - math.sqrt(1 + lr**2)) < 1e-12
    assert abs(radius[alternating] - 1) < 1e-12
    assert abs(radius[extragradient] - math.sqrt(1 - lr**2 + lr**4)) < 1e-12


@pytest.mark.parametrize("rule", RULES)
@given(start=STARTS, lr=RATES)
def test_a_path_starts_at_the_start_and_is_linear(rule, start, lr):
    path = rule(start, lr, 5)
    assert path.shape == (6, 2) and path.dtype == torch.float64 and path[0].tolist() == list(start)
    step = matrix(rule, lr)
    for before, after in itertools.pairwise(path):
        torch.testing.assert_close(after, step @ before, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_the_steps_follow_the_gradients_of_the_game(rule):
    # For a small step all rules agree: x goes against its gradient y, and y along its gradient x.
    x = torch.tensor([0.7, -0.4], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(x[0] * x[1], x)
    path = rule(x.tolist(), 1e-6, 1)
    direction = (path[1] - path[0]) / 1e-6
    torch.testing.assert_close(direction, gradient * torch.tensor([-1.0, 1.0]), rtol=0, atol=1e-5)


@pytest.mark.parametrize("rule", RULES)
def test_bad_amounts_are_named(rule):
    with pytest.raises(ValueError, match=r"lr is 0.*positive"):
        rule((1.0, 1.0), 0, 3)
    with pytest.raises(ValueError, match="steps is 0"):
        rule((1.0, 1.0), 0.1, 0)
