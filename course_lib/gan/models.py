"""A generator and a discriminator of images after DCGAN. Each takes the size of the images and computes the rest.

Source: Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks (2016).
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrizations

from course_lib.convolution import conv_output_size
from course_lib.data.arguments import check_condition, check_count, check_images, check_latent, check_widths


class Generator(nn.Module):
    """Latent vectors to images: a dense layer to a few pixels with many channels, and from there each layer doubles the side.

    Between the layers batch normalisation and ReLU; weights start as N(0, 0.02), as in DCGAN. For three widths and 32 pixels the
    sides are 4, 8, 16, 32; for 28 pixels 4, 7, 14, 28: where a side is odd, the layer below leaves out a row and a column.

    A conditional generator adds a learned offset for each class to its first pixels, after their batch normalisation. There z
    alone has been brought to variance 1, so it keeps a share in everything above. With the label beside z *under* the
    normalisation, the share of z falls to almost nothing within a hundred steps: the weights of the label get the same gradient
    from all images of a class and grow steadily, those of z do not. Each class is then one image, whatever z.

    Args:
        latent_size: numbers in z.
        size: height and width of the images, at least 2 to the power of len(widths).
        channels: 1 for grey, 3 for colour.
        widths: channels before each doubling. A training step with (128, 64, 32) takes about 30 % of the time.
        upsample: "transposed": transposed convolutions, 4 x 4 with stride 2. "nearest": each pixel becomes 2 x 2 equal ones,
            and a 3 x 3 convolution follows; no pixel is reached by more weights than its neighbour, so there is no checkerboard
            (Odena, Dumoulin and Olah, Deconvolution and Checkerboard Artifacts, 2016). A step takes about a third longer.
        classes: how many classes the labels have; 0 for a generator without labels.
        output: "tanh" for images between -1 and 1, "sigmoid" between 0 and 1. The real images must have the same range.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.
        range: smallest and largest value of a pixel.

    Raises:
        ValueError: an argument out of range, or images too small for so many widths.
    """

    def __init__(
        self,
        latent_size: int = 100,
        size: int = 32,
        channels: int = 1,
        *,
        widths: Sequence[int] = (256, 128, 64),
        upsample: str = "transposed",
        classes: int = 0,
        output: str = "tanh",
    ) -> None:
        super().__init__()
        self.latent_size = check_count("latent_size", latent_size, "z needs at least one number")
        self.channels = check_count("channels", channels, "1 is grey, 3 is colour")
        self.size = check_count("size", size, "an image has at least one pixel")
        self.classes = check_count("classes", classes, "use 0 for a network without labels", least=0)
        widths = check_widths(widths)
        if upsample not in ("transposed", "nearest"):
            raise ValueError(f"upsample is {upsample!r}: choose from transposed, nearest")
        if output not in ("tanh", "sigmoid"):
            raise ValueError(f"output is {output!r}: choose from tanh (-1 to 1), sigmoid (0 to 1)")
        _check_size(size, widths)
        self.config = {"latent_size": self.latent_size, "size": self.size, "channels": self.channels, "widths": widths}
        self.config |= {"upsample": upsample, "classes": self.classes, "output": output}
        self.range = (-1.0, 1.0) if output == "tanh" else (0.0, 1.0)

        sides = [size]  # from the image back to the first layer, each half of the next, rounded up
        for _ in widths:
            sides.insert(0, (sides[0] + 1) // 2)
        self.first_side, self.first_width = sides[0], widths[0]
        self.project = nn.Linear(latent_size, widths[0] * sides[0] * sides[0], bias=False)
        if self.classes:
            self.embedding = nn.Embedding(classes, widths[0] * sides[0] * sides[0])
            initialise(self.embedding)
        layers = [nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for (before, after), side in zip(itertools.pairwise(widths), sides[1:], strict=False):
            layers += [*_doubling(before, after, side, upsample, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += _doubling(widths[-1], channels, size, upsample, bias=True)
        self.body = nn.Sequential(*layers, nn.Tanh() if output == "tanh" else nn.Sigmoid())
        initialise(self.project)
        self.body.apply(initialise)

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z, 1, 1] or [N, Z], and int64 labels [N] if the generator is conditional -> images [N, channels, size, size]."""
        z = check_latent(z, self.latent_size, "generator")
        check_condition(labels, len(z), self.classes)
        x = self.body[0](self._pixels(self.project(z)))
        if self.classes:
            x = x + self._pixels(self.embedding(labels))
        return self.body[1:](x)

    def _pixels(self, x: torch.Tensor) -> torch.Tensor:
        """[N, numbers] -> [N, C, H, W], the first pixels.

        The transposed convolution of one pixel is a matrix. Its output is made in the layout [N, H, W, C], which the convolutions
        above prefer, so that nothing has to be moved in memory.
        """
        return x.view(len(x), self.first_side, self.first_side, self.first_width).permute(0, 3, 1, 2)

    def noise(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z, 1, 1], standard normal, on the model's device, drawn on the CPU: the same on every device."""
        z = torch.randn(count, self.latent_size, 1, 1, generator=generator, dtype=torch.float32, device="cpu")
        return z.to(self.project.weight)


