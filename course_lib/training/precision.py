"""How a model is computed: compiled or not, in bfloat16 or not.

Arranged once, outside the steps.
"""

import torch
from torch import nn


def prepared(model: nn.Module, device: torch.device, *, bfloat16: bool = False, compile: bool = False) -> nn.Module:
    """The model as a training step calls it: plain, with ``torch.compile``, or in bfloat16.

    Only the forward pass is computed under autocast, as PyTorch advises; the losses take float32
    again.
    """
    forward: nn.Module = torch.compile(model) if compile else model  # type: ignore[assignment]
    return InBfloat16(forward, device) if bfloat16 else forward


class InBfloat16(nn.Module):
    """A model whose forward pass is computed in bfloat16, where PyTorch's autocast allows it."""

    def __init__(self, model: nn.Module, device: torch.device) -> None:
        super().__init__()
        self.model, self.device_type = model, device.type

    def forward(self, *inputs: object) -> object:
        """What the model returns."""
        with torch.autocast(self.device_type, dtype=torch.bfloat16):
            return self.model(*inputs)
