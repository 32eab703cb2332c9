"""The dense layer: every output is a weighted sum of every input."""

import torch

from course_lib.convolution.arguments import check_gradient


def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
    """y = x weight^T + bias, as `torch.nn.functional.linear`.

    x: [N, I], weight: [O, I], bias: [O] or None -> [N, O]. Raises ValueError, naming the sizes,
    where they do not fit.
    """
    _check(x, weight, bias)
    return x @ weight.T if bias is None else x @ weight.T + bias


def linear_backward(
    grad_output: torch.Tensor, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients at x, weight and bias from grad_output [N, O].

    They are grad_output weight, grad_output^T x, and the sum of grad_output over the batch. The
    last does not depend on bias and is returned even where bias is None.
    """
    _check(x, weight, bias)
    check_gradient(grad_output, (len(x), len(weight)))
    return grad_output @ weight, grad_output.T @ x, grad_output.sum(dim=0)


def _check(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
    if x.dim() != 2 or weight.dim() != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x [N, I] and weight [O, I] must share I, got shapes {list(x.shape)} and {list(weight.shape)}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias must have shape [{len(weight)}], one number for each output, got {list(bias.shape)}")
