"""The steps of the alternating loop: each moves one network alone, and is the textbook's."""

import copy

import pytest
import torch
from torch import nn

from course_lib.gan import (
    discriminator_step,
    fit_gan,
    generator_step,
    hinge,
    r1_penalty,
)
from tests.gan.players import make_batches, networks, state


@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"spectral_norm": True}])
def test_each_step_moves_one_network_alone(options, device):
    G, D = networks(device, **options)
    x, _ = make_batches(device).take(slice(0, 16))
    fake = G(G.noise(16, torch.Generator().manual_seed(0)))
    before, own = state(G), state(D)
    said = discriminator_step(D, torch.optim.SGD(D.parameters(), lr=0.1), 2 * x - 1, fake)
    assert torch.equal(state(G), before) and all(p.grad is None for p in G.parameters())
    assert not torch.equal(state(D), own) and 0 < said["real"] < 1 and 0 < said["fake"] < 1

    weights = [p.clone() for p in D.parameters()]
    gradients = [p.grad.clone() for p in D.parameters()]
    generator_step(D, torch.optim.SGD(G.parameters(), lr=0.1), fake)
    assert not torch.equal(state(G), before)
    for parameter, weight, gradient in zip(D.parameters(), weights, gradients, strict=True):
        assert torch.equal(parameter, weight) and torch.equal(parameter.grad, gradient) and parameter.requires_grad


def test_a_discriminators_step_is_the_textbooks():
    G, D = networks()
    other = copy.deepcopy(D)
    x, _ = make_batches().take(slice(0, 16))
    fake = G(G.noise(16, torch.Generator().manual_seed(0))).detach()
    discriminator_step(D, torch.optim.SGD(D.parameters(), lr=0.1), x, fake, loss=hinge)
    expected = torch.relu(1 - other(x)).mean() + torch.relu(1 + other(fake)).mean()
    gradients = torch.autograd.grad(expected, other.parameters())
    for parameter, reference, gradient in zip(D.parameters(), other.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter, reference - 0.1 * gradient)


@pytest.mark.parametrize("classes", [0, 10])
@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"spectral_norm": True}])
def test_a_generators_gradients_are_those_through_a_frozen_discriminator(classes, options):
    gradients = []
    labels = torch.arange(16) % 10 if classes else None
    for frozen in (False, True):
        G, D = networks(classes=classes, **options)
        fake = G(G.noise(16, torch.Generator().manual_seed(0)), labels)
        if frozen:
            D.requires_grad_(False)
            hinge(*[D(fake, labels)] * 2)[1].backward()
        else:
            generator_step(D, torch.optim.SGD(G.parameters(), lr=0.1), fake, labels, loss=hinge)
        assert all(p.grad is None for p in D.parameters())
        gradients.append([p.grad for p in G.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


def test_layers_of_the_generator_that_are_frozen_stay():
    G, D = networks()
    G.project.requires_grad_(False)
    before = copy.deepcopy(G)
    fit_gan(G, D, make_batches(), steps=2)
    assert torch.equal(G.project.weight, before.project.weight) and not torch.equal(G.norm.weight, before.norm.weight)


class Wrapped(nn.Module):
    """As DistributedDataParallel: it must see each forward pass, and knows nothing of its network's other methods."""

    def __init__(self, module):
        super().__init__()
        self.module, self.calls = module, 0

    def forward(self, *inputs):
        self.calls += 1
        return self.module(*inputs)


class WrappedGenerator(Wrapped):
    """With what `fit_gan` asks of a generator beside its forward pass."""

    def __init__(self, module):
        super().__init__(module)
        self.noise, self.range, self.classes = module.noise, module.range, module.classes


@pytest.mark.parametrize("classes", [0, 10])
@pytest.mark.parametrize("options", [{}, {"bfloat16": True}])
def test_every_forward_pass_goes_through_a_wrapped_network(classes, options):
    runs, inner = [], []
    for wrap in (False, True):
        G, D = networks(classes=classes)
        for module in (G, D):
            module.register_forward_hook(lambda module, *_: inner.append(type(module)))
        players = (WrappedGenerator(G), Wrapped(D)) if wrap else (G, D)
        settings = {"steps": 5, "discriminator_steps": 2, "penalty": lambda D, real, fake: r1_penalty(D, real), **options}
        runs.append(fit_gan(*players, make_batches(), **settings).steps)
    # Of D two in each of its 5 steps and one for the penalty, and one in each of the 3 steps of G.
    assert players[0].calls == 5 and players[1].calls == 18
    assert runs[0] == runs[1] and inner == 2 * inner[: len(inner) // 2] and len(inner) == 2 * 23
