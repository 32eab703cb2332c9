"""The pictures of runs on real images: how they went, their surest mistakes, what the first layer learned.

Each function returns a figure, 8 inches wide, and its alternative text.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import nn

from course_lib.classification.figures.judging import confusion
from course_lib.classification.figures.judging_confidence import reliability
from course_lib.classification.models import Classifier
from course_lib.data import ImageSet
from course_lib.metrics import Calibration
from course_lib.training import Run
from course_lib.viz import COLOURS, course_style, draw_image, new_figure

Picture = tuple[Figure, str]


@course_style
def seed_curves(runs: Sequence[Run]) -> Picture:
    """Loss and accuracy by epoch of runs that differ in their seed, with validation."""
    figure, axes = new_figure(1, 2, size=(8, 3))
    epochs = [epoch["epoch"] for epoch in runs[0].epochs]
    kinds = {"": ("training, as it went", COLOURS["blue"], "o-"), "validation_": ("validation", COLOURS["vermilion"], "s--")}
    for axis, quantity in zip(axes[0], ("loss", "accuracy"), strict=True):
        for prefix, (label, colour, form) in kinds.items():
            for number, run in enumerate(runs):
                values = [epoch[prefix + quantity] for epoch in run.epochs]
                style: dict[str, Any] = {"color": colour, "alpha": 0.75, "linewidth": 1.3, "markersize": 3.5}
                axis.plot(epochs, values, form, label="" if number else label, **style)
        axis.set(xlabel="epoch", xticks=epochs)
        axis.grid(color="0.92")
    axes[0, 0].set(ylabel="loss in nats", ylim=(0, None))
    axes[0, 1].set(ylabel="share right (accuracy)")
    axes[0, 0].legend(fontsize=9)
    figure.suptitle(f"one line for each of {len(runs)} seeds", fontsize=10)
    first, last = ([run.epochs[place]["validation_accuracy"] for run in runs] for place in (0, -1))
    alt = (
        f"Loss and accuracy by epoch, for {len(runs)} seeds. "
        f"Of the validation images {_span(first)} are right after epoch 1, and {_span(last)} after epoch {epochs[-1]}."
    )
    return figure, alt


@course_style
def wide_confusion(matrix: torch.Tensor, classes: Sequence[str]) -> Picture:
    """A confusion matrix [K, K] as wide as the page, so that the names of the classes lie flat."""
    figure, alt = confusion(matrix, classes)
    figure.set_size_inches(8, 0.9 + 0.34 * len(classes))
    axis = figure.axes[0]
    axis.set_aspect("auto")
    axis.tick_params(axis="both", labelsize=9)
    for label in axis.get_xticklabels():
        label.set(rotation=0, ha="center")
    return figure, f"{alt} {int(matrix.trace()):,} of {int(matrix.sum()):,} images lie on the diagonal."


@course_style
def wide_reliability(results: Mapping[str, Calibration]) -> Picture:
    """Reliability diagrams by title, together as wide as the page."""
    figure, alt = reliability(results)
    figure.set_size_inches(8, 3.9)
    return figure, alt


@course_style
def surest_mistakes(images: ImageSet, probabilities: torch.Tensor, columns: int = 6) -> Picture:
    """Images that were not recognised, each with its class, the class it was taken for, and how surely.

    probabilities: [N, K], of the N images.
    """
    rows = -(-len(images) // columns)
    figure, axes = new_figure(rows, columns, size=(8, 1.92 * rows))
    for axis in axes.flat:
        axis.set_visible(False)
    confidence, taken = probabilities.max(dim=1)
    said = []
    for n, axis in enumerate(axes.flat[: len(images)]):
        axis.set_visible(True)
        true, wrong = (images.classes[int(label)] for label in (images.labels[n], taken[n]))
        draw_image(axis, images.images[n], f"is {true}\ntaken for {wrong}\n{percent(confidence[n].item())} sure")
        axis.title.set_fontsize(8.5)
        said.append(f"{true} taken for {wrong}")
    alt = (
        f"The {len(images)} mistakes of which the network is surest, {percent(confidence.min().item())} or more: "
        f"{', '.join(said)}."
    )
    return figure, alt


@course_style
def filters_and_maps(model: Classifier, image: torch.Tensor, name: str, most: int = 12) -> Picture:
    """The kernels of the first convolution, and what they make of one image [C, H, W] in [0, 1].

    Each kernel is drawn on a scale of its own: those of one channel by sign, those of three as
    colours around a grey that is zero. A feature map is what the next layer sees, after
    normalisation and ReLU; the `most` maps that vary most are drawn.
    """
    kernels = next(module for module in model.modules() if isinstance(module, nn.Conv2d)).weight.detach().cpu()
    maps = _first_maps(model, image)
    chosen = sorted(maps.flatten(1).std(dim=1).argsort(descending=True)[:most].tolist())
    per_row, map_columns = min(16, len(kernels)), -(-len(chosen) // 2)
    kernel_rows = -(-len(kernels) // per_row)
    heights = [0.7 * kernel_rows + 0.3, 2.9]
    figure = Figure(figsize=(8, sum(heights)), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)[:, 0]
    scale = "grey: zero" if kernels.shape[1] == 3 else "orange: positive, purple: negative"
    upper.suptitle(f"the {len(kernels)} kernels of the first convolution ({scale})", fontsize=10)
    for number, axis in enumerate(upper.subplots(kernel_rows, per_row, squeeze=False).flat):
        axis.set_visible(number < len(kernels))
        if number < len(kernels):
            _draw_kernel(axis, kernels[number], str(number + 1))
    left, right = lower.subfigures(1, 2, squeeze=False, width_ratios=[1, 0.55 * map_columns])[0]
    left.suptitle(f"an image: {name}", fontsize=10, parse_math=False)
    right.suptitle(f"{len(chosen)} of its feature maps, by kernel (black: zero)", fontsize=10)
    draw_image(left.subplots(), image)
    for number, axis in enumerate(right.subplots(2, map_columns, squeeze=False).flat):
        axis.set_visible(number < len(chosen))
        if number < len(chosen):
            seen = maps[chosen[number]]
            draw_image(axis, seen, str(chosen[number] + 1), limits=(0, max(seen.max().item(), 1e-6)))
            axis.title.set_fontsize(9)
    shape = " x ".join(map(str, kernels.shape[1:]))
    alt = (
        f"Above, the {len(kernels)} kernels of the first convolution, each of {shape} numbers. "
        f"Below, an image of class {name} and what {len(chosen)} of the kernels make of it: "
        f"feature maps of {maps.shape[1]} x {maps.shape[2]}, black where the response is zero."
    )
    return figure, alt


def percent(share: float, up: bool = False) -> str:
    """A share with one decimal, rounded down, or up: what is said of "at least" and "at most" is true."""
    return f"{(math.ceil(share * 1000 - 1e-6) if up else math.floor(share * 1000 + 1e-6)) / 10:.1f} %"


def _span(shares: Sequence[float]) -> str:
    return f"{percent(min(shares))} to {percent(max(shares), up=True)}"


@torch.no_grad()
def _first_maps(model: Classifier, image: torch.Tensor) -> torch.Tensor:
    """What the network has made of an image after its first ReLU, [K, H, W]."""
    x = (image[None].to(model.mean) - model.mean) / model.std
    assert isinstance(model.body, nn.Sequential)
    for layer in model.body:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            break
    return x[0].cpu()


def _draw_kernel(axis: Axes, kernel: torch.Tensor, title: str) -> None:
    largest = kernel.abs().max().clamp(min=1e-12)
    if len(kernel) == 3:
        draw_image(axis, 0.5 + 0.5 * kernel / largest, title)
    else:
        draw_image(axis, kernel[:1], title, signed=True)
    axis.title.set_fontsize(9)
