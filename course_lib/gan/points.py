"""A generator and a discriminator of points on a line or in the plane: small dense networks for data that can be drawn."""

import itertools
from collections.abc import Sequence

import torch
from torch import nn

from course_lib.data.arguments import check_count, check_latent, check_widths


class PointGenerator(nn.Module):
    """Latent vectors to points: dense layers with ReLU between them, and no bound on the output.

    Args:
        latent_size: numbers in z.
        dimensions: coordinates of a point.
        widths: features after each hidden layer; none of them leaves a linear map.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.
    """

    def __init__(self, latent_size: int = 2, dimensions: int = 2, *, widths: Sequence[int] = (128, 128)) -> None:
        super().__init__()
        self.latent_size = check_count("latent_size", latent_size, "z needs at least one number")
        self.dimensions = check_count("dimensions", dimensions, "1 is a line, 2 the plane")
        widths = check_widths(widths, least=0)
        self.config = {"latent_size": self.latent_size, "dimensions": self.dimensions, "widths": widths}
        self.body = _dense([latent_size, *widths, dimensions], nn.ReLU())

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z [N, Z] -> points [N, dimensions]."""
        return self.body(check_latent(z, self.latent_size, "generator"))

    def noise(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """z [count, Z], standard normal, on the model's device. Drawn on the CPU, so that it is the same on every device."""
        z = torch.randn(count, self.latent_size, generator=generator, dtype=torch.float32, device="cpu")
        return z.to(self.body[0].weight)


class PointDiscriminator(nn.Module):
    """Points to logits: dense layers with leaky ReLU 0.2 between them.

    Args:
        dimensions: coordinates of a point.
        widths: features after each hidden layer; none of them leaves logistic regression.

    Attributes:
        config: the arguments of the constructor, as JSON values: ``type(model)(**model.config)`` builds it again.
    """

    def __init__(self, dimensions: int = 2, *, widths: Sequence[int] = (128, 128)) -> None:
        super().__init__()
        self.dimensions = check_count("dimensions", dimensions, "1 is a line, 2 the plane")
        widths = check_widths(widths, least=0)
        self.config = {"dimensions": self.dimensions, "widths": widths}
        self.body = _dense([dimensions, *widths, 1], nn.LeakyReLU(0.2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Points [N, dimensions] -> logits [N]."""
        if not x.is_floating_point():
            raise TypeError(f"x is {x.dtype}: points are floating point; convert them with x.float()")
        if x.dim() != 2 or x.shape[1] != self.dimensions:
            way_out = "numbers on a line become points with x[:, None]" if x.dim() == 1 else "build it with their dimensions"
            raise ValueError(f"x has the shape {list(x.shape)}, and this discriminator takes [N, {self.dimensions}]: {way_out}")
        return self.body(x).squeeze(1)


def _dense(sizes: list[int], activation: nn.Module) -> nn.Sequential:
    """Dense layers of these sizes with the activation between them, none after the last."""
    layers = [part for inputs, outputs in itertools.pairwise(sizes) for part in (nn.Linear(inputs, outputs), activation)]
    return nn.Sequential(*layers[:-1])
