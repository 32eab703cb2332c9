"""Encoders and decoders: images to features by halving their side, and back by doubling it.

Labels, where a network has `classes`, add a learned vector of their class to the features of the
first dense layer, before the ReLU.
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.blocks import doubling, halved_sides
from course_lib.runtime.checks import check_count, check_widths


def halving_layers(channels: int, widths: Sequence[int]) -> list[nn.Module]:
    """For each width a 3 x 3 convolution with stride 2, batch normalisation and ReLU."""
    layers: list[nn.Module] = []
    for before, after in itertools.pairwise([channels, *widths]):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return layers


def doubling_layers(channels: int, size: int, widths: Sequence[int]) -> list[nn.Module]:
    """The way back of `halving_layers`: from its smallest image to [N, channels, size, size].

    For each width batch normalisation, ReLU and a transposed convolution that doubles the side. The
    last one has no activation after it: it returns logits or means.
    """
    layers: list[nn.Module] = []
    sides = halved_sides(size, len(widths))
    for before, after, side in zip(widths[::-1], [*widths[-2::-1], channels], sides[-2::-1], strict=True):
        layers += [nn.BatchNorm2d(before), nn.ReLU(), *doubling(before, after, side)]
    return layers


class ConvEncoder(nn.Module):
    """Images [N, channels, size, size] -> features [N, hidden].

    `halving_layers`, a normalised dense layer, and ReLU.
    """

    def __init__(self, channels: int, size: int, *, widths: Sequence[int], hidden: int, classes: int = 0) -> None:
        super().__init__()
        widths = check_widths(widths)
        side = halved_sides(check_count("size", size), len(widths))[-1]
        self.body = nn.Sequential(*halving_layers(check_count("channels", channels), widths), nn.Flatten())
        features = nn.Linear(widths[-1] * side * side, check_count("hidden", hidden), bias=False)
        self.dense = nn.Sequential(features, nn.BatchNorm1d(hidden))
        self.embedding = nn.Embedding(check_count("classes", classes, least=0), hidden) if classes else None

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """x [N, channels, size, size] -> [N, hidden]."""
        x = self.dense(self.body(x))
        return F.relu(x if self.embedding is None else x + self.embedding(labels))


class ConvDecoder(nn.Module):
    """Latents [N, Z] -> one number for each pixel, [N, channels, size, size].

    Exactly as many as the encoder takes. Two dense layers to the smallest image, and from there
    `doubling_layers`.
    """

    def __init__(
        self, channels: int, size: int, latent_size: int, *, widths: Sequence[int], hidden: int, classes: int = 0
    ) -> None:
        super().__init__()
        self.side = halved_sides(size, len(widths))[-1]
        self.dense = nn.Sequential(nn.Linear(latent_size, hidden, bias=False), nn.BatchNorm1d(hidden))
        self.embedding = nn.Embedding(classes, hidden) if classes else None
        self.project = nn.Linear(hidden, widths[-1] * self.side * self.side)
        self.body = nn.Sequential(*doubling_layers(channels, size, widths))

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> [N, channels, size, size]."""
        x = self.dense(z)
        x = self.project(F.relu(x if self.embedding is None else x + self.embedding(labels)))
        # Made in the layout [N, H, W, C], which the convolutions above prefer, so that nothing has
        # to be moved in memory.
        return self.body(x.view(len(z), self.side, self.side, -1).permute(0, 3, 1, 2))


class DenseEncoder(nn.Module):
    """Anything [N, ...] -> features [N, widths[-1]]: dense layers with ReLU."""

    def __init__(self, inputs: int, *, widths: Sequence[int], classes: int = 0) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, widths[0])
        self.embedding = nn.Embedding(classes, widths[0]) if classes else None
        layers: list[nn.Module] = [nn.ReLU()]
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.body = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """x [N, ...] -> [N, widths[-1]]."""
        x = self.first(x.flatten(1))
        return self.body(x if self.embedding is None else x + self.embedding(labels))


class DenseDecoder(nn.Module):
    """Latents [N, Z] -> [N, channels, size, size]: dense layers with ReLU, and one without."""

    def __init__(self, channels: int, size: int, latent_size: int, *, widths: Sequence[int], classes: int = 0) -> None:
        super().__init__()
        self.features = DenseEncoder(latent_size, widths=widths, classes=classes)
        self.last = nn.Linear(widths[-1], channels * size * size)
        self.image = nn.Unflatten(1, (channels, size, size))

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> [N, channels, size, size]."""
        return self.image(self.last(self.features(z, labels)))
