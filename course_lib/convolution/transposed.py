"""Transposed convolution: the adjoint of a convolution, used on its own to make images larger."""

import torch

from course_lib.convolution.arguments import Geometry, Pair, check_tensors, pair, resolve_padding
from course_lib.convolution.im2col import input_gradient
from course_lib.convolution.sizes import conv_transpose_output_size


def conv_transpose2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair = 0,
    output_padding: Pair = 0,
    groups: int = 1,
    dilation: Pair = 1,
) -> torch.Tensor:
    """As `torch.nn.functional.conv_transpose2d`: every input pixel stamps the kernel on the output.

    x: [N, C, H, W], weight: [C, O / groups, KH, KW] (input channels first: it is the weight of the
    convolution from O to C channels whose adjoint this is), bias: [O] or None -> [N, O, OH, OW]
    with the sizes of `conv_transpose_output_size`. stride, dilation: ints or pairs of at least 1;
    padding, output_padding: ints or pairs of at least 0. padding is that of the convolution, so it
    makes this output smaller; output_padding is smaller than stride or dilation. Raises ValueError
    or TypeError, naming the sizes, where the arguments do not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016),
    chapter 4.
    """
    check_tensors(x, weight, bias, groups, transposed=True)
    given, kernel_size = pair("size", x.shape[2:]), pair("kernel_size", weight.shape[2:])
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    size = pair("size", conv_transpose_output_size(given, kernel_size, stride, padding, output_padding, dilation))
    sides = resolve_padding(padding, kernel_size, stride, dilation)
    # The convolution whose adjoint is meant: its input is our output.
    y = input_gradient(x, weight, Geometry(size, given, kernel_size, stride, sides, dilation, groups))
    return y if bias is None else y + bias.view(-1, 1, 1)
