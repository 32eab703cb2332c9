"""Checks that the rooms share. Each error names the value, the limit and the way out."""

import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from course_lib.data.batches import Batches


def check_count(name: str, value: object, why: str, least: int = 1) -> int:
    """`value` as an int, if it is a whole number of at least `least`; `why` ends the sentence that says that it is too small.

    Raises a TypeError for anything but an integer (also for True and False), a ValueError below `least`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: it must be a whole number, at least {least}") from None
    if value < least:
        raise ValueError(f"{name} is {value}: {why}")
    return value


def check_number(name: str, value: float, below: float = math.inf) -> float:
    """`value` as a float, if it is at least 0 and below the limit; ValueError otherwise, also for NaN."""
    value = float(value)
    if not 0 <= value < below:
        limit = "finite" if below == math.inf else f"below {below}"
        raise ValueError(f"{name} is {value}: it must be at least 0 and {limit}")
    return value


def check_generator(name: str, generator: torch.Generator | None, what: str) -> torch.Generator:
    """The generator, or a new one with seed 0 for None. TypeError for anything else, ValueError for one that is not on the CPU.

    what: that it draws, for the error.
    """
    if generator is None:
        return torch.Generator("cpu").manual_seed(0)
    if not isinstance(generator, torch.Generator):
        way_out = "torch.Generator().manual_seed(0) makes one"
        raise TypeError(f"{name} must be a torch.Generator on the CPU, got {type(generator).__name__}: {way_out}")
    if generator.device.type != "cpu":
        raise ValueError(f"{name} is on {generator.device}: {what} is drawn on the CPU, so that it is the same everywhere")
    return generator


def check_widths(widths: Sequence[int], least: int = 1) -> list[int]:
    """Channels or features of the layers of a network as a list of ints, at least `least` of them."""
    if isinstance(widths, int):
        raise TypeError(f"widths is {widths}: it must be a sequence of whole numbers, for example ({widths},)")
    widths = [check_count("a width", width, "a layer needs at least one channel") for width in widths]
    if len(widths) < least:
        raise ValueError(f"widths is {widths}: the network needs at least {least}, for example widths=(32, 64)")
    return widths


def check_images(x: torch.Tensor, channels: int, size: int, model: str = "model") -> None:
    """Raise for what is no batch of images of the right kind: TypeError for the dtype, ValueError for the shape.

    model: what the error calls the one who takes them.
    """
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}: the {model} takes floating-point images; x.float() / 255 makes them, between 0 and 1")
    if x.dim() == 4 and tuple(x.shape[1:]) == (channels, size, size):
        return
    way_out = f"build the {model} for them, or load them with size={size}"
    if x.dim() == 3:
        way_out = "an image alone becomes a batch with x[None]"
    elif x.dim() == 4 and x.shape[1] != channels:
        way_out = f"build the {model} with their channels, or convert them (grey to colour: x.expand(-1, 3, -1, -1))"
    raise ValueError(f"x has the shape {list(x.shape)}, and this {model} takes images of {channels} x {size} x {size}: {way_out}")


def check_range(x: torch.Tensor) -> None:
    """Raise ValueError for images with values outside [0, 1]. On the CPU only: to read a number from a GPU is to wait for it."""
    if x.device.type != "cpu" or x.numel() == 0:
        return
    low, high = torch.aminmax(x.detach())
    if not (low >= 0 and high <= 1):
        way_out = "images of 0 to 255 become so with x.float() / 255"
        raise ValueError(f"x lies between {low.item():.3g} and {high.item():.3g}: its values must lie in [0, 1]; {way_out}")


def check_latent(z: torch.Tensor, latent_size: int, model: str = "model") -> torch.Tensor:
    """Latent vectors as [N, Z], from [N, Z] or from [N, Z, 1, 1], images of one pixel, as DCGAN has them.

    Raises for what is no batch of them: TypeError for the dtype, ValueError for the shape.
    """
    if not z.is_floating_point():
        raise TypeError(f"z is {z.dtype}: it must be floating point, for example {model}.noise(16)")
    if z.dim() < 2 or z.shape[1] != latent_size or tuple(z.shape[2:]) not in ((), (1, 1)):
        way_out = "a vector alone becomes a batch with z[None]" if z.dim() == 1 else f"{model}.noise(N) draws it"
        raise ValueError(f"z has the shape {list(z.shape)}, and this {model} takes [N, {latent_size}]: {way_out}")
    return z.flatten(1)


def check_labels(labels: torch.Tensor, count: int, classes: int | None = None) -> None:
    """Raise for labels that are not int64 (TypeError), not [count], or, where `classes` is given, outside 0 to classes - 1."""
    if labels.dtype != torch.int64:
        raise TypeError(f"labels must be int64, got {labels.dtype}: convert them with .long()")
    if labels.shape != (count,):
        raise ValueError(f"labels must have the shape [{count}], one for each image, got {list(labels.shape)}")
    if classes is None:
        return
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        way_out = "use more classes, or correct the label"
        raise ValueError(f"a label is {labels[outside][0].item()}, outside the classes 0 to {classes - 1}: {way_out}")


def check_condition(labels: torch.Tensor | None, count: int, classes: int) -> None:
    """The labels that a network gets beside its input: as in `check_labels` where it is conditional, None where classes is 0.

    That they are classes is checked on the CPU only: to read a number from a GPU is to wait for it, in every step.
    """
    if classes == 0:
        if labels is not None:
            raise ValueError("labels were given to a network without classes: build it with classes=10, or leave them out")
        return
    if labels is None:
        raise ValueError(f"this network has {classes} classes: give it labels, int64 [{count}], one for each image")
    check_labels(labels, count, classes if labels.device.type == "cpu" else None)


def check_last_batch(batches: "Batches", model: nn.Module) -> None:
    """Raise ValueError where the last batch of a pass, or each, has one image and the model normalises over the batch."""
    count, batch_size = len(batches.images), batches.batch_size
    if batch_size == 1 and any(isinstance(part, nn.BatchNorm1d) for part in model.modules()):  # others average over places too
        raise ValueError("batch_size is 1: batch normalisation of a dense layer needs at least two images; use larger batches")
    alone = count % batch_size == 1 and not batches.drop_last
    if alone and any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules()):
        way_out = "batch normalisation needs at least two: give Batches drop_last=True, or another batch_size"
        raise ValueError(f"the last batch of {count} images in batches of {batch_size} has one: {way_out}")
