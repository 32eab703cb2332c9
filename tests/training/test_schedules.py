"""Schedules reach their peak, never exceed it, and pass through known places."""

import itertools

import pytest
import torch

from course_lib.training import learning_rate, set_rate
from course_lib.training.schedules import SCHEDULES


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_reach_their_peak_and_never_exceed_it(schedule):
    rates = [learning_rate(schedule, n / 1000, 0.2) for n in range(1001)]
    assert max(rates) == pytest.approx(0.2) and min(rates) >= 0
    assert max(abs(a - b) for a, b in itertools.pairwise(rates)) < 0.001


def test_schedules_at_known_places():
    assert learning_rate("one-cycle", 0.15, 1) == pytest.approx(0.5) and learning_rate("one-cycle", 0.3, 1) == 1
    assert learning_rate("one-cycle", 0.65, 1) == pytest.approx(0.5) and learning_rate("one-cycle", 1, 1) == 0
    assert learning_rate("one-cycle", 0.05, 1, warm_up=0.1) == pytest.approx(0.5)
    assert learning_rate("one-cycle", 0.55, 1, warm_up=0.1) == pytest.approx(0.5)
    assert learning_rate("cosine", 0.5, 1) == pytest.approx(0.5) and learning_rate("cosine", 1, 1) == pytest.approx(0)
    assert [learning_rate("late-decay", progress, 3) for progress in (0, 0.5, 0.75, 1)] == [3, 3, 1.5, 0]
    assert learning_rate("constant", 0.5, 1) == 1


def test_what_is_no_schedule_or_no_share_is_named():
    with pytest.raises(ValueError, match=f"linear.*choose from {', '.join(SCHEDULES)}"):
        learning_rate("linear", 0.5, 1)
    for progress in (1.5, -0.1, float("nan")):
        with pytest.raises(ValueError, match=f"progress is {progress}"):
            learning_rate("cosine", progress, 1)


def test_a_rate_is_set_for_all_parameters():
    weights = [torch.ones(1, requires_grad=True) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": weights[:1], "lr": 5.0}, {"params": weights[1:]}], lr=1.0)
    assert set_rate(optimizer, 0.25) == 0.25
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]
    (weights[0] + weights[1]).backward()
    optimizer.step()
    assert [weight.item() for weight in weights] == [0.75, 0.75]
