"""The derived gradients: against autograd, by finite differences, to second order, as adjoints."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from course_lib.convolution import (
    Conv2dFunction,
    col2im,
    conv2d_backward,
    conv2d_fft,
    conv2d_im2col,
    conv_transpose2d,
    conv_transpose_output_size,
    convolution_matrix,
    im2col,
)
from tests.convolution.jobs import jobs, torch_conv2d


def autograd(y, grad_output, inputs):
    """PyTorch's gradients."""
    return torch.autograd.grad(y, inputs, grad_output)


@given(job=jobs())
def test_conv2d_backward_equals_autograd(device, job):
    job = job.to(device)
    x, weight = job.x.requires_grad_(), job.weight.requires_grad_()
    bias = torch.zeros(len(weight), dtype=torch.float64, device=device, requires_grad=True)
    y = torch_conv2d(job._replace(bias=bias))
    grad_output = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(device)
    expected = autograd(y, grad_output, (x, weight, bias))
    actual = conv2d_backward(grad_output, x.detach(), weight.detach(), **job.arguments)
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-10)


@st.composite
def transposed_jobs(draw):
    """A transposed convolution with its tensors and arguments."""
    groups, stride, dilation = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 2))
    KH, KW, H, W = (draw(st.integers(1, 4)) for _ in range(4))
    padding, output_padding = draw(st.integers(0, 1)), draw(st.integers(0, max(stride, dilation) - 1))
    arguments = {"stride": stride, "padding": padding, "output_padding": output_padding, "dilation": dilation}
    try:
        conv_transpose_output_size((H, W), (KH, KW), **arguments)
    except ValueError:  # nothing left of the output
        H, W = H + 2, W + 2
    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    x = torch.randn(2, 2 * groups, H, W, generator=rng, dtype=torch.float64)
    weight = torch.randn(2 * groups, 3, KH, KW, generator=rng, dtype=torch.float64)
    bias = torch.randn(3 * groups, generator=rng, dtype=torch.float64)
    return x, weight, bias, {**arguments, "groups": groups}


@given(job=transposed_jobs())
def test_conv_transpose2d_equals_pytorch_forward_and_backward(device, job):
    (*tensors, arguments) = job
    x, weight, bias = (tensor.to(device).requires_grad_() for tensor in tensors)
    expected = F.conv_transpose2d(x, weight, bias, **arguments)
    y = conv_transpose2d(x, weight, bias, **arguments)
    size = {name: value for name, value in arguments.items() if name != "groups"}
    assert y.shape[2:] == conv_transpose_output_size(tuple(x.shape[2:]), tuple(weight.shape[2:]), **size)
    assert torch.allclose(y, expected, rtol=0, atol=1e-10)
    grad_output = torch.randn(y.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64).to(device)
    actual = autograd(y, grad_output, (x, weight, bias))
    for ours, theirs in zip(actual, autograd(expected, grad_output, (x, weight, bias)), strict=True):
        assert ours.shape == theirs.shape
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-10)


@given(job=jobs(padding_words=False))
def test_transposed_convolution_is_the_adjoint(device, job):
    """<Cx, y> = <x, C'y>; output_padding restores the size that the stride forgot."""
    x, weight, _, arguments = job.to(device)
    if not len(x):
        return
    Cx = conv2d_im2col(x, weight, **arguments)
    y = torch.randn(Cx.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64).to(device)
    matrix = convolution_matrix(weight, x.shape[2:], **arguments)
    from_matrix = torch.sparse.mm(matrix.mT, y.flatten(1).mT).mT.reshape(x.shape)
    grad_x = conv2d_backward(y, x, weight, **arguments)[0]
    assert torch.allclose((Cx * y).sum(), (x * grad_x).sum(), rtol=1e-10, atol=1e-9)
    assert torch.allclose(grad_x, from_matrix, rtol=0, atol=1e-10)
    stride, dilation = arguments["stride"], arguments["dilation"]
    kernel, padding = tuple(weight.shape[2:]), arguments["padding"]
    try:
        smallest = conv_transpose_output_size(tuple(Cx.shape[2:]), kernel, stride, padding, 0, dilation)
    except ValueError:  # a convolution whose output sees padding alone has no transposed convolution in PyTorch's terms
        return
    lost = tuple(size - small for size, small in zip(x.shape[2:], smallest, strict=True))
    if all(0 <= extra < max(s, d) for extra, s, d in zip(lost, stride, dilation, strict=True)):
        assert torch.allclose(conv_transpose2d(y, weight, output_padding=lost, **arguments), grad_x, rtol=0, atol=1e-10)


@given(job=jobs())
def test_col2im_is_the_adjoint_of_im2col(job):
    x, kernel_size = job.x, tuple(job.weight.shape[2:])
    arguments = {name: job.arguments[name] for name in ("stride", "padding", "dilation")}
    columns = im2col(x, kernel_size, **arguments)
    other = torch.randn(columns.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    right = (x * col2im(other, x.shape[2:], kernel_size, **arguments)).sum()
    assert torch.allclose((columns * other).sum(), right, rtol=1e-10, atol=1e-9)


ARGUMENTS = [
    {"stride": 1, "padding": 0, "dilation": 1, "groups": 1},
    {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 2},
    {"stride": 1, "padding": "same", "dilation": 2, "groups": 1},
]


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_gradcheck_and_gradgradcheck(device, arguments):
    """Finite differences in float64, of the function and of its gradient."""
    rng = torch.Generator().manual_seed(4)
    groups = arguments["groups"]
    normal = lambda *shape: torch.randn(*shape, generator=rng, dtype=torch.float64).to(device).requires_grad_()  # noqa: E731
    inputs = normal(2, 2 * groups, 5, 4), normal(2 * groups, 2, 2, 3), normal(2 * groups)
    layer = lambda x, weight, bias: Conv2dFunction.apply(x, weight, bias, *arguments.values())  # noqa: E731
    assert torch.autograd.gradcheck(layer, inputs)
    assert torch.autograd.gradgradcheck(layer, inputs)


def test_gradcheck_of_the_pure_functions(device):
    """The functions are differentiable by autograd as well, apart from the loops."""
    rng = torch.Generator().manual_seed(5)
    normal = lambda *shape: torch.randn(*shape, generator=rng, dtype=torch.float64).to(device).requires_grad_()  # noqa: E731
    x, weight, bias = normal(1, 2, 4, 3), normal(2, 2, 2, 2), normal(2)
    for conv2d in (conv2d_im2col, conv2d_fft):
        assert torch.autograd.gradcheck(lambda *t, f=conv2d: f(*t, stride=(2, 1), padding=1), (x, weight, bias))
    assert torch.autograd.gradcheck(lambda *t: conv_transpose2d(*t, stride=2, output_padding=1), (x, weight, bias))
