"""Sides are halved and doubled exactly, whatever their size."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.blocks import Resize, doubling, halved_sides
from course_lib.convolution import conv_output_size


def test_sides_are_halved_and_rounded_up():
    assert halved_sides(28, 3) == [28, 14, 7, 4] and halved_sides(9, 2) == [9, 5, 3] and halved_sides(5, 0) == [5]
    with pytest.raises(ValueError, match="size is 2: halving number 2 of 3 would find one pixel"):
        halved_sides(2, 3)


@given(size=st.integers(9, 200), count=st.integers(0, 3))
def test_sides_are_those_of_convolutions_with_stride_2(size, count):
    sides = halved_sides(size, count)
    assert len(sides) == count + 1
    for before, after in itertools.pairwise(sides):
        assert after == conv_output_size(before, 3, stride=2, padding=1)


@given(side=st.integers(2, 20), upsample=st.sampled_from(["transposed", "nearest"]), bias=st.booleans())
def test_doubling_gives_exactly_the_side(side, upsample, bias):
    layers = doubling(3, 2, side, upsample=upsample, bias=bias)
    half = halved_sides(side, 1)[1]
    assert nn.Sequential(*layers)(torch.rand(4, 3, half, half)).shape == (4, 2, side, side)
    assert (layers[-1].bias is not None) == bias


@pytest.mark.parametrize("side", [6, 7])
@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
def test_every_pixel_is_drawn_from_some_pixel_and_no_pixel_is_lost(side, upsample, device):
    layer = nn.Sequential(*doubling(1, 1, side, upsample=upsample, bias=False)).to(device)
    nn.init.ones_(layer[-1].weight)
    half = halved_sides(side, 1)[1]
    x = torch.ones(1, 1, half, half, device=device, requires_grad=True)
    y = layer(x)
    assert (y > 0).all()
    y.sum().backward()
    assert (x.grad > 0).all()


def test_each_pixel_becomes_four():
    x = torch.arange(4.0).view(1, 1, 2, 2)
    assert Resize(4)(x)[0, 0].tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert Resize(3)(x)[0, 0].tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3]]
