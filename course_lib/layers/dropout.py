"""Dropout: in training, numbers are set to zero at random, and the others grow so that the mean stays."""

import torch

from course_lib.convolution.arguments import check_gradient
from course_lib.data.arguments import check_number


def dropout(x, p=0.5, *, training=True, generator=None):
    """Returns (y, mask): y = x * mask, where mask is 0 with probability p and 1 / (1 - p) otherwise, drawn for each number.

    In evaluation, or at p = 0, y is x and the mask is all ones. The mask is what `dropout_backward` needs.
    generator: a `torch.Generator` on the device of x. Raises ValueError if p is not in [0, 1).
    Source: Srivastava et al., Dropout (2014), in the "inverted" form that needs nothing at test time.
    """
    check_number("p", p, below=1)
    if not training or p == 0:
        return x, torch.ones_like(x)
    keep = torch.rand(x.shape, generator=generator, device=x.device, dtype=torch.float32) >= p
    mask = keep.to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward(grad_output, mask):
    """grad_output times the mask of the forward pass: what was dropped gets no gradient."""
    check_gradient(grad_output, mask.shape, "mask")
    return grad_output * mask
