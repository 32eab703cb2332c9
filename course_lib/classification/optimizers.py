"""SGD, momentum and Adam, written out once.

Training uses `torch.optim`, which computes the same and is faster.
"""

from collections.abc import Iterable

import torch


class SGD:
    """Stochastic gradient descent with momentum, also Nesterov's, as `torch.optim.SGD`.

    Args:
        params: tensors with a `grad`.
        lr: learning rate.
        momentum: share of the velocity that is kept from one step to the next; 0 for none.
        nesterov: step along where the velocity will be. Source: Sutskever et al., On the importance
            of initialization and momentum in deep learning (2013).
        weight_decay: adds weight_decay * parameter to its gradient.
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.params: list = list(params)
        self.lr, self.momentum, self.nesterov, self.weight_decay = lr, momentum, nesterov, weight_decay
        self.velocities = [torch.zeros_like(parameter) for parameter in self.params]

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter once, in place."""
        for parameter, velocity in zip(self.params, self.velocities, strict=True):
            gradient = parameter.grad + self.weight_decay * parameter
            velocity.mul_(self.momentum).add_(gradient)
            parameter -= self.lr * (gradient + self.momentum * velocity if self.nesterov else velocity)


class Adam:
    """Adam, and with weight_decay AdamW, as `torch.optim.AdamW`.

    Args:
        params: tensors with a `grad`.
        lr: learning rate: about the length of a step in each coordinate, whatever the size of the
            gradient.
        betas: shares of the old averages that are kept: of the gradient and of its square.
        eps: added to the root, against a division by zero.
        weight_decay: shrinks each parameter by the share lr * weight_decay, apart from the
            gradient.

    Source: Kingma and Ba, Adam (2015), algorithm 1; Loshchilov and Hutter, Decoupled Weight Decay
    Regularization (2019).
    """

    def __init__(
        self,
        params: Iterable[torch.Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.params: list = list(params)
        self.lr, self.betas, self.eps, self.weight_decay = lr, betas, eps, weight_decay
        self.means = [torch.zeros_like(parameter) for parameter in self.params]
        self.squares = [torch.zeros_like(parameter) for parameter in self.params]
        self.steps = 0

    @torch.no_grad()
    def step(self) -> None:
        """Move every parameter once, in place."""
        self.steps += 1
        beta1, beta2 = self.betas
        for parameter, mean, square in zip(self.params, self.means, self.squares, strict=True):
            mean.mul_(beta1).add_((1 - beta1) * parameter.grad)
            square.mul_(beta2).add_((1 - beta2) * parameter.grad.square())
            # The averages start at zero: after t steps they are too small by the factor 1 - beta^t.
            unbiased_mean, unbiased_square = mean / (1 - beta1**self.steps), square / (1 - beta2**self.steps)
            parameter.mul_(1 - self.lr * self.weight_decay)
            parameter -= self.lr * unbiased_mean / (unbiased_square.sqrt() + self.eps)
