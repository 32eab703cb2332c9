"""Encoder and decoder networks: images to features by halving their side, latent vectors to images by doubling it."""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.convolution import conv_output_size


def sides_of(size: int, count: int) -> list[int]:
    """The sides of the images between `count` halvings, from the image inwards: each half of the one before, rounded up.

    Raises ValueError where a halving would find a single pixel.
    """
    sides = [size]
    for number in range(1, count + 1):
        if sides[-1] == 1:
            raise ValueError(
                f"size is {size}: halving number {number} of {count} would find one pixel; use larger images or fewer widths"
            )
        sides.append(conv_output_size(sides[-1], 3, stride=2, padding=1))
    return sides


class Residual(nn.Module):
    """x + f(x), with f two 3 x 3 convolutions, each after batch normalisation and ReLU: [N, C, H, W] of one shape throughout.

    Source: He, Zhang, Ren and Sun, Identity Mappings in Deep Residual Networks (2016), figure 1b.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers = []
        for _ in range(2):
            layers += [nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
        self.residual = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> x + f(x)."""
        return x + self.residual(x)


def halving_layers(channels: int, widths: Sequence[int], blocks: int, batch_norm: bool) -> list[nn.Module]:
    """For each width a 3 x 3 convolution with stride 2, `blocks` residual blocks, batch normalisation and ReLU."""
    layers = []
    for before, after in itertools.pairwise([channels, *widths]):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=not batch_norm)]
        layers += [Residual(after) for _ in range(blocks)]
        layers += [nn.BatchNorm2d(after)] if batch_norm else []
        layers += [nn.ReLU()]
    return layers


def doubling_layers(size: int, channels: int, widths: Sequence[int], blocks: int, batch_norm: bool) -> list[nn.Module]:
    """The way back of `halving_layers`, from its smallest image with widths[-1] channels to [N, channels, size, size].

    For each width `blocks` residual blocks, batch normalisation, ReLU and a transposed convolution, 4 x 4 with stride 2, that
    doubles the side; where the halving rounded up, padding and output_padding leave out the row and the column too many.
    """
    layers, sides = [], sides_of(size, len(widths))
    for before, after, side in zip(widths[::-1], [*widths[-2::-1], channels], sides[-2::-1], strict=True):
        layers += [Residual(before) for _ in range(blocks)]
        layers += [nn.BatchNorm2d(before)] if batch_norm else []
        odd = side % 2  # (n - 1) 2 - 2 padding + 4 + output_padding: 2 n with padding 1, 2 n - 1 with padding 2 and a row added
        layers += [nn.ReLU(), nn.ConvTranspose2d(before, after, 4, stride=2, padding=1 + odd, output_padding=odd)]
    return layers


class ConvEncoder(nn.Module):
    """Images [N, channels, size, size] -> features [N, hidden]: `halving_layers`, then a dense layer, normalised too, and ReLU.

    labels add a learned vector of their class to the dense layer's features, before their ReLU.
    """

    def __init__(
        self, size: int, channels: int, widths: Sequence[int], hidden: int, blocks: int, batch_norm: bool, classes: int
    ) -> None:
        super().__init__()
        side = sides_of(size, len(widths))[-1]
        self.body = nn.Sequential(*halving_layers(channels, widths, blocks, batch_norm), nn.Flatten())
        self.dense = _dense(widths[-1] * side * side, hidden, batch_norm)
        self.embedding = nn.Embedding(classes, hidden) if classes else None

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """x [N, channels, size, size] -> [N, hidden]."""
        x = self.dense(self.body(x))
        return F.relu(x if self.embedding is None else x + self.embedding(labels))


class ConvDecoder(nn.Module):
    """Latent vectors [N, Z] -> one number for each pixel and channel, [N, channels, size, size], exactly the encoder's size.

    Two dense layers to the smallest image, and from there `doubling_layers`. The last one has no activation: it returns logits or
    means.

    labels add a learned vector of their class to the first dense layer's features, before their ReLU.
    """

    def __init__(
        self,
        latent_size: int,
        size: int,
        channels: int,
        widths: Sequence[int],
        hidden: int,
        blocks: int,
        batch_norm: bool,
        classes: int,
    ) -> None:
        super().__init__()
        self.side, self.width = sides_of(size, len(widths))[-1], widths[-1]
        self.dense = _dense(latent_size, hidden, batch_norm)
        self.embedding = nn.Embedding(classes, hidden) if classes else None
        self.project = nn.Linear(hidden, self.width * self.side * self.side)
        self.body = nn.Sequential(*doubling_layers(size, channels, widths, blocks, batch_norm))

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> [N, channels, size, size]."""
        x = self.dense(z)
        x = self.project(F.relu(x if self.embedding is None else x + self.embedding(labels)))
        # Made in the layout [N, H, W, C], which the convolutions above prefer, so that nothing has to be moved in memory.
        return self.body(x.view(len(z), self.side, self.side, self.width).permute(0, 3, 1, 2))


class DenseEncoder(nn.Module):
    """Images [N, channels, size, size] -> features [N, widths[-1]]: dense layers with ReLU. labels as in `ConvEncoder`."""

    def __init__(self, size: int, channels: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        self.first = nn.Linear(channels * size * size, widths[0])
        self.embedding = nn.Embedding(classes, widths[0]) if classes else None
        self.body = _dense_layers(widths)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """x [N, channels, size, size] -> [N, widths[-1]]."""
        x = self.first(x.flatten(1))
        return self.body(x if self.embedding is None else x + self.embedding(labels))


class DenseDecoder(nn.Module):
    """Latent vectors [N, Z] -> [N, channels, size, size]: the same layers backwards. labels as in `ConvDecoder`."""

    def __init__(self, latent_size: int, size: int, channels: int, widths: Sequence[int], classes: int) -> None:
        super().__init__()
        widths = [*reversed(widths)]
        self.first = nn.Linear(latent_size, widths[0])
        self.embedding = nn.Embedding(classes, widths[0]) if classes else None
        self.body = _dense_layers(widths)
        self.last = nn.Linear(widths[-1], channels * size * size)
        self.shape = (channels, size, size)

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] -> [N, channels, size, size]."""
        x = self.first(z)
        x = self.last(self.body(x if self.embedding is None else x + self.embedding(labels)))
        return x.view(len(z), *self.shape)


def _dense(inputs: int, outputs: int, batch_norm: bool) -> nn.Module:
    """A dense layer, normalised over the batch if asked for."""
    if not batch_norm:
        return nn.Linear(inputs, outputs)
    return nn.Sequential(nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs))


def _dense_layers(widths: Sequence[int]) -> nn.Sequential:
    """ReLU, and for each further width a dense layer and ReLU."""
    layers = [part for before, after in itertools.pairwise(widths) for part in (nn.Linear(before, after), nn.ReLU())]
    return nn.Sequential(nn.ReLU(), *layers)
