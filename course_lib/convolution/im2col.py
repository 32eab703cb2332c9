"""Convolution as a matrix product: every patch becomes a column. Fast, and its backward pass is two more products."""

import torch
import torch.nn.functional as F

from course_lib.convolution.arguments import pair
from course_lib.convolution.geometry import Geometry, check_conv2d, window_geometry


def im2col(x, kernel_size, *, stride=1, padding=0, dilation=1):
    """The patches that a kernel visits, as columns (like `torch.nn.functional.unfold`).

    x: [N, C, H, W] -> [N, C * KH * KW, OH * OW]; column l holds the patch of output pixel l = oh * OW + ow, channel by channel.
    kernel_size, stride, dilation: ints or pairs; padding: an int, a pair, "same" or "valid" (zeros are added).
    """
    _check_image(x)
    return _patches(x, window_geometry(tuple(x.shape[2:]), kernel_size, stride, padding, dilation)).flatten(1, 3).flatten(2)


def col2im(columns, output_size, kernel_size, *, stride=1, padding=0, dilation=1):
    """The adjoint of `im2col`: every number is added to the pixel it was read from (like `torch.nn.functional.fold`).

    columns: [N, C * KH * KW, OH * OW], output_size: (H, W) of the image -> [N, C, H, W]. It is not the inverse of `im2col`: a
    pixel that lies in several patches receives the sum of them.
    """
    KH, KW = pair(kernel_size, "kernel_size")
    geometry = window_geometry(pair(output_size, "output_size"), kernel_size, stride, padding, dilation)
    OH, OW = geometry.output_size
    if columns.dim() != 3 or columns.shape[1] % (KH * KW) or columns.shape[2] != OH * OW:
        raise ValueError(f"columns must be [N, C * {KH * KW}, {OH} * {OW}] for these sizes, got shape {list(columns.shape)}")
    N, C = columns.shape[0], columns.shape[1] // (KH * KW)
    return _add_patches(columns.reshape(N, C, KH, KW, OH, OW), geometry)


