"""Convolution as a matrix product: every patch becomes a column. Its backward is two products."""

import itertools
from collections.abc import Iterator

import torch
import torch.nn.functional as F

from course_lib.convolution.arguments import Geometry, Pair, check_batch, check_conv2d, check_gradient, window_geometry

# How many numbers of the columns are made at once, to be multiplied before the next ones are made.
# On a CPU they should fit the cache of a core (1 MB in float32); a GPU prefers large products (1
# GB).
CPU_BLOCK, GPU_BLOCK = 2**18, 2**28


def im2col(x: torch.Tensor, kernel_size: Pair, *, stride: Pair = 1, padding: Pair | str = 0, dilation: Pair = 1) -> torch.Tensor:
    """The patches that a kernel visits, as columns (like `torch.nn.functional.unfold`).

    x: [N, C, H, W] -> [N, C * KH * KW, OH * OW]; column l holds the patch of output pixel
    l = oh * OW + ow, channel by channel. kernel_size, stride, dilation: ints or pairs; padding: an
    int, a pair, "same" or "valid" (zeros are added).
    """
    check_batch(x)
    patches = _patches(x, window_geometry(x.shape[2:], kernel_size, stride, padding, dilation))
    # A copy even where a view would do: nobody who writes into the columns changes the image.
    return patches.clone(memory_format=torch.contiguous_format).flatten(1, 3).flatten(2)


def col2im(
    columns: torch.Tensor,
    output_size: Pair,
    kernel_size: Pair,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
) -> torch.Tensor:
    """The adjoint of `im2col`: every number is added to the pixel it was read from.

    Like `torch.nn.functional.fold`. columns: [N, C * KH * KW, OH * OW], output_size:
    (H, W) of the image -> [N, C, H, W]. It is not the inverse of `im2col`: a pixel that lies in
    several patches receives the sum of them.
    """
    geometry = window_geometry(output_size, kernel_size, stride, padding, dilation)
    (KH, KW), (OH, OW) = geometry.kernel_size, geometry.output_size
    if columns.dim() != 3 or columns.shape[1] % (KH * KW) or columns.shape[2] != OH * OW:
        raise ValueError(f"columns must be [N, C * {KH * KW}, {OH} * {OW}] for these sizes, got shape {list(columns.shape)}")
    C = columns.shape[1] // (KH * KW)
    padded, inside = _zeros(columns, C, geometry)
    _add_patches(padded, columns.reshape(len(columns), C, KH, KW, OH, OW), geometry)
    return inside.to(columns.dtype).contiguous()


