"""The residual block."""

import torch
import torch.nn.functional as F
from torch import nn


class ResidualBlock(nn.Module):
    """relu(x + f(x)), with f two 3 x 3 convolutions with batch normalisation.

    [N, in_channels, H, W] -> [N, out_channels, H/stride, W/stride], rounded up. Where the shape
    changes, x goes through a 1 x 1 convolution instead. skip=False leaves x out: relu(f(x)).

    Source: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition (2016), figure 2.
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1, skip: bool = True) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(),
            nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(out_channels),
        )
        self.skip: nn.Module | None = None
        if skip and stride == 1 and in_channels == out_channels:
            self.skip = nn.Identity()
        elif skip:
            convolution = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.skip = nn.Sequential(convolution, nn.BatchNorm2d(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> relu(x + f(x))."""
        y = self.residual(x)
        return F.relu(y if self.skip is None else y + self.skip(x))
