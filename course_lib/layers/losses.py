"""Softmax and cross-entropy: from scores to probabilities, and to how wrong they are."""

import torch


def log_softmax(logits: torch.Tensor) -> torch.Tensor:
    """The logarithm of softmax, logits [N, K] -> [N, K].

    exp of the largest score would overflow from 89 on in float32; after subtracting it the largest
    exponential is 1.
    """
    if logits.dim() != 2 or not logits.is_floating_point():
        raise ValueError(f"logits must be floating point [N, K], got {logits.dtype} of shape {list(logits.shape)}")
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """Probabilities exp(logit) / sum of exp, each row summing to 1: [N, K] -> [N, K]."""
    return log_softmax(logits).exp()


def softmax_backward(grad_output: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """Gradient at the logits, row by row: p (g - sum of p g).

    The Jacobian diag(p) - p p^T is never written out.
    """
    p = softmax(logits)
    return p * (grad_output - (p * grad_output).sum(dim=1, keepdim=True))


def cross_entropy(logits: torch.Tensor, target: torch.Tensor, *, label_smoothing: float = 0.0) -> torch.Tensor:
    """As `torch.nn.functional.cross_entropy`: the mean of - sum over k of q_k log p_k, in nats.

    logits: [N, K], target: int64 [N] with classes 0 to K - 1. q puts 1 - label_smoothing on the
    target and spreads the rest evenly over all K classes.
    Raises ValueError for shapes that do not fit, an empty batch or smoothing outside [0, 1], and
    PyTorch's error for a label outside the classes.
    """
    return -(log_softmax(logits) * _target_distribution(logits, target, label_smoothing)).sum(dim=1).mean()


def cross_entropy_backward(
    logits: torch.Tensor, target: torch.Tensor, *, label_smoothing: float = 0.0, grad_output: float = 1.0
) -> torch.Tensor:
    """Gradient at the logits: grad_output (p - q) / N, [N, K]."""
    return grad_output * (softmax(logits) - _target_distribution(logits, target, label_smoothing)) / len(logits)


def _target_distribution(logits: torch.Tensor, target: torch.Tensor, label_smoothing: float) -> torch.Tensor:
    """q [N, K], the distribution that the probabilities are compared with."""
    N, K = logits.shape
    if N == 0:
        raise ValueError("the batch is empty: the mean over no image is not defined")
    if target.shape != (N,) or target.dtype != torch.int64:
        raise ValueError(f"target must be int64 [{N}], one class for each row, got {target.dtype} of shape {list(target.shape)}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {label_smoothing}")
    q = torch.full_like(logits, label_smoothing / K)
    return q.scatter_add(1, target[:, None], torch.full_like(logits[:, :1], 1 - label_smoothing))
