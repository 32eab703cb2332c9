"""Convolution as one large sparse matrix: too big to be fast, and the clearest way to see what its transpose is."""

import torch

from course_lib.convolution.arguments import check_groups, pair
from course_lib.convolution.geometry import check_conv2d
from course_lib.convolution.im2col import im2col


def convolution_matrix(weight, input_size, *, stride=1, padding=0, dilation=1, groups=1):
    """The matrix M for which conv2d(x, weight).flatten(1) = x.flatten(1) @ M.T.

    weight: [O, C / groups, KH, KW], input_size: (H, W) -> sparse COO tensor [O * OH * OW, C * H * W], dtype of weight.
    Row (o, oh, ow) holds kernel o at the pixels that output (o, oh, ow) looks at. M.T is the transposed convolution.
    """
    H, W = pair(input_size, "input_size")
    check_groups(weight, groups, "output")
    G, O, C = groups, weight.shape[0], weight.shape[1] * groups
    # Number the input pixels 1, 2, ... and let im2col carry the numbers to their places. Zeros mark the padding.
    numbers = torch.arange(1, C * H * W + 1, dtype=torch.float64, device=weight.device).view(1, C, H, W)
    check_conv2d(numbers.to(weight.dtype), weight, None, stride, padding, dilation, groups)
    pixels = im2col(numbers, weight.shape[2:], stride=stride, padding=padding, dilation=dilation)[0].long() - 1
    pixels = pixels.view(G, 1, -1, pixels.shape[1]).expand(G, O // G, -1, -1)  # [G, O/G, C/G * KH * KW, OH * OW]
    rows = torch.arange(O * pixels.shape[3], device=weight.device).view(G, O // G, 1, -1).expand_as(pixels)
    values = weight.reshape(G, O // G, -1, 1).expand_as(pixels)
    inside = pixels >= 0
    indices = torch.stack([rows[inside], pixels[inside]])
    size = (O * pixels.shape[3], C * H * W)
    with torch.sparse.check_sparse_tensor_invariants():  # said once, or some versions of torch warn that nobody chose
        return torch.sparse_coo_tensor(indices, values[inside], size).coalesce()


def conv2d_matrix(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels, as `torch.nn.functional.conv2d`, by multiplying with `convolution_matrix`.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same dtype and device.
    stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0, "same" or "valid". float16 and
    bfloat16 are computed in float32, which torch's sparse product needs.
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    matrix = convolution_matrix(weight.to(dtype), geometry.input_size, **arguments)
    y = torch.sparse.mm(matrix, x.flatten(1).to(dtype).mT).mT  # columns are images on the way in and out
    y = y.reshape(x.shape[0], weight.shape[0], *geometry.output_size).to(x.dtype)
    return y if bias is None else y + bias.view(-1, 1, 1)
