"""Blocks, half precision, transforms, empty batches: where what is fast goes wrong first."""

import sys
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_lib.convolution import (
    Conv2d,
    Conv2dFunction,
    conv2d_backward,
    conv2d_im2col,
    conv_output_size,
    conv_transpose2d,
    conv_transpose_output_size,
    im2col,
)

im2col_module = sys.modules["course_lib.convolution.im2col"]


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("block", [1, 60, 500, 2000])
@pytest.mark.parametrize("recorded", [False, True])
def test_blocks_join_forward_and_backward(monkeypatch, block, recorded):
    """Budgets so small that images, and the rows of one image, fall into many blocks."""
    monkeypatch.setattr(im2col_module, "CPU_BLOCK", block)
    x, weight, bias = normal(5, 4, 9, 7), normal(6, 2, 3, 2, seed=1), normal(6, seed=2)
    arguments = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2}
    leaves = [tensor.clone().requires_grad_() for tensor in (x, weight, bias)]
    expected = F.conv2d(*leaves, **arguments)
    g = normal(*expected.shape, seed=3)
    gradients = torch.autograd.grad(expected, leaves, g)
    inputs = leaves if recorded else (x, weight, bias)
    y = conv2d_im2col(*inputs, **arguments)
    assert torch.allclose(y, expected, rtol=0, atol=1e-10)
    by_hand = conv2d_backward(g, x, weight, **arguments)
    by_autograd = torch.autograd.grad(y, leaves, g) if recorded else by_hand
    for mine, recorded_one, theirs in zip(by_hand, by_autograd, gradients, strict=True):
        assert torch.allclose(mine, theirs, rtol=0, atol=1e-10)
        assert torch.allclose(recorded_one, theirs, rtol=0, atol=1e-10)
    up = conv_transpose2d(x, normal(4, 3, 3, 2, seed=4), stride=2, padding=1, output_padding=1)
    assert torch.allclose(up, F.conv_transpose2d(x, normal(4, 3, 3, 2, seed=4), stride=2, padding=1, output_padding=1))


def test_second_derivatives_across_blocks(monkeypatch):
    monkeypatch.setattr(im2col_module, "CPU_BLOCK", 40)
    inputs = [normal(3, 1, 4, 4).requires_grad_(), normal(2, 1, 3, 3, seed=1).requires_grad_(), None]
    assert torch.autograd.gradgradcheck(lambda x, w: Conv2dFunction.apply(x, w, None, 1, 1, 1, 1), inputs[:2])


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
@pytest.mark.parametrize("kernel_size", [3, 15])
def test_half_precision_gradients_keep_their_digits(dtype, kernel_size):
    """Sums over kernel positions and over blocks are not rounded term by term."""
    x, weight = normal(40, 2, 16, 16).abs().to(dtype), normal(2, 2, kernel_size, kernel_size, seed=1).abs().to(dtype)
    g = normal(40, 2, 16, 16, seed=2).abs().to(dtype)
    padding = kernel_size // 2
    exact = conv2d_backward(g.double(), x.double(), weight.double(), padding=padding)
    ours = conv2d_backward(g, x, weight, padding=padding)
    for mine, expected in zip(ours[:2], exact[:2], strict=True):
        relative = (mine.double() - expected).abs() / expected
        assert mine.dtype == dtype
        assert relative.max() < 2 * torch.finfo(dtype).eps  # a few roundings, however many terms


