"""Ways through latent space."""

import math
from collections.abc import Sequence

import torch


def interpolate(start: torch.Tensor, end: torch.Tensor, positions: Sequence[float] | torch.Tensor) -> torch.Tensor:
    """Latent vectors on the arc from start to end: start at position 0, end at 1, at equal angles for equal distances.

    sin((1 - t) a) / sin(a) start + sin(t a) / sin(a) end, with a the angle between the two. In many dimensions all standard
    normal vectors have nearly the length sqrt(Z). The arc keeps it; halfway along the straight line it would fall to about
    sqrt(Z / 2), where the generator has never been. For parallel vectors the arc is the line. Source: Shoemake, Animating
    Rotation with Quaternion Curves (1985); for latent spaces: White, Sampling Generative Networks (2016).

    Args:
        start: of any shape, for example [Z, 1, 1].
        end: of the same shape.
        positions: T numbers, by custom between 0 and 1.

    Returns:
        [T, ...], in the dtype and on the device of start.

    Raises:
        ValueError: shapes that differ, vectors of length 0, or two that point in opposite directions: no arc is the shortest.
    """
    if start.shape != end.shape:
        raise ValueError(f"start and end must have one shape, got {list(start.shape)} and {list(end.shape)}")
    a, b = start.double().flatten(), end.double().flatten()
    lengths = a.norm() * b.norm()
    if not lengths > 0:
        raise ValueError("start or end has length 0, and so no direction: draw it from the noise")
    # atan2 of sine and cosine is exact for small angles too, where the cosine alone is rounded to 1.
    angle = 2 * torch.atan2((a / a.norm() - b / b.norm()).norm(), (a / a.norm() + b / b.norm()).norm()).item()
    if math.pi - angle < 1e-6:
        raise ValueError("start and end point in opposite directions, and no way between them is the shortest: draw another end")
    t = torch.as_tensor(positions, dtype=torch.float64, device=start.device).flatten()[:, None]
    # sin(t a) / sin(a) tends to t where the angle vanishes.
    shares = [torch.sin(s * angle) / math.sin(angle) if angle > 1e-6 else s for s in (1 - t, t)]
    return (shares[0] * a + shares[1] * b).to(start.dtype).view(-1, *start.shape)
