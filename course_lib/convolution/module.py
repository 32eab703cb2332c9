"""The convolution of this course as a PyTorch layer: the hand-derived backward pass inside autograd."""

import math

import torch
from torch import nn

from course_lib.convolution.arguments import check_channels, pair, resolve_padding
from course_lib.convolution.geometry import check_conv2d
from course_lib.convolution.im2col import conv2d_im2col, input_gradient, weight_gradient


class Conv2dFunction(torch.autograd.Function):
    """`conv2d_im2col` forward and `conv2d_backward` backward: y = Conv2dFunction.apply(x, weight, bias, stride, padding,
    dilation, groups). The backward pass is written in differentiable operations, so second derivatives work too."""

    @staticmethod
    def forward(ctx, x, weight, bias, stride, padding, dilation, groups):
        """Keep the input and the weight, not the patches: they are KH * KW times larger and quick to copy again."""
        ctx.save_for_backward(x, weight, bias)
        ctx.arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        return conv2d_im2col(x, weight, bias, **ctx.arguments)

    @staticmethod
    def backward(ctx, grad_output):
        """Gradients in argument order, None for the four that are not tensors."""
        x, weight, bias = ctx.saved_tensors
        geometry = check_conv2d(x, weight, bias, **ctx.arguments)
        # Only what is asked for: the first layer of a network needs no gradient at its images, and weights may be frozen.
        grad_x = input_gradient(grad_output, weight, geometry) if ctx.needs_input_grad[0] else None
        grad_weight = weight_gradient(grad_output, x, geometry) if ctx.needs_input_grad[1] else None
        grad_bias = grad_output.sum(dim=(0, 2, 3)) if ctx.needs_input_grad[2] else None
        return grad_x, grad_weight, grad_bias, None, None, None, None


class Conv2d(nn.Module):
    """A 2-D convolution layer with the arguments, parameters and initialisation of `torch.nn.Conv2d`, and our own arithmetic.

    in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias: as in PyTorch (zero padding only).
    forward: x [N, in_channels, H, W] -> [N, out_channels, OH, OW]. A state dict of either class loads into the other.
    Under autocast the product runs in the autocast type, as PyTorch's does. torch.func cannot look inside.
    Raises ValueError for arguments that do not fit.
    """

    def __init__(
        self,
        in_channels,
        out_channels,
        kernel_size,
        stride=1,
        padding=0,
        dilation=1,
        groups=1,
        bias=True,
        device=None,
        dtype=None,
    ):
        super().__init__()
        in_channels, out_channels, groups = check_channels(in_channels, out_channels, groups)
        self.in_channels, self.out_channels, self.kernel_size = in_channels, out_channels, pair(kernel_size, "kernel_size")
        self.stride, self.dilation, self.groups = pair(stride, "stride"), pair(dilation, "dilation"), groups
        resolve_padding(padding, self.kernel_size, self.stride, self.dilation)  # a mistake is named here, not at the first image
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding", least=0)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = nn.Parameter(torch.empty(shape, device=device, dtype=dtype))
        self.bias = nn.Parameter(torch.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self):
        """Draw weight and bias uniformly from +-1 / sqrt(inputs of one output number), which is PyTorch's default."""
        bound = 1 / math.sqrt(self.weight[0].numel())
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, x):
        """x [N, in_channels, H, W] -> [N, out_channels, OH, OW]."""
        weight, bias, device = self.weight, self.bias, x.device.type
        autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
        if autocast and x.is_floating_point() and torch.float64 not in (x.dtype, weight.dtype):  # PyTorch's rule
            dtype = torch.get_autocast_dtype(device)
            x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
        return Conv2dFunction.apply(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def extra_repr(self):
        """The arguments, for print(model)."""
        return (
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"padding={self.padding}, dilation={self.dilation}, groups={self.groups}, bias={self.bias is not None}"
        )
