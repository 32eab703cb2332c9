"""The shapes, weights and costs of a list of layers, against the same network in torch.nn."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.layers import Step, trace_shapes
from course_lib.layers.shapes import WORDS

TUTORIAL = """
conv 32 3
relu
max_pool 2
conv 64 3
relu
max_pool 2
flatten
dense 128
relu
dense 10
"""


def test_the_tutorial_network_at_32_pixels():
    steps = trace_shapes(TUTORIAL, (3, 32, 32))
    assert [step.shape for step in steps[3:8]] == [(32, 15, 15), (64, 13, 13), (64, 13, 13), (64, 6, 6), (64 * 6 * 6,)]
    assert sum(step.parameters for step in steps) == 896 + 18_496 + 295_040 + 1_290
    assert steps[1] == Step("conv 32 3", (32, 30, 30), 896, 30 * 30 * 32 * 27)


@st.composite
def networks(draw):
    """Lines and the modules they mean, until the image is too small for the next."""
    channels, size = draw(st.integers(1, 3)), draw(st.tuples(st.integers(6, 14), st.integers(6, 14)))
    lines, modules, shape = [], [], (channels, *size)
    for _ in range(draw(st.integers(1, 4))):
        kernel, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(0, 1))
        padding = min(padding, kernel // 2)
        if min(shape[1:]) + 2 * padding < kernel:
            break
        word = draw(st.sampled_from(["conv", "max_pool", "avg_pool", "batch_norm", "relu"]))
        options = f"stride={stride} padding={padding}"
        if word == "conv":
            out = draw(st.integers(1, 4))
            lines.append(f"conv {out} {kernel} {options}")
            modules.append(nn.Conv2d(shape[0], out, kernel, stride, padding))
        elif word in ("max_pool", "avg_pool"):
            lines.append(f"{word} {kernel} {options}")
            modules.append((nn.MaxPool2d if word == "max_pool" else nn.AvgPool2d)(kernel, stride, padding))
        else:
            lines.append(word)
            modules.append(nn.BatchNorm2d(shape[0]).eval() if word == "batch_norm" else nn.ReLU())
        shape = tuple(modules[-1](torch.zeros(1, *shape)).shape[1:])
    return (channels, *size), lines, modules


@given(network=networks())
def test_shapes_and_parameters_equal_pytorchs(network):
    input_shape, lines, modules = network
    x = torch.zeros(1, *input_shape)
    for step, module in zip(trace_shapes(lines, input_shape)[1:], modules, strict=True):
        x = module(x)
        assert step.shape == tuple(x.shape[1:])
        assert step.parameters == sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("conv 8", r"layer 1, 'conv 8', after shape \[3, 8, 8\]: write conv OUT_CHANNELS KERNEL"),
        ("max_pool 2\nmax_pool 9", r"layer 2, 'max_pool 9', after shape \[3, 4, 4\]: the kernel does not fit"),
        ("dense 10", "put flatten or global_avg_pool before it"),
        ("flatten\nconv 8 3", "it needs an image"),
        ("pool 2", "the layer is 'pool': choose from conv, max_pool"),
        ("conv 8 3 strides=2", r"'conv 8 3 strides=2', .*: write conv OUT_CHANNELS KERNEL \[stride=S\]"),
        ("conv 8 -3", r"'conv 8 -3', .*: write conv OUT_CHANNELS"),
        ("conv 8 3 1", "write conv OUT_CHANNELS KERNEL"),
        ("flatten\ndense 0", "OUT_FEATURES is 0"),
    ],
)
def test_mistakes_name_the_line_and_the_shape(lines, message):
    with pytest.raises(ValueError, match=message):
        trace_shapes(lines, (3, 8, 8))


def test_every_word_is_understood():
    shapes = trace_shapes(["conv 4 3", "batch_norm", "relu", "dropout", "avg_pool 2", "global_avg_pool", "dense 2"], (1, 8, 8))
    assert [step.shape for step in shapes] == [(1, 8, 8), *[(4, 6, 6)] * 4, (4, 3, 3), (4,), (2,)]
    assert set(WORDS) == {"conv", "max_pool", "avg_pool", "global_avg_pool", "batch_norm", "relu", "dropout", "flatten", "dense"}
