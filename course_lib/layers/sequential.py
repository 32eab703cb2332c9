"""Layers that remember what their backward pass needs: a network without autograd."""

import math

import torch

from course_lib.convolution import conv2d_backward, conv2d_im2col
from course_lib.convolution.arguments import Pair, pair
from course_lib.layers.activations import relu, relu_backward
from course_lib.layers.batch_norm import batch_norm, batch_norm_backward
from course_lib.layers.linear import linear, linear_backward
from course_lib.layers.pooling import max_pool2d, max_pool2d_backward


class Layer:
    """One step of a network: `forward` computes and remembers, `backward` goes back.

    Attributes:
        parameters: tensors by name.
        gradients: of the parameters, by the same names, after `backward`.
        training: whether batch normalisation uses the statistics of its batch.
    """

    def __init__(self, **parameters: torch.Tensor) -> None:
        self.parameters, self.gradients, self.training = parameters, dict[str, torch.Tensor](), True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> y."""
        raise NotImplementedError

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        """Gradient at y -> gradient at x, for the x of the last `forward`."""
        raise NotImplementedError

    def keep(self, grad_x: torch.Tensor, grad_weight: torch.Tensor, grad_bias: torch.Tensor) -> torch.Tensor:
        """Keep the gradients of weight and bias, and hand on the one at x."""
        self.gradients = {"weight": grad_weight, "bias": grad_bias}
        return grad_x

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return self.forward(x)


class Conv2d(Layer):
    """`conv2d_im2col` with its weight [O, C, KH, KW], drawn after He et al. (2015), and a bias."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        *,
        stride: Pair = 1,
        padding: Pair = 0,
        rng: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        shape = (out_channels, in_channels, *pair("kernel_size", kernel_size))
        super().__init__(weight=_he(shape, rng, dtype), bias=torch.zeros(out_channels, dtype=dtype))
        self.stride, self.padding = stride, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x
        return conv2d_im2col(x, *self.parameters.values(), stride=self.stride, padding=self.padding)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        weight = self.parameters["weight"]
        return self.keep(*conv2d_backward(grad_output, self.x, weight, stride=self.stride, padding=self.padding))


class Linear(Layer):
    """`linear` with its weight [O, I], drawn after He et al. (2015), and a bias."""

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        rng: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(weight=_he((out_features, in_features), rng, dtype), bias=torch.zeros(out_features, dtype=dtype))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x
        return linear(x, *self.parameters.values())

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return self.keep(*linear_backward(grad_output, self.x, self.parameters["weight"]))


class BatchNorm(Layer):
    """`batch_norm` with its weight and bias [C], and a running mean and variance, no parameters."""

    def __init__(self, channels: int, *, dtype: torch.dtype = torch.float32) -> None:
        super().__init__(weight=torch.ones(channels, dtype=dtype), bias=torch.zeros(channels, dtype=dtype))
        self.running_mean, self.running_var = torch.zeros(channels, dtype=dtype), torch.ones(channels, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x, self.was_training = x, self.training
        return batch_norm(x, self.running_mean, self.running_var, *self.parameters.values(), training=self.training)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        arguments = (self.x, self.running_mean, self.running_var, self.parameters["weight"])
        return self.keep(*batch_norm_backward(grad_output, *arguments, training=self.was_training))


class ReLU(Layer):
    """`relu`."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x
        return relu(x)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return relu_backward(grad_output, self.x)


class MaxPool2d(Layer):
    """`max_pool2d`."""

    def __init__(self, kernel_size: Pair, *, stride: Pair | None = None, padding: Pair = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.x = x
        return max_pool2d(x, self.kernel_size, stride=self.stride, padding=self.padding)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return max_pool2d_backward(grad_output, self.x, self.kernel_size, stride=self.stride, padding=self.padding)


class Flatten(Layer):
    """[N, C, H, W] -> [N, C * H * W]: the gradient only changes its shape back."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.shape = x.shape
        return x.flatten(1)

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return grad_output.reshape(self.shape)


class Sequential(Layer):
    """Layers one after the other. Going through them from the last is all of backpropagation."""

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output

    def train(self, mode: bool = True) -> "Sequential":
        """Switch all layers to training behaviour, or with mode=False to evaluation."""
        for layer in self.layers:
            layer.training = mode
        return self

    def named_parameters(self) -> list[tuple[str, torch.Tensor]]:
        """(name, tensor) of every parameter, named as in `torch.nn.Sequential`: "0.weight", ..."""
        return [(f"{i}.{name}", p) for i, layer in enumerate(self.layers) for name, p in layer.parameters.items()]

    def named_gradients(self) -> list[tuple[str, torch.Tensor]]:
        """(name, tensor) of every gradient of the last `backward`, in the same order."""
        return [(f"{i}.{name}", layer.gradients[name]) for i, layer in enumerate(self.layers) for name in layer.parameters]

    def step(self, lr: float) -> None:
        """One step of gradient descent, in place: parameter -= lr * gradient."""
        for layer in self.layers:
            for name, parameter in layer.parameters.items():
                parameter -= lr * layer.gradients[name]


def _he(shape: tuple[int, ...], rng: torch.Generator | None, dtype: torch.dtype) -> torch.Tensor:
    """Normal numbers with variance 2 / fan_in, which keeps the size of what passes ReLU layers."""
    return torch.randn(shape, generator=rng, dtype=dtype) * math.sqrt(2 / math.prod(shape[1:]))
