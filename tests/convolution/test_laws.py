"""Laws of every convolution, whatever its numbers: linearity, equivariance, where it breaks."""

import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from course_lib.convolution import conv2d_fft, conv2d_im2col, conv2d_loops
from tests.convolution.jobs import conv2d_matrix, jobs


@given(job=jobs(), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_linear_in_the_input_and_in_the_weight(job, a, b):
    assume(len(job.x))  # some builds of torch's FFT refuse an empty batch
    x, weight, _, arguments = job
    other_x, other_weight = x.flip(1).cos(), weight.flip(0).cos()
    for conv2d in (conv2d_im2col, conv2d_fft, conv2d_matrix):
        mixed = conv2d(a * x + b * other_x, weight, **arguments)
        apart = a * conv2d(x, weight, **arguments) + b * conv2d(other_x, weight, **arguments)
        assert torch.allclose(mixed, apart, rtol=0, atol=1e-9)
        mixed = conv2d(x, a * weight + b * other_weight, **arguments)
        apart = a * conv2d(x, weight, **arguments) + b * conv2d(x, other_weight, **arguments)
        assert torch.allclose(mixed, apart, rtol=0, atol=1e-9)


def spot(height=16, width=16):
    """An image of zeros with a random patch in the middle, so that shifting it loses nothing."""
    x = torch.zeros(1, 2, height, width, dtype=torch.float64)
    x[:, :, 5:9, 6:9] = torch.randn(1, 2, 4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return x


@given(down=st.integers(-4, 4), right=st.integers(-4, 4), dilation=st.integers(1, 2))
def test_shifting_the_input_shifts_the_output(down, right, dilation):
    weight = torch.randn(3, 2, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = spot()
    shifted = x.roll((down, right), dims=(2, 3))
    for conv2d in (conv2d_im2col, conv2d_fft, conv2d_matrix):
        y = conv2d(x, weight, padding="same", dilation=dilation)
        moved = conv2d(shifted, weight, padding="same", dilation=dilation)
        # The response stays clear of the border for these shifts when the kernel is not dilated.
        inside = (slice(None), slice(None), slice(5, 11), slice(5, 11)) if dilation == 2 else ...
        assert torch.allclose(moved[inside], y.roll((down, right), dims=(2, 3))[inside], rtol=0, atol=1e-12)


@given(shift=st.integers(0, 5), stride=st.integers(2, 3))
def test_a_stride_keeps_equivariance_only_for_its_multiples(shift, stride):
    weight = torch.randn(1, 2, 3, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = conv2d_im2col(spot(18, 18), weight, stride=stride)
    moved = conv2d_im2col(spot(18, 18).roll(shift, dims=3), weight, stride=stride)
    steps = shift // stride
    agrees = torch.allclose(moved[..., steps:], y[..., : y.shape[3] - steps], rtol=0, atol=1e-12)
    assert agrees == (shift % stride == 0)


def test_zero_padding_breaks_equivariance_at_the_border_and_only_there():
    x = torch.ones(1, 1, 8, 8)
    y = conv2d_im2col(x, torch.ones(1, 1, 3, 3), padding=1)
    assert (y[0, 0, 1:-1, 1:-1] == 9).all()  # a constant image has no place: the inside cannot tell where it is
    assert y[0, 0, 0, 0] == 4  # the border can
    assert y[0, 0, 0, 3] == 6


@given(job=jobs(largest_batch=3))
def test_images_of_a_batch_do_not_mix(job):
    x, weight, bias, arguments = job
    y = conv2d_im2col(x, weight, bias, **arguments)
    for n in range(len(x)):
        alone = conv2d_im2col(x[n : n + 1], weight, bias, **arguments)
        assert torch.allclose(y[n : n + 1], alone, rtol=0, atol=1e-12)


def test_a_depthwise_convolution_keeps_channels_apart():
    x = torch.randn(1, 3, 6, 6, generator=torch.Generator().manual_seed(2))
    weight = torch.randn(3, 1, 3, 3, generator=torch.Generator().manual_seed(3))
    y = conv2d_loops(x, weight, groups=3)
    for c in range(3):
        assert torch.equal(y[:, c : c + 1], conv2d_loops(x[:, c : c + 1], weight[c : c + 1]))
