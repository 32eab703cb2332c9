"""Convolution as one large sparse matrix: too big to be fast, and easy to transpose."""

import torch

from course_lib.convolution.arguments import Pair, check_conv2d, pair
from course_lib.convolution.im2col import im2col


def convolution_matrix(
    weight: torch.Tensor,
    input_size: Pair,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """The matrix M for which conv2d(x, weight).flatten(1) = x.flatten(1) @ M.T.

    weight: [O, C / groups, KH, KW], input_size: (H, W) -> sparse COO tensor
    [O * OH * OW, C * H * W], dtype of weight. Row (o, oh, ow) holds kernel o at the pixels that
    output (o, oh, ow) looks at. M.T is the transposed convolution.
    """
    H, W = pair("input_size", input_size)
    G, O, C = groups, weight.shape[0], weight.shape[1] * groups
    # Number the input pixels 1, 2, ..., and let im2col carry the numbers to their places. Zeros
    # mark the padding.
    numbers = torch.arange(1, C * H * W + 1, dtype=torch.float64, device=weight.device).view(1, C, H, W)
    check_conv2d(numbers.to(weight.dtype), weight, None, stride, padding, dilation, groups)
    pixels = im2col(numbers, weight.shape[2:], stride=stride, padding=padding, dilation=dilation)[0].long() - 1
    # Row, column and value of each number of the matrix, all of them [G, O/G, C/G * KH * KW, OH *
    # OW].
    pixels = pixels.view(G, 1, -1, pixels.shape[1]).expand(G, O // G, -1, -1)
    rows = torch.arange(O * pixels.shape[3], device=weight.device).view(G, O // G, 1, -1).expand_as(pixels)
    values = weight.reshape(G, O // G, -1, 1).expand_as(pixels)
    inside = pixels >= 0
    indices = torch.stack([rows[inside], pixels[inside]])
    size = (O * pixels.shape[3], C * H * W)
    # Some versions of torch warn where nobody has chosen whether to check.
    with torch.sparse.check_sparse_tensor_invariants():
        return torch.sparse_coo_tensor(indices, values[inside], size).coalesce()
