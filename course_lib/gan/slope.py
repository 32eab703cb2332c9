"""How steep the discriminator may be: penalties on its gradient, the largest stretch of a layer.

A penalty is added to the discriminator's loss with a weight, and differentiated again when it is. D
is here a function of one batch, each of whose logits depends on its own image alone (no batch
normalisation); a conditional one is given as ``lambda x: D(x, labels)``.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from course_lib.runtime.checks import check_count


def gradient_penalty(
    D: Callable[[torch.Tensor], torch.Tensor],
    real: torch.Tensor,
    fake: torch.Tensor,
    rng: torch.Generator | None = None,
    target: float = 1.0,
) -> torch.Tensor:
    """Mean of (norm of the gradient of D at x - target)^2, at x between real and generated images.

    x = t real + (1 - t) fake with t uniform in [0, 1], one for each pair: the optimal critic has
    slope 1 there. The paper adds it with weight 10. Source: Gulrajani et al., Improved Training of
    Wasserstein GANs (2017), equation 3.

    Args:
        D: batch [N, ...] -> logits [N], each a function of its own image alone.
        real: [N, ...].
        fake: generated ones, of the same shape.
        rng: CPU generator that draws t.
        target: the slope that costs nothing.

    Returns:
        A scalar, differentiable with respect to the weights of D.

    Raises:
        ValueError: shapes that differ.
    """
    if real.shape != fake.shape:
        raise ValueError(f"real {list(real.shape)} and fake {list(fake.shape)} must have one shape")
    t = torch.rand(len(real), generator=rng, dtype=torch.float32, device="cpu").to(real)
    t = t.view(-1, *[1] * (real.dim() - 1))
    gradients = _gradients(D, t * real.detach() + (1 - t) * fake.detach())
    # vector_norm has the gradient 0 where the norm is 0; the root of a sum of squares would have
    # none, NaN.
    return (torch.linalg.vector_norm(gradients, dim=1) - target).square().mean()


def r1_penalty(D: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """Mean of the squared norm of the gradient of D at real images: there D should become flat.

    The paper's R1 is gamma / 2 times this, with gamma = 10. Source: Mescheder, Geiger and Nowozin,
    Which Training Methods for GANs do actually Converge? (2018), equation 9.

    D: batch [N, ...] -> logits [N], each a function of its own image alone; real: [N, ...]. Returns
    a scalar, differentiable with respect to the weights of D.
    """
    return _gradients(D, real.detach()).square().sum(dim=1).mean()


def _gradients(D: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Gradient of each logit at its own image, [N, numbers in an image], itself differentiable."""
    x = x.requires_grad_()
    # The sum over the images has, at image i, the gradient of logit i: the others do not depend on
    # it.
    (gradients,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return gradients.flatten(1)


def spectral_norm(weight: torch.Tensor, u: torch.Tensor, iterations: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """The largest singular value of a weight, seen as a matrix W [O, the rest], by power iteration.

    v <- W^T u / |W^T u|, u <- W v / |W v|, and sigma = u^T W v. Each iteration shrinks the other
    directions by the squared ratio of their singular values to the largest. During training the
    weights move slowly, so one iteration a step is enough if it starts from the last step's u.
    sigma is differentiable with respect to the weight, with the gradient u v^T (u and v are
    constants: at the singular vectors their own change does not count). sigma never exceeds the
    true value.

    For a convolution this is the norm of its weight as a matrix, which does not equal the norm of
    the convolution as a map of images. Source: Miyato et al., Spectral Normalization for Generative
    Adversarial Networks (2018), algorithm 1.

    Args:
        weight: floating point [O, ...].
        u: [O], for example random; not orthogonal to the first left singular vector.
        iterations: at least 1.

    Returns:
        (sigma, u): a scalar and the new u [O], which has length 1 and no gradient.

    Raises:
        ValueError: a weight without two dimensions, a u that does not fit, or no iteration.
    """
    if weight.dim() < 2 or u.shape != weight.shape[:1]:
        raise ValueError(
            f"weight must be a matrix or a kernel [O, ...], and u [O], one number for each output; got the shapes "
            f"{list(weight.shape)} and {list(u.shape)}"
        )
    matrix = weight.flatten(1)
    with torch.no_grad():
        for _ in range(check_count("iterations", iterations)):
            v = F.normalize(matrix.mT @ u, dim=0)
            u = F.normalize(matrix @ v, dim=0)
    return u @ matrix @ v, u
