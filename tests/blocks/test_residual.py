"""The residual block adds its input, in any shape, and leaves it out where it is told to."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.blocks import ResidualBlock


def test_a_block_adds_its_input():
    block = ResidualBlock(4, 4).eval()
    nn.init.zeros_(block.residual[4].weight)
    x = torch.rand(2, 4, 5, 5)
    assert torch.equal(block(x), x), "with f = 0 the block is the identity, for x >= 0"
    plain = ResidualBlock(4, 4, skip=False).eval()
    nn.init.zeros_(plain.residual[4].weight)
    assert plain(x).abs().max() == 0


@given(before=st.integers(1, 4), after=st.integers(1, 4), stride=st.integers(1, 3), size=st.integers(3, 9))
def test_shapes_follow_channels_and_stride(before, after, stride, size):
    x = torch.rand(2, before, size, size)
    for skip in (True, False):
        y = ResidualBlock(before, after, stride=stride, skip=skip)(x)
        side = -(-size // stride)
        assert y.shape == (2, after, side, side) and (y >= 0).all()


@pytest.mark.parametrize(("after", "stride"), [(4, 1), (8, 1), (8, 2)])
def test_it_is_the_formula_of_the_paper(after, stride, device):
    block = ResidualBlock(4, after, stride).to(device).eval()
    x = torch.randn(2, 4, 6, 6).to(device)
    f = block.residual[4](block.residual[3](torch.relu(block.residual[1](block.residual[0](x)))))
    around = x if (after, stride) == (4, 1) else block.skip[1](block.skip[0](x))
    torch.testing.assert_close(block(x), torch.relu(around + f))


def test_names_of_weights_are_those_of_the_models_that_come_along():
    names = {name.split(".")[0] for name in ResidualBlock(2, 3).state_dict()}
    assert names == {"residual", "skip"}
    assert {name.split(".")[0] for name in ResidualBlock(2, 2).state_dict()} == {"residual"}
