"""The shape of everything, from input to logits, by formula: what a list of layers does to sizes, weights and cost."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from course_lib.convolution import conv2d_multiply_adds, conv2d_parameters, conv_output_size


class Step(NamedTuple):
    """One line of a trace: the layer as it was written, the shape of one image after it, its learned numbers and its cost."""

    layer: str
    shape: tuple[int, ...]  # (C, H, W), or (features,) after flattening
    parameters: int
    multiply_adds: int  # for one image; pooling, activations and biases do not count, as is usual


WORDS = {
    "conv": "conv OUT_CHANNELS KERNEL [stride=S] [padding=P]",
    "max_pool": "max_pool KERNEL [stride=S] [padding=P]",
    "avg_pool": "avg_pool KERNEL [stride=S] [padding=P]",
    "global_avg_pool": "global_avg_pool",
    "batch_norm": "batch_norm",
    "relu": "relu",
    "dropout": "dropout",
    "flatten": "flatten",
    "dense": "dense OUT_FEATURES",
}
"""The layers that `trace_shapes` understands, and how each is written."""


def trace_shapes(layers: str | Iterable[str], input_shape: tuple[int, int, int]) -> list[Step]:
    """Follow one image through a list of layers.

    layers: one layer on each line (or a list of lines), written as in `WORDS`; input_shape: (C, H, W). Returns the input and
    then a `Step` for each layer. Raises ValueError that names the line and the shape that arrived there, where they do not fit.
    """
    lines = layers.splitlines() if isinstance(layers, str) else list(layers)
    steps = [Step("input", tuple(input_shape), 0, 0)]
    for number, line in enumerate((line.strip() for line in lines if line.strip()), 1):
        try:
            steps.append(_step(line, steps[-1].shape))
        except ValueError as error:
            raise ValueError(f"layer {number}, {line!r}, after shape {list(steps[-1].shape)}: {error}") from None
    return steps


def _step(line, shape):
    word, numbers, options = _read(line)
    if word in ("conv", "max_pool", "avg_pool", "global_avg_pool") and len(shape) != 3:
        raise ValueError("it needs an image [C, H, W], and this has been flattened")
    if word == "conv":
        (channels, kernel), stride, padding = numbers, options.get("stride", 1), options.get("padding", 0)
        size = conv_output_size(shape[1:], kernel, stride, padding)
        cost = conv2d_multiply_adds(shape[1:], shape[0], channels, kernel, stride=stride, padding=padding)
        return Step(line, (channels, *size), conv2d_parameters(shape[0], channels, kernel), cost)
    if word in ("max_pool", "avg_pool"):
        (kernel,), padding = numbers, options.get("padding", 0)
        size = conv_output_size(shape[1:], kernel, options.get("stride", kernel), padding)
        return Step(line, (shape[0], *size), 0, 0)
    if word == "global_avg_pool":
        return Step(line, shape[:1], 0, 0)
    if word == "flatten":
        return Step(line, (math.prod(shape),), 0, 0)
    if word == "dense":
        if len(shape) != 1:
            raise ValueError("it needs features in a row: put flatten or global_avg_pool before it")
        return Step(line, (numbers[0],), numbers[0] * (shape[0] + 1), numbers[0] * shape[0])
    return Step(line, shape, 2 * shape[0] if word == "batch_norm" else 0, 0)


def _read(line):
    """A line as (word, positional numbers, options)."""
    word, *rest = line.split()
    if word not in WORDS:
        raise ValueError(f"no layer is called {word!r}: choose from {', '.join(WORDS)}")
    positional = WORDS[word].split("[")[0].split()[1:]
    allowed = [part.split("=")[0] for part in WORDS[word].split("[")[1:]]
    numbers, options = [], {}
    for part in rest:
        name, equals, value = part.rpartition("=")
        if not value.isdigit() or (equals and name not in allowed):
            raise ValueError(f"{part!r} is not understood: write {WORDS[word]}")
        if equals:
            options[name] = int(value)
        else:
            numbers.append(int(value))
    if len(numbers) != len(positional) or 0 in numbers:
        raise ValueError(f"write {WORDS[word]}")
    return word, numbers, options
