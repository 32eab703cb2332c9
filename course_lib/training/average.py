"""The moving average of a model's weights."""

import torch
from torch import nn


@torch.no_grad()
def ema_update(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average towards the model, in place, by the share 1 - decay; buffers are copied.

    average: a copy of the model, as `copy.deepcopy` makes it. Source: Yazici et al., The Unusual
    Effectiveness of Averaging in GAN Training (2019).
    """
    for weight, new in zip(average.parameters(), model.parameters(), strict=True):
        weight.lerp_(new, 1 - decay)
    for buffer, value in zip(average.buffers(), model.buffers(), strict=True):
        buffer.copy_(value)
