"""Spectral normalisation: the largest singular value of a weight, by power iteration."""

import torch
import torch.nn.functional as F

from course_lib.data.arguments import check_count


def spectral_norm(weight: torch.Tensor, u: torch.Tensor, iterations: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest singular value of a weight, seen as a matrix W [O, the rest], and the vector it was found with.

    v <- W^T u / |W^T u|, u <- W v / |W v|, and sigma = u^T W v. Each iteration shrinks the other directions by the squared
    ratio of their singular values to the largest. During training the weights move slowly, so one iteration a step is enough if
    it starts from the last step's u. sigma is differentiable with respect to the weight, with the gradient u v^T (u and v are
    constants: at the singular vectors their own change does not count). sigma never exceeds the true value.

    For a convolution this is the norm of its weight as a matrix, which does not equal the norm of the convolution as a map of
    images. Source: Miyato et al., Spectral Normalization for Generative Adversarial Networks (2018), algorithm 1.

    Args:
        weight: floating point [O, ...].
        u: [O], for example random; not orthogonal to the first left singular vector.
        iterations: at least 1.

    Returns:
        (sigma, u): a scalar and the new u [O], which has length 1 and no gradient.

    Raises:
        ValueError: a weight without two dimensions, a u that does not fit, or no iteration.
    """
    if weight.dim() < 2:
        raise ValueError(f"weight has the shape {list(weight.shape)}: it must be a matrix or a kernel, [O, ...]")
    if u.shape != weight.shape[:1]:
        raise ValueError(f"u must have the shape [{weight.shape[0]}], one number for each output, got {list(u.shape)}")
    check_count("iterations", iterations, "it takes at least 1 to find v")
    matrix = weight.flatten(1)
    with torch.no_grad():
        for _ in range(iterations):
            v = F.normalize(matrix.mT @ u, dim=0)
            u = F.normalize(matrix @ v, dim=0)
    return u @ matrix @ v, u
