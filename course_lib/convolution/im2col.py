"""Convolution as a matrix product: every patch becomes a column. Fast, and its backward pass is two more products."""

import torch
import torch.nn.functional as F

from course_lib.convolution.arguments import check_batch, check_gradient, pair
from course_lib.convolution.geometry import Geometry, check_conv2d, window_geometry

CPU_BLOCK = 2**18  # numbers in the columns that are made at once: 1 MB in float32, about half of a core's cache
GPU_BLOCK = 2**28  # 1 GB: on a GPU large products come first, and memory is bounded all the same


def im2col(x, kernel_size, *, stride=1, padding=0, dilation=1):
    """The patches that a kernel visits, as columns (like `torch.nn.functional.unfold`).

    x: [N, C, H, W] -> [N, C * KH * KW, OH * OW]; column l holds the patch of output pixel l = oh * OW + ow, channel by channel.
    kernel_size, stride, dilation: ints or pairs; padding: an int, a pair, "same" or "valid" (zeros are added).
    """
    check_batch(x)
    patches = _patches(x, window_geometry(tuple(x.shape[2:]), kernel_size, stride, padding, dilation))
    return patches.clone(memory_format=torch.contiguous_format).flatten(1, 3).flatten(2)  # a copy even where a view would do


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
    padded = columns.new_zeros(N, C, top + H + bottom, left + W + right, dtype=_sum_dtype(columns))
    _add_patches(padded, columns.reshape(N, C, KH, KW, OH, OW), geometry)
    return padded[:, :, top : top + H, left : left + W].to(columns.dtype).contiguous()


def conv2d_im2col(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels, as `torch.nn.functional.conv2d`: copy the patches, multiply once.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same dtype and device.
    stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0, "same" or "valid".
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    Source: Chellapilla, Puri and Simard, High Performance Convolutional Neural Networks for Document Processing (2006).
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    y = correlate(x, weight, geometry)
    return y if bias is None else y + bias.to(y.dtype).view(-1, 1, 1)  # autocast may have changed the type


def conv2d_backward(grad_output, x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Gradients of a loss through `y = conv2d(x, weight, bias)`, given its gradient at y. Derived in notebook 01, section 8.

    grad_output: [N, O, OH, OW]; the rest as in `conv2d_im2col`. Returns (grad_x, grad_weight, grad_bias) in the shapes of x,
    weight and [O]; the last does not depend on bias and is returned even where bias is None.
    Raises ValueError if grad_output does not have the shape of y.
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    check_gradient(grad_output, (x.shape[0], weight.shape[0], *geometry.output_size))
    grad_x = input_gradient(grad_output, weight, geometry)
    grad_weight = weight_gradient(grad_output, x, geometry)
    return grad_x, grad_weight, grad_output.sum(dim=(0, 2, 3))


def correlate(x, weight, geometry: Geometry):
    """The product at the heart of it: kernels times columns, x [N, C, H, W] -> [N, O, OH, OW]."""
    N, O, G, (OH, OW) = x.shape[0], weight.shape[0], geometry.groups, geometry.output_size
    kernels, (images, rows) = _kernel_matrix(weight, G), _block_size(x, x.shape[1], geometry)
    # Straight into its place where memory is all that matters; otherwise in pieces that autograd and torch.func can follow.
    y = x.new_empty(N, G, O // G, OH * OW) if _is_ordinary(x, weight) else None
    pieces = []
    for n, block in enumerate(x.split(images)):
        patches, parts = _patches(block, geometry), []
        for row in range(0, OH, rows):
            columns = _columns(patches[..., row : row + rows, :], G)  # [n, G, C/G * KH * KW, rows * OW]
            if y is None:
                parts.append(kernels @ columns)
            else:
                place = y[n * images : n * images + len(block), ..., row * OW : row * OW + columns.shape[3]]
                torch.matmul(kernels, columns, out=place)
        if parts:
            pieces.append(torch.cat(parts, dim=3))
    return (torch.cat(pieces) if y is None else y).reshape(N, O, OH, OW)


def input_gradient(grad_output, weight, geometry: Geometry):
    """The transposed matrix applied to grad_output [N, O, OH, OW]: each output sends its kernel back to its patch, [N, C, H, W].

    This is also the transposed convolution, whose input is called grad_output here.
    """
    G, (KH, KW), (OH, OW), (H, W) = geometry.groups, geometry.kernel_size, geometry.output_size, geometry.input_size
    O, C = weight.shape[0], weight.shape[1] * G
    (top, bottom), (left, right) = geometry.padding
    kernels = _kernel_matrix(weight, G).mT  # [G, C/G * KH * KW, O/G]
    images, rows = _block_size(grad_output, C, geometry)
    pieces = []
    for block in grad_output.split(images):
        n = len(block)
        padded = block.new_zeros(n, C, top + H + bottom, left + W + right, dtype=_sum_dtype(block))
        for row in range(0, OH, rows):
            grad = block[:, :, row : row + rows]
            columns = kernels @ grad.reshape(n, G, O // G, grad.shape[2] * OW)  # [n, G, C/G * KH * KW, rows * OW]
            _add_patches(padded, columns.reshape(n, C, KH, KW, grad.shape[2], OW), geometry, row)
        pieces.append(padded[:, :, top : top + H, left : left + W].to(block.dtype))
    return torch.cat(pieces)


def weight_gradient(grad_output, x, geometry: Geometry):
    """Each weight met every patch once: the sum over patches of grad_output times pixel -> [O, C / groups, KH, KW]."""
    O, C, G = grad_output.shape[1], x.shape[1], geometry.groups
    images, rows = _block_size(x, C, geometry)
    numbers = C // G * geometry.kernel_size[0] * geometry.kernel_size[1]
    total = x.new_zeros(G, O // G, numbers, dtype=_sum_dtype(x))
    for block, grads in zip(x.split(images), grad_output.split(images), strict=True):
        patches = _patches(block, geometry)
        for row in range(0, geometry.output_size[0], rows):
            columns = _columns(patches[..., row : row + rows, :], G)  # [n, G, C/G * KH * KW, rows * OW]
            grad = grads[:, :, row : row + rows].reshape(len(block), G, O // G, columns.shape[3])
            total = total + (grad @ columns.mT).sum(dim=0, dtype=total.dtype)
    return total.reshape(O, C // G, *geometry.kernel_size).to(x.dtype)


def _block_size(tensor, channels, geometry):
    """(images, output rows) to treat at once: so many that the columns made of them fit a CPU's cache.

    They are written and read back at once; columns of the whole batch would travel to main memory and back.
    """
    (KH, KW), (OH, OW) = geometry.kernel_size, geometry.output_size
    budget = CPU_BLOCK if tensor.device.type == "cpu" else GPU_BLOCK
    in_a_row = max(1, channels * KH * KW * OW)  # numbers in the columns of one output row
    return max(1, budget // (in_a_row * OH)), min(OH, max(1, budget // in_a_row))


def _is_ordinary(*tensors):
    """Whether a result may be written in place: no autograd, autocast or torch.func transform has to see how it came about."""
    device = tensors[0].device.type
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return False
    if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
        return False
    for tensor in tensors:
        if torch.autograd.forward_ad.unpack_dual(tensor).tangent is not None:
            return False
        try:
            tensor.data_ptr()
        except RuntimeError:  # batched by vmap, or traced: it stands for others and has no memory of its own
            return False
    return True


def _sum_dtype(tensor):
    """Sums of many terms in half precision lose most of its digits; they are kept in float32 and rounded once."""
    return torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype


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
