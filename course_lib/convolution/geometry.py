"""Where the kernel goes: the geometry of a 2-D convolution, checked once and then passed around."""

from typing import NamedTuple

from course_lib.convolution.arguments import check_groups, check_tensors, pair, resolve_padding
from course_lib.convolution.sizes import conv_output_size


class Geometry(NamedTuple):
    """Where the kernel goes: everything about a 2-D convolution except its numbers. Pairs are (height, width)."""

    input_size: tuple[int, int]  # H, W, without padding
    output_size: tuple[int, int]  # OH, OW
    kernel_size: tuple[int, int]  # KH, KW
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    dilation: tuple[int, int]
    groups: int


def window_geometry(input_size, kernel_size, stride, padding, dilation, groups=1) -> Geometry:
    """The geometry of sliding a kernel over an image, from arguments as PyTorch takes them."""
    output_size = conv_output_size(input_size, kernel_size, stride, padding, dilation)
    kernel_size, stride, dilation = pair(kernel_size, "kernel_size"), pair(stride, "stride"), pair(dilation, "dilation")
    sides = resolve_padding(padding, kernel_size, stride, dilation)
    return Geometry(tuple(input_size), output_size, kernel_size, stride, sides, dilation, groups)


def check_conv2d(x, weight, bias, stride, padding, dilation, groups) -> Geometry:
    """Check the arguments of a 2-D convolution, x [N, C, H, W] and weight [O, C / groups, KH, KW]; return its geometry."""
    check_groups(weight, groups, "output")
    channels = weight.shape[1] * groups if weight.dim() == 4 else 0
    check_tensors(x, weight, bias, "HW", channels=channels, outputs=weight.shape[0])
    return window_geometry(tuple(x.shape[2:]), tuple(weight.shape[2:]), stride, padding, dilation, groups)