def conv2d_im2col(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """As `torch.nn.functional.conv2d`: copy the patches into columns, multiply by the kernels.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same
    dtype and device. stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at
    least 0, "same" or "valid". Raises ValueError or TypeError, naming the sizes, where the
    arguments do not fit. Source: Chellapilla, Puri and Simard, High Performance Convolutional
    Neural Networks for Document Processing (2006).
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    return correlate(x, weight, bias, geometry)


def conv2d_backward(
    grad_output: torch.Tensor,
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of a loss through `y = conv2d(x, weight, bias)`, given its gradient at y.

    Derived in notebook 02. grad_output: [N, O, OH, OW]; the rest as in `conv2d_im2col`.
    Returns (grad_x, grad_weight, grad_bias) in the shapes of x, weight and [O]; the last does not
    depend on bias and is returned even where bias is None.
    Raises ValueError if grad_output does not have the shape of y.
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    check_gradient(grad_output, (len(x), len(weight), *geometry.output_size))
    return (
        input_gradient(grad_output, weight, geometry),
        weight_gradient(grad_output, x, geometry),
        grad_output.sum(dim=(0, 2, 3)),
    )


def correlate(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, geometry: Geometry) -> torch.Tensor:
    """The product at the heart of it: kernels times columns, x [N, C, H, W] -> [N, O, OH, OW]."""
    # One kernel a row, [G, O/G, C/G * KH * KW].
    kernels = weight.flatten(1).unflatten(0, (geometry.groups, -1))
    y = x.new_empty(len(x), len(weight), *geometry.output_size)
    for images, rows, columns in _columns(x, geometry):
        # Where they go, a view [n, G, O/G, rows * OW]: place = 0 * place + kernels @ columns.
        place = y[images, :, rows].flatten(2).unflatten(1, (geometry.groups, -1))
        for_each = kernels.expand(len(columns), -1, -1, -1)
        place.flatten(0, 1).baddbmm_(for_each.flatten(0, 1), columns.flatten(0, 1), beta=0)
    return y if bias is None else y.add_(bias.view(-1, 1, 1))


def input_gradient(grad_output: torch.Tensor, weight: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """The transposed matrix applied to grad_output: each output sends its kernel back to its patch.

    grad_output: [N, O, OH, OW] -> [N, C, H, W]. This is also the transposed convolution, whose
    input is called grad_output here.
    """
    # One kernel a column, [G, C/G * KH * KW, O/G].
    kernels = weight.flatten(1).unflatten(0, (geometry.groups, -1)).mT
    C = weight.shape[1] * geometry.groups
    padded, inside = _zeros(grad_output, C, geometry)
    for images, rows in itertools.product(*_blocks(grad_output, C, geometry)):
        grad = grad_output[images, :, rows]
        # What each output sends to each pixel of its patch, [n, G, C/G * KH * KW, rows * OW].
        columns = kernels @ grad.flatten(2).unflatten(1, (geometry.groups, -1))
        patches = columns.view(len(grad), C, *geometry.kernel_size, *grad.shape[2:])
        _add_patches(padded[images], patches, geometry, rows.start)
    return inside.to(grad_output.dtype).contiguous()


def weight_gradient(grad_output: torch.Tensor, x: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """Each weight met every patch once: the sum over patches of grad_output times pixel.

    grad_output: [N, O, OH, OW], x: [N, C, H, W] -> [O, C / groups, KH, KW].
    """
    shape = (grad_output.shape[1], x.shape[1] // geometry.groups, *geometry.kernel_size)
    total = x.new_zeros(shape, dtype=_sum_dtype(x))
    for images, rows, columns in _columns(x, geometry):
        # One output channel a row, [n, G, O/G, rows * OW].
        grad = grad_output[images, :, rows].flatten(2).unflatten(1, (geometry.groups, -1))
        total = total + (grad @ columns.mT).sum(dim=0, dtype=total.dtype).view(shape)
    return total.to(x.dtype)


def _patches(x: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """[N, C, H, W] -> [N, C, KH, KW, OH, OW] without copying a number, apart from the padding.

    A window is the same memory read with other strides: moving by one patch is moving by `stride`
    pixels. The pixel axes OH, OW come last so that a copy runs along rows of the image.
    """
    (DH, DW), (SH, SW), (KH, KW) = geometry.dilation, geometry.stride, geometry.kernel_size
    (top, bottom), (left, right), (OH, OW) = *geometry.padding, geometry.output_size
    if top or bottom or left or right:
        x = F.pad(x, (left, right, top, bottom))
    # Windows [N, C, OH, OW, reach, reach]. There may be more than OH, OW: the output_padding of a
    # transposed convolution can reach past a stride.
    windows = x.unfold(2, DH * (KH - 1) + 1, SH).unfold(3, DW * (KW - 1) + 1, SW)
    return windows[:, :, :OH, :OW, ::DH, ::DW].permute(0, 1, 4, 5, 2, 3)


def _columns(x: torch.Tensor, geometry: Geometry) -> Iterator[tuple[slice, slice, torch.Tensor]]:
    """The patches as columns, block after block: (images, output rows, columns).

    columns: [n, G, C/G * KH * KW, rows * OW]. All blocks are copied into the same memory, unless
    autograd may need them later: to ask for new memory takes longer than to fill it.
    """
    memory, (each_images, each_rows) = None, _blocks(x, x.shape[1], geometry)
    for images in each_images:
        patches = _patches(x[images], geometry)
        for rows in each_rows:
            block = patches[..., rows, :]
            if memory is None or torch.is_grad_enabled():
                memory = block.new_empty(block.numel())
            columns = memory[: block.numel()].view(block.shape).copy_(block)
            yield images, rows, columns.flatten(4).flatten(1, 3).unflatten(1, (geometry.groups, -1))


def _blocks(batch: torch.Tensor, channels: int, geometry: Geometry) -> tuple[list[slice], list[slice]]:
    """The images of a batch, and the rows of an output, that are treated at once.

    So many that their columns fit a cache: those of the whole batch would travel to main memory and
    back. An empty batch is one block.
    """
    (KH, KW), (OH, OW), N = geometry.kernel_size, geometry.output_size, max(1, len(batch))
    budget = CPU_BLOCK if batch.device.type == "cpu" else GPU_BLOCK
    in_a_row = max(1, channels * KH * KW * OW)  # numbers in the columns of one output row
    images, rows = max(1, budget // (in_a_row * OH)), max(1, budget // in_a_row)
    return [slice(n, n + images) for n in range(0, N, images)], [slice(row, row + rows) for row in range(0, OH, rows)]


def _zeros(like: torch.Tensor, channels: int, geometry: Geometry) -> tuple[torch.Tensor, torch.Tensor]:
    """Padded images of zeros, to which patches are added, and a view without the padding."""
    (top, bottom), (left, right), (H, W) = *geometry.padding, geometry.input_size
    padded = like.new_zeros(len(like), channels, top + H + bottom, left + W + right, dtype=_sum_dtype(like))
    return padded, padded[:, :, top : top + H, left : left + W]


def _add_patches(padded: torch.Tensor, patches: torch.Tensor, geometry: Geometry, first_row: int = 0) -> None:
    """Add patches to the padded images in place: the adjoint of `_patches`.

    patches: [N, C, KH, KW, rows, OW], those of the output rows from first_row on.
    """
    KH, KW, count, OW = patches.shape[2:]
    (SH, SW), (DH, DW) = geometry.stride, geometry.dilation
    for kh in range(KH):
        for kw in range(KW):
            # At this place of the kernel, output (oh, ow) reads (oh SH + kh DH, ow SW + kw DW).
            top, left = first_row * SH + kh * DH, kw * DW
            rows, columns = slice(top, top + (count - 1) * SH + 1, SH), slice(left, left + (OW - 1) * SW + 1, SW)
            padded[:, :, rows, columns].add_(patches[:, :, kh, kw])


def _sum_dtype(tensor: torch.Tensor) -> torch.dtype:
    """Sums of many terms in half precision lose digits: they are kept in float32, rounded once."""
    return torch.float32 if tensor.dtype in (torch.float16, torch.bfloat16) else tensor.dtype
