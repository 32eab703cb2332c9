"""Functions applied to each number on its own: without them, depth would be one linear layer.

Each backward function takes the gradient at the output and the layer's *input* and returns the
gradient at the input.
"""

import math

import torch


def relu(x: torch.Tensor) -> torch.Tensor:
    """max(x, 0), for each number of x (any shape)."""
    return x.clamp(min=0)


def relu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """grad_output where x > 0, else 0; also at x = 0, which has no derivative, as in PyTorch."""
    return grad_output * (x > 0)


def leaky_relu(x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """x where x > 0, else negative_slope x. Source: Maas, Hannun and Ng (2013)."""
    return torch.where(x > 0, x, negative_slope * x)


def leaky_relu_backward(grad_output: torch.Tensor, x: torch.Tensor, negative_slope: float = 0.01) -> torch.Tensor:
    """grad_output where x > 0, else negative_slope grad_output."""
    return torch.where(x > 0, grad_output, negative_slope * grad_output)


def gelu(x: torch.Tensor) -> torch.Tensor:
    """x Phi(x), with Phi the normal distribution function.

    Source: Hendrycks and Gimpel (2016), section 2.
    """
    return x * 0.5 * (1 + torch.erf(x / math.sqrt(2)))


def gelu_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """grad_output (Phi(x) + x phi(x)), with phi the normal density."""
    distribution = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    return grad_output * (distribution + x * density)


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    """1 / (1 + exp(-x)), without overflow on either side."""
    small = torch.exp(-x.abs())  # between 0 and 1
    return torch.where(x >= 0, 1 / (1 + small), small / (1 + small))


def sigmoid_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """grad_output s (1 - s), with s = sigmoid(x): at most a quarter of what arrives."""
    s = sigmoid(x)
    return grad_output * s * (1 - s)


def tanh(x: torch.Tensor) -> torch.Tensor:
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x)) = 2 sigmoid(2 x) - 1."""
    return 2 * sigmoid(2 * x) - 1


def tanh_backward(grad_output: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """grad_output (1 - tanh(x)^2)."""
    return grad_output * (1 - tanh(x).square())
