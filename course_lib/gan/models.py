"""Generators and discriminators: of images after DCGAN, and of points on a line or in the plane.

Each takes the size of the data and computes the rest. A generator has `noise`, which draws its z,
the `range` of what it draws, and its number of `classes`; all networks are called with (x or z,
labels). Each has `config`, the arguments of its constructor: ``type(model)(**model.config)`` builds
it again.

Source: Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks (2016).
"""

import itertools
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.utils import parametrizations

from course_lib.blocks import doubling, halved_sides, initialise
from course_lib.runtime.checks import check_choice, check_condition, check_count, check_images, check_latent, check_widths


class Generator(nn.Module):
    """Latent vectors to images: a dense layer makes a few pixels, those after it double the side.

    Between the layers batch normalisation and ReLU; weights start as N(0, 0.02), as in DCGAN. For
    three widths and 32 pixels the sides are 4, 8, 16, 32; for 28 pixels 4, 7, 14, 28: where a side
    is odd, the layer below leaves out a row and a column.

    A conditional generator adds a learned offset for each class to its first pixels, after their
    batch normalisation. There z alone has been brought to variance 1, so it keeps a share in
    everything above.

    Args:
        channels: 1 for grey, 3 for colour.
        size: height and width of the images, more than 2 ** (len(widths) - 1).
        latent_size: numbers in z.
        widths: channels before each doubling. A training step with (128, 64, 32) takes about 30 %
            of the time.
        upsample: "transposed": transposed convolutions, 4 x 4 with stride 2. "nearest": each pixel
            becomes 2 x 2 equal ones, and a 3 x 3 convolution follows; no pixel is reached by more
            weights than its neighbour, so there is no checkerboard (Odena, Dumoulin and Olah,
            Deconvolution and Checkerboard Artifacts, 2016). A step takes about a third longer.
        classes: how many classes the labels have; 0 for a generator without labels.
        output: "tanh" for images between -1 and 1, "sigmoid" between 0 and 1. `range` holds the
            two.

    Raises:
        ValueError, TypeError: an argument out of range, or images too small for so many widths.
    """

    def __init__(
        self,
        channels: int = 1,
        size: int = 32,
        latent_size: int = 100,
        *,
        widths: Sequence[int] = (256, 128, 64),
        upsample: str = "transposed",
        classes: int = 0,
        output: str = "tanh",
    ) -> None:
        super().__init__()
        check_choice("upsample", upsample, ("transposed", "nearest"))
        check_choice("output", output, ("tanh", "sigmoid"))
        self.config = {
            "channels": check_count("channels", channels, "1 is grey, 3 is colour"),
            "size": check_count("size", size),
            "latent_size": check_count("latent_size", latent_size, "z needs at least one number"),
            "widths": check_widths(widths),
            "upsample": upsample,
            "classes": check_count("classes", classes, "use 0 for a network without labels", least=0),
            "output": output,
        }
        self.latent_size, self.classes = latent_size, classes
        self.range = (-1.0, 1.0) if output == "tanh" else (0.0, 1.0)

        self.first_side, *sides = reversed(halved_sides(size, len(widths)))  # 4, [8, 16, 32]
        self.project = nn.Linear(latent_size, widths[0] * self.first_side**2, bias=False)
        self.embedding = nn.Embedding(classes, self.project.out_features).apply(initialise) if classes else None
        self.norm = nn.BatchNorm2d(widths[0])
        layers: list[nn.Module] = [nn.ReLU()]
        for (before, after), side in zip(itertools.pairwise(widths), sides, strict=False):
            layers += [*doubling(before, after, side, upsample=upsample, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += doubling(widths[-1], channels, size, upsample=upsample)
        self.body = nn.Sequential(*layers, nn.Tanh() if output == "tanh" else nn.Sigmoid())
        for part in (self.project, self.norm, self.body):
            part.apply(initialise)

    def forward(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """z [N, Z] (and int64 labels [N]) -> images [N, channels, size, size]."""
        check_latent(z, self.latent_size, "generator")
        check_condition(labels, len(z), self.classes)
        x = self.norm(self._pixels(self.project(z)))
        if self.embedding is not None:
            x = x + self._pixels(self.embedding(labels))
        return self.body(x)

    def _pixels(self, x: torch.Tensor) -> torch.Tensor:
        """[N, numbers] -> [N, C, H, W], the first pixels.

        The transposed convolution of one pixel is a matrix. Its output is made in the layout [N, H,
        W, C], which the convolutions above prefer, so that nothing has to be moved in memory.
        """
        return x.unflatten(1, (self.first_side, self.first_side, -1)).permute(0, 3, 1, 2)

    def noise(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, on the model's device; drawn on the CPU."""
        return torch.randn(count, self.latent_size, generator=rng, dtype=torch.float32, device="cpu").to(self.project.weight)


class Discriminator(nn.Module):
    """Images to logits: real (large) or generated (small)? Each layer halves the side.

    A dense layer sees what is left. 4 x 4 convolutions with stride 2, leaky ReLU 0.2, and batch
    normalisation between them, except after the first layer: there DCGAN found that it makes
    training oscillate. Weights start as N(0, 0.02).

    A conditional discriminator adds the inner product of a learned vector of the class with the
    features, the output of `body`, to the logit. Source: Miyato and Koyama, cGANs with Projection
    Discriminator (2018), section 3.

    Args:
        channels: 1 for grey, 3 for colour.
        size: height and width of the images, at least 2 ** len(widths).
        widths: channels after each halving.
        batch_norm: None is "on, unless spectral_norm". Turn it off for the Wasserstein loss and
            wherever the gradient at single images is penalised: it lets the images of a batch see
            each other.
        spectral_norm: divide each weight by its largest singular value, so that no layer stretches
            differences (of the weight as a matrix [O, the rest]). Source: Miyato et al., Spectral
            Normalization for Generative Adversarial Networks (2018).
        classes: how many classes the labels have; 0 for a discriminator without labels.

    Raises:
        ValueError, TypeError: an argument out of range, images too small for so many widths, or
            both normalisations at once.
    """

    def __init__(
        self,
        channels: int = 1,
        size: int = 32,
        *,
        widths: Sequence[int] = (64, 128, 256),
        batch_norm: bool | None = None,
        spectral_norm: bool = False,
        classes: int = 0,
    ) -> None:
        super().__init__()
        batch_norm = not spectral_norm if batch_norm is None else batch_norm
        if batch_norm and spectral_norm:
            raise ValueError("batch_norm and spectral_norm are both on, and one undoes the bound of the other: choose one")
        self.config = {
            "channels": check_count("channels", channels, "1 is grey, 3 is colour"),
            "size": check_count("size", size),
            "widths": check_widths(widths),
            "batch_norm": batch_norm,
            "spectral_norm": spectral_norm,
            "classes": check_count("classes", classes, "use 0 for a network without labels", least=0),
        }
        self.channels, self.size, self.classes = channels, size, classes
        side = size // 2 ** len(widths)
        if side == 0:
            raise ValueError(
                f"size is {size}: {len(widths)} widths halve an image {len(widths)} times and need {2 ** len(widths)} pixels; "
                "use larger images or fewer widths"
            )

        layers: list[nn.Module] = [nn.Conv2d(channels, widths[0], 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for before, after in itertools.pairwise(widths):
            norm = [nn.BatchNorm2d(after)] if batch_norm else []
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1, bias=not norm), *norm, nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(widths[-1] * side**2, 1)
        self.embedding = nn.Embedding(classes, self.head.in_features) if classes else None
        self.apply(initialise)
        if spectral_norm:
            for layer in list(self.modules()):
                if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
                    parametrizations.spectral_norm(layer)

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, channels, size, size] (and int64 labels [N]) -> logits [N]."""
        check_images(x, self.channels, self.size, "discriminator")
        check_condition(labels, len(x), self.classes)
        features = self.body(x)
        logits = self.head(features).squeeze(1)
        return logits if self.embedding is None else logits + (self.embedding(labels) * features).sum(dim=1)


class PointGenerator(nn.Module):
    """Latent vectors to points: dense layers with ReLU between them, and no bound on the output.

    Args:
        dimensions: coordinates of a point: 1 is a line, 2 the plane.
        latent_size: numbers in z.
        widths: features after each hidden layer; none of them leaves a linear map.
    """

    range = (0.0, 1.0)  # so that `fit_gan` and `draw`, which change the range of images, leave points alone
    classes = 0

    def __init__(self, dimensions: int = 2, latent_size: int = 2, *, widths: Sequence[int] = (128, 128)) -> None:
        super().__init__()
        self.config = {
            "dimensions": check_count("dimensions", dimensions, "1 is a line, 2 the plane"),
            "latent_size": check_count("latent_size", latent_size, "z needs at least one number"),
            "widths": check_widths(widths, least=0),
        }
        self.latent_size = latent_size
        self.body = _dense([latent_size, *widths, dimensions], nn.ReLU())

    def forward(self, z: torch.Tensor, labels: None = None) -> torch.Tensor:
        """z [N, Z] -> points [N, dimensions]."""
        check_latent(z, self.latent_size, "generator")
        check_condition(labels, len(z), self.classes)
        return self.body(z)

    def noise(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, on the model's device; drawn on the CPU."""
        eps = torch.randn(count, self.latent_size, generator=rng, dtype=torch.float32, device="cpu")
        return eps.to(next(self.parameters()))


class PointDiscriminator(nn.Module):
    """Points to logits: dense layers with leaky ReLU 0.2 between them.

    Args:
        dimensions: coordinates of a point: 1 is a line, 2 the plane.
        widths: features after each hidden layer; none of them leaves logistic regression.
    """

    def __init__(self, dimensions: int = 2, *, widths: Sequence[int] = (128, 128)) -> None:
        super().__init__()
        self.config = {
            "dimensions": check_count("dimensions", dimensions, "1 is a line, 2 the plane"),
            "widths": check_widths(widths, least=0),
        }
        self.dimensions = dimensions
        self.body = _dense([dimensions, *widths, 1], nn.LeakyReLU(0.2))

    def forward(self, x: torch.Tensor, labels: None = None) -> torch.Tensor:
        """Points [N, dimensions] -> logits [N]."""
        check_condition(labels, len(x), 0)
        if x.dim() != 2 or x.shape[1] != self.dimensions or not x.is_floating_point():
            raise ValueError(
                f"x is {x.dtype} of shape {list(x.shape)}, and this discriminator takes floating-point points "
                f"[N, {self.dimensions}]: x[:, None] makes them of numbers on a line, x.float() of whole numbers"
            )
        return self.body(x).squeeze(1)


def _dense(sizes: list[int], activation: nn.Module) -> nn.Sequential:
    """Dense layers of these sizes with the activation between them, none after the last."""
    layers = [part for inputs, outputs in itertools.pairwise(sizes) for part in (nn.Linear(inputs, outputs), activation)]
    return nn.Sequential(*layers[:-1])
