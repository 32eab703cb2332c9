"""A wrong argument is named in one line, with the sizes, before anything is computed."""

import pytest
import torch

from course_lib.convolution import (
    col2im,
    conv1d_loops,
    conv2d_backward,
    conv2d_fft,
    conv2d_im2col,
    conv2d_loops,
    conv_transpose2d,
    im2col,
)

X, WEIGHT = torch.zeros(1, 4, 8, 8), torch.zeros(6, 4, 3, 3)

MISTAKES = [
    (dict(x=X[0]), ValueError, r"x must have 4 dimensions \(NCHW\), got shape \[4, 8, 8\]: x\[None\] makes a batch"),
    (dict(weight=WEIGHT[0]), ValueError, r"weight must have 4 dimensions .* got shape \[4, 3, 3\]"),
    (dict(x=X[:, :3]), ValueError, r"x of shape \[1, 3, 8, 8\] has 3 channels, but weight .* needs 4"),
    (dict(groups=2), ValueError, r"x of shape \[1, 4, 8, 8\] has 4 channels, but weight .* needs 8"),
    (dict(groups=4), ValueError, r"groups 4 must divide the 6 channels"),
    (dict(groups=0), ValueError, r"groups is 0: .* at least 1"),
    (dict(bias=torch.zeros(4)), ValueError, r"bias must have shape \[6\], one number for each output channel, got \[4\]"),
    (dict(stride=0), ValueError, r"stride is 0: .* at least 1"),
    (dict(stride=1.5), TypeError, r"stride is 1\.5: .* whole number"),
    (dict(stride=(1, 2, 3)), ValueError, r"stride is \(1, 2, 3\): .* a pair \(height, width\)"),
    (dict(padding=-1), ValueError, r"padding is -1: .* at least 0"),
    (dict(padding="full"), TypeError, r"padding is 'full': .* whole number"),
    (dict(padding="same", stride=2), ValueError, r"padding \"same\" needs stride 1, got stride \(2, 2\)"),
    (dict(dilation=True), TypeError, r"dilation is True: .* whole number"),
    (dict(dilation=(4, 1)), ValueError, r"covers 9 pixels of height \(kernel_size 3, dilation 4\) but the padded input has 8"),
    (dict(x=X.double()), TypeError, r"x is torch.float64 but weight is torch.float32: convert one"),
    (dict(x=X.byte()), TypeError, r"x is torch.uint8 but weight is torch.float32: convert one"),
]


@pytest.mark.parametrize("conv2d", [conv2d_loops, conv2d_im2col, conv2d_fft])
@pytest.mark.parametrize(("change", "error", "message"), MISTAKES, ids=[message[:40] for _, _, message in MISTAKES])
def test_conv2d_names_the_mistake(conv2d, change, error, message):
    with pytest.raises(error, match=message) as caught:
        conv2d(**{"x": X, "weight": WEIGHT, **change})
    assert "\n" not in str(caught.value)


def test_backward_names_a_wrong_gradient_shape():
    with pytest.raises(ValueError, match=r"must have the shape of the output, \[1, 6, 6, 6\], got \[1, 6, 8, 8\]"):
        conv2d_backward(torch.zeros(1, 6, 8, 8), X, WEIGHT)


def test_conv1d_names_the_mistake():
    with pytest.raises(ValueError, match=r"x \[N, C, L\] .* must have 3 dimensions, got shapes \[4, 8\]"):
        conv1d_loops(torch.zeros(4, 8), torch.zeros(6, 4, 3))
    with pytest.raises(ValueError, match=r"covers 9 pixels of width"):
        conv1d_loops(torch.zeros(1, 4, 8), torch.zeros(6, 4, 9))


def test_transposed_names_the_mistake():
    weight = torch.zeros(4, 6, 3, 3)
    with pytest.raises(TypeError, match=r"padding is 'same': .* whole number"):
        conv_transpose2d(X, weight, padding="same")
    with pytest.raises(ValueError, match="output_padding must be smaller than stride or dilation, got 1 with stride 1"):
        conv_transpose2d(X, weight, output_padding=1)
    with pytest.raises(ValueError, match=r"x of shape .* has 4 channels, but weight .* needs 6"):
        conv_transpose2d(X, torch.zeros(6, 4, 3, 3))
    with pytest.raises(ValueError, match="groups 3 must divide the 4 channels"):
        conv_transpose2d(X, weight, groups=3)


def test_the_helpers_name_the_mistake():
    with pytest.raises(ValueError, match=r"columns must be \[N, C \* 9, 6 \* 6\] for these sizes, got shape \[1, 36, 35\]"):
        col2im(torch.zeros(1, 36, 35), (8, 8), 3)
    with pytest.raises(ValueError, match=r"x must have 4 dimensions"):
        im2col(X[0], 3)
