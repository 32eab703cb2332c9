"""The shape of everything, from input to logits, by formula, and what it weighs and costs."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from course_lib.convolution import conv2d_multiply_adds, conv2d_parameters, conv_output_size
from course_lib.runtime.checks import check_choice, check_count

Shape = tuple[int, ...]  # of one image: (C, H, W), or (features,) after flattening


class Step(NamedTuple):
    """One line of a trace: a layer as it was written, the shape after it, its weights and cost."""

    layer: str
    shape: Shape
    parameters: int
    multiply_adds: int  # for one image; pooling, activations and biases do not count, as is usual


def trace_shapes(layers: str | Iterable[str], input_shape: Shape) -> list[Step]:
    """Follow one image through a list of layers.

    layers: one layer on each line (or a list of lines), written as in `WORDS`; input_shape:
    (C, H, W). Returns the input and then a `Step` for each layer. Raises ValueError that names the
    line and the shape that arrived there, where they do not fit.
    """
    lines = layers.splitlines() if isinstance(layers, str) else layers
    steps = [Step("input", tuple(input_shape), 0, 0)]
    for number, line in enumerate((line.strip() for line in lines if line.strip()), 1):
        try:
            steps.append(_step(line, steps[-1].shape))
        except ValueError as error:
            raise ValueError(f"layer {number}, {line!r}, after shape {list(steps[-1].shape)}: {error}") from None
    return steps


def _step(line: str, shape: Shape) -> Step:
    word, *rest = line.split()
    check_choice("the layer", word, list(WORDS))
    if word in ("conv", "max_pool", "avg_pool", "global_avg_pool") and len(shape) != 3:
        raise ValueError("it needs an image [C, H, W], and this has been flattened")
    if word == "dense" and len(shape) != 1:
        raise ValueError("it needs features in a row: put flatten or global_avg_pool before it")
    written, rule = WORDS[word]
    arguments = [part.rpartition("=") for part in rest]
    if not all(value.isdigit() for _, _, value in arguments):
        raise ValueError(f"write {written}")
    numbers = [int(value) for name, _, value in arguments if not name]
    options = {name: int(value) for name, _, value in arguments if name}
    try:
        return Step(line, *rule(shape, *numbers, **options))
    except TypeError:  # a number is missing, or one too many, or the layer has no such option
        raise ValueError(f"write {written}") from None


# A rule makes of a shape and the numbers on a line: the shape after it, its learned numbers, its
# multiply-adds.


def _conv(shape: Shape, out_channels: int, kernel_size: int, *, stride: int = 1, padding: int = 0) -> tuple[Shape, int, int]:
    size = (out_channels, *conv_output_size(shape[1:], kernel_size, stride, padding))
    cost = conv2d_multiply_adds(shape[1:], shape[0], out_channels, kernel_size, stride=stride, padding=padding)
    return size, conv2d_parameters(shape[0], out_channels, kernel_size), cost


def _pool(shape: Shape, kernel_size: int, *, stride: int | None = None, padding: int = 0) -> tuple[Shape, int, int]:
    size = conv_output_size(shape[1:], kernel_size, kernel_size if stride is None else stride, padding)
    return (shape[0], *size), 0, 0


def _dense(shape: Shape, out_features: int) -> tuple[Shape, int, int]:
    check_count("OUT_FEATURES", out_features)
    return (out_features,), out_features * (shape[0] + 1), out_features * shape[0]


# The layers that `trace_shapes` understands: how each is written, and its rule.
WORDS: dict[str, tuple[str, Callable[..., tuple[Shape, int, int]]]] = {
    "conv": ("conv OUT_CHANNELS KERNEL [stride=S] [padding=P]", _conv),
    "max_pool": ("max_pool KERNEL [stride=S] [padding=P]", _pool),
    "avg_pool": ("avg_pool KERNEL [stride=S] [padding=P]", _pool),
    "global_avg_pool": ("global_avg_pool", lambda shape: (shape[:1], 0, 0)),
    "batch_norm": ("batch_norm", lambda shape: (shape, 2 * shape[0], 0)),
    "relu": ("relu", lambda shape: (shape, 0, 0)),
    "dropout": ("dropout", lambda shape: (shape, 0, 0)),
    "flatten": ("flatten", lambda shape: ((math.prod(shape),), 0, 0)),
    "dense": ("dense OUT_FEATURES", _dense),
}
