"""Layers that remember what their backward pass needs, and a chain of them: a network without autograd."""

import math

import torch

from course_lib.convolution import conv2d_backward, conv2d_im2col
from course_lib.convolution.arguments import pair
from course_lib.layers import activations, pooling
from course_lib.layers.batch_norm import batch_norm, batch_norm_backward
from course_lib.layers.dropout import dropout, dropout_backward
from course_lib.layers.linear import linear, linear_backward


class Layer:
    """One step of a network. `forward` computes and remembers; `backward` turns the gradient at the output into the one at the
    input, and leaves the gradients of its own parameters in `gradients`, by name.

    parameters: dict of tensors by name; gradients: the same names, after `backward`; training: whether dropout and batch
    normalisation behave as in training.
    """

    training = True

    def __init__(self):
        self.parameters, self.gradients = {}, {}

    def forward(self, x):
        """x -> y."""
        raise NotImplementedError

    def backward(self, grad_output):
        """Gradient at y -> gradient at x, for the x of the last `forward`."""
        raise NotImplementedError

    def __call__(self, x):
        return self.forward(x)


class Conv2d(Layer):
    """`conv2d_im2col` with its weight [O, C, KH, KW] and bias [O], initialised after He et al. (2015): variance 2 / inputs."""

    def __init__(self, in_channels, out_channels, kernel_size, *, stride=1, padding=0, generator=None, dtype=torch.float32):
        super().__init__()
        shape = (out_channels, in_channels, *pair(kernel_size, "kernel_size"))
        self.arguments = {"stride": stride, "padding": padding}
        self.parameters = {"weight": _he(shape, generator, dtype), "bias": torch.zeros(out_channels, dtype=dtype)}

    def forward(self, x):
        self.x = x
        return conv2d_im2col(x, self.parameters["weight"], self.parameters["bias"], **self.arguments)

    def backward(self, grad_output):
        grad_x, weight, bias = conv2d_backward(grad_output, self.x, self.parameters["weight"], **self.arguments)
        self.gradients = {"weight": weight, "bias": bias}
        return grad_x


class Linear(Layer):
    """`linear` with its weight [O, I] and bias [O], initialised after He et al. (2015)."""

    def __init__(self, in_features, out_features, *, generator=None, dtype=torch.float32):
        super().__init__()
        weight = _he((out_features, in_features), generator, dtype)
        self.parameters = {"weight": weight, "bias": torch.zeros(out_features, dtype=dtype)}

    def forward(self, x):
        self.x = x
        return linear(x, self.parameters["weight"], self.parameters["bias"])

    def backward(self, grad_output):
        grad_x, weight, bias = linear_backward(grad_output, self.x, self.parameters["weight"])
        self.gradients = {"weight": weight, "bias": bias}
        return grad_x


class BatchNorm(Layer):
    """`batch_norm` with its weight and bias [C], and its running mean and variance, which are no parameters."""

    def __init__(self, channels, *, momentum=0.1, dtype=torch.float32):
        super().__init__()
        self.momentum = momentum
        self.running_mean, self.running_var = torch.zeros(channels, dtype=dtype), torch.ones(channels, dtype=dtype)
        self.parameters = {"weight": torch.ones(channels, dtype=dtype), "bias": torch.zeros(channels, dtype=dtype)}

    def forward(self, x):
        self.x, self.was_training = x, self.training
        statistics, parameters = (self.running_mean, self.running_var), self.parameters.values()
        return batch_norm(x, *statistics, *parameters, training=self.training, momentum=self.momentum)

    def backward(self, grad_output):
        statistics, parameters = (self.running_mean, self.running_var), self.parameters.values()
        grad_x, weight, bias = batch_norm_backward(grad_output, self.x, *statistics, *parameters, training=self.was_training)
        self.gradients = {"weight": weight, "bias": bias}
        return grad_x


class ReLU(Layer):
    """`relu`."""

    def forward(self, x):
        self.x = x
        return activations.relu(x)

    def backward(self, grad_output):
        return activations.relu_backward(grad_output, self.x)


class MaxPool2d(Layer):
    """`max_pool2d`."""

    def __init__(self, kernel_size, *, stride=None, padding=0):
        super().__init__()
        self.arguments = {"kernel_size": kernel_size, "stride": stride, "padding": padding}

    def forward(self, x):
        self.x = x
        return pooling.max_pool2d(x, **self.arguments)

    def backward(self, grad_output):
        return pooling.max_pool2d_backward(grad_output, self.x, **self.arguments)


class AvgPool2d(MaxPool2d):
    """`avg_pool2d`."""

    def forward(self, x):
        self.x = x
        return pooling.avg_pool2d(x, **self.arguments)

    def backward(self, grad_output):
        return pooling.avg_pool2d_backward(grad_output, self.x, **self.arguments)


class GlobalAvgPool2d(Layer):
    """`global_avg_pool2d`: [N, C, H, W] -> [N, C]."""

    def forward(self, x):
        self.x = x
        return pooling.global_avg_pool2d(x)

    def backward(self, grad_output):
        return pooling.global_avg_pool2d_backward(grad_output, self.x)


class Dropout(Layer):
    """`dropout`, with a generator of its own."""

    def __init__(self, p=0.5, *, generator=None):
        super().__init__()
        self.p, self.generator = p, generator

    def forward(self, x):
        y, self.mask = dropout(x, self.p, training=self.training, generator=self.generator)
        return y

    def backward(self, grad_output):
        return dropout_backward(grad_output, self.mask)


class Flatten(Layer):
    """[N, C, H, W] -> [N, C * H * W]: no number changes, so the gradient only changes its shape back."""

    def forward(self, x):
        self.shape = x.shape
        return x.flatten(1)

    def backward(self, grad_output):
        return grad_output.reshape(self.shape)


class Sequential(Layer):
    """Layers one after the other; backward goes through them from the last to the first, which is all of backpropagation."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = layers

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, grad_output):
        for layer in reversed(self.layers):
            grad_output = layer.backward(grad_output)
        return grad_output

    def train(self, mode=True):
        """Switch all layers to training behaviour, or with mode=False to evaluation."""
        for layer in self.layers:
            layer.training = mode
        return self

    def named_parameters(self):
        """(name, tensor) of every parameter, named as `torch.nn.Sequential` names them: "0.weight", "0.bias", "3.weight", ..."""
        return [(f"{i}.{name}", p) for i, layer in enumerate(self.layers) for name, p in layer.parameters.items()]

    def named_gradients(self):
        """(name, tensor) of every gradient of the last `backward`, in the order of `named_parameters`."""
        return [(f"{i}.{name}", layer.gradients[name]) for i, layer in enumerate(self.layers) for name in layer.parameters]

    def step(self, lr):
        """One step of gradient descent, in place: parameter -= lr * gradient."""
        for layer in self.layers:
            for name, parameter in layer.parameters.items():
                parameter -= lr * layer.gradients[name]


def _he(shape, generator, dtype):
    """Normal numbers with variance 2 / fan_in, which keeps the size of activations through ReLU layers."""
    fan_in = math.prod(shape[1:])
    return torch.randn(shape, generator=generator, dtype=dtype) * math.sqrt(2 / fan_in)
