"""Where chance starts."""

import operator
import random

import numpy as np
import torch


def seed_everything(seed: int) -> torch.Generator:
    """Seeds the global generators of Python, NumPy and PyTorch (CPU and every GPU).

    Args:
        seed: a whole number from 0 to 2^32 - 1, the range that all three accept.

    Returns:
        A new generator on the CPU, seeded with `seed`. Pass it on as `rng` to whatever draws random
        numbers: code that takes one does not depend on how many numbers other code has drawn, and
        draws the same for a model on the CPU and on a GPU.

    Raises:
        ValueError: `seed` lies outside that range.
        TypeError: `seed` is no whole number.
    """
    seed = operator.index(seed)
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}: choose a whole number from 0 to {2**32 - 1}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  (the global state is the one that code without a generator uses)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
