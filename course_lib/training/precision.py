"""How a model is computed: compiled or not, in bfloat16 or not.

Arranged once, outside the steps.
"""

from collections.abc import Callable

import torch
from torch import nn


def prepared(model: nn.Module, device: torch.device, *, bfloat16: bool = False, compile: bool = False) -> Callable:
    """The model as a training step calls it: plain, with ``torch.compile``, or in bfloat16.

    Only the forward pass is computed under autocast, as PyTorch advises; the losses take float32
    again.
    """
    forward = torch.compile(model) if compile else model
    if not bfloat16:
        return forward

    def in_bfloat16(*inputs: object) -> object:
        with torch.autocast(device.type, dtype=torch.bfloat16):
            return forward(*inputs)

    return in_bfloat16
