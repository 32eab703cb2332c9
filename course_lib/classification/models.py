"""Classifiers, from one matrix to a residual network. Each takes the size of its images and computes the rest: nobody types
64 * 6 * 6. All return logits [N, classes] from images [N, in_channels, size, size] between 0 and 1.
"""

import itertools
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.convolution import conv_output_size
from course_lib.data.arguments import check_count, check_images, check_widths

LEAST = "it must be at least 1"


class Classifier(nn.Module):
    """What all classifiers share: the check of the input, its standardisation, and a last layer `head` on top of `features`.

    The images are brought to (x - mean) / std for each channel inside the model, so that whoever uses it passes images between 0
    and 1, as `Batches` makes them, and cannot forget the statistics. They are 0 and 1 until `set_statistics`.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.
        head: the last dense layer, from the features to the logits.
    """

    def __init__(self, in_channels: int, size: int, classes: int, **options: object) -> None:
        super().__init__()
        in_channels, size, classes = (
            check_count(name, value, LEAST)
            for name, value in (("in_channels", in_channels), ("size", size), ("classes", classes))
        )
        self.config = {"in_channels": in_channels, "size": size, "classes": classes, **options}
        self.in_channels, self.size, self.classes = in_channels, size, classes
        self.register_buffer("mean", torch.zeros(in_channels, 1, 1))
        self.register_buffer("std", torch.ones(in_channels, 1, 1))

    def set_statistics(self, images: torch.Tensor) -> "Classifier":
        """Take mean and standard deviation of each channel from uint8 images [N, C, H, W]: those of the *training* set."""
        if images.dtype != torch.uint8 or images.dim() != 4 or images.shape[1] != self.in_channels:
            kind = f"{images.dtype} {list(images.shape)}"
            raise ValueError(f"images must be uint8 [N, {self.in_channels}, H, W], got {kind}")
        if images.numel() == 0:
            raise ValueError("there are no images to take statistics of")
        # From the 256 counts of each channel: exact, and without a float copy of the whole set.
        levels = torch.arange(256, dtype=torch.float64) / 255
        for channel in range(self.in_channels):
            share = torch.bincount(images[:, channel].reshape(-1).cpu().int(), minlength=256) / images[:, channel].numel()
            mean = (share * levels).sum()
            self.mean[channel] = mean
            # A channel that never changes carries nothing, and must not be divided by zero.
            self.std[channel] = (share * (levels - mean).square()).sum().sqrt().clamp(min=1e-3)
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] -> logits [N, classes]."""
        return self.head(self.features(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] -> what the last layer sees of them, [N, features]."""
        check_images(x, self.in_channels, self.size)
        return self.body((x - self.mean) / self.std)


class LinearClassifier(Classifier):
    """One dense layer on the pixels: a template for each class, and the image's agreement with it."""

    def __init__(self, in_channels: int, size: int, classes: int) -> None:
        super().__init__(in_channels, size, classes)
        self.body = nn.Flatten()
        self.head = nn.Linear(in_channels * size * size, classes)


class MLP(Classifier):
    """Dense layers with ReLU between them. widths: the number of features after each hidden layer."""

    def __init__(self, in_channels: int, size: int, classes: int, *, widths: Sequence[int] = (128,)) -> None:
        widths = check_widths(widths, least=0)
        super().__init__(in_channels, size, classes, widths=widths)
        sizes = [in_channels * size * size, *widths]
        layers = [part for inputs, outputs in itertools.pairwise(sizes) for part in (nn.Linear(inputs, outputs), nn.ReLU())]
        self.body = nn.Sequential(nn.Flatten(), *layers)
        self.head = nn.Linear(sizes[-1], classes)


