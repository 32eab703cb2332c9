"""Batch normalisation: each channel of a batch brought to mean 0 and variance 1, then scaled and shifted by learned numbers."""

from course_lib.convolution.arguments import check_gradient


def batch_norm(x, running_mean, running_var, weight=None, bias=None, *, training=False, momentum=0.1, eps=1e-5):
    """(x - mean) / sqrt(variance + eps) * weight + bias for each channel, as `torch.nn.functional.batch_norm`.

    x: [N, C] or [N, C, H, W]; running_mean, running_var, weight, bias: [C] (weight and bias may be None).
    training: mean and variance are those of this batch, over images and pixels, and running_mean and running_var move towards
    them by the share `momentum`, **in place** (the variance with the unbiased n - 1 there, as PyTorch keeps it). Otherwise they
    are running_mean and running_var. Returns the shape of x.
    Raises ValueError where training has a single number per channel, whose variance would be zero.
    Source: Ioffe and Szegedy, Batch Normalization (2015), algorithm 1.
    """
    mean, var, count = _statistics(x, running_mean, running_var, training)
    if training:
        running_mean.mul_(1 - momentum).add_(momentum * mean)
        running_var.mul_(1 - momentum).add_(momentum * var * count / (count - 1))
    y = (x - _column(mean, x)) * _column((var + eps).rsqrt(), x)
    if weight is not None:
        y = y * _column(weight, x)
    return y if bias is None else y + _column(bias, x)


def batch_norm_backward(grad_output, x, running_mean, running_var, weight=None, bias=None, *, training=False, eps=1e-5):
    """Gradients at x, weight and bias from grad_output (shape of x). Derived in notebook 02, section 5.

    In training the batch's own mean and variance depend on every x, so two terms are taken out of the gradient: its mean, and
    its part along the normalised x. In evaluation the statistics are constants. grad_weight and grad_bias [C] are returned
    even where weight and bias are None.
    """
    check_gradient(grad_output, x.shape)
    mean, var, _ = _statistics(x, running_mean, running_var, training)
    inverse = (var + eps).rsqrt()
    normalised = (x - _column(mean, x)) * _column(inverse, x)
    axes = _axes(x)
    grad_weight, grad_bias = (grad_output * normalised).sum(dim=axes), grad_output.sum(dim=axes)
    g = grad_output if weight is None else grad_output * _column(weight, x)
    if training:
        g = g - g.mean(dim=axes, keepdim=True) - normalised * (g * normalised).mean(dim=axes, keepdim=True)
    return g * _column(inverse, x), grad_weight, grad_bias


def _axes(x):
    if x.dim() not in (2, 4):
        raise ValueError(f"x must be [N, C] or [N, C, H, W], got shape {list(x.shape)}")
    return (0,) if x.dim() == 2 else (0, 2, 3)


def _column(values, x):
    """[C] in the shape that broadcasts against x."""
    return values if x.dim() == 2 else values.view(1, -1, 1, 1)


def _statistics(x, running_mean, running_var, training):
    """Mean and variance [C] to normalise with, and how many numbers of x each channel has."""
    axes = _axes(x)
    C = x.shape[1]
    for name, values in (("running_mean", running_mean), ("running_var", running_var)):
        if values.shape != (C,):
            raise ValueError(f"{name} must have shape [{C}], one number for each channel of x, got {list(values.shape)}")
    count = x.numel() // max(C, 1)
    if not training:
        return running_mean, running_var, count
    if count < 2:
        raise ValueError(f"training needs more than one number for each channel, got x of shape {list(x.shape)}")
    return x.mean(dim=axes), x.var(dim=axes, correction=0), count
