"""The linear programme of the earth mover: against sorting on a line, against an assignment in the plane, and its dual."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from course_lib.gan import Transport, earth_movers_distance, optimal_transport


def points(count, dimensions, seed):
    return torch.randn(count, dimensions, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=30, deadline=None)
@given(N=st.integers(1, 9), M=st.integers(1, 9), dimensions=st.integers(1, 3), seed=st.integers(0, 1000))
def test_plan_and_critic_are_feasible_and_meet(N, M, dimensions, seed):
    x, y = points(N, dimensions, seed), 1 + points(M, dimensions, seed + 1)
    found = optimal_transport(x, y)
    assert isinstance(found, Transport)
    cost = torch.cdist(x.double(), y.double(), compute_mode="donot_use_mm_for_euclid_dist")
    torch.testing.assert_close(found.plan.sum(dim=1), torch.full((N,), 1 / N, dtype=torch.float64))
    torch.testing.assert_close(found.plan.sum(dim=0), torch.full((M,), 1 / M, dtype=torch.float64))
    assert found.plan.min() > -1e-9
    drop = found.critic_x[:, None] - found.critic_y
    assert (drop <= cost + 1e-7).all()
    # Strong duality: a plan and a critic that meet prove each other the best.
    assert (found.plan * cost).sum().item() == pytest.approx(found.distance, abs=1e-7)
    assert (found.critic_x.mean() - found.critic_y.mean()).item() == pytest.approx(found.distance, abs=1e-7)
    if dimensions == 1:
        assert found.distance == pytest.approx(earth_movers_distance(x[:, 0], y[:, 0]).item(), abs=1e-6)


def test_equally_many_points_are_assigned_one_to_one():
    x, y = points(12, 2, 0), points(12, 2, 1)
    cost = torch.cdist(x.double(), y.double())
    rows, columns = linear_sum_assignment(cost.numpy())
    assert optimal_transport(x, y).distance == pytest.approx(cost[rows, columns].mean().item(), abs=1e-7)


def test_bad_samples_say_what_is_wrong():
    with pytest.raises(ValueError, match=r"\[3, 2\] and \[3, 1\]"):
        optimal_transport(points(3, 2, 0), points(3, 1, 0))
    with pytest.raises(ValueError, match=r"got \[0, 2\]"):
        optimal_transport(points(3, 2, 0)[:0], points(3, 2, 0))
    with pytest.raises(ValueError, match="40,000 unknowns, the limit is 10,000"):
        optimal_transport(points(200, 1, 0), points(200, 1, 1))
