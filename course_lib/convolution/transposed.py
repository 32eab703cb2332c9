"""Transposed convolution: the adjoint of a convolution, used on its own to make images larger."""

from course_lib.convolution.arguments import check_gradient, check_groups, check_tensors, pair
from course_lib.convolution.geometry import Geometry
from course_lib.convolution.im2col import correlate, input_gradient, weight_gradient
from course_lib.convolution.sizes import conv_transpose_output_size


def conv_transpose2d(x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Transposed convolution, as `torch.nn.functional.conv_transpose2d`: every input pixel stamps the kernel on the output.

    x: [N, C, H, W], weight: [C, O / groups, KH, KW] (input channels first: it is the weight of the convolution from O to C
    channels whose adjoint this is), bias: [O] or None -> [N, O, OH, OW] with the sizes of `conv_transpose_output_size`.
    stride, dilation: ints or pairs of at least 1; padding, output_padding: ints or pairs of at least 0. padding is that of the
    convolution, so it makes this output smaller; output_padding is smaller than stride or dilation.
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning (2016), chapter 4.
    """
    geometry = _check(x, weight, bias, stride, padding, output_padding, groups, dilation)
    y = input_gradient(x, weight, geometry)
    return y if bias is None else y + bias.view(-1, 1, 1)


def conv_transpose2d_backward(grad_output, x, weight, bias=None, *, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """Gradients of a loss through `y = conv_transpose2d(x, weight, bias)`, given its gradient at y.

    grad_output: [N, O, OH, OW]; the rest as in `conv_transpose2d`. Returns (grad_x, grad_weight, grad_bias) in the shapes of x,
    weight and [O]. The adjoint of the adjoint is the convolution itself, so grad_x is a convolution of grad_output.
    Raises ValueError if grad_output does not have the shape of y.
    """
    geometry = _check(x, weight, bias, stride, padding, output_padding, groups, dilation)
    check_gradient(grad_output, (x.shape[0], weight.shape[1] * groups, *geometry.input_size))
    grad_x = correlate(grad_output, weight, geometry)
    grad_weight = weight_gradient(x, grad_output, geometry)  # the two swap places
    return grad_x, grad_weight, grad_output.sum(dim=(0, 2, 3))


def _check(x, weight, bias, stride, padding, output_padding, groups, dilation) -> Geometry:
    """Check the arguments; return the geometry of the convolution whose adjoint is meant (its input is our output)."""
    check_groups(weight, groups, "input")
    outputs = weight.shape[1] * groups if weight.dim() == 4 else 0
    check_tensors(x, weight, bias, "HW", channels=weight.shape[0] if weight.dim() else 0, outputs=outputs)
    if isinstance(padding, str):
        raise ValueError(f"padding of a transposed convolution must be an int or a pair, got {padding!r}")
    kernel_size = tuple(weight.shape[2:])
    size = conv_transpose_output_size(tuple(x.shape[2:]), kernel_size, stride, padding, output_padding, dilation)
    sides = tuple((p, p) for p in pair(padding, "padding", least=0))
    stride, dilation = pair(stride, "stride"), pair(dilation, "dilation")
    return Geometry(size, tuple(x.shape[2:]), kernel_size, stride, sides, dilation, groups)
