"""A network without autograd equals the one in torch.nn: outputs, gradients and training."""

import math

import torch
from torch import nn

from course_lib.data import load
from course_lib.layers import (
    BatchNorm,
    Conv2d,
    Flatten,
    Linear,
    MaxPool2d,
    ReLU,
    Sequential,
    cross_entropy,
    cross_entropy_backward,
)


def twins(seed=0):
    """The same network by hand and in torch.nn, with equal parameters, in float64."""
    options = {"rng": torch.Generator().manual_seed(seed), "dtype": torch.float64}
    ours = Sequential(
        Conv2d(2, 4, 3, padding=1, **options),
        BatchNorm(4, dtype=torch.float64),
        ReLU(),
        MaxPool2d(3, stride=2, padding=1),
        Conv2d(4, 6, (3, 2), stride=(1, 2), **options),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(12, 5, **options),
        BatchNorm(5, dtype=torch.float64),
        ReLU(),
        Linear(5, 3, **options),
    )
    theirs = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2, padding=1),
        nn.Conv2d(4, 6, (3, 2), stride=(1, 2)),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(12, 5),
        nn.BatchNorm1d(5),
        nn.ReLU(),
        nn.Linear(5, 3),
    ).double()
    theirs.load_state_dict(dict(ours.named_parameters()), strict=False)
    return ours, theirs


def batch(seed=1):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(6, 2, 12, 9, generator=rng, dtype=torch.float64)
    return x, torch.randint(0, 3, (6,), generator=rng)


def test_outputs_gradients_and_sgd_steps_agree():
    ours, theirs = twins()
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for step in range(3):
        x, target = batch(step)
        x_theirs = x.clone().requires_grad_()
        logits, expected = ours(x), theirs(x_theirs)
        assert torch.allclose(logits, expected, rtol=0, atol=1e-10)
        optimizer.zero_grad()
        nn.functional.cross_entropy(expected, target).backward()
        grad_x = ours.backward(cross_entropy_backward(logits, target))
        assert torch.allclose(grad_x, x_theirs.grad, rtol=0, atol=1e-10)
        for (name, mine), (torch_name, parameter) in zip(ours.named_gradients(), theirs.named_parameters(), strict=True):
            assert name == torch_name
            assert torch.allclose(mine, parameter.grad, rtol=0, atol=1e-10), name
        ours.step(lr=0.1)
        optimizer.step()
        for (name, mine), parameter in zip(ours.named_parameters(), theirs.parameters(), strict=True):
            assert torch.allclose(mine, parameter, rtol=0, atol=1e-10), name
    ours.train(False)
    theirs.eval()
    assert torch.allclose(ours(x), theirs(x), rtol=0, atol=1e-10)  # with the running statistics of three batches
    x_theirs = x.clone().requires_grad_()
    nn.functional.cross_entropy(theirs(x_theirs), target).backward()
    assert torch.allclose(ours.backward(cross_entropy_backward(ours(x), target)), x_theirs.grad, rtol=0, atol=1e-10)


def test_it_learns_the_embedded_digits():
    """No autograd anywhere, and the loss falls on images it has not seen."""
    digits = load("glyphs", "train")
    x, target = digits.pixels(slice(512)), digits.labels[:512]
    rng = torch.Generator().manual_seed(0)
    network = Sequential(
        Conv2d(1, 8, 3, stride=2, rng=rng),
        ReLU(),
        MaxPool2d(2),
        Flatten(),
        Linear(8 * 7 * 7, 10, rng=rng),
    )
    with torch.no_grad():
        losses = []
        for _ in range(15):
            for start in range(0, 448, 64):
                logits = network(x[start : start + 64])
                network.backward(cross_entropy_backward(logits, target[start : start + 64]))
                network.step(lr=0.3)
            losses.append(cross_entropy(network(x[448:]), target[448:]).item())
    assert losses[-1] < 0.5 * math.log(10)  # log 10 is what guessing costs
    assert not any(parameter.requires_grad for _, parameter in network.named_parameters())
