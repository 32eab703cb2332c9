"""Pooling: one number for each window of each channel, its largest or its mean."""

import torch.nn.functional as F

from course_lib.convolution import col2im
from course_lib.convolution.arguments import check_batch, check_gradient, pair
from course_lib.convolution.geometry import window_geometry


def max_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The largest number in each window, as `torch.nn.functional.max_pool2d`.

    x: [N, C, H, W] -> [N, C, OH, OW], sizes as for a convolution. kernel_size, stride, padding: ints or pairs; stride defaults to
    kernel_size (windows that do not overlap); padding is at most half of kernel_size and counts as minus infinity.
    Raises ValueError, naming the sizes, where the arguments do not fit.
    """
    windows, _ = _windows(x, kernel_size, stride, padding, value=-float("inf"))
    return windows.flatten(4).amax(dim=4)


def max_pool2d_backward(grad_output, x, kernel_size, *, stride=None, padding=0):
    """Gradient at x [N, C, H, W]: each number of grad_output [N, C, OH, OW] goes to the pixel that was taken.

    Where several pixels of a window are largest, the first one in reading order takes all, which is PyTorch's
    choice. A pixel that won in several windows receives the sum.
    """
    windows, geometry = _windows(x, kernel_size, stride, padding, value=-float("inf"))
    check_gradient(grad_output, windows.shape[:4])
    winner = windows.flatten(4).argmax(dim=4, keepdim=True)  # [N, C, OH, OW, 1]: the first maximum
    sent = grad_output.new_zeros(*winner.shape[:4], windows.shape[4] * windows.shape[5])
    sent.scatter_(4, winner, grad_output[..., None])
    return _add_windows(sent, geometry)


def avg_pool2d(x, kernel_size, *, stride=None, padding=0):
    """The mean of each window, as `torch.nn.functional.avg_pool2d`: padding counts as zeros that take part in the mean.

    Shapes and arguments as in `max_pool2d`.
    """
    windows, _ = _windows(x, kernel_size, stride, padding, value=0.0)
    return windows.mean(dim=(4, 5))


def avg_pool2d_backward(grad_output, x, kernel_size, *, stride=None, padding=0):
    """Gradient at x: each output sends an equal share of its gradient to each pixel of its window -> [N, C, H, W]."""
    windows, geometry = _windows(x, kernel_size, stride, padding, value=0.0)
    check_gradient(grad_output, windows.shape[:4])
    KH, KW = geometry.kernel_size
    share = grad_output[..., None] / (KH * KW)
    return _add_windows(share.expand(*share.shape[:4], KH * KW), geometry)


def global_avg_pool2d(x):
    """The mean of each channel over all its pixels: x [N, C, H, W] -> [N, C]."""
    _check_image(x)
    return x.mean(dim=(2, 3))


def global_avg_pool2d_backward(grad_output, x):
    """Gradient at x: grad_output [N, C] spread evenly over the pixels -> [N, C, H, W]."""
    check_gradient(grad_output, x.shape[:2])
    return (grad_output / (x.shape[2] * x.shape[3]))[:, :, None, None].expand_as(x).clone()


def _check_image(x):
    check_batch(x)
    if not x.is_floating_point():
        raise TypeError(f"x must be floating point, got {x.dtype}; convert it with .float()")


def _windows(x, kernel_size, stride, padding, value):
    """View of all windows [N, C, OH, OW, KH, KW] of x padded with `value`, and their geometry."""
    _check_image(x)
    (KH, KW), (top, left) = pair(kernel_size, "kernel_size"), pair(padding, "padding", least=0)
    if 2 * top > KH or 2 * left > KW:
        raise ValueError(f"padding must be at most half of kernel_size, got padding {(top, left)} with kernel_size {(KH, KW)}")
    stride = pair(kernel_size if stride is None else stride, "stride")
    geometry = window_geometry(tuple(x.shape[2:]), (KH, KW), stride, (top, left), 1)
    padded = F.pad(x, (left, left, top, top), value=value)
    return padded.unfold(2, KH, stride[0]).unfold(3, KW, stride[1]), geometry


def _add_windows(sent, geometry):
    """Add [N, C, OH, OW, KH * KW] to the pixels of their windows -> [N, C, H, W]: the adjoint of reading them."""
    N, C, OH, OW, K = sent.shape
    columns = sent.permute(0, 1, 4, 2, 3).reshape(N, C * K, OH * OW)  # as im2col lays them out
    (top, _), (left, _) = geometry.padding
    return col2im(columns, geometry.input_size, geometry.kernel_size, stride=geometry.stride, padding=(top, left))
