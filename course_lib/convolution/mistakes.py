"""Three mistakes of real implementations, planted on purpose for the section "Break it".

Each has the right shapes everywhere, so nothing crashes: only a check of the numbers finds it. Do
not use these.
"""

import torch

from course_lib.convolution.arguments import Pair
from course_lib.convolution.im2col import col2im, conv2d_backward, conv2d_im2col


def conv2d_flipped(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """MISTAKE: flips the kernel, so this is the convolution of mathematics, not PyTorch's."""
    return conv2d_im2col(x, weight.flip(2, 3), bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv2d_backward_padding_forgotten(
    grad_output: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, *, stride: int = 1, padding: int = 0
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """MISTAKE: forgets where the image lay in the padded one, so grad_x is shifted."""
    N, O, OH, OW = grad_output.shape
    columns = weight.reshape(O, -1).mT @ grad_output.reshape(N, O, OH * OW)
    padded_size = (x.shape[2] + 2 * padding, x.shape[3] + 2 * padding)
    padded = col2im(columns, padded_size, tuple(weight.shape[2:]), stride=stride)
    # Right would be padded[:, :, padding : padding + H, padding : padding + W].
    grad_x = padded[:, :, : x.shape[2], : x.shape[3]]
    _, grad_weight, grad_bias = conv2d_backward(grad_output, x, weight, stride=stride, padding=padding)
    return grad_x, grad_weight, grad_bias


def adjoint_with_wrong_stride(
    grad_output: torch.Tensor, weight: torch.Tensor, input_size: tuple[int, int], *, stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """MISTAKE: puts its stamps one pixel apart where the convolution read `stride` apart."""
    N, O, OH, OW = grad_output.shape
    (KH, KW), (H, W) = weight.shape[2:], input_size
    columns = weight.reshape(O, -1).mT @ grad_output.reshape(N, O, OH * OW)
    image = columns.new_zeros(N, weight.shape[1], H + 2 * padding + KH, W + 2 * padding + KW)
    # Right would be stride=stride, in an image as large as that needs.
    image[:, :, : OH + KH - 1, : OW + KW - 1] = col2im(columns, (OH + KH - 1, OW + KW - 1), (KH, KW))
    return image[:, :, padding : padding + H, padding : padding + W]
