"""The arguments of a convolution, checked once, and the geometry that follows from them."""

from typing import NamedTuple

import torch

from course_lib.runtime.checks import check_count

# What may differ between the axes of an image: (height, width), or one number for both.
Pair = int | tuple[int, ...]


def pair(name: str, value: object, least: int = 1) -> tuple[int, int]:
    """(height, width) from an int or a pair of ints, each at least `least`.

    Raises TypeError or ValueError for anything else.
    """
    both = value if isinstance(value, (tuple, list)) else (value, value)
    if len(both) != 2:
        raise ValueError(f"{name} is {value!r}: it must be a whole number or a pair (height, width)")
    return check_count(name, both[0], least=least), check_count(name, both[1], least=least)


class Geometry(NamedTuple):
    """Where the kernel goes: everything about a 2-D convolution except its numbers."""

    input_size: tuple[int, int]  # H, W, without padding
    output_size: tuple[int, int]  # OH, OW
    kernel_size: tuple[int, int]  # KH, KW
    stride: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]  # (top, bottom), (left, right)
    dilation: tuple[int, int]
    groups: int


def window_geometry(
    input_size: Pair, kernel_size: Pair, stride: Pair, padding: Pair | str, dilation: Pair, groups: int = 1
) -> Geometry:
    """The geometry of sliding a kernel over an image, from arguments as PyTorch takes them."""
    size, kernel_size = pair("size", input_size), pair("kernel_size", kernel_size)
    stride, dilation = pair("stride", stride), pair("dilation", dilation)
    sides = resolve_padding(padding, kernel_size, stride, dilation)
    axes = zip(("height", "width"), size, kernel_size, stride, sides, dilation, strict=True)
    height, width = (_positions(*numbers) for numbers in axes)
    return Geometry(size, (height, width), kernel_size, stride, sides, dilation, groups)


def resolve_padding(
    padding: Pair | str, kernel_size: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> tuple[tuple[int, int], tuple[int, int]]:
    """((top, bottom), (left, right)) from an int, a pair, "valid" or "same".

    "same" adds dilation (kernel_size - 1) zeros in all, the odd one at the bottom and right, which
    is PyTorch's choice.
    """
    if padding == "same" and stride != (1, 1):
        raise ValueError(f'padding "same" needs stride 1, got stride {stride}: give the padding as a number')
    if padding == "same":
        height, width = (d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True))
        return (height // 2, height - height // 2), (width // 2, width - width // 2)
    height, width = pair("padding", 0 if padding == "valid" else padding, least=0)
    return (height, height), (width, width)


def _positions(axis: str, size: int, kernel_size: int, stride: int, sides: tuple[int, int], dilation: int) -> int:
    """In how many places the kernel fits along one axis."""
    padded, reach = size + sum(sides), dilation * (kernel_size - 1) + 1
    if padded < reach:
        raise ValueError(
            f"the kernel does not fit: it covers {reach} pixels of {axis} (kernel_size {kernel_size}, dilation {dilation}) "
            f"but the padded input has {padded} (size {size}, padding {sides[0]} + {sides[1]})"
        )
    return (padded - reach) // stride + 1


def check_batch(x: torch.Tensor) -> None:
    """Raise ValueError unless x is a batch of images, [N, C, H, W]."""
    if x.dim() != 4:
        raise ValueError(f"x must have 4 dimensions (NCHW), got shape {list(x.shape)}: x[None] makes a batch of one image")


def check_tensors(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, groups: int, transposed: bool = False
) -> None:
    """Raise ValueError or TypeError unless dimensions, channels and types fit together.

    x: [N, C, H, W]. The first axis of weight is the channels of the output, or of x for a
    transposed convolution.
    """
    check_batch(x)
    if weight.dim() != 4:
        raise ValueError(f"weight must have 4 dimensions (channels, channels, KH, KW), got shape {list(weight.shape)}")
    for name, parameter in (("weight", weight), ("bias", bias)):
        if parameter is not None and parameter.dtype != x.dtype:
            raise TypeError(f"x is {x.dtype} but {name} is {parameter.dtype}: convert one of them with .to()")
    inputs, outputs = weight.shape[1] * check_count("groups", groups), len(weight)
    if outputs % groups:
        raise ValueError(f"groups {groups} must divide the {outputs} channels of the first axis of weight")
    if transposed:
        inputs, outputs = outputs, inputs
    if x.shape[1] != inputs:
        raise ValueError(
            f"x of shape {list(x.shape)} has {x.shape[1]} channels, "
            f"but weight of shape {list(weight.shape)} with groups {groups} needs {inputs}"
        )
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"bias must have shape [{outputs}], one number for each output channel, got {list(bias.shape)}")


def check_conv2d(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    stride: Pair,
    padding: Pair | str,
    dilation: Pair,
    groups: int,
) -> Geometry:
    """The geometry of a 2-D convolution of x [N, C, H, W] with weight [O, C / groups, KH, KW].

    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    """
    check_tensors(x, weight, bias, groups)
    return window_geometry(x.shape[2:], weight.shape[2:], stride, padding, dilation, groups)


def check_gradient(grad_output: torch.Tensor, expected: tuple[int, ...], what: str = "output") -> None:
    """Raise ValueError unless grad_output has the shape of what the forward function returned."""
    if grad_output.shape != expected:
        raise ValueError(f"grad_output must have the shape of the {what}, {list(expected)}, got {list(grad_output.shape)}")
