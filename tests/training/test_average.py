"""The moving average of weights: its closed form, running statistics copied, no gradients."""

import copy

import pytest
import torch
from torch import nn

from course_lib.training import ema_update


def test_the_average_has_its_closed_form():
    """After n updates with the weights held still, the difference has shrunk by decay^n."""
    model = nn.Linear(3, 2)
    average = copy.deepcopy(model)
    with torch.no_grad():
        model.weight += 1
    gap = model.weight - average.weight
    for _ in range(5):
        ema_update(average, model, 0.75)
    torch.testing.assert_close(model.weight - average.weight, gap * 0.75**5)
    assert torch.equal(average.bias, model.bias)
    assert average.weight.requires_grad and average.weight.grad is None and average.weight.grad_fn is None


def test_the_average_of_changing_weights_weighs_them_by_their_age():
    model = nn.Linear(1, 1, bias=False)
    average = copy.deepcopy(model)
    values = [2.0, -1.0, 4.0]
    with torch.no_grad():
        average.weight.fill_(8.0)
        for value in values:
            model.weight.fill_(value)
            ema_update(average, model, 0.5)
    assert average.weight.item() == pytest.approx(8 / 8 + 2 / 8 - 1 / 4 + 4 / 2)


def test_running_statistics_are_copied():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    average = copy.deepcopy(model)
    model(torch.randn(4, 2))
    ema_update(average, model, 0.9)
    assert torch.equal(average[1].running_mean, model[1].running_mean) and average[1].num_batches_tracked == 1


def test_a_copy_of_another_model_is_refused():
    with pytest.raises(ValueError, match="zip"):
        ema_update(nn.Linear(2, 2, bias=False), nn.Linear(2, 2), 0.9)