def test_transforms_of_torch_func_see_through():
    x, weight = normal(3, 2, 2, 6, 6), normal(4, 2, 3, 3, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # torch remarks that it takes the images one by one
        batched = torch.func.vmap(lambda image: conv2d_im2col(image, weight, padding=1))(x)
    assert torch.allclose(batched, torch.stack([conv2d_im2col(image, weight, padding=1) for image in x]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # some versions of torch deprecate what their own jvp uses
        _, tangent = torch.func.jvp(lambda w: conv2d_im2col(x[0], w), (weight,), (weight,))
    assert torch.allclose(tangent, conv2d_im2col(x[0], weight))  # linear: the derivative along w is the function


def test_autocast_does_not_depend_on_who_wants_gradients():
    layer, x = Conv2d(3, 4, 3), normal(2, 3, 8, 8).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        recorded = layer(x)
        with torch.no_grad():
            assert torch.equal(layer(x), recorded)
        assert recorded.dtype == F.conv2d(x, layer.weight, layer.bias).dtype == torch.bfloat16
        assert Conv2d(3, 4, 3).double()(x.double()).dtype == torch.float64  # as PyTorch's
        assert conv2d_im2col(x, layer.weight).dtype == torch.float32  # the functions keep the type they are given
    with pytest.raises(TypeError, match=r"x is torch\.int64 but weight is torch\.float32"):
        layer(x.long())


def test_what_the_memory_held_before_is_of_no_account():
    """The product is written over memory that nobody has set, which may hold anything."""
    torch.use_deterministic_algorithms(True)  # such memory is then filled with NaN
    try:
        y = conv2d_im2col(normal(2, 3, 8, 8), normal(4, 3, 3, 3))
    finally:
        torch.use_deterministic_algorithms(False)
    assert y.isfinite().all()


def test_an_empty_batch_keeps_its_graph():
    weight = normal(4, 3, 3, 3).requires_grad_()
    for y in (conv2d_im2col(normal(0, 3, 8, 8), weight), conv_transpose2d(normal(0, 4, 8, 8), weight)):
        y.sum().backward()
        assert not weight.grad.any()


def test_results_are_contiguous_and_patches_are_copies():
    y = conv_transpose2d(normal(2, 3, 5, 5), normal(3, 4, 3, 3, seed=1), padding=1)
    assert y.view(2, -1).shape == (2, 100)
    x = normal(1, 1, 4, 4)
    im2col(x, 1).zero_()
    assert x.any()


def test_only_the_gradients_asked_for_are_computed(monkeypatch):
    module = sys.modules["course_lib.convolution.module"]
    monkeypatch.setattr(module, "input_gradient", lambda *_: pytest.fail("nobody needs the gradient at the images"))
    layer = Conv2d(3, 4, 3)
    layer(normal(2, 3, 8, 8).float()).sum().backward()
    assert layer.weight.grad is not None


@pytest.mark.parametrize("kernel_size", [(2, 2), (4, 3), (1, 6)])
def test_same_padding_with_even_kernels_is_pytorchs(kernel_size):
    x, weight = normal(1, 2, 8, 7), normal(3, 2, *kernel_size, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch remarks that it copies
        expected = F.conv2d(x, weight, padding="same")
    assert torch.allclose(conv2d_im2col(x, weight, padding="same"), expected, rtol=0, atol=1e-10)


def test_numpy_integers_are_integers():
    two = np.int64(2)
    x, weight = normal(1, 4, 8, 8), normal(4, 2, 3, 3, seed=1)
    arguments = {"stride": two, "padding": np.int32(1), "groups": two}
    assert torch.equal(conv2d_im2col(x, weight, **arguments), conv2d_im2col(x, weight, stride=2, padding=1, groups=2))
    assert Conv2d(np.int64(4), 6, two)(x.float()).shape == (1, 6, 7, 7)
    assert conv_output_size(np.int64(8), 3, two) == 3


LAYER_MISTAKES = [
    ({"stride": 0}, ValueError, "stride is 0: .* at least 1"),
    ({"stride": 1.5}, TypeError, r"stride is 1\.5: .* whole number"),
    ({"padding": -1}, ValueError, "padding is -1: .* at least 0"),
    ({"padding": "full"}, ValueError, "full"),
    ({"padding": "same", "stride": 2}, ValueError, "padding='same'"),
    ({"padding_mode": "reflect"}, ValueError, "padding_mode is 'reflect': .* zeros only"),
    ({"groups": 3}, ValueError, "divisible by groups"),
]


@pytest.mark.parametrize(("arguments", "error", "message"), LAYER_MISTAKES, ids=[message for *_, message in LAYER_MISTAKES])
def test_a_layer_names_its_mistake_at_the_first_image(arguments, error, message):
    with pytest.raises(error, match=message):
        Conv2d(4, 6, 3, **arguments)(normal(1, 4, 8, 8).float())


def test_what_is_ignored_elsewhere_is_refused_here():
    with pytest.raises(ValueError, match="give the size as a pair"):
        conv_output_size(8, 3, dilation=(1, 2))
    with pytest.raises(ValueError, match="give the size as a pair"):
        conv_transpose_output_size(8, 3, stride=2, output_padding=(0, 1))


def test_a_layer_runs_without_memory():
    assert Conv2d(4, 6, 3, device="meta")(torch.empty(2, 4, 8, 8, device="meta")).shape == (2, 6, 6, 6)
