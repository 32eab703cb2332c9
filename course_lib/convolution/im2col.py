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
    (top, bottom), (left, right), (H, W) = *geometry.padding, geometry.input_size
    padded = columns.new_zeros(N, C, top + H + bottom, left + W + right)
    _add_patches(padded, columns.reshape(N, C, KH, KW, OH, OW), geometry)
    return padded[:, :, top : top + H, left : left + W]


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
    N, O, G, (OH, OW) = x.shape[0], weight.shape[0], geometry.groups, geometry.output_size
    kernels, patches = _kernel_matrix(weight, G), _patches(x, geometry)
    y = x.new_empty(N, O, OH, OW)
    recorded = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    for images, rows in _blocks(patches):
        columns = _columns(patches[images, ..., rows, :], G)
        place = y.view(N, G, O // G, OH * OW)[images, ..., rows.start * OW : rows.start * OW + columns.shape[3]]
        if recorded:
            place.copy_(kernels @ columns)
        else:  # straight into its place, which autograd could not follow
            torch.matmul(kernels, columns, out=place)
    return y


def input_gradient(grad_output, weight, geometry: Geometry):
    """The transposed matrix applied to grad_output [N, O, OH, OW]: each output sends its kernel back to its patch, [N, C, H, W].

    This is also the transposed convolution, whose input is called grad_output here.
    """
    G, (KH, KW), (OH, OW), (H, W) = geometry.groups, geometry.kernel_size, geometry.output_size, geometry.input_size
    N, O, C = grad_output.shape[0], weight.shape[0], weight.shape[1] * G
    (top, bottom), (left, right) = geometry.padding
    kernels = _kernel_matrix(weight, G).mT  # [G, C/G * KH * KW, O/G]
    padded = grad_output.new_zeros(N, C, top + H + bottom, left + W + right)
    for images, rows in _blocks(grad_output.new_empty(1).expand(N, C, KH, KW, OH, OW)):
        grad = grad_output[images, :, rows]
        columns = kernels @ grad.reshape(len(grad), G, O // G, grad.shape[2] * OW)  # [n, G, C/G * KH * KW, rows * OW]
        _add_patches(padded[images], columns.reshape(len(grad), C, KH, KW, -1, OW), geometry, rows.start)
    return padded[:, :, top : top + H, left : left + W]


def weight_gradient(grad_output, x, geometry: Geometry):
    """Each weight met every patch once: the sum over patches of grad_output times pixel -> [O, C / groups, KH, KW]."""
    O, C, G = grad_output.shape[1], x.shape[1], geometry.groups
    patches = _patches(x, geometry)
    total = x.new_zeros(G, O // G, C // G * geometry.kernel_size[0] * geometry.kernel_size[1])
    for images, rows in _blocks(patches):
        columns = _columns(patches[images, ..., rows, :], G)  # [n, G, C/G * KH * KW, rows * OW]
        grad = grad_output[images, :, rows].reshape(columns.shape[0], G, O // G, columns.shape[3])
        total = total + (grad @ columns.mT).sum(dim=0)
    return total.reshape(O, C // G, *geometry.kernel_size)


def _check_image(x):
    if x.dim() != 4:
        raise ValueError(
            f"x must have 4 dimensions (NCHW), got shape {list(x.shape)}; an image alone becomes a batch with x[None]"
        )


def _blocks(patches):
    """Slices (images, output rows) of patches [N, C, KH, KW, OH, OW], so small that the columns made of them fit a CPU's cache.

    They are written and read back at once; columns of the whole batch would travel to main memory and back.
    """
    N, C, KH, KW, OH, OW = patches.shape
    budget = 2**18 if patches.device.type == "cpu" else 2**28  # numbers: 1 MB in a cache; on a GPU 1 GB, for large products
    rows = min(OH, max(1, budget // max(1, C * KH * KW * OW)))
    images = max(1, budget // max(1, C * KH * KW * OW * OH)) if rows == OH else 1
    for n in range(0, N, images):
        for row in range(0, OH, rows):
            yield slice(n, n + images), slice(row, row + rows)


def _kernel_matrix(weight, groups):
    """[O, C/G, KH, KW] -> [G, O/G, C/G * KH * KW]: one kernel a row."""
    return weight.reshape(groups, weight.shape[0] // groups, -1)


def _columns(patches, groups):
    """[n, C, KH, KW, rows, OW] -> [n, G, C/G * KH * KW, rows * OW]: the columns of each group apart. Here the copy happens."""
    n, C, KH, KW, rows, OW = patches.shape
    return patches.reshape(n, groups, C // groups * KH * KW, rows * OW)


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


def _add_patches(padded, patches, geometry, first_row=0):
    """Add patches [N, C, KH, KW, rows, OW], of the output rows from first_row on, to the padded image [N, C, H', W'] in place.

    The adjoint of `_patches`, one kernel position at a time.
    """
    KH, KW, count, OW = patches.shape[2:]
    (SH, SW), (DH, DW) = geometry.stride, geometry.dilation
    for kh in range(KH):
        for kw in range(KW):
            # For this kernel position, output pixels (oh, ow) read the input pixels (oh SH + kh DH, ow SW + kw DW).
            top, left = first_row * SH + kh * DH, kw * DW
            rows, columns = slice(top, top + (count - 1) * SH + 1, SH), slice(left, left + (OW - 1) * SW + 1, SW)
            padded[:, :, rows, columns].add_(patches[:, :, kh, kw])
