"""Classifiers, from one matrix to a residual network.

Each takes the size of its images and computes the rest: nobody types 64 * 6 * 6. All return logits
[N, classes] from images [N, channels, size, size] between 0 and 1.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from course_lib.blocks import ResidualBlock
from course_lib.runtime.checks import check_count, check_images, check_widths


class Classifier(nn.Module):
    """What all classifiers share: standardised images, and a dense layer `head` on their features.

    The images are brought to (x - mean) / std for each channel inside the model, so that whoever
    uses it passes images between 0 and 1, as `Batches` makes them, and cannot forget the
    statistics. They are 0 and 1 until `set_statistics`.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)``
            builds it again.
        mean, std: of each channel, [channels, 1, 1].
        body: standardised images [N, channels, size, size] -> features [N, features].
        head: the last dense layer, from the features to the logits.
    """

    mean: torch.Tensor
    std: torch.Tensor
    body: nn.Module
    head: nn.Linear

    def __init__(self, channels: int, size: int, classes: int, **options: Any) -> None:
        super().__init__()
        self.channels, self.size = check_count("channels", channels), check_count("size", size)
        self.config = {"channels": self.channels, "size": self.size, "classes": check_count("classes", classes), **options}
        self.register_buffer("mean", torch.zeros(channels, 1, 1))
        self.register_buffer("std", torch.ones(channels, 1, 1))

    def set_statistics(self, images: torch.Tensor) -> "Classifier":
        """Take mean and standard deviation of each channel from images, uint8 [N, channels, H, W].

        They must be those of the *training* set. Returns the model. Raises ValueError for no
        images, or images of another kind.
        """
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != self.channels or len(images) == 0:
            wanted = f"uint8 [N, {self.channels}, H, W] with N at least 1"
            raise ValueError(f"images must be {wanted}, got {images.dtype} {list(images.shape)}")
        # From the 256 counts of each channel: exact, and without a float copy of the whole set.
        levels = torch.arange(256, dtype=torch.float64) / 255
        for channel in range(self.channels):
            count = torch.bincount(images[:, channel].cpu().flatten(), minlength=256).double()
            mean = count @ levels / count.sum()
            variance = count @ (levels - mean).square() / count.sum()
            # A channel that never changes carries nothing, and must not be divided by zero.
            self.mean[channel], self.std[channel] = mean, variance.sqrt().clamp(min=1e-3)
        return self

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, channels, size, size] -> what the head sees, [N, features]."""
        check_images(x, self.channels, self.size)
        return self.body((x - self.mean) / self.std)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, channels, size, size] -> logits [N, classes]."""
        return self.head(self.features(x))


class LinearClassifier(Classifier):
    """One dense layer on the pixels: a template for each class, and how well the image fits it."""

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__(channels, size, classes)
        self.body = nn.Flatten()
        self.head = nn.Linear(channels * size * size, classes)


class MLP(Classifier):
    """Dense layers with ReLU between them. widths: the features after each hidden layer."""

    def __init__(self, channels: int, size: int, classes: int, *, widths: Sequence[int] = (128,)) -> None:
        widths = check_widths(widths, least=0)
        super().__init__(channels, size, classes, widths=widths)
        sizes = [channels * size * size, *widths]
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in itertools.pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], classes)


class CNN(Classifier):
    """The network of chapter 3's shape detective, for images of any size.

    For each width a 3 x 3 convolution without padding, ReLU and 2 x 2 maximum pooling; then a
    hidden dense layer and the head.

    Args:
        channels: of the images.
        size: their height and width, large enough for all layers.
        classes: number of classes.
        widths: output channels of each convolution.
        hidden: features of the dense layer between them and the head.
        stride: of the first convolution. 2 makes all that follows four times cheaper.
        batch_norm: normalise after each convolution, which then has no bias of its own.

    Raises:
        ValueError: nothing would be left of the image; the message names the layer.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        classes: int,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        stride: int = 1,
        batch_norm: bool = False,
    ) -> None:
        widths = check_widths(widths)
        hidden, stride = check_count("hidden", hidden), check_count("stride", stride)
        super().__init__(channels, size, classes, widths=widths, hidden=hidden, stride=stride, batch_norm=batch_norm)
        layers: list[nn.Module] = []
        for number, (before, after) in enumerate(itertools.pairwise([channels, *widths]), start=1):
            side = ((size - 3) // stride + 1) // 2
            if side < 1:
                raise ValueError(
                    f"convolution {number} and its pooling leave nothing of {size} x {size}: "
                    "use larger images, fewer widths or stride=1"
                )
            layers += [nn.Conv2d(before, after, 3, stride=stride, bias=not batch_norm)]
            layers += [nn.BatchNorm2d(after)] if batch_norm else []
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            size, stride = side, 1
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(widths[-1] * size * size, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, classes)


class ResNet(Classifier):
    """A first convolution, residual blocks, the mean over all pixels, and the head.

    For each width there are `depth` blocks; from one width to the next the image is halved. No
    dense layer knows the image's size, so `widths[-1]` features are what the head sees.

    Args:
        channels: of the images.
        size: their height and width.
        classes: number of classes.
        widths: channels of the stages.
        depth: residual blocks in each stage.
        stem_stride: stride of the first convolution. 2 makes all that follows four times cheaper.
        skip: False leaves the connections around the blocks out, to see what they are for.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        classes: int,
        *,
        widths: Sequence[int] = (16, 32, 64),
        depth: int = 1,
        stem_stride: int = 2,
        skip: bool = True,
    ) -> None:
        widths = check_widths(widths)
        depth, stem_stride = check_count("depth", depth), check_count("stem_stride", stem_stride)
        super().__init__(channels, size, classes, widths=widths, depth=depth, stem_stride=stem_stride, skip=skip)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], 3, stride=stem_stride, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        ]
        for stage, (before, after) in enumerate(itertools.pairwise([widths[0], *widths])):
            layers += [ResidualBlock(before, after, stride=2 if stage else 1, skip=skip)]
            layers += [ResidualBlock(after, after, skip=skip) for _ in range(depth - 1)]
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(widths[-1], classes)


def count_parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())