class Discriminator(nn.Module):
    """Images to logits: real (large) or generated (small)? Each layer halves the side, and a dense layer sees what is left.

    4 x 4 convolutions with stride 2, leaky ReLU 0.2, and batch normalisation between them, except after the first layer: there
    DCGAN found that it makes training oscillate. Weights start as N(0, 0.02).

    A conditional discriminator adds the inner product of a learned vector of the class with the features to the logit. Source:
    Miyato and Koyama, cGANs with Projection Discriminator (2018), section 3.

    Args:
        size: height and width of the images, at least 2 to the power of len(widths).
        channels: 1 for grey, 3 for colour.
        widths: channels after each halving.
        batch_norm: None is "on, unless spectral_norm". Turn it off for the Wasserstein loss and wherever the gradient at single
            images is penalised: it lets the images of a batch see each other.
        spectral_norm: divide each weight by its largest singular value, so that no layer stretches differences (of the weight as
            a matrix [O, the rest]). Source: Miyato et al., Spectral Normalization for Generative
            Adversarial Networks (2018).
        classes: how many classes the labels have; 0 for a discriminator without labels.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.

    Raises:
        ValueError: an argument out of range, images too small for so many widths, or both normalisations at once.
    """

    def __init__(
        self,
        size: int = 32,
        channels: int = 1,
        *,
        widths: Sequence[int] = (64, 128, 256),
        batch_norm: bool | None = None,
        spectral_norm: bool = False,
        classes: int = 0,
    ) -> None:
        super().__init__()
        self.size = check_count("size", size, "an image has at least one pixel")
        self.channels = check_count("channels", channels, "1 is grey, 3 is colour")
        self.classes = check_count("classes", classes, "use 0 for a network without labels", least=0)
        widths = check_widths(widths)
        batch_norm = not spectral_norm if batch_norm is None else batch_norm
        if batch_norm and spectral_norm:
            raise ValueError("batch_norm and spectral_norm are both on, and one undoes the bound of the other: choose one")
        _check_size(size, widths)
        self.config = {"size": self.size, "channels": self.channels, "widths": widths, "batch_norm": bool(batch_norm)}
        self.config |= {"spectral_norm": bool(spectral_norm), "classes": self.classes}

        layers, side, before = [], size, channels
        for number, width in enumerate(widths):
            normalise = batch_norm and number > 0
            layers += [nn.Conv2d(before, width, 4, stride=2, padding=1, bias=not normalise)]
            layers += [nn.BatchNorm2d(width)] if normalise else []
            layers += [nn.LeakyReLU(0.2)]
            side, before = conv_output_size(side, 4, stride=2, padding=1), width
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(before * side * side, 1)
        if self.classes:
            self.embedding = nn.Embedding(classes, before * side * side)
        self.apply(initialise)
        if spectral_norm:
            for module in list(self.modules()):
                if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
                    parametrizations.spectral_norm(module)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, channels, size, size], and int64 labels [N] if the discriminator is conditional -> logits [N]."""
        features = self.features(x)
        check_condition(labels, len(x), self.classes)
        logits = self.head(features).squeeze(1)
        return logits + (self.embedding(labels) * features).sum(dim=1) if self.classes else logits

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, channels, size, size] -> what the last layer sees of them, [N, features]."""
        check_images(x, self.channels, self.size, "discriminator")
        return self.body(x)


def initialise(module: nn.Module) -> None:
    """Draw the weights of a layer as DCGAN does: N(0, 0.02) for kernels and matrices, N(1, 0.02) for the scale of batch
    normalisation, 0 for biases. Use it as ``model.apply(initialise)``. Source: Radford et al. (2016), section 4, and their
    program.
    """
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    if getattr(module, "bias", None) is not None:
        nn.init.zeros_(module.bias)


class Resize(nn.Module):
    """Nearest-neighbour upsampling to a side: each pixel becomes 2 x 2 equal ones, [N, C, H, W] -> [N, C, side, side]."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """An odd side leaves out the last row and column."""
        return F.interpolate(x, scale_factor=2, mode="nearest")[:, :, : self.side, : self.side]


def _doubling(in_channels: int, out_channels: int, side: int, upsample: str, bias: bool) -> list[nn.Module]:
    """Layers from half of `side` (rounded up) to `side`."""
    if upsample == "nearest":
        return [Resize(side), nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=bias)]
    # (n - 1) 2 - 2 padding + 4 + output_padding: 2 n with padding 1, and 2 n - 1 with padding 2 and a row added.
    odd = side % 2
    return [nn.ConvTranspose2d(in_channels, out_channels, 4, 2, padding=1 + odd, output_padding=odd, bias=bias)]


def _check_size(size: int, widths: list[int]) -> None:
    if size < 2 ** len(widths):
        raise ValueError(
            f"size is {size}: {len(widths)} widths halve an image {len(widths)} times and need {2 ** len(widths)} pixels; "
            "use larger images or fewer widths"
        )
