"""Batch normalisation: each channel gets mean 0 and variance 1, then a learned scale and shift."""

import torch

from course_lib.convolution.arguments import check_gradient


def batch_norm(
    x: torch.Tensor,
    running_mean: torch.Tensor,
    running_var: torch.Tensor,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    *,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> torch.Tensor:
    """As `torch.nn.functional.batch_norm`: (x - mean) / sqrt(variance + eps) * weight + bias.

    x: [N, C] or [N, C, H, W]; running_mean, running_var, weight, bias: [C] (weight and bias may be
    None). training: mean and variance are those of this batch, over images and pixels, and
    running_mean and running_var move towards them by the share `momentum`, **in place** (the
    variance with the unbiased n - 1 there, as PyTorch keeps it). Otherwise they are running_mean
    and running_var. Returns the shape of x. Raises ValueError where training has a single number
    per channel, whose variance would be zero. Source: Ioffe and Szegedy, Batch Normalization
    (2015), algorithm 1.
    """
    mean, var, _ = _statistics(x, running_mean, running_var, training)
    if training:
        count = x.numel() // x.shape[1]
        running_mean.mul_(1 - momentum).add_(momentum * mean)
        running_var.mul_(1 - momentum).add_(momentum * var * count / (count - 1))
    y = (x - _column(mean, x)) * _column((var + eps).rsqrt(), x)
    if weight is not None:
        y = y * _column(weight, x)
    return y if bias is None else y + _column(bias, x)


def batch_norm_backward(
    grad_output: torch.Tensor,
    x: torch.Tensor,
    running_mean: torch.Tensor,
    running_var: torch.Tensor,
    weight: torch.Tensor | None = None,
    bias: torch.Tensor | None = None,
    *,
    training: bool = False,
    eps: float = 1e-5,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients at x, weight and bias from grad_output (shape of x).

    Derived in notebook 03, section 7. In training the batch's own mean and variance depend on every
    x, so two terms are taken out of the gradient: its mean, and its part along the normalised x. In
    evaluation the statistics are constants. grad_weight and grad_bias [C] are returned even where
    weight and bias are None.
    """
    check_gradient(grad_output, x.shape)
    mean, var, axes = _statistics(x, running_mean, running_var, training)
    inverse = (var + eps).rsqrt()
    normalised = (x - _column(mean, x)) * _column(inverse, x)
    grad_weight, grad_bias = (grad_output * normalised).sum(dim=axes), grad_output.sum(dim=axes)
    g = grad_output if weight is None else grad_output * _column(weight, x)
    if training:
        g = g - g.mean(dim=axes, keepdim=True) - normalised * (g * normalised).mean(dim=axes, keepdim=True)
    return g * _column(inverse, x), grad_weight, grad_bias


def _column(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """[C] in the shape that broadcasts against x."""
    return values if x.dim() == 2 else values.view(1, -1, 1, 1)


def _statistics(
    x: torch.Tensor, running_mean: torch.Tensor, running_var: torch.Tensor, training: bool
) -> tuple[torch.Tensor, torch.Tensor, tuple[int, ...]]:
    """Mean and variance [C] to normalise with, and the axes of x that a channel extends over."""
    if x.dim() not in (2, 4):
        raise ValueError(f"x must be [N, C] or [N, C, H, W], got shape {list(x.shape)}")
    if not running_mean.shape == running_var.shape == x.shape[1:2]:
        raise ValueError(
            f"running_mean and running_var must have shape [{x.shape[1]}], one number for each channel, "
            f"got {list(running_mean.shape)} and {list(running_var.shape)}"
        )
    axes = (0,) if x.dim() == 2 else (0, 2, 3)
    if not training:
        return running_mean, running_var, axes
    if x.numel() < 2 * x.shape[1]:
        raise ValueError(f"training needs more than one number for each channel, got x of shape {list(x.shape)}")
    return x.mean(dim=axes), x.var(dim=axes, correction=0), axes
