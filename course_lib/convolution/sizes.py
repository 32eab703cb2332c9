"""Arithmetic of shapes: output sizes, receptive fields, and how many numbers and multiplications a layer needs."""

from collections.abc import Iterable
from typing import NamedTuple

from course_lib.convolution.arguments import along_axis, check_channels, check_counts, pair, resolve_padding


def conv_output_size(size, kernel_size, stride=1, padding=0, dilation=1):
    """Size of the output of a convolution: floor((size + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1.

    size: an int (one axis), or a pair (H, W); the other arguments are ints or pairs as in `torch.nn.Conv2d`.
    padding may also be "valid" (none) or "same" (the output is as large as the input; needs stride 1).
    Returns an int for an int size and a pair (OH, OW) for a pair. Raises ValueError where the kernel does not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), relationship 15.
    """
    if hasattr(size, "__index__"):  # also NumPy's integers
        both = conv_output_size((size, size), kernel_size, stride, padding, dilation)
        return along_axis(both, kernel_size, stride, padding, dilation)
    size, kernel_size = pair(size, "size"), pair(kernel_size, "kernel_size")
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    sides = resolve_padding(padding, kernel_size, stride, dilation)
    return tuple(
        _one_axis(*numbers) for numbers in zip(size, kernel_size, stride, sides, dilation, ("height", "width"), strict=True)
    )


def _one_axis(size, kernel_size, stride, sides, dilation, axis):
    padded, reach = size + sum(sides), dilation * (kernel_size - 1) + 1
    if padded < reach:
        raise ValueError(
            f"the kernel does not fit: it covers {reach} pixels of {axis} (kernel_size {kernel_size}, dilation {dilation}) "
            f"but the padded input has {padded} (size {size}, padding {sides[0]} + {sides[1]})"
        )
    return (padded - reach) // stride + 1


def conv_transpose_output_size(size, kernel_size, stride=1, padding=0, output_padding=0, dilation=1):
    """Size of the output of a transposed convolution: (size - 1) stride - 2 padding + dilation (kernel_size - 1) +
    output_padding + 1.

    size: an int or a pair (H, W); the other arguments are ints or pairs as in `torch.nn.ConvTranspose2d`.
    A convolution with stride s maps s different input sizes to one output size; output_padding, from 0 to s - 1, chooses which
    of them to return to. Raises ValueError where output_padding is out of range or nothing is left.
    """
    if hasattr(size, "__index__"):  # also NumPy's integers
        both = conv_transpose_output_size((size, size), kernel_size, stride, padding, output_padding, dilation)
        return along_axis(both, kernel_size, stride, padding, output_padding, dilation)
    size, kernel_size = pair(size, "size"), pair(kernel_size, "kernel_size")
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    padding, output_padding = pair(padding, "padding", least=0), pair(output_padding, "output_padding", least=0)
    sizes = []
    for n, k, s, p, extra, d in zip(size, kernel_size, stride, padding, output_padding, dilation, strict=True):
        if extra >= max(s, d):
            raise ValueError(f"output_padding must be smaller than stride or dilation, got {extra} with stride {s}, dilation {d}")
        sizes.append((n - 1) * s - 2 * p + d * (k - 1) + extra + 1)
        if sizes[-1] < 1:
            raise ValueError(
                f"nothing is left of the output: size {n}, kernel_size {k}, stride {s}, padding {p} give {sizes[-1]}"
            )
    return tuple(sizes)


class Layer(NamedTuple):
    """One layer of a stack, along one axis, for `receptive_field`. A pooling layer counts like a convolution."""

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1


class ReceptiveField(NamedTuple):
    """What one output pixel of a stack of layers sees of the input, along one axis, in input pixels.

    size: how many input pixels reach it; jump: distance between the centres of neighbouring output pixels;
    start: centre of output pixel 0, where the centre of input pixel 0 is 0 (padding makes it smaller).
    """

    size: int
    jump: int
    start: float


def receptive_field(layers: Iterable) -> ReceptiveField:
    """The receptive field of a stack of layers, from the input to the output.

    layers: each a `Layer`, a tuple (kernel_size, stride, padding, dilation) whose tail may be left out, or an int kernel_size.
    Recursion: size += dilation (kernel_size - 1) jump; start += (dilation (kernel_size - 1) / 2 - padding) jump; jump *= stride.
    Source: Araujo, Norris and Sim, Computing Receptive Fields of Convolutional Neural Networks, Distill (2019), equation 2.
    """
    if isinstance(layers, Layer):
        raise ValueError(f"layers must be a list of layers, got one: write [{layers}]")
    size, jump, start = 1, 1, 0.0
    for number, layer in enumerate(layers):
        layer = Layer(layer) if isinstance(layer, int) else Layer(*layer)
        check_counts(layer.kernel_size, layer.stride, layer.dilation, name=f"kernel_size, stride and dilation of layer {number}")
        check_counts(layer.padding, least=0, name=f"padding of layer {number}")
        reach = layer.dilation * (layer.kernel_size - 1)
        size += reach * jump
        start += (reach / 2 - layer.padding) * jump
        jump *= layer.stride
    return ReceptiveField(size, jump, start)


def conv2d_parameters(in_channels, out_channels, kernel_size, *, groups=1, bias=True):
    """Number of learned numbers of a 2-D convolution: out_channels (in_channels / groups) KH KW, plus out_channels biases."""
    kernel_height, kernel_width = pair(kernel_size, "kernel_size")
    in_channels, out_channels, groups = check_channels(in_channels, out_channels, groups)
    return out_channels * (in_channels // groups) * kernel_height * kernel_width + (out_channels if bias else 0)


def conv2d_multiply_adds(input_size, in_channels, out_channels, kernel_size, *, stride=1, padding=0, dilation=1, groups=1):
    """Multiply-adds of a 2-D convolution for one image: OH OW out_channels (in_channels / groups) KH KW.

    input_size: (H, W) or an int for a square. Multiplications with padded zeros count, and biases do not, as is usual.
    """
    output_height, output_width = conv_output_size(pair(input_size, "input_size"), kernel_size, stride, padding, dilation)
    weights = conv2d_parameters(in_channels, out_channels, kernel_size, groups=groups, bias=False)
    return output_height * output_width * weights
