"""Convolution as a product in the frequency domain. It pays once kernels are large, since its cost does not grow with them."""

import torch
import torch.nn.functional as F

from course_lib.convolution.geometry import check_conv2d
from course_lib.convolution.im2col import conv2d_im2col


def conv2d_fft(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels, as `torch.nn.functional.conv2d`, by the convolution theorem.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same dtype and device.
    stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0, "same" or "valid".
    Every output position is computed and the stride then keeps some, so a stride saves nothing here. float16 and bfloat16 are
    computed in float32, which torch's FFT needs. Rounding errors are those of the largest output, not of each output, and one
    pixel that is NaN or infinite spoils the whole map.
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    Source: Mathieu, Henaff and LeCun, Fast Training of Convolutional Networks through FFTs (2014).
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    N, O, G, (H, W) = x.shape[0], weight.shape[0], groups, geometry.input_size
    (top, bottom), (left, right) = geometry.padding
    (DH, DW), (SH, SW), (KH, KW) = geometry.dilation, geometry.stride, geometry.kernel_size
    if N == 0:  # some builds of torch's FFT refuse an empty batch
        return conv2d_im2col(x, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)

    # Circular correlation of this length agrees with the ordinary one wherever the whole kernel lies inside the padded image.
    size = (fast_length(top + H + bottom), fast_length(left + W + right))
    spread = weight.new_zeros(*weight.shape[:2], DH * (KH - 1) + 1, DW * (KW - 1) + 1)
    spread[:, :, ::DH, ::DW] = weight  # dilation: zeros between the weights

    images = torch.fft.rfft2(F.pad(x.to(dtype), (left, right, top, bottom)), s=size)
    images = images.reshape(N, G, weight.shape[1], size[0], size[1] // 2 + 1)  # [N, G, C/G, F, F']
    kernels = torch.fft.rfft2(spread.to(dtype), s=size).conj()  # conj: correlation, not convolution
    kernels = kernels.reshape(G, O // G, *kernels.shape[1:])  # [G, O/G, C/G, F, F']
    product = torch.einsum("ngcij,gocij->ngoij", images, kernels)  # for each frequency, a small matrix product over channels
    y = torch.fft.irfft2(product, s=size).reshape(N, O, *size)
    (OH, OW) = geometry.output_size
    y = y[:, :, : (OH - 1) * SH + 1 : SH, : (OW - 1) * SW + 1 : SW].to(x.dtype)
    return y.contiguous() if bias is None else y + bias.view(-1, 1, 1)


def fast_length(length):
    """The smallest n >= length whose only prime factors are 2, 3 and 5: transforms of such lengths are the fast ones."""
    if length < 1:
        raise ValueError(f"length must be at least 1, got {length}")
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
