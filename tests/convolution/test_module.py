"""The layer drops into a PyTorch model: same parameters, numbers, gradients and training."""

import copy

import pytest
import torch
from torch import nn

from course_lib.convolution import Conv2d, classical_kernels

ARGUMENTS = [
    {"kernel_size": 3},
    {"kernel_size": (3, 2), "stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "groups": 2},
    {"kernel_size": 3, "padding": "same", "bias": False},
]


def twins(device, **arguments):
    """Our layer and PyTorch's with equal parameters."""
    ours, theirs = Conv2d(4, 6, **arguments, device=device), nn.Conv2d(4, 6, **arguments, device=device)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_equals_pytorchs_layer(device, arguments):
    torch.manual_seed(0)
    ours, theirs = twins(device, **arguments)
    x = torch.randn(2, 4, 9, 8, device=device, requires_grad=True)
    results = []
    for layer in (ours, theirs):
        y = layer(x)
        results.append((y, *torch.autograd.grad(y.square().sum(), (x, *layer.parameters()))))
    for mine, torchs in zip(*results, strict=True):
        assert torch.allclose(mine, torchs, rtol=1e-4, atol=1e-4)


def test_trains_like_pytorchs_layer(device):
    """Three steps of SGD on a small network leave equal weights."""
    torch.manual_seed(0)
    ours = (
        nn.Sequential(Conv2d(1, 4, 3), nn.ReLU(), Conv2d(4, 2, 3, stride=2), nn.Flatten(), nn.LazyLinear(3)).to(device).double()
    )
    x, target = torch.randn(8, 1, 9, 9, device=device).double(), torch.arange(8, device=device) % 3
    ours(x)  # sizes the lazy layer
    theirs = copy.deepcopy(ours)
    theirs[0], theirs[2] = nn.Conv2d(1, 4, 3).to(ours[0].weight), nn.Conv2d(4, 2, 3, stride=2).to(ours[2].weight)
    theirs.load_state_dict(ours.state_dict())
    for network in (ours, theirs):
        optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x), target).backward()
            optimizer.step()
    for mine, torchs in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, torchs, rtol=0, atol=1e-12)


def test_autocast_computes_in_bfloat16(device):
    ours, theirs = twins(device, kernel_size=3)
    x = torch.randn(2, 4, 8, 8, device=device)
    with torch.autocast(torch.device(device).type, dtype=torch.bfloat16):
        mine, torchs = ours(x), theirs(x)
    assert mine.dtype == torchs.dtype == torch.bfloat16
    assert torch.allclose(mine, torchs, rtol=0.05, atol=0.05)
    mine.float().sum().backward()
    assert ours.weight.grad.dtype == torch.float32  # the weights stay in float32


def test_initialisation_is_pytorchs_default():
    torch.manual_seed(0)
    ours = Conv2d(16, 64, 3)
    torch.manual_seed(0)
    theirs = nn.Conv2d(16, 64, 3)
    assert torch.allclose(ours.weight, theirs.weight)
    assert torch.allclose(ours.bias, theirs.bias)


def test_arguments_are_shown():
    assert "4, 6, kernel_size=(3, 3)" in repr(Conv2d(4, 6, 3))


def test_classical_kernels_keep_or_ignore_brightness():
    kernels = classical_kernels()
    for name, kernel in kernels.items():
        expected = 0 if name.startswith(("Sobel", "Laplacian")) else 1
        assert kernel.sum().item() == pytest.approx(expected, abs=1e-6), name
