"""The convolution of this course as a PyTorch layer: the derived backward pass inside autograd."""

from typing import Any

import torch
from torch import nn

from course_lib.convolution.arguments import Pair, check_conv2d
from course_lib.convolution.im2col import correlate, input_gradient, weight_gradient


class Conv2dFunction(torch.autograd.Function):
    """`conv2d_im2col` forward and `conv2d_backward` backward.

    y = Conv2dFunction.apply(x, weight, bias, stride, padding, dilation, groups). The backward pass
    is written in differentiable operations, so second derivatives work too.
    """

    @staticmethod
    def forward(
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        stride: Pair,
        padding: Pair | str,
        dilation: Pair,
        groups: int,
    ) -> torch.Tensor:
        """Keep x and weight, not the patches: they are KH * KW times larger and quickly copied
        again.
        """
        ctx.save_for_backward(x, weight)
        ctx.geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
        return correlate(x, weight, bias, ctx.geometry)

    @staticmethod
    def backward(ctx: Any, grad_output: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Gradients in argument order, None for the four that are not tensors.

        Only what is asked for is computed: the first layer of a network needs no gradient at its
        images, and weights may be frozen.
        """
        x, weight = ctx.saved_tensors
        grad_x = input_gradient(grad_output, weight, ctx.geometry) if ctx.needs_input_grad[0] else None
        grad_weight = weight_gradient(grad_output, x, ctx.geometry) if ctx.needs_input_grad[1] else None
        grad_bias = grad_output.sum(dim=(0, 2, 3)) if ctx.needs_input_grad[2] else None
        return grad_x, grad_weight, grad_bias, None, None, None, None


class Conv2d(nn.Conv2d):
    """`torch.nn.Conv2d`, its arguments, parameters and initial weights, with our own arithmetic.

    forward: x [N, in_channels, H, W] -> [N, out_channels, OH, OW]. A padding_mode other than
    "zeros" raises ValueError. Under autocast the product runs in the autocast type, as PyTorch's
    does. torch.func cannot look inside.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [N, in_channels, H, W] -> [N, out_channels, OH, OW]."""
        if self.padding_mode != "zeros":
            raise ValueError(f"padding_mode is {self.padding_mode!r}: this layer pads with zeros only")
        weight, bias, device = self.weight, self.bias, x.device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device) and x.dtype != torch.float64:
            dtype = torch.get_autocast_dtype(device)
            x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
        return Conv2dFunction.apply(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)
