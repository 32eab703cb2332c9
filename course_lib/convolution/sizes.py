"""Arithmetic of shapes: output sizes, receptive fields, weights and multiplications of a layer."""

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from course_lib.convolution.arguments import Pair, pair, window_geometry
from course_lib.runtime.checks import check_count

Size = TypeVar("Size", int, tuple[int, ...])


def conv_output_size(size: Size, kernel_size: Pair, stride: Pair = 1, padding: Pair | str = 0, dilation: Pair = 1) -> Size:
    """Size of the output of a convolution.

    It is floor((size + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.
    size: an int (one axis), or a pair (H, W); the other arguments are ints or pairs as in
    `torch.nn.Conv2d`. padding may also be "valid" (none) or "same" (the output is as large as the
    input; needs stride 1). Returns an int for an int size and a pair (OH, OW) for a pair.
    Raises ValueError where the kernel does not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016),
    relationship 15.
    """
    geometry = window_geometry(size, kernel_size, stride, padding, dilation)
    return _as_asked(size, geometry.output_size, kernel_size, stride, padding, dilation)


def conv_transpose_output_size(
    size: Size, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0, output_padding: Pair = 0, dilation: Pair = 1
) -> Size:
    """Size of the output of a transposed convolution.

    It is (size - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1.
    size: an int or a pair (H, W); the other arguments are ints or pairs as in
    `torch.nn.ConvTranspose2d`. A convolution with stride s maps s different input sizes to one
    output size; output_padding, from 0 to s - 1, chooses which of them to return to.
    Raises ValueError where output_padding is out of range or nothing is left.
    """
    output_size = []
    axes = zip(
        pair("size", size),
        pair("kernel_size", kernel_size),
        pair("stride", stride),
        pair("padding", padding, least=0),
        pair("output_padding", output_padding, least=0),
        pair("dilation", dilation),
        strict=True,
    )
    for n, k, s, p, extra, d in axes:
        if extra >= max(s, d):
            raise ValueError(f"output_padding must be smaller than stride or dilation, got {extra} with stride {s}, dilation {d}")
        output_size.append((n - 1) * s - 2 * p + d * (k - 1) + extra + 1)
        if output_size[-1] < 1:
            raise ValueError(
                f"nothing is left of the output: size {n}, kernel_size {k}, stride {s}, padding {p} give {output_size[-1]}"
            )
    return _as_asked(size, (output_size[0], output_size[1]), kernel_size, stride, padding, output_padding, dilation)


def _as_asked(size: Size, output_size: tuple[int, int], *arguments: Pair | str) -> Size:
    """A pair for a pair, and one number for one number, where no argument may be a pair."""
    if not isinstance(size, (tuple, list)) and any(isinstance(argument, (tuple, list)) for argument in arguments):
        raise ValueError(f"an int size goes with int arguments, got {arguments}: give the size as a pair (height, width)")
    return output_size if isinstance(size, (tuple, list)) else output_size[0]


class ReceptiveField(NamedTuple):
    """What one output pixel of a stack of layers sees of the input, along one axis.

    size: how many input pixels reach it; jump: distance between the centres of neighbouring output
    pixels, in input pixels; start: centre of output pixel 0, where the centre of input pixel 0 is 0
    (padding makes it smaller).
    """

    size: int
    jump: int
    start: float


def receptive_field(layers: Iterable[int | tuple[int, ...]]) -> ReceptiveField:
    """The receptive field of a stack of layers, from the input to the output.

    layers: each a tuple (kernel_size, stride, padding, dilation) whose tail may be left out, or an
    int kernel_size. A pooling layer counts like a convolution. Raises ValueError for a kernel_size,
    stride or dilation below 1.
    Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks,
    Distill (2019), equation 2.
    """
    field = ReceptiveField(1, 1, 0.0)
    for layer in layers:
        field = _one_layer_more(field, *((layer,) if isinstance(layer, int) else layer))
    return field


def _one_layer_more(
    field: ReceptiveField, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> ReceptiveField:
    for name, value in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation)):
        check_count(name, value)
    reach = dilation * (kernel_size - 1)
    start = field.start + (reach / 2 - padding) * field.jump
    return ReceptiveField(field.size + reach * field.jump, field.jump * stride, start)


def conv2d_parameters(in_channels: int, out_channels: int, kernel_size: Pair, *, groups: int = 1, bias: bool = True) -> int:
    """How many numbers a 2-D convolution learns.

    They are out_channels (in_channels / groups) KH KW weights and out_channels biases.
    """
    KH, KW = pair("kernel_size", kernel_size)
    check_count("out_channels", out_channels)
    if in_channels % check_count("groups", groups) or out_channels % groups:
        raise ValueError(f"groups {groups} must divide in_channels {in_channels} and out_channels {out_channels}")
    return out_channels * (in_channels // groups) * KH * KW + (out_channels if bias else 0)


def conv2d_multiply_adds(
    input_size: Pair,
    in_channels: int,
    out_channels: int,
    kernel_size: Pair,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> int:
    """Multiply-adds of a 2-D convolution for one image.

    They are OH OW out_channels (in_channels / groups) KH KW. input_size: (H, W) or an int for a
    square. Multiplications with padded zeros count, and biases do not, as is usual.
    """
    OH, OW = window_geometry(input_size, kernel_size, stride, padding, dilation).output_size
    return OH * OW * conv2d_parameters(in_channels, out_channels, kernel_size, groups=groups, bias=False)
