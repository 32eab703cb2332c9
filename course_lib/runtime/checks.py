"""Checks of arguments at the public door: errors name the value, the limit and the way out."""

import math
import operator
from collections.abc import Sequence

import torch


def check_count(name: str, value: object, why: str = "", least: int = 1) -> int:
    """`value` as an int, if it is a whole number of at least `least`.

    why: what the error says about a smaller one. Raises TypeError for anything but an integer (True
    and False are none), ValueError below `least`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        count = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} is {value!r}: it must be a whole number, at least {least}") from None
    if count < least:
        raise ValueError(f"{name} is {count}: {why or f'it must be at least {least}'}")
    return count


def check_number(name: str, value: float, below: float = math.inf) -> float:
    """`value` as a float. ValueError if it is below 0, not below the limit, or NaN."""
    value = float(value)
    if not 0 <= value < below:
        limit = "finite" if below == math.inf else f"below {below}"
        raise ValueError(f"{name} is {value}: it must be at least 0 and {limit}")
    return value


def check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    """Raise ValueError unless `value` is one of the choices."""
    if value not in choices:
        raise ValueError(f"{name} is {value!r}: choose from {', '.join(choices)}")


def check_rng(rng: torch.Generator | None, name: str = "rng") -> torch.Generator:
    """The generator of random numbers, or a new one with seed 0 for None.

    TypeError unless it is on the CPU: so the numbers are the same for a model on every device.
    """
    if rng is None:
        return torch.Generator("cpu").manual_seed(0)
    if not isinstance(rng, torch.Generator) or rng.device.type != "cpu":
        raise TypeError(f"{name} is {rng!r}: it must be on the CPU, as torch.Generator().manual_seed(0) is")
    return rng


def check_widths(widths: Sequence[int], least: int = 1) -> list[int]:
    """Channels or features of a network's layers as a list of ints, at least `least` of them."""
    if isinstance(widths, int):
        raise TypeError(f"widths is {widths}: it must be a sequence of whole numbers, for example ({widths},)")
    widths = [check_count("a width", width, "a layer needs at least one channel") for width in widths]
    if len(widths) < least:
        raise ValueError(f"widths is {widths}: the network needs at least {least}, for example widths=(32, 64)")
    return widths


def check_images(x: torch.Tensor, channels: int, size: int, model: str = "model") -> None:
    """Raise unless x is a floating-point (TypeError) batch [N, channels, size, size] (ValueError).

    It reads no pixel. model: what the error calls the model that takes the images.
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
    """Raise ValueError for images with values outside [0, 1] or NaN.

    It reads all values: never in a step.
    """
    low, high = torch.aminmax(x.detach()) if x.numel() else (x.new_zeros(()), x.new_ones(()))
    if not (low >= 0 and high <= 1):
        way_out = "images of 0 to 255 become so with x.float() / 255"
        raise ValueError(f"x lies between {low.item():.3g} and {high.item():.3g}: its values must lie in [0, 1]; {way_out}")


def check_latent(z: torch.Tensor, latent_size: int, model: str = "model") -> None:
    """Raise ValueError for what is no batch of latent vectors, [N, latent_size]."""
    if z.dim() != 2 or z.shape[1] != latent_size:
        way_out = "a vector alone becomes a batch with z[None]" if z.dim() == 1 else f"{model}.noise(N) draws it"
        raise ValueError(f"z has the shape {list(z.shape)}, and this {model} takes [N, {latent_size}]: {way_out}")


def check_labels(labels: torch.Tensor, count: int, classes: int | None = None) -> None:
    """Raise unless labels are int64 (TypeError), [count], and from 0 to classes - 1 (ValueError).

    Without `classes` it does not read them; with `classes` it does: never in a step.
    """
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
    """Raise unless a network with classes gets int64 labels [count], and one without gets None.

    It reads no label.
    """
    if classes == 0 and labels is not None:
        raise ValueError("labels were given to a network without classes: build it with classes=10, or leave them out")
    if classes and labels is None:
        raise ValueError(f"this network has {classes} classes: give it labels, int64 [{count}], one for each image")
    if labels is not None:
        check_labels(labels, count)