class CNN(Classifier):
    """The network of chapter 2's shape detective, for images of any size: for each width a 3 x 3 convolution without padding,
    ReLU and 2 x 2 maximum pooling, then a hidden dense layer and the head.

    Args:
        in_channels: channels of the images.
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
        in_channels: int,
        size: int,
        classes: int,
        *,
        widths: Sequence[int] = (32, 64),
        hidden: int = 128,
        stride: int = 1,
        batch_norm: bool = False,
    ) -> None:
        widths = check_widths(widths)
        hidden, stride = check_count("hidden", hidden, LEAST), check_count("stride", stride, LEAST)
        super().__init__(in_channels, size, classes, widths=widths, hidden=hidden, stride=stride, batch_norm=batch_norm)
        layers, channels, side = [], in_channels, size
        for number, width in enumerate(widths, start=1):
            step = stride if number == 1 else 1
            try:
                side = conv_output_size(conv_output_size(side, 3, step), 2, 2)
            except ValueError:
                need = "use larger images, fewer widths or stride=1"
                raise ValueError(f"convolution {number} and its pooling leave nothing of {side} x {side}: {need}") from None
            layers += [nn.Conv2d(channels, width, 3, stride=step, bias=not batch_norm)]
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            layers += [nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side * side, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, classes)


class ResidualBlock(nn.Module):
    """relu(x + f(x)), with f two 3 x 3 convolutions with batch normalisation: [N, C, H, W] -> [N, O, H/stride, W/stride].

    Where the shape changes, x goes through a 1 x 1 convolution instead. skip=False leaves x out: relu(f(x)).
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
        self.skip = None
        if skip and stride == 1 and in_channels == out_channels:
            self.skip = nn.Identity()
        elif skip:
            convolution = nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False)
            self.skip = nn.Sequential(convolution, nn.BatchNorm2d(out_channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> relu(x + f(x))."""
        y = self.residual(x)
        return F.relu(y if self.skip is None else y + self.skip(x))


class ResNet(Classifier):
    """A residual network: a first convolution, for each width `depth` residual blocks, the mean over all pixels, and the head.

    From one width to the next the image is halved. It has no dense layer that knows the image's size, so `widths[-1]` features
    are what the head sees.

    Args:
        in_channels: channels of the images.
        size: their height and width.
        classes: number of classes.
        widths: channels of the stages.
        depth: residual blocks in each stage.
        stem_stride: stride of the first convolution. 2 makes all that follows four times cheaper.
        skip: False leaves the connections around the blocks out, to see what they are for.
    """

    def __init__(
        self,
        in_channels: int,
        size: int,
        classes: int,
        *,
        widths: Sequence[int] = (16, 32, 64),
        depth: int = 1,
        stem_stride: int = 2,
        skip: bool = True,
    ) -> None:
        widths = check_widths(widths)
        depth, stem_stride = check_count("depth", depth, LEAST), check_count("stem_stride", stem_stride, LEAST)
        options = {"widths": widths, "depth": depth, "stem_stride": stem_stride, "skip": skip}
        super().__init__(in_channels, size, classes, **options)
        stem = nn.Conv2d(in_channels, widths[0], 3, stride=stem_stride, padding=1, bias=False)
        layers, channels = [stem, nn.BatchNorm2d(widths[0]), nn.ReLU()], widths[0]
        for stage, width in enumerate(widths):
            for number in range(depth):
                layers += [ResidualBlock(channels, width, stride=2 if stage and number == 0 else 1, skip=skip)]
                channels = width
        self.body = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(channels, classes)


def count_parameters(model: nn.Module) -> int:
    """How many numbers a model learns."""
    return sum(parameter.numel() for parameter in model.parameters())


def widest_within(build: Callable[[int], nn.Module], budget: int) -> int:
    """The largest width w >= 1 for which the model `build(w)` has at most `budget` parameters, so that models can be compared.

    Models are built without memory, on the meta device. Raises ValueError if even width 1 has more.
    """

    def cost(width: int) -> int:
        with torch.device("meta"):
            return count_parameters(build(width))

    if cost(1) > budget:
        raise ValueError(f"budget is {budget:,}, and the narrowest model has {cost(1):,} parameters")
    high = 2
    while cost(high) <= budget:
        if cost(high) == cost(high // 2):
            raise ValueError("the width changes nothing: build(w) must use w")
        high *= 2
    low = high // 2
    while high - low > 1:  # cost(low) <= budget < cost(high)
        middle = (low + high) // 2
        low, high = (middle, high) if cost(middle) <= budget else (low, middle)
    return low
