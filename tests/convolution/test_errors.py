"""A wrong argument is named in one line, with the sizes in question, before anything is computed."""

import pytest
import torch

from course_lib.convolution import (
    col2im,
    conv1d_loops,
    conv2d_backward,
    conv2d_fft,
    conv2d_im2col,
    conv2d_loops,
    conv2d_matrix,
    conv_transpose2d,
    conv_transpose2d_backward,
    convolve2d_loops,
    im2col,
    separate,
)

X, WEIGHT = torch.zeros(1, 4, 8, 8), torch.zeros(6, 4, 3, 3)

MISTAKES = [
    (dict(x=X[0]), ValueError, r"x must have 4 dimensions \(NCHW\), got shape \[4, 8, 8\]; add a batch dimension with x\[None\]"),
    (dict(weight=WEIGHT[0]), ValueError, r"weight must have 4 dimensions \(OCKHKW\), got shape \[4, 3, 3\]"),
    (dict(x=X[:, :3]), ValueError, r"x of shape \[1, 3, 8, 8\] has 3 channels, but weight of shape \[6, 4, 3, 3\] needs 4"),
    (dict(groups=2), ValueError, r"x of shape \[1, 4, 8, 8\] has 4 channels, but weight .* needs 8"),
    (dict(groups=4), ValueError, r"groups 4 must divide the 6 output channels"),
    (dict(groups=0), ValueError, r"groups must be ints of at least 1, got 0"),
    (dict(bias=torch.zeros(4)), ValueError, r"bias must have shape \[6\], one number for each output channel, got \[4\]"),
    (dict(stride=0), ValueError, r"stride must be ints of at least 1, got 0"),
    (dict(stride=1.5), ValueError, r"stride must be an int or a pair \(height, width\), got 1.5"),
    (dict(stride=(1, 2, 3)), ValueError, r"stride must be an int or a pair \(height, width\), got \(1, 2, 3\)"),
    (dict(padding=-1), ValueError, r"padding must be ints of at least 0, got -1"),
    (dict(padding="full"), ValueError, r"padding must be an int, a pair, \"same\" or \"valid\", got 'full'"),
    (dict(padding="same", stride=2), ValueError, r"padding \"same\" needs stride 1, got stride \(2, 2\)"),
    (dict(dilation=True, stride=True), ValueError, r"must be ints of at least 1, got True"),
    (dict(dilation=(4, 1)), ValueError, r"covers 9 pixels of height \(kernel_size 3, dilation 4\) but the padded input has 8"),
    (dict(x=X.double()), TypeError, r"x is torch.float64 on cpu but weight is torch.float32 on cpu; use .to\(\)"),
    (dict(x=X.byte()), TypeError, r"x must be floating point, got torch.uint8; convert it with .float\(\)"),
]


@pytest.mark.parametrize("conv2d", [conv2d_loops, conv2d_im2col, conv2d_fft, conv2d_matrix])
@pytest.mark.parametrize(("change", "error", "message"), MISTAKES, ids=[message[:40] for _, _, message in MISTAKES])
def test_conv2d_names_the_mistake(conv2d, change, error, message):
    with pytest.raises(error, match=message) as caught:
        conv2d(**{"x": X, "weight": WEIGHT, **change})
    assert "\n" not in str(caught.value)


def test_backward_names_a_wrong_gradient_shape():
    with pytest.raises(ValueError, match=r"must have the shape of the output, \[1, 6, 6, 6\], got \[1, 6, 8, 8\]"):
        conv2d_backward(torch.zeros(1, 6, 8, 8), X, WEIGHT)
    with pytest.raises(ValueError, match=r"must have the shape of the output, \[1, 3, 10, 10\], got \[1, 6, 8, 8\]"):
        conv_transpose2d_backward(torch.zeros(1, 6, 8, 8), X, torch.zeros(4, 3, 3, 3))


def test_conv1d_names_the_mistake():
    with pytest.raises(ValueError, match=r"x must have 3 dimensions \(NCL\), got shape \[4, 8\]; add a batch dimension"):
        conv1d_loops(torch.zeros(4, 8), torch.zeros(6, 4, 3))
    with pytest.raises(ValueError, match=r"covers 9 pixels of width"):
        conv1d_loops(torch.zeros(1, 4, 8), torch.zeros(6, 4, 9))


def test_transposed_names_the_mistake():
    weight = torch.zeros(4, 6, 3, 3)
    with pytest.raises(ValueError, match="padding of a transposed convolution must be an int or a pair, got 'same'"):
        conv_transpose2d(X, weight, padding="same")
    with pytest.raises(ValueError, match="output_padding must be smaller than stride or dilation, got 1 with stride 1"):
        conv_transpose2d(X, weight, output_padding=1)
    with pytest.raises(ValueError, match=r"x of shape .* has 4 channels, but weight .* needs 6"):
        conv_transpose2d(X, torch.zeros(6, 4, 3, 3))
    with pytest.raises(ValueError, match="groups 3 must divide the 4 input channels"):
        conv_transpose2d(X, weight, groups=3)


def test_the_helpers_name_the_mistake():
    with pytest.raises(ValueError, match=r"columns must be \[N, C \* 9, 6 \* 6\] for these sizes, got shape \[1, 36, 35\]"):
        col2im(torch.zeros(1, 36, 35), (8, 8), 3)
    with pytest.raises(ValueError, match=r"x must have 4 dimensions"):
        im2col(X[0], 3)
    with pytest.raises(ValueError, match=r"kernel must have 2 dimension\(s\), none of them empty, got shape \[0, 3\]"):
        convolve2d_loops(torch.zeros(3, 3), torch.zeros(0, 3))
    with pytest.raises(ValueError, match="a finite floating-point matrix that is not zero"):
        separate(torch.zeros(3, 3))