def conv2d_im2col(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels, as `torch.nn.functional.conv2d`: copy the patches, multiply once.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same dtype and device.
    stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0, "same" or "valid".
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    Source: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for Document Processing (2006).
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    y = correlate(x, weight, geometry)
    return y if bias is None else y + bias.view(-1, 1, 1)


def conv2d_backward(grad_output, x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Gradients of a loss through `y = conv2d(x, weight, bias)`, given its gradient at y. Derived in notebook 01, section 8.

    grad_output: [N, O, OH, OW]; the rest as in `conv2d_im2col`. Returns (grad_x, grad_weight, grad_bias) in the shapes of x,
    weight and [O]; the last does not depend on bias and is returned even where bias is None.
    Raises ValueError if grad_output does not have the shape of y.
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    expected = (x.shape[0], weight.shape[0], *geometry.output_size)
    if grad_output.shape != expected:
        raise ValueError(f"grad_output must have the shape of the output, {list(expected)}, got {list(grad_output.shape)}")
    grad_x = input_gradient(grad_output, weight, geometry)
    grad_weight = weight_gradient(grad_output, x, geometry)
    return grad_x, grad_weight, grad_output.sum(dim=(0, 2, 3))


def correlate(x, weight, geometry: Geometry):
    """The product at the heart of it: kernels times columns, x [N, C, H, W] -> [N, O, OH, OW]."""
    kernels = _kernel_matrix(weight, geometry.groups)
    blocks = [kernels @ _columns(block, geometry) for block in _blocks(x, geometry)]  # each [n, G, O/G, OH * OW]
    return torch.cat(blocks).reshape(x.shape[0], weight.shape[0], *geometry.output_size)


def input_gradient(grad_output, weight, geometry: Geometry):
    """W transposed, applied to grad_output [N, O, OH, OW]: what each input pixel contributed to, weighted -> [N, C, H, W].

    This is also the transposed convolution, whose input is called grad_output here.
    """
    G, (KH, KW), (OH, OW) = geometry.groups, geometry.kernel_size, geometry.output_size
    O, C = weight.shape[0], weight.shape[1] * G
    kernels = _kernel_matrix(weight, G).mT  # [G, C/G * KH * KW, O/G]
    images = []
    for block in _blocks(grad_output, geometry, channels=C):
        columns = kernels @ block.reshape(len(block), G, O // G, OH * OW)  # [n, G, C/G * KH * KW, OH * OW]
        images.append(_add_patches(columns.reshape(len(block), C, KH, KW, OH, OW), geometry))
    return torch.cat(images)


def weight_gradient(grad_output, x, geometry: Geometry):
    """Each weight met every patch once: the sum over patches of grad_output times pixel -> [O, C / groups, KH, KW]."""
    G, (OH, OW) = geometry.groups, geometry.output_size
    O, C = grad_output.shape[1], x.shape[1]
    total = x.new_zeros(G, O // G, C // G * geometry.kernel_size[0] * geometry.kernel_size[1])
    for block, grad in zip(_blocks(x, geometry), _blocks(grad_output, geometry, channels=C), strict=True):
        columns = _columns(block, geometry)  # [n, G, C/G * KH * KW, OH * OW]
        total = total + (grad.reshape(len(grad), G, O // G, OH * OW) @ columns.mT).sum(dim=0)
    return total.reshape(O, C // G, *geometry.kernel_size)


def _check_image(x):
    if x.dim() != 4:
        raise ValueError(
            f"x must have 4 dimensions (NCHW), got shape {list(x.shape)}; an image alone becomes a batch with x[None]"
        )


def _blocks(tensor, geometry, channels=None):
    """The batch in blocks of images whose patches fit a CPU's cache together: written and read back before they leave it."""
    (KH, KW), (OH, OW) = geometry.kernel_size, geometry.output_size
    patch_numbers = (channels or tensor.shape[1]) * KH * KW * OH * OW  # of one image
    budget = 2**18 if tensor.device.type == "cpu" else 2**28  # on a GPU: large products first, memory bounded to about 1 GB
    return tensor.split(max(1, budget // max(1, patch_numbers)))


def _kernel_matrix(weight, groups):
    """[O, C/G, KH, KW] -> [G, O/G, C/G * KH * KW]: one kernel a row."""
    return weight.reshape(groups, weight.shape[0] // groups, -1)


def _columns(x, geometry):
    """[n, C, H, W] -> [n, G, C/G * KH * KW, OH * OW]: the columns of each group apart."""
    (n, C), (KH, KW), (OH, OW), G = x.shape[:2], geometry.kernel_size, geometry.output_size, geometry.groups
    return _patches(x, geometry).reshape(n, G, C // G * KH * KW, OH * OW)


def _patches(x, geometry):
    """[N, C, H, W] -> [N, C, KH, KW, OH, OW] without copying a number, apart from the padding.

    A window is the same memory read with other strides: moving by one patch is moving by `stride` pixels.
    The pixel axes OH, OW come last so that a copy runs along rows of the image.
    """
    (DH, DW), (SH, SW), (KH, KW) = geometry.dilation, geometry.stride, geometry.kernel_size
    (top, bottom), (left, right), (OH, OW) = *geometry.padding, geometry.output_size
    if top or bottom or left or right:
        x = F.pad(x, (left, right, top, bottom))
    windows = x.unfold(2, DH * (KH - 1) + 1, SH).unfold(3, DW * (KW - 1) + 1, SW)  # [N, C, OH, OW, reach, reach]
    # A transposed convolution may ask for fewer positions than fit: its output_padding can reach past a stride.
    return windows[:, :, :OH, :OW, ::DH, ::DW].permute(0, 1, 4, 5, 2, 3)


def _add_patches(patches, geometry):
    """[N, C, KH, KW, OH, OW] -> [N, C, H, W]: the adjoint of `_patches`, one kernel position at a time."""
    N, C, KH, KW, OH, OW = patches.shape
    (H, W), (SH, SW), (DH, DW) = geometry.input_size, geometry.stride, geometry.dilation
    (top, bottom), (left, right) = geometry.padding
    image = patches.new_zeros(N, C, top + H + bottom, left + W + right)
    for kh in range(KH):
        for kw in range(KW):
            # For this kernel position, output pixels (oh, ow) read the input pixels (oh SH + kh DH, ow SW + kw DW).
            rows = slice(kh * DH, kh * DH + (OH - 1) * SH + 1, SH)
            columns = slice(kw * DW, kw * DW + (OW - 1) * SW + 1, SW)
            image[:, :, rows, columns] += patches[:, :, kh, kw]
    return image[:, :, top : top + H, left : left + W]
