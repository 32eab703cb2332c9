"""Softmax and cross-entropy: from scores to probabilities to one number that says how wrong they are."""

import torch


def log_softmax(logits):
    """log of softmax, logits [N, K] -> [N, K]: subtract the log of the summed exponentials, computed from the largest down.

    exp of the largest score would overflow from 89 on in float32; after subtracting it the largest exponential is 1.
    """
    _check_logits(logits)
    shifted = logits - logits.amax(dim=1, keepdim=True)
    return shifted - shifted.exp().sum(dim=1, keepdim=True).log()


def softmax(logits):
    """Probabilities exp(logit) / sum of exp, each row summing to 1: [N, K] -> [N, K]."""
    return log_softmax(logits).exp()


def softmax_backward(grad_output, logits):
    """Gradient at the logits: p (g - sum of p g), row by row. The Jacobian diag(p) - p p^T is never written out."""
    p = softmax(logits)
    return p * (grad_output - (p * grad_output).sum(dim=1, keepdim=True))


def cross_entropy(logits, target, *, label_smoothing=0.0):
    """Mean over the batch of - sum over k of q_k log p_k, in nats, as `torch.nn.functional.cross_entropy`: a scalar.

    logits: [N, K], target: int64 [N] with classes 0 to K - 1. q puts 1 - label_smoothing on the target and spreads the rest
    evenly over all K classes. Raises ValueError for a label outside the classes, an empty batch or smoothing outside [0, 1].
    """
    q = _target_distribution(logits, target, label_smoothing)
    return -(q * log_softmax(logits)).sum(dim=1).mean()


def cross_entropy_backward(logits, target, *, label_smoothing=0.0, grad_output=1.0):
    """Gradient at the logits: grad_output (p - q) / N, [N, K]."""
    q = _target_distribution(logits, target, label_smoothing)
    return grad_output * (softmax(logits) - q) / len(logits)


def _check_logits(logits):
    if logits.dim() != 2 or not logits.is_floating_point():
        raise ValueError(f"logits must be floating point [N, K], got {logits.dtype} of shape {list(logits.shape)}")


def _target_distribution(logits, target, label_smoothing):
    """q [N, K], the distribution that the probabilities are compared with."""
    _check_logits(logits)
    N, K = logits.shape
    if N == 0:
        raise ValueError("the batch is empty: the mean over no image is not defined")
    if target.shape != (N,) or target.dtype != torch.int64:
        raise ValueError(f"target must be int64 [{N}], one class for each row, got {target.dtype} of shape {list(target.shape)}")
    if target.min() < 0 or target.max() >= K:
        bad = target[(target < 0) | (target >= K)][0].item()
        raise ValueError(f"target {bad} is outside the classes 0 to {K - 1}")
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {label_smoothing}")
    q = torch.full_like(logits, label_smoothing / K)
    return q.scatter_add(1, target[:, None], torch.full_like(logits[:, :1], 1 - label_smoothing))
