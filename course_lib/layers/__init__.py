"""Chapter 3: the other layers of a CNN from scratch, forward and backward, and a chain of them.

Functions take tensors and return tensors; each `..._backward` stands under its forward and returns
gradients in argument order. The classes in `sequential` hold parameters and remember inputs, so
that a whole network can be run backwards.
"""

from course_lib.layers.activations import (
    gelu,
    gelu_backward,
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from course_lib.layers.batch_norm import batch_norm, batch_norm_backward
from course_lib.layers.dropout import dropout, dropout_backward
from course_lib.layers.linear import linear, linear_backward
from course_lib.layers.losses import cross_entropy, cross_entropy_backward, log_softmax, softmax, softmax_backward
from course_lib.layers.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from course_lib.layers.sequential import BatchNorm, Conv2d, Flatten, Linear, MaxPool2d, ReLU, Sequential
from course_lib.layers.shapes import Step, trace_shapes
