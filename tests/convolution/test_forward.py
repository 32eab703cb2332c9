"""Every way to compute a convolution computes PyTorch's, and the loops agree with NumPy."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st

from course_lib.convolution import (
    col2im,
    conv1d_loops,
    conv2d_fft,
    conv2d_im2col,
    conv2d_loops,
    convolution_matrix,
    im2col,
)
from tests.convolution.jobs import conv2d_matrix, jobs, torch_conv2d

VARIANTS = [conv2d_loops, conv2d_im2col, conv2d_fft, conv2d_matrix]
# Largest difference in units of the largest output. bfloat16 keeps 8 bits: our sum is rounded once
# more, for the bias.
TOLERANCES = {torch.float64: 1e-12, torch.float32: 2e-5, torch.bfloat16: 3e-2}


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("conv2d", VARIANTS)
@given(job=jobs())
def test_equals_pytorch(conv2d, dtype, device, job):
    assume(len(job.x) or conv2d is not conv2d_fft)  # some builds of torch's FFT refuse an empty batch
    job = job.to(device, dtype)
    y = conv2d(job.x, job.weight, job.bias, **job.arguments)
    expected = torch_conv2d(job.to("cpu"))  # in float64 from the numbers as they were drawn
    assert y.dtype == dtype
    assert y.device.type == torch.device(device).type
    assert y.shape == expected.shape
    scale = max(1.0, expected.abs().max().item()) if expected.numel() else 1.0
    inputs = job.weight[0].numel() ** 0.5 * 4 if dtype == torch.bfloat16 else 1.0  # rounding of the inputs themselves
    assert torch.allclose(y.cpu().double(), expected, rtol=0, atol=TOLERANCES[dtype] * scale * inputs)


@given(signals=st.integers(1, 2), length=st.integers(4, 12), kernel=st.integers(1, 4), stride=st.integers(1, 3), data=st.data())
def test_conv1d_equals_pytorch(signals, length, kernel, stride, data):
    groups, padding, dilation = data.draw(st.integers(1, 2)), data.draw(st.integers(0, 3)), data.draw(st.integers(1, 2))
    length += dilation * (kernel - 1)
    rng = torch.Generator().manual_seed(length)
    x = torch.randn(signals, 2 * groups, length, generator=rng, dtype=torch.float64)
    weight = torch.randn(3 * groups, 2, kernel, generator=rng, dtype=torch.float64)
    bias = torch.randn(3 * groups, generator=rng, dtype=torch.float64)
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    expected = F.conv1d(x, weight, bias, **arguments)
    assert torch.allclose(conv1d_loops(x, weight, bias, **arguments), expected, rtol=0, atol=1e-12)


def test_conv1d_same_padding():
    x, weight = torch.arange(5.0).view(1, 1, 5), torch.tensor([[[1.0, 10.0, 100.0]]])
    assert conv1d_loops(x, weight, padding="same").flatten().tolist() == [100.0, 210.0, 321.0, 432.0, 43.0]


@given(job=jobs(padding_words=False))
def test_im2col_and_col2im_equal_unfold_and_fold(job):
    x, arguments = job.x, {name: job.arguments[name] for name in ("stride", "padding", "dilation")}
    kernel_size = tuple(job.weight.shape[2:])
    columns = im2col(x, kernel_size, **arguments)
    if not len(x):  # PyTorch's own cannot take an empty batch everywhere
        assert columns.shape[0] == 0
        return
    assert torch.equal(columns, F.unfold(x, kernel_size, **arguments))
    image = col2im(columns, x.shape[2:], kernel_size, **arguments)
    assert torch.allclose(image, F.fold(columns, tuple(x.shape[2:]), kernel_size, **arguments), rtol=0, atol=1e-12)


def test_the_matrix_of_a_convolution_written_out():
    matrix = convolution_matrix(torch.tensor([[[[1.0, 2.0]]]]), (1, 4)).to_dense()
    assert matrix.tolist() == [[1, 2, 0, 0], [0, 1, 2, 0], [0, 0, 1, 2]]
    padded = convolution_matrix(torch.tensor([[[[1.0, 2.0, 3.0]]]]), (1, 4), stride=(1, 2), padding=(0, 1)).to_dense()
    assert padded.tolist() == [[2, 3, 0, 0], [0, 1, 2, 3]]


def test_blocks_of_a_large_batch_join():
    """A batch that exceeds the cache budget is computed in blocks; the answer must not show it."""
    x, weight = torch.randn(70, 8, 32, 32), torch.randn(8, 8, 3, 3)
    assert torch.allclose(conv2d_im2col(x, weight, padding=1), F.conv2d(x, weight, padding=1), atol=1e-4)


def test_channels_last_memory_is_accepted():
    x = torch.randn(2, 3, 9, 7).to(memory_format=torch.channels_last)
    weight = torch.randn(4, 3, 3, 3).to(memory_format=torch.channels_last)
    for conv2d in VARIANTS:
        assert torch.allclose(conv2d(x, weight), F.conv2d(x, weight), atol=1e-4)
