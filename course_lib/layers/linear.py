"""The dense layer: every output is a weighted sum of every input."""

from course_lib.convolution.arguments import check_gradient


def linear(x, weight, bias=None):
    """y = x weight^T + bias, as `torch.nn.functional.linear`: x [N, I], weight [O, I], bias [O] or None -> [N, O].

    Raises ValueError, naming the sizes, where they do not fit.
    """
    _check(x, weight, bias)
    y = x @ weight.T
    return y if bias is None else y + bias


def linear_backward(grad_output, x, weight, bias=None):
    """Gradients at x, weight and bias from grad_output [N, O]: (grad_output weight, grad_output^T x, sum over the batch).

    The last does not depend on bias and is returned even where bias is None.
    """
    _check(x, weight, bias)
    check_gradient(grad_output, (x.shape[0], weight.shape[0]))
    return grad_output @ weight, grad_output.T @ x, grad_output.sum(dim=0)


def _check(x, weight, bias):
    if x.dim() != 2 or weight.dim() != 2 or x.shape[1] != weight.shape[1]:
        raise ValueError(f"x [N, I] and weight [O, I] must share I, got shapes {list(x.shape)} and {list(weight.shape)}")
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"bias must have shape [{weight.shape[0]}], one number for each output, got {list(bias.shape)}")
