"""Checks that the models of this room share: of images, latent vectors and labels, each error with its way out."""

from collections.abc import Sequence

import torch

from course_lib.data.arguments import check_count


def check_widths(widths: Sequence[int], least: int = 1) -> list[int]:
    """Channels or features of the layers as a list of ints, at least `least` of them."""
    if isinstance(widths, int):
        raise TypeError(f"widths is {widths}: it must be a sequence of whole numbers, for example ({widths},)")
    widths = [check_count("a width", width, "a layer needs at least one channel") for width in widths]
    if len(widths) < least:
        raise ValueError(f"widths is {widths}: the network needs at least {least}, for example widths=(32, 64)")
    return widths


def check_classes(classes: int) -> int:
    """Number of classes of a conditional model; 0 for one that takes no labels."""
    return 0 if classes == 0 else check_count("classes", classes, "use 0 for a model without labels")


def check_images(x: torch.Tensor, channels: int, size: int) -> None:
    """Raise for what is no batch of images of the right kind: TypeError for the dtype, ValueError for the shape."""
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}: the model takes floats between 0 and 1; make them with x.float() / 255")
    if x.dim() == 4 and tuple(x.shape[1:]) == (channels, size, size):
        return
    way_out = f"build the model for them, or load them with size={size}"
    if x.dim() == 3:
        way_out = "an image alone becomes a batch with x[None]"
    elif x.dim() == 4 and x.shape[1] != channels:
        way_out = "build the model with their channels, or convert them (grey to colour: x.expand(-1, 3, -1, -1))"
    raise ValueError(f"x has the shape {list(x.shape)}, and this model takes images of {channels} x {size} x {size}: {way_out}")


def check_latent(z: torch.Tensor, latent_size: int) -> None:
    """Raise for what is no batch of latent vectors: TypeError for the dtype, ValueError for the shape."""
    if not z.is_floating_point():
        raise TypeError(f"z is {z.dtype}: it must be floating point, for example model.noise(16)")
    if z.dim() != 2 or z.shape[1] != latent_size:
        way_out = "a vector alone becomes a batch with z[None]" if z.dim() == 1 else "model.noise(N) draws it"
        raise ValueError(f"z has the shape {list(z.shape)}, and this model takes [N, {latent_size}]: {way_out}")


def check_labels(labels: torch.Tensor | None, count: int, classes: int) -> None:
    """Raise ValueError unless there are int64 labels [count] where the model is conditional, and none where it is not.

    That they are classes is checked on the CPU only: to read a number from a GPU is to wait for it, in every step.
    """
    if classes == 0:
        if labels is not None:
            raise ValueError("labels were given to a model without classes: build it with classes=10, or leave them out")
        return
    if labels is None:
        raise ValueError(f"this model has {classes} classes: give it labels, int64 [{count}], one for each image")
    if labels.dtype != torch.int64 or labels.shape != (count,):
        raise ValueError(f"labels must be int64 [{count}], got {labels.dtype} of shape {list(labels.shape)}")
    if labels.device.type == "cpu" and count and (labels.min() < 0 or labels.max() >= classes):
        bad = labels[(labels < 0) | (labels >= classes)][0].item()
        raise ValueError(f"a label is {bad}, outside the classes 0 to {classes - 1}")
