"""Chapter 12's own answers against PyTorch, and against laws that they must obey."""

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.exercises import many_devices as exercises


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.Conv2d(4, 6, 3, stride=2, groups=2), (3, 4, 9, 8)),
        (nn.Conv2d(2, 3, 2, bias=False), (1, 2, 4, 4)),
        (nn.Linear(7, 5), (6, 7)),
    ],
)
def test_operations_are_those_of_pytorch_s_counter(layer, shape):
    x = torch.randn(shape, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        out = layer(x)
    operations, moved = exercises.layer_cost_answer(layer, x, out)
    assert operations == counter.get_total_flops()
    assert moved == x.nbytes + out.nbytes + sum(weight.nbytes for weight in layer.parameters())


def test_every_bfloat16_number_stays_and_every_tie_goes_to_the_even_one():
    every = (torch.arange(2**16, dtype=torch.int32) << 16).view(torch.float32)
    every = every[~every.isnan()]
    assert torch.equal(exercises.to_bfloat16_answer(every), every)
    ties = (every[every.isfinite()].view(torch.int32) | 0x8000).view(torch.float32)
    assert torch.equal(exercises.to_bfloat16_answer(ties), ties.bfloat16().float())


@pytest.mark.parametrize(("K", "P"), [(1, 5), (2, 7), (5, 5), (7, 3), (8, 100)])
def test_a_ring_leaves_the_sum_everywhere_and_sends_twice_k_minus_one_gradients(K, P):
    tensors = [torch.randn(P, dtype=torch.float64) for _ in range(K)]
    before = torch.stack(tensors)
    sums, sent = exercises.ring_all_reduce_answer(tensors)
    assert torch.equal(torch.stack(tensors), before) and sent == 2 * (K - 1) * P
    for each in sums:
        torch.testing.assert_close(each, before.sum(dim=0), rtol=0, atol=1e-12)


def test_statistics_of_slices_are_those_of_the_whole():
    x = torch.randn(20, 3, dtype=torch.float64)
    parts = [torch.var_mean(part, dim=0, correction=0) for part in x.split([1, 6, 13])]
    variances, means = (torch.stack(each) for each in zip(*parts, strict=True))
    mean, variance = exercises.combine_statistics_answer(torch.tensor([1.0, 6.0, 13.0]).double(), means, variances)
    torch.testing.assert_close((mean, variance), (x.mean(dim=0), x.var(dim=0, correction=0)))


def test_the_best_number_of_devices_is_where_the_derivative_says():
    compute, size, latency, bandwidth = 3.0, 0.2, 0.004, 1.0
    best = ((compute - 2 * size / bandwidth) / latency) ** 0.5
    times = [exercises.step_time_answer(K, compute, size, latency, bandwidth) for K in range(1, 200)]
    assert abs(1 + times.index(min(times)) - best) < 1
    travels_longer = [exercises.step_time_answer(K, 0.3, size, 1e-9, bandwidth) for K in range(1, 200)]
    assert min(travels_longer) == travels_longer[0], "if C < 2 S / bandwidth, one device is the fastest"
