"""Convolution as a product in the frequency domain: its cost does not grow with the kernel."""

import torch
import torch.nn.functional as F

from course_lib.convolution.arguments import Pair, check_conv2d


def conv2d_fft(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """As `torch.nn.functional.conv2d`, by the convolution theorem.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same
    dtype and device. stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at
    least 0, "same" or "valid". Raises ValueError or TypeError, naming the sizes, where the
    arguments do not fit. Every output position is computed and the stride then keeps some, so a
    stride saves nothing here. float16 and bfloat16 are computed in float32, which torch's FFT
    needs. Rounding errors are those of the largest output, not of each output, and one pixel that
    is NaN or infinite spoils the whole map. Source: Mathieu, Henaff and LeCun, Fast Training of
    Convolutional Networks through FFTs (2014).
    """
    from scipy.fft import next_fast_len  # here, since it takes a while to import

    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    (H, W), (OH, OW), (KH, KW) = geometry.input_size, geometry.output_size, geometry.kernel_size
    (top, bottom), (left, right) = geometry.padding
    (DH, DW), (SH, SW) = geometry.dilation, geometry.stride
    # Circular correlation of this length agrees with the ordinary one wherever the whole kernel
    # lies inside the padded image. A little more than needed, so that the prime factors are small.
    size = (next_fast_len(top + H + bottom, real=True), next_fast_len(left + W + right, real=True))
    spread = weight.new_zeros(*weight.shape[:2], DH * (KH - 1) + 1, DW * (KW - 1) + 1)
    spread[:, :, ::DH, ::DW] = weight  # dilation: zeros between the weights

    images = torch.fft.rfft2(F.pad(x.to(dtype), (left, right, top, bottom)), s=size)
    kernels = torch.fft.rfft2(spread.to(dtype), s=size).conj()  # conj: correlation, not convolution
    images = images.unflatten(1, (groups, -1))  # [N, G, C/G, F, F']
    kernels = kernels.unflatten(0, (groups, -1))  # [G, O/G, C/G, F, F']
    # For each frequency, a small matrix product over channels.
    product = torch.einsum("ngcij,gocij->ngoij", images, kernels)
    y = torch.fft.irfft2(product, s=size).flatten(1, 2)
    y = y[:, :, : (OH - 1) * SH + 1 : SH, : (OW - 1) * SW + 1 : SW].to(x.dtype)
    return y.contiguous() if bias is None else y + bias.view(-1, 1, 1)
