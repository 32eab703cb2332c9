"""Images from latent vectors: from given ones and fresh ones; and the way between two of them."""

import math
from collections.abc import Sequence

import torch

from course_lib.gan.models import Generator, PointGenerator
from course_lib.runtime.checks import check_condition, check_count
from course_lib.training import evaluation_mode


@torch.no_grad()
def draw(
    G: Generator | PointGenerator, z: torch.Tensor, labels: torch.Tensor | None = None, batch_size: int = 500
) -> torch.Tensor:
    """Images [N, C, size, size] between 0 and 1, or points [N, D], on the CPU, from z [N, Z].

    labels: int64 [N] for a conditional generator. G draws in evaluation mode, so that an image
    depends on its own z alone; the modes of its parts are left as they were. It computes batch_size
    images at a time.
    """
    check_condition(labels, len(z), G.classes)
    device, (low, high) = next(G.parameters()).device, G.range
    with evaluation_mode(G):
        images = [
            G(z[rows].to(device), None if labels is None else labels[rows].to(device)).cpu()
            for rows in torch.arange(len(z)).split(batch_size)
        ]
    return (torch.cat(images) - low) / (high - low)


def sample(
    G: Generator | PointGenerator,
    count: int,
    rng: torch.Generator | None = None,
    labels: torch.Tensor | None = None,
    batch_size: int = 500,
) -> torch.Tensor:
    """`draw` from `count` fresh latent vectors, which a CPU generator `rng` draws.

    labels: int64 [count] for a conditional generator. Raises ValueError for a count below 1.
    """
    return draw(G, G.noise(check_count("count", count), rng), labels, batch_size)


def interpolate(start: torch.Tensor, end: torch.Tensor, positions: Sequence[float] | torch.Tensor) -> torch.Tensor:
    """Latent vectors on the arc from start to end, at equal angles for equal distances.

    sin((1 - t) a) / sin(a) start + sin(t a) / sin(a) end, with a the angle between the two. In many
    dimensions all standard normal vectors have nearly the length sqrt(Z). The arc keeps it; halfway
    along the straight line it would fall to about sqrt(Z / 2), where the generator has never been.
    For parallel vectors the arc is the line. Source: Shoemake, Animating Rotation with Quaternion
    Curves (1985); for latent spaces: White, Sampling Generative Networks (2016).

    Args:
        start: of any shape, for example [Z].
        end: of the same shape.
        positions: T numbers, by custom between 0 (start) and 1 (end).

    Returns:
        [T, ...], in the dtype and on the device of start.

    Raises:
        ValueError: shapes that differ, vectors of length 0, or two that point in opposite
            directions: no arc is the shortest.
    """
    if start.shape != end.shape:
        raise ValueError(f"start and end must have one shape, got {list(start.shape)} and {list(end.shape)}")
    a, b = start.double().flatten(), end.double().flatten()
    apart, together = (a / a.norm() - b / b.norm()).norm(), (a / a.norm() + b / b.norm()).norm()
    if not together > 1e-6:  # also where a length is 0, and this is no number
        raise ValueError("start and end point in opposite directions, or one has length 0 and no direction: draw another end")
    # atan2 of sine and cosine is exact for small angles too, where the cosine alone is rounded to
    # 1.
    angle = 2 * torch.atan2(apart, together).item()
    t = torch.as_tensor(positions, dtype=torch.float64, device=start.device).flatten()[:, None]
    # sin(t a) / sin(a) tends to t where the angle vanishes.
    shares = [torch.sin(s * angle) / math.sin(angle) if angle > 1e-6 else s for s in (1 - t, t)]
    return (shares[0] * a + shares[1] * b).to(start.dtype).view(-1, *start.shape)
