"""Generators that come with the package, so that the explorers start from one that draws well: `load_generator`."""

from importlib import resources
from typing import NamedTuple

import torch

from course_lib.data.trained import load_packaged
from course_lib.gan.models import Generator
from course_lib.runtime import load_weights, pick_device


class Pretrained(NamedTuple):
    """What `load_generator` returns: a conditional generator, the names of its classes, and what was measured of it."""

    generator: Generator
    classes: list[str]
    metrics: dict


def load_generator(name: str, *, device: torch.device | str | None = None) -> Pretrained:
    """The generator of "glyphs" or "mnist" that was trained for longer than a notebook has; `make generators` trains it again.

    It is conditional: it takes z and a label. It is in evaluation mode, and its weights do not change. Its metrics are
    "frechet_distance" (10,000 samples against the test set, in the features of the set's judge), "right" (the share of them in
    which the judge saw the digit that was asked for), "variety" (the standard deviation of a pixel within a class, divided by
    that of the test images: 0 if every digit is always the same), "steps" and "seconds".

    device: `pick_device()` by default. Raises ValueError for a set without one.
    """
    device = pick_device() if device is None else torch.device(device)
    folder = resources.files("course_lib.gan").joinpath("generators")
    checkpoint = load_packaged(folder, name)
    if checkpoint is None:
        names = ", ".join(sorted(path.name.removesuffix(".safetensors") for path in folder.iterdir()))
        raise ValueError(f"there is no generator for {name!r}: the package has {names}; fit_gan trains one for any set")
    generator = Generator(**checkpoint.config["model"])
    load_weights(generator, checkpoint.weights, f"the generator of {name}")
    generator.eval().requires_grad_(False).to(device, memory_format=torch.channels_last)
    return Pretrained(generator, checkpoint.config["classes"], checkpoint.metrics)
