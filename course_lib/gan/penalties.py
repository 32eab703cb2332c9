"""How steep the discriminator may be: penalties on the norm of its gradient at images, each image for itself.

They are added to the discriminator's loss with a weight, and differentiated again when it is. The discriminator is a function of
one batch; a conditional one is given as ``lambda x: discriminator(x, labels)``.
"""

from collections.abc import Callable

import torch
from torch import nn


def gradient_penalty(
    discriminator: Callable[[torch.Tensor], torch.Tensor],
    real: torch.Tensor,
    fake: torch.Tensor,
    generator: torch.Generator | None = None,
    target: float = 1.0,
) -> torch.Tensor:
    """Mean of (norm of the gradient of D at x - target)^2, at points x drawn on the lines between real and generated images.

    x = t real + (1 - t) fake with t uniform in [0, 1], one for each pair: the optimal critic has slope 1 there. The paper adds it
    with weight 10. Source: Gulrajani et al., Improved Training of Wasserstein GANs (2017), equation 3.

    Args:
        discriminator: batch [N, ...] -> logits [N], each a function of its own image alone.
        real: [N, ...].
        fake: generated ones, of the same shape.
        generator: CPU random generator that draws t.
        target: the slope that costs nothing.

    Returns:
        A scalar, differentiable with respect to the discriminator's weights.

    Raises:
        ValueError: shapes that differ, or a discriminator with batch normalisation in training mode.
    """
    if real.shape != fake.shape:
        shapes = f"{list(real.shape)} and {list(fake.shape)}"
        raise ValueError(f"real and fake must have one shape, got {shapes}: draw as many")
    t = torch.rand(len(real), generator=generator, dtype=torch.float32, device="cpu").to(real)
    t = t.view(-1, *[1] * (real.dim() - 1))
    gradients = _gradients(discriminator, t * real.detach() + (1 - t) * fake.detach())
    # vector_norm has the gradient 0 where the norm is 0; the root of a sum of squares would have none, NaN.
    return (torch.linalg.vector_norm(gradients, dim=1) - target).square().mean()


def r1_penalty(discriminator: Callable[[torch.Tensor], torch.Tensor], real: torch.Tensor) -> torch.Tensor:
    """Mean of the squared norm of the gradient of D at real images: where the data is, the discriminator should become flat.

    The paper's R1 is gamma / 2 times this, with gamma = 10. Source: Mescheder, Geiger and Nowozin, Which Training Methods for
    GANs do actually Converge? (2018), equation 9.

    Args:
        discriminator: batch [N, ...] -> logits [N], each a function of its own image alone.
        real: [N, ...].

    Returns:
        A scalar, differentiable with respect to the discriminator's weights.

    Raises:
        ValueError: a discriminator with batch normalisation in training mode.
    """
    return _gradients(discriminator, real.detach()).square().sum(dim=1).mean()


def _gradients(discriminator: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """Gradient of each logit at its own image, [N, numbers in an image], itself differentiable."""
    if isinstance(discriminator, nn.Module):
        mixing = [name for name, part in discriminator.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
        if mixing and discriminator.training:
            raise ValueError(
                f"the discriminator has batch normalisation ({mixing[0]}), through which a logit depends on the whole batch: "
                "build it with batch_norm=False"
            )
    x = x.requires_grad_()
    # The sum over the images has, at image i, the gradient of logit i: the others do not depend on it.
    (gradients,) = torch.autograd.grad(discriminator(x).sum(), x, create_graph=True)
    return gradients.flatten(1)
