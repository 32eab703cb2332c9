"""The game's value, its best discriminator and two distances, against closed forms, SciPy and each other."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.spatial.distance
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import earth_movers_distance, jensen_shannon, optimal_discriminator, value, wasserstein

DX = 0.01
GRID = torch.arange(-30, 30, DX, dtype=torch.float64)


def gaussian(mean=0.0, std=1.0):
    return torch.exp(-(((GRID - mean) / std) ** 2) / 2) / (std * math.sqrt(2 * math.pi))


@st.composite
def distributions(draw, count=2):
    """Discrete distributions on up to 6 places, some of them empty."""
    size = draw(st.integers(2, 6))
    weights = [draw(st.lists(st.integers(0, 9), min_size=size, max_size=size).filter(any)) for _ in range(count)]
    return [torch.tensor(w, dtype=torch.float64) / sum(w) for w in weights]


def test_where_the_densities_are_equal_the_value_is_minus_two_log_two():
    p = gaussian()
    d = optimal_discriminator(p, p)
    assert (d == 0.5).all() and abs(value(p, p, d, DX).item() + 2 * math.log(2)) < 1e-12
    assert abs(jensen_shannon(p, p, DX).item()) < 1e-12


@given(pair=distributions())
def test_at_the_best_discriminator_the_value_is_the_jensen_shannon_divergence(pair):
    p, q = pair
    best = value(p, q, optimal_discriminator(p, q))
    assert abs(best.item() - (2 * jensen_shannon(p, q).item() - 2 * math.log(2))) < 1e-12


@given(pair=distributions(), seed=st.integers(0, 99))
def test_no_discriminator_does_better(pair, seed):
    p, q = pair
    other = torch.rand(len(p), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    assert value(p, q, other) <= value(p, q, optimal_discriminator(p, q)) + 1e-12


@given(mean=st.floats(0.1, 6), std=st.floats(0.3, 3))
def test_quadrature_of_gaussians(mean, std):
    p, q = gaussian(), gaussian(mean, std)
    js = jensen_shannon(p, q, DX).item()
    assert abs(value(p, q, optimal_discriminator(p, q), DX).item() - (2 * js - 2 * math.log(2))) < 1e-9
    expected = scipy.spatial.distance.jensenshannon(p.numpy(), q.numpy()) ** 2
    assert abs(js - expected) < 1e-9 and 0 < js < math.log(2)


def test_the_best_discriminator_of_two_gaussians_is_a_sigmoid():
    # log p - log q of N(-1, 1) and N(1, 1) is -2 x.
    torch.testing.assert_close(optimal_discriminator(gaussian(-1), gaussian(1)), torch.sigmoid(-2 * GRID), atol=1e-12, rtol=0)


def test_a_fixed_discriminator_has_its_closed_form():
    # D = sigmoid(x) on N(1, 1) against N(-1, 1): by symmetry both terms are equal.
    p, q = gaussian(1), gaussian(-1)
    one_term = (p * torch.nn.functional.logsigmoid(GRID)).sum().item() * DX
    assert abs(value(p, q, torch.sigmoid(GRID), DX).item() - 2 * one_term) < 1e-9
    flat = torch.full_like(p, 0.8)
    assert abs(value(p, q, flat, DX).item() - (math.log(0.8) + math.log(0.2))) < 1e-9


def test_disjoint_supports_are_log_two_apart_however_far():
    p = torch.tensor([1.0, 0, 0, 0])
    for place in (1, 2, 3):
        q = torch.zeros(4)
        q[place] = 1
        assert abs(jensen_shannon(p, q).item() - math.log(2)) < 1e-15
        assert value(p, q, optimal_discriminator(p, q)) == 0, "the discriminator is always right"
        assert earth_movers_distance(torch.tensor([0.0]), torch.tensor([float(place)])) == place


@given(pair=distributions())
def test_jensen_shannon_is_symmetric_and_bounded(pair):
    p, q = pair
    js = jensen_shannon(p, q).item()
    assert abs(js - jensen_shannon(q, p).item()) < 1e-14 and -1e-15 < js < math.log(2) + 1e-12


def test_where_there_is_nothing_the_discriminator_is_undecided():
    d = optimal_discriminator(torch.tensor([0.0, 1.0, 0.0]), torch.tensor([0.0, 0.0, 1.0]))
    assert d.tolist() == [0.5, 1.0, 0.0] and d.dtype == torch.float64


def test_certainty_that_is_wrong_is_cut_off_as_in_pytorch():
    p = torch.tensor([0.5, 0.5])
    assert value(p, p, torch.tensor([0.0, 1.0])).item() == -100


SAMPLES = st.lists(st.floats(-50, 50), min_size=1, max_size=7).map(lambda numbers: torch.tensor(numbers, dtype=torch.float64))


@given(x=SAMPLES, y=SAMPLES)
def test_the_earth_movers_distance_is_scipys(x, y):
    expected = scipy.stats.wasserstein_distance(x.numpy(), y.numpy())
    assert abs(earth_movers_distance(x, y).item() - expected) < 1e-9


@given(x=SAMPLES, data=st.data())
def test_samples_of_one_size_are_matched_in_order(x, data):
    numbers = data.draw(st.lists(st.floats(-50, 50), min_size=len(x), max_size=len(x)))
    y = torch.tensor(numbers, dtype=torch.float64)
    expected = (x.sort().values - y.sort().values).abs().mean()
    assert abs(earth_movers_distance(x, y) - expected) < 1e-9
    shift = data.draw(st.floats(-9, 9))
    assert abs(earth_movers_distance(x, x + shift).item() - abs(shift)) < 1e-9


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5)])
def test_it_is_the_solution_of_the_linear_programme_and_of_its_dual(sizes):
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(size, generator=generator, dtype=torch.float64) for size in sizes)
    N, M = sizes
    cost = (x[:, None] - y).abs().numpy()
    # The plan moves 1/N from each x and 1/M to each y.
    leaves, arrives = np.kron(np.eye(N), np.ones(M)), np.kron(np.ones(N), np.eye(M))
    mass = np.concatenate([np.full(N, 1 / N), np.full(M, 1 / M)])
    plan = scipy.optimize.linprog(cost.ravel(), A_eq=np.vstack([leaves, arrives]), b_eq=mass)
    # The critic: a value for each point, differing by no more than the distance, that tells the samples apart.
    points = torch.cat([x, y])
    pairs = [(i, j) for i in range(N + M) for j in range(N + M) if i != j]
    slopes = np.array([np.eye(N + M)[i] - np.eye(N + M)[j] for i, j in pairs])
    limits = [abs(points[i] - points[j]).item() for i, j in pairs]
    weights = np.concatenate([np.full(N, -1 / N), np.full(M, 1 / M)])
    critic = scipy.optimize.linprog(weights, A_ub=slopes, b_ub=limits, bounds=[(-99, 99)] * (N + M))
    distance = earth_movers_distance(x, y).item()
    assert abs(plan.fun - distance) < 1e-9 and abs(-critic.fun - distance) < 1e-9
    logits = torch.from_numpy(critic.x)
    assert abs(-wasserstein(logits[:N], logits[N:])[0].item() - distance) < 1e-9


def test_it_is_differentiable():
    generator = torch.Generator().manual_seed(1)
    x, y = (torch.randn(size, generator=generator, dtype=torch.float64, requires_grad=True) for size in (4, 6))
    assert torch.autograd.gradcheck(earth_movers_distance, (x, y))
    near, far = torch.zeros(2, requires_grad=True), torch.full((2,), 100.0)
    earth_movers_distance(near, far).backward()
    assert near.grad.tolist() == [-0.5, -0.5], "it points the way from any distance"


def test_bad_input_is_named():
    p = torch.tensor([0.5, 0.5])
    with pytest.raises(ValueError, match=r"one grid.*\[2\] and \[1\]"):
        optimal_discriminator(p, p[:1])
    with pytest.raises(ValueError, match=r"q has the value -0\.5"):
        jensen_shannon(p, -p)
    with pytest.raises(ValueError, match=r"p sums to 100 with dx=1.*sum to 1"):
        jensen_shannon(gaussian(), gaussian())
    with pytest.raises(ValueError, match=r"d must lie between 0 and 1.*torch\.sigmoid.*from 0\.5 to 1\.5"):
        value(p, p, torch.tensor([0.5, 1.5]))
    with pytest.raises(ValueError, match=r"on the grid of p and q, \[2\].*\[3\]"):
        value(p, p, torch.rand(3))
    with pytest.raises(ValueError, match=r"points on a line.*\[3, 2\] and \[3\].*optimal_transport"):
        earth_movers_distance(torch.rand(3, 2), torch.rand(3))
    with pytest.raises(ValueError, match=r"points on a line.*\[3\] and \[0\]"):
        earth_movers_distance(torch.rand(3), torch.rand(0))
