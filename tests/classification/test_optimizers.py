"""The optimizers equal PyTorch's step by step, and do on a quadratic what theory says."""

import math

import pytest
import torch

from course_lib.classification import SGD, Adam


def gradients(parameters, step):
    """The same gradients for both, different in every step and of very different sizes."""
    rng = torch.Generator().manual_seed(step)
    for size, parameter in zip((1e-4, 1.0, 1e3), parameters, strict=True):
        parameter.grad = size * torch.randn(parameter.shape, generator=rng, dtype=parameter.dtype)


def pair():
    rng = torch.Generator().manual_seed(7)
    shapes = [(3, 4), (5,), (2, 1, 3, 3)]
    values = [torch.randn(shape, generator=rng, dtype=torch.float64) for shape in shapes]
    return [v.clone().requires_grad_() for v in values], [v.clone().requires_grad_() for v in values]


@pytest.mark.parametrize(
    ("ours", "theirs", "arguments"),
    [
        (SGD, torch.optim.SGD, {"lr": 0.1}),
        (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
        (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "nesterov": True, "weight_decay": 0.02}),
        (Adam, torch.optim.Adam, {"lr": 0.01}),
        (Adam, torch.optim.AdamW, {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.3}),
    ],
)
def test_they_equal_pytorchs_step_by_step(ours, theirs, arguments):
    mine, reference = pair()
    left, right = ours(mine, **arguments), theirs(reference, **arguments)
    for step in range(10):
        gradients(mine, step)
        gradients(reference, step)
        left.step()
        right.step()
        for a, b in zip(mine, reference, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-13)


CURVATURES = torch.tensor([1.0, 10.0], dtype=torch.float64)


def descend(optimizer, steps, **arguments):
    """Positions on f(x) = sum of curvature x^2 / 2, from (1, 1), whose optimum is 0."""
    x = torch.ones(2, dtype=torch.float64, requires_grad=True)
    method, path = optimizer([x], **arguments), []
    for _ in range(steps):
        x.grad = CURVATURES * x.detach()
        method.step()
        path.append(x.detach().clone())
    return torch.stack(path)


def test_gradient_descent_shrinks_each_coordinate_by_its_own_factor():
    path = descend(SGD, 20, lr=0.15)
    factor = 1 - 0.15 * CURVATURES  # -0.5 for the steep one: it jumps from side to side
    torch.testing.assert_close(path[-1], factor**20)
    assert descend(SGD, 50, lr=0.19).abs().max(dim=1).values[-1] < 1
    assert descend(SGD, 50, lr=0.21).abs().max(dim=1).values[-1] > 50, "beyond 2 / curvature it diverges"


def test_momentum_is_the_linear_recursion_of_theory():
    lr, momentum = 0.1, 0.6
    path = descend(SGD, 30, lr=lr, momentum=momentum)
    for coordinate, curvature in enumerate(CURVATURES.tolist()):
        # x_{t+1} = (1 + momentum - lr curvature) x_t - momentum x_{t-1}
        expected = [1.0, 1 - lr * curvature]
        while len(expected) < 31:
            expected.append((1 + momentum - lr * curvature) * expected[-1] - momentum * expected[-2])
        torch.testing.assert_close(path[:, coordinate], torch.tensor(expected[1:], dtype=torch.float64))


def test_the_best_momentum_beats_the_best_plain_rate():
    condition = 10.0
    plain = descend(SGD, 30, lr=2 / 11)[-1].norm()
    beta = ((math.sqrt(condition) - 1) / (math.sqrt(condition) + 1)) ** 2
    heavy = descend(SGD, 30, lr=(2 / (1 + math.sqrt(condition))) ** 2, momentum=beta)[-1].norm()
    assert heavy < plain / 100


def test_adams_first_step_has_the_length_of_the_rate_whatever_the_gradient():
    for scale in (1e-3, 1.0, 1e3):
        x = torch.ones(2, dtype=torch.float64, requires_grad=True)
        x.grad = scale * torch.tensor([1.0, -5.0], dtype=torch.float64)
        Adam([x], lr=0.01).step()
        torch.testing.assert_close(x.detach(), torch.tensor([0.99, 1.01], dtype=torch.float64), rtol=0, atol=1e-6)
