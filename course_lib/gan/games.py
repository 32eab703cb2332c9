"""The smallest game in which gradient steps go wrong: x wants f = x y small, y wants it large.

(0, 0) is the solution. The gradients are df/dx = y and df/dy = x. Each function follows one rule
from `start` = (x, y) and returns the path, float64 [steps + 1, 2], the start first. Every rule is
linear, so what becomes of a path is told by the eigenvalues of its matrix. Raises ValueError for lr
or steps that are not positive.
"""

from collections.abc import Sequence

import torch

from course_lib.runtime.checks import check_count


def simultaneous(start: Sequence[float], lr: float, steps: int) -> torch.Tensor:
    """Both step at once: x <- x - lr y, y <- y + lr x.

    Each step lengthens (x, y) by sqrt(1 + lr^2): a spiral outwards. Source: Gidel et al., A
    Variational Inequality Perspective on Generative Adversarial Networks (2019), section 3.
    """
    _check(lr, steps)
    x, y = start
    path = [(x, y)]
    for _ in range(steps):
        x, y = x - lr * y, y + lr * x
        path.append((x, y))
    return torch.tensor(path, dtype=torch.float64)


def alternating(start: Sequence[float], lr: float, steps: int) -> torch.Tensor:
    """y steps after x and knows its new place: x <- x - lr y, y <- y + lr x.

    The path stays on one ellipse, for lr < 2: x^2 - lr x y + y^2 never changes, so it goes neither
    outwards nor inwards. Source: Gidel et al., A Variational Inequality Perspective on Generative
    Adversarial Networks (2019), section 3; Gidel et al., Negative Momentum for Improved Game
    Dynamics (2019).
    """
    _check(lr, steps)
    x, y = start
    path = [(x, y)]
    for _ in range(steps):
        x = x - lr * y
        y = y + lr * x
        path.append((x, y))
    return torch.tensor(path, dtype=torch.float64)


def extragradient(start: Sequence[float], lr: float, steps: int) -> torch.Tensor:
    """Look ahead, come back, and step with the gradients from there.

    x' = x - lr y, y' = y + lr x; x <- x - lr y', y <- y + lr x'. Each step shrinks (x, y) by
    sqrt(1 - lr^2 + lr^4), for lr < 1. Source: Korpelevich, The extragradient method (1976); Gidel
    et al., A Variational Inequality Perspective on Generative Adversarial Networks (2019), section
    3.
    """
    _check(lr, steps)
    x, y = start
    path = [(x, y)]
    for _ in range(steps):
        ahead_x, ahead_y = x - lr * y, y + lr * x
        x, y = x - lr * ahead_y, y + lr * ahead_x
        path.append((x, y))
    return torch.tensor(path, dtype=torch.float64)


def _check(lr: float, steps: int) -> None:
    if not lr > 0:
        raise ValueError(f"lr is {lr}: a step needs a positive length, for example 0.1")
    check_count("steps", steps, "a path has at least one")
