"""Evaluation mode for a while, and evaluation mode afterwards."""

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside ``with evaluation_mode(model):``, after which every part of the model is in the mode that it had."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


@contextlib.contextmanager
def evaluation_afterwards(*models: nn.Module) -> Iterator[None]:
    """Evaluation mode after ``with evaluation_afterwards(model):``, also where the training inside ends in an error."""
    try:
        yield
    finally:
        for model in models:
            model.eval()
