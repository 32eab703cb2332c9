"""Dropout: in training, random numbers become zero, and the others grow so that the mean stays."""

import torch

from course_lib.convolution.arguments import check_gradient
from course_lib.runtime.checks import check_number


def dropout(
    x: torch.Tensor, p: float = 0.5, *, training: bool = True, rng: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns (y, mask), where y = x * mask.

    For each number the mask is 0 with probability p and 1 / (1 - p) otherwise. In evaluation, or at
    p = 0, y is x and the mask is all ones. The mask is what `dropout_backward` needs. rng: a
    `torch.Generator` on the device of x. Raises ValueError if p is not in [0, 1). Source:
    Srivastava et al., Dropout (2014), in the "inverted" form that needs nothing at test time.
    """
    check_number("p", p, below=1)
    if not training or p == 0:
        return x, torch.ones_like(x)
    mask = (torch.rand(x.shape, generator=rng, device=x.device, dtype=torch.float32) >= p).to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(grad_output: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """grad_output times the mask of the forward pass: what was dropped gets no gradient."""
    check_gradient(grad_output, mask.shape, "mask")
    return grad_output * mask
