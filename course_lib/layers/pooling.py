"""Pooling: one number for each window of each channel, its largest or its mean."""

import torch
import torch.nn.functional as F

from course_lib.convolution.arguments import Geometry, Pair, check_batch, check_gradient, window_geometry
from course_lib.convolution.im2col import col2im


def max_pool2d(x: torch.Tensor, kernel_size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> torch.Tensor:
    """The largest number in each window, as `torch.nn.functional.max_pool2d`.

    x: [N, C, H, W] -> [N, C, OH, OW], sizes as for a convolution. kernel_size, stride, padding:
    ints or pairs; stride defaults to kernel_size (windows that do not overlap); padding is at most
    half of kernel_size and counts as minus infinity. Raises ValueError, naming the sizes, where the
    arguments do not fit.
    """
    return _windows(x, kernel_size, stride, padding, value=-float("inf"))[0].amax(dim=4)


def max_pool2d_backward(
    grad_output: torch.Tensor,
    x: torch.Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
) -> torch.Tensor:
    """Gradient at x: each number of grad_output goes to the pixel that was taken.

    grad_output: [N, C, OH, OW], x: [N, C, H, W] -> [N, C, H, W]. Where several pixels of a window
    are largest, the first one in reading order takes all, which is PyTorch's choice. A pixel that
    won in several windows receives the sum.
    """
    windows, geometry = _windows(x, kernel_size, stride, padding, value=-float("inf"))
    check_gradient(grad_output, windows.shape[:4])
    winner = windows.argmax(dim=4, keepdim=True)  # [N, C, OH, OW, 1]: the first maximum
    sent = grad_output.new_zeros(windows.shape).scatter_(4, winner, grad_output[..., None])
    return _add_windows(sent, geometry)


def avg_pool2d(x: torch.Tensor, kernel_size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> torch.Tensor:
    """The mean of each window, as `torch.nn.functional.avg_pool2d`.

    Padding counts as zeros that take part in the mean. Shapes and arguments as in `max_pool2d`.
    """
    return _windows(x, kernel_size, stride, padding, value=0.0)[0].mean(dim=4)


def avg_pool2d_backward(
    grad_output: torch.Tensor,
    x: torch.Tensor,
    kernel_size: Pair,
    *,
    stride: Pair | None = None,
    padding: Pair = 0,
) -> torch.Tensor:
    """Gradient at x: each pixel of a window gets an equal share of the output's gradient."""
    windows, geometry = _windows(x, kernel_size, stride, padding, value=0.0)
    check_gradient(grad_output, windows.shape[:4])
    share = grad_output[..., None] / windows.shape[4]
    return _add_windows(share.expand(windows.shape), geometry)


def _windows(
    x: torch.Tensor, kernel_size: Pair, stride: Pair | None, padding: Pair, value: float
) -> tuple[torch.Tensor, Geometry]:
    """All windows of x padded with `value`, [N, C, OH, OW, KH * KW], and their geometry."""
    check_batch(x)
    if not x.is_floating_point():
        raise TypeError(f"x must be floating point, got {x.dtype}: convert it with .float()")
    geometry = window_geometry(x.shape[2:], kernel_size, kernel_size if stride is None else stride, padding, 1)
    (KH, KW), (SH, SW), ((top, _), (left, _)) = geometry.kernel_size, geometry.stride, geometry.padding
    if 2 * top > KH or 2 * left > KW:
        raise ValueError(f"padding must be at most half of kernel_size, got padding {(top, left)} with kernel_size {(KH, KW)}")
    windows = F.pad(x, (left, left, top, top), value=value).unfold(2, KH, SH).unfold(3, KW, SW)
    return windows.flatten(4), geometry


def _add_windows(sent: torch.Tensor, geometry: Geometry) -> torch.Tensor:
    """Add [N, C, OH, OW, KH * KW] to the pixels that the windows were read from -> [N, C, H, W]."""
    columns = sent.permute(0, 1, 4, 2, 3).flatten(1, 2).flatten(2)  # [N, C * KH * KW, OH * OW]
    (top, _), (left, _) = geometry.padding
    return col2im(columns, geometry.input_size, geometry.kernel_size, stride=geometry.stride, padding=(top, left))
