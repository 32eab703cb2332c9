"""The loss along a straight line between two sets of weights.

It is the one cut through the landscape that can be drawn exactly.
"""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import nn

from course_lib.layers import cross_entropy


@torch.no_grad()
def loss_along_line(
    model: nn.Module,
    start: Mapping[str, torch.Tensor],
    end: Mapping[str, torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    positions: Sequence[float],
) -> list[float]:
    """Loss at the weights (1 - t) start + t end, for each t in `positions`.

    Batch normalisation takes its statistics from x itself, as in training: running averages belong
    to one set of weights, and those in between never had any. The model is not changed. Source:
    Goodfellow, Vinyals and Saxe, Qualitatively characterizing neural network optimization problems
    (2015).

    Args:
        model: its structure.
        start: state by name, as from ``model.state_dict()``; clone it, since training changes it in
            place.
        end: likewise.
        x: images [N, C, H, W], one batch.
        y: their classes, int64 [N].
        positions: values of t: 0 is the start, 1 the end; outside them the line goes on.
    """
    probe = copy.deepcopy(model).eval()  # nothing random: dropout is off
    for part in probe.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.train()
    losses = []
    for t in positions:
        # Counters (integers) have no place in between; nothing depends on them.
        state = {name: torch.lerp(start[name], b, t) if b.is_floating_point() else b for name, b in end.items()}
        probe.load_state_dict(state)
        losses.append(cross_entropy(probe(x), y).item())
    return losses
