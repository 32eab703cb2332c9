"""The settings of a training loop, checked at the door, before the first step: all loops alike."""

import math

from torch import nn

from course_lib.data import Batches
from course_lib.runtime.checks import check_choice, check_count, check_number
from course_lib.training.devices import World
from course_lib.training.schedules import SCHEDULES

COUNTS = ("epochs", "steps", "batch_size", "discriminator_steps", "watch_every")
NUMBERS = ("lr", "generator_lr", "discriminator_lr", "weight_decay", "beta", "free_bits")  # at least 0
SHARES = ("momentum", "label_smoothing", "average_decay")  # at least 0 and below 1


def check_settings(**settings: object) -> dict:
    """The settings as a run records them, if each is in its range.

    A ValueError or TypeError names the one that is not. Names that are not known here are recorded
    as they are.
    """
    for name, value in settings.items():
        if name in COUNTS:
            settings[name] = check_count(name, value)
        elif name in NUMBERS or name in SHARES:
            settings[name] = check_number(name, value, math.inf if name in NUMBERS else 1)  # type: ignore[arg-type]
        elif name == "betas":
            if not isinstance(value, (tuple, list)) or len(value) != 2:
                raise ValueError(f"betas is {value!r}: Adam takes two numbers, for example (0.9, 0.999)")
            settings[name] = [check_number("one of betas", beta, below=1) for beta in value]
        elif name == "schedule":
            check_choice(name, value, SCHEDULES)
        elif name == "kl_warm_up" and not 0 <= value <= 1:  # type: ignore[operator]
            raise ValueError(f"kl_warm_up is {value}: it is a share of the steps, between 0 and 1")
    return settings


def check_last_batch(batches: Batches, model: nn.Module) -> None:
    """Raise ValueError where a batch is too small: for one image in each process, or where the model
    normalises over the batch, and does so in each process alone, for two.
    """
    count, batch_size, world = len(batches.images), batches.batch_size, World()
    smallest = batch_size if batches.drop_last else count % batch_size or batch_size
    world.share(range(smallest))
    if smallest // world.size == 1 and any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in model.modules()):
        way_out = "batch normalisation needs at least two: give Batches drop_last=True, or another batch_size"
        where = f" for a process of {world.size}" if world.size > 1 else ""
        raise ValueError(f"the last batch of {count} images in batches of {batch_size} has one{where}: {way_out}")
