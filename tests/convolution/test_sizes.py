"""Output sizes, receptive fields and costs, against the convolutions themselves."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from course_lib.convolution import (
    Conv2d,
    ReceptiveField,
    conv2d_loops,
    conv2d_multiply_adds,
    conv2d_parameters,
    conv_output_size,
    conv_transpose_output_size,
    receptive_field,
)

small = st.integers(1, 4)


@given(size=st.integers(1, 20), kernel_size=small, stride=small, padding=st.integers(0, 4), dilation=small)
def test_output_size_equals_pytorch(size, kernel_size, stride, padding, dilation):
    x, weight = torch.zeros(1, 1, size), torch.zeros(1, 1, kernel_size)
    try:
        expected = F.conv1d(x, weight, stride=stride, padding=padding, dilation=dilation).shape[2]
    except RuntimeError:
        with pytest.raises(ValueError, match="the kernel does not fit"):
            conv_output_size(size, kernel_size, stride, padding, dilation)
    else:
        assert conv_output_size(size, kernel_size, stride, padding, dilation) == expected
        pair = conv_output_size((size, size), (kernel_size, kernel_size), stride, padding, dilation)
        assert pair == (expected, expected)


@given(size=st.integers(1, 20), kernel_size=small, dilation=small)
def test_same_padding_keeps_the_size(size, kernel_size, dilation):
    assert conv_output_size(size, kernel_size, padding="same", dilation=dilation) == size


@given(size=st.integers(1, 12), kernel_size=small, stride=small, padding=st.integers(0, 2))
def test_transposed_size_returns_to_where_the_convolution_came_from(size, kernel_size, stride, padding):
    try:
        out = conv_output_size(size, kernel_size, stride, padding)
        back = [conv_transpose_output_size(out, kernel_size, stride, padding, extra) for extra in range(stride)]
    except ValueError:
        return
    assert size in back  # one of the output paddings restores it
    assert [conv_output_size(n, kernel_size, stride, padding) for n in back] == [out] * stride


def test_sizes_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="output_padding must be smaller than stride or dilation, got 2 with stride 2"):
        conv_transpose_output_size(4, 3, stride=2, output_padding=2)
    with pytest.raises(ValueError, match="nothing is left of the output"):
        conv_transpose_output_size(1, 1, padding=1)
    with pytest.raises(ValueError, match='padding "same" needs stride 1, got stride'):
        conv_output_size(8, 3, stride=2, padding="same")
    with pytest.raises(ValueError, match="give the size as a pair"):
        conv_output_size(8, (3, 5))
    with pytest.raises(ValueError, match=r"size is 0: .* at least 1"):
        conv_output_size(0, 3)


layers = st.lists(st.tuples(st.integers(1, 4), small, st.integers(0, 2), small), min_size=1, max_size=4)


@given(stack=layers)
def test_receptive_field_equals_the_measured_gradient(stack):
    """Ask autograd which pixels an output sees, with positive weights so that nothing cancels."""
    x = torch.ones(1, 1, 4096, dtype=torch.float64, requires_grad=True)  # long enough that no border is in sight
    y = x
    for kernel_size, *arguments in stack:
        y = F.conv1d(y, torch.ones(1, 1, kernel_size, dtype=torch.float64), None, *arguments)
    middle = y.shape[2] // 2
    seen = torch.autograd.grad(y[0, 0, middle], x)[0][0, 0].nonzero().flatten().tolist()
    field = receptive_field(stack)
    first, last = (
        field.start + middle * field.jump - (field.size - 1) / 2,
        field.start + middle * field.jump + (field.size - 1) / 2,
    )
    assert (seen[0], seen[-1]) == (first, last)


def test_receptive_field_of_known_networks():
    assert receptive_field([]) == ReceptiveField(1, 1, 0.0)
    assert receptive_field([3, 3, 3]).size == 7  # three 3x3 layers see as much as one 7x7
    assert receptive_field([(3,), (2, 2), (3,), (2, 2)]) == ReceptiveField(10, 4, 4.5)
    # VGG-16 up to its last pooling layer: 212 pixels, as published by Araujo et al.
    vgg = [(3, 1, 1)] * 2 + [(2, 2)] + [(3, 1, 1)] * 2 + [(2, 2)] + ([(3, 1, 1)] * 3 + [(2, 2)]) * 3
    assert receptive_field(vgg)[:2] == (212, 32)
    with pytest.raises(ValueError, match=r"stride is 0: .* at least 1"):
        receptive_field([3, (3, 0)])


@given(groups=st.integers(1, 3), kernel_size=st.tuples(small, small), bias=st.booleans())
def test_parameters_equal_the_modules(groups, kernel_size, bias):
    expected = sum(p.numel() for p in torch.nn.Conv2d(2 * groups, 3 * groups, kernel_size, groups=groups, bias=bias).parameters())
    assert conv2d_parameters(2 * groups, 3 * groups, kernel_size, groups=groups, bias=bias) == expected
    assert sum(p.numel() for p in Conv2d(2 * groups, 3 * groups, kernel_size, groups=groups, bias=bias).parameters()) == expected


def test_multiply_adds_are_what_the_loops_do():
    """With ones everywhere and no padding, each output counts its multiplications."""
    for groups, stride in ((1, 1), (2, 2), (4, (1, 3))):
        x, weight = torch.ones(1, 4, 7, 9), torch.ones(8, 4 // groups, 3, 2)
        done = conv2d_loops(x, weight, stride=stride, groups=groups).sum().item()
        assert conv2d_multiply_adds((7, 9), 4, 8, (3, 2), stride=stride, groups=groups) == done


def test_a_separable_block_costs_a_fraction():
    whole = conv2d_multiply_adds(32, 64, 64, 3, padding=1)
    depthwise = conv2d_multiply_adds(32, 64, 64, 3, padding=1, groups=64)
    pointwise = conv2d_multiply_adds(32, 64, 64, 1)
    assert (depthwise + pointwise) / whole == pytest.approx(1 / 64 + 1 / 9)
    with pytest.raises(ValueError, match="groups 3 must divide in_channels 64"):
        conv2d_parameters(64, 64, 3, groups=3)
