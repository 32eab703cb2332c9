"""A training step reads no values, checks shapes alone, and goes through the model's `__call__`, whoever wrote the model."""

import functools
import sys

import pytest
import torch
from torch import nn

from course_lib.vae import VAE, Autoencoder, VectorQuantizedVAE, binarised, elbo, fit_vae, gaussian_kl, mlp_vae, vae_step
from tests.vae.runs import IMAGES, fit, make_batches, model

SMALL = {"widths": (4, 6)}
KINDS = {
    "Autoencoder": lambda: Autoencoder(1, 16, 4, **SMALL),
    "VAE": lambda: VAE(1, 16, 4, **SMALL),
    "conditional": lambda: VAE(1, 16, 4, classes=10, **SMALL),
    "optimal": lambda: VAE(1, 16, 4, likelihood="optimal-gaussian", **SMALL),
    "logistic": lambda: VAE(1, 16, 4, likelihood="logistic", **SMALL),
    "mlp_vae": lambda: mlp_vae(1, 16, 4, widths=(8,)),
    "quantised": lambda: VectorQuantizedVAE(1, 16, 8, 4, **SMALL),
}
READING = ("item", "tolist", "numpy", "__bool__", "__float__", "__int__", "__index__")
CHECKS_OF_SHAPES = {"check_images", "check_condition", "check_labels", "check_latent", "_check_pair"}


def a_step(kind):
    """A model and what makes one update of it."""
    network = KINDS[kind]()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    x, y = make_batches().take(slice(0, 16))
    labels, eps = y if network.classes else None, network.noise(16)

    def step():
        return vae_step(network, optimizer, binarised(x, "dynamic"), labels, eps, beta=0.5, free_bits=0.1)

    return network, step


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_reads_no_values(kind, monkeypatch):
    """To read a number of a tensor is to wait for the GPU."""
    _, step = a_step(kind)

    def refuse(*_):
        raise AssertionError("a value is read")

    with monkeypatch.context() as patched:
        for name in READING:
            patched.setattr(torch.Tensor, name, refuse)
        said = step()
    assert all(value.isfinite() for value in said.values())


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_checks_shapes_alone(kind, monkeypatch):
    _, step = a_step(kind)
    called = []

    def counted(function):
        @functools.wraps(function)
        def call(*arguments, **options):
            called.append(function.__name__)
            return function(*arguments, **options)

        return call

    for module in [module for name, module in sys.modules.items() if name.startswith("course_lib")]:
        for name, value in list(vars(module).items()):
            if name.lstrip("_").startswith("check") and callable(value):
                monkeypatch.setattr(module, name, counted(value))
    step()
    assert set(called) <= CHECKS_OF_SHAPES and 2 <= len(called) <= 8


class Wrapped(nn.Module):
    """What hands its calls on to another module, as those that spread a model over several devices do."""

    def __init__(self, inner):
        super().__init__()
        self.inner, self.calls = inner, 0

    def forward(self, *inputs):
        self.calls += 1
        return self.inner(*inputs)


def test_a_wrapped_model_sees_every_forward_pass():
    wrapped, x = Wrapped(model()), IMAGES.pixels(slice(0, 16))
    optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.0)
    for number in range(1, 4):
        vae_step(wrapped, optimizer, x, eps=wrapped.inner.noise(16))
        assert wrapped.calls == number
    network, calls = model(), []
    network.register_forward_hook(lambda *_: calls.append(network.training))  # not called by network.forward(x)
    fit(network)
    assert calls.count(True) == 12, "each of the steps"
    assert calls.count(False) == 3 + 1, "the validation set after each epoch, and one image of it at the door"


class Textbook(nn.Module):
    """A VAE as a reader writes it: two terms, and what `fit_vae` asks for."""

    classes = 0

    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = nn.Linear(256, 8), nn.Linear(4, 256)

    def noise(self, count, rng=None):
        return torch.randn(count, 4, generator=rng)

    def forward(self, x, labels, eps):
        mean, log_variance = self.encoder(x.flatten(1)).chunk(2, dim=1)
        decoded = self.decoder(mean + (log_variance / 2).exp() * eps)
        log_likelihood = -nn.functional.binary_cross_entropy_with_logits(decoded, x.flatten(1), reduction="none").sum(1)
        return log_likelihood, gaussian_kl(mean, log_variance)


def test_a_model_of_ones_own_learns_like_any_other():
    network, x = Textbook(), IMAGES.pixels(slice(0, 16))
    eps = network.noise(16)
    said = vae_step(network, torch.optim.SGD(network.parameters(), lr=0.0), x, eps=eps)
    assert said["loss"] == -elbo(*network(x, None, eps)).objective
    run = fit_vae(network, make_batches(), IMAGES, epochs=20, lr=1e-2)
    assert run.epochs[-1]["validation_elbo"] > run.epochs[0]["validation_elbo"] + 20 and not network.training
