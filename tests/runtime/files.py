"""What the tests of checkpoints share: a small network, and whether two values agree."""

import torch
from torch import nn


def network():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def same(left, right):
    """Whether two values agree: bit by bit, in type, and for tensors in their strides."""
    if isinstance(left, torch.Tensor):
        equal = isinstance(right, torch.Tensor) and left.dtype == right.dtype and torch.equal(left, right)
        return equal and left.stride() == right.stride()
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right
