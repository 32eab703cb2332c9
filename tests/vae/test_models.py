"""The models: sizes computed and met exactly, labels that matter, draws with the right moments, checkpoints, and bad input."""

import inspect
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.vae import MLPVAE, VAE, Autoencoder, LinearVAE, Terms, bernoulli_log_likelihood, gaussian_kl
from course_lib.vae.networks import Residual, sides_of

SMALL = {"widths": (4, 6), "hidden": 8}
MODELS = [
    Autoencoder(5, 28, **SMALL),
    VAE(5, 28, 3, **SMALL),
    VAE(5, 16, classes=3, likelihood="optimal-gaussian", blocks=1, **SMALL),
    VAE(5, 16, batch_norm=False, likelihood="logistic", sigma=0.2, **SMALL),
    Autoencoder(5, 16, classes=3, **SMALL),
    MLPVAE(5, 9, 3, widths=(12, 8), classes=3, likelihood="learned-gaussian"),
    LinearVAE(5, 9),
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(model, count=3):
    """Images and labels for a model, on its device."""
    x = torch.rand(count, model.channels, model.size, model.size, generator=generator())
    labels = torch.arange(count) % model.classes if model.classes else None
    device = next(model.parameters()).device
    return x.to(device), None if labels is None else labels.to(device)


@EVERY
def test_shapes_and_devices(model, device):
    model.to(device)
    x, labels = batch(model)
    z = model.noise(3, generator())
    assert z.shape == (3, 5) and z.device.type == device.type
    assert model.decode(z, labels).shape == x.shape == model.image(z, labels).shape
    assert model.image(100 * z, labels).min() >= 0 and model.image(100 * z, labels).max() <= 1
    terms = model.terms(x, labels, z)
    assert isinstance(terms, Terms) and terms.log_likelihood.shape == (3,) and terms.kl.shape == (3, 5) and terms.penalty == 0
    model.to("cpu")


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_the_decoder_returns_the_size_of_the_images(kind, size, channels):
    model = kind(4, size, channels, widths=(4, 5, 6), hidden=7)
    x, _ = batch(model, 2)
    result = model(x)
    assert (result if kind is Autoencoder else result[0]).shape == x.shape


@given(size=st.integers(2, 50), layers=st.integers(1, 3), batch_norm=st.booleans())
def test_every_pixel_of_any_size_is_seen_and_drawn(size, layers, batch_norm):
    if size <= 2 ** (layers - 1):
        with pytest.raises(ValueError, match=rf"size is {size}: halving number \d of {layers} would find one pixel"):
            VAE(3, size, widths=[4] * layers)
        return
    model = VAE(3, size, widths=[6, 5, 4][:layers], hidden=32, batch_norm=batch_norm)
    images = model.decode(model.noise(16, generator()))
    assert images.shape == (16, 1, size, size)
    assert (images.std(dim=0) > 0).all(), "a pixel does not depend on z"
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.abs_()  # so that no ReLU hides a path
    x = torch.rand(1, 1, size, size, generator=generator(1)).requires_grad_()
    mean, log_variance = model.eval().encode(x)
    (mean.square().sum() + log_variance.square().sum()).backward()
    assert (x.grad != 0).all(), "a pixel reaches no latent"


def test_sides_are_halved_and_rounded_up():
    assert sides_of(28, 3) == [28, 14, 7, 4] and sides_of(9, 2) == [9, 5, 3]


def test_the_reference_widths_and_the_larger_model():
    model = VAE(20, 32)
    shapes = [tuple(layer.weight.shape) for layer in model.encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert shapes == [(32, 1, 3, 3), (64, 32, 3, 3)] and model.encoder.dense[0].in_features == 64 * 8 * 8
    larger = VAE(20, 32, widths=(4, 6, 8), blocks=2)
    assert sum(isinstance(part, Residual) for part in larger.modules()) == 2 * 2 * 3
    block = Residual(4)
    nn.init.zeros_(block.residual[-1].weight)
    x = torch.randn(2, 4, 5, 5)
    assert torch.equal(block(x), x), "with a last layer of zeros it is the identity"


def test_all_that_is_hidden_is_normalised_or_nothing():
    normed = VAE(4, 16, widths=(6, 8, 10), hidden=12)
    for part, count in ((normed.encoder.body, 3), (normed.decoder.body, 3), (normed.encoder.dense, 1), (normed.decoder.dense, 1)):
        assert sum(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in part.modules()) == count
    plain = VAE(4, 16, widths=(6, 8, 10), hidden=12, batch_norm=False)
    assert not any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in plain.modules())


def test_the_network_of_pytorchs_example():
    model = MLPVAE(20, 28, widths=(400,))
    layers = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sorted(layers) == sorted([(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)])


def test_the_constructor_says_what_it_takes():
    for kind in (VAE, Autoencoder):
        assert {"latent_size", "size", "channels", "widths", "classes", "likelihood"} <= set(inspect.signature(kind).parameters)


@EVERY
def test_a_model_is_built_again_from_its_config_and_checkpoint(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save_checkpoint(path, model, config=model.config)
    again = type(model)(**load_checkpoint(path).config)
    assert again.config == model.config == json.loads(json.dumps(model.config))
    load_checkpoint(path, again)
    x, labels = batch(model)
    one, other = again.eval().terms(x, labels, torch.ones(3, 5)), model.eval().terms(x, labels, torch.ones(3, 5))
    assert torch.equal(one.log_likelihood, other.log_likelihood) and torch.equal(one.kl, other.kl)


def test_a_draw_has_the_moments_that_were_asked_for():
    model = VAE(2, 8, widths=(4,))
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, -2.0]])
    z = model.reparameterise(mean.expand(40_000, -1), log_variance.expand(40_000, -1), model.noise(40_000, generator()))
    assert (z.mean(dim=0) - mean[0]).abs().max() < 0.02
    assert (z.var(dim=0).log() - log_variance[0]).abs().max() < 0.03, "the number is the logarithm of the variance"
    assert not torch.equal(model.reparameterise(mean, log_variance), model.reparameterise(mean, log_variance))


def test_the_gradient_passes_through_the_draw():
    model = VAE(2, 8, widths=(4,))
    mean, log_variance = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.tensor([[0.5, -1.0]], requires_grad=True)
    noise = torch.tensor([[0.3, -0.7]])
    model.reparameterise(mean, log_variance, noise).sum().backward()
    assert torch.equal(mean.grad, torch.ones(1, 2))
    torch.testing.assert_close(log_variance.grad, noise * (log_variance.detach() / 2).exp() / 2)


def test_the_terms_are_the_losses_of_the_forward_pass():
    model = VAE(4, 12, **SMALL).eval()
    x, _ = batch(model)
    noise = model.noise(3, generator())
    parameters, mean, log_variance = model(x, noise=noise)
    terms = model.terms(x, noise=noise)
    assert torch.equal(terms.log_likelihood, bernoulli_log_likelihood(x, parameters))
    assert torch.equal(terms.kl, gaussian_kl(mean, log_variance))
    torch.testing.assert_close(parameters, model.decode(mean + (log_variance / 2).exp() * noise))


def test_an_autoencoder_asks_nothing_of_z():
    model = Autoencoder(4, 12, **SMALL).eval()
    x, _ = batch(model)
    terms = model.terms(x)
    assert torch.equal(terms.log_likelihood, bernoulli_log_likelihood(x, model.decode(model.encode(x)))) and not terms.kl.any()


@pytest.mark.parametrize("model", [VAE(5, 16, classes=3, **SMALL), MLPVAE(5, 16, widths=(12,), classes=3)], ids=["VAE", "MLPVAE"])
def test_labels_change_what_is_encoded_and_drawn(model):
    model.eval()
    z, x = model.noise(1, generator()).expand(3, -1), torch.rand(1, 1, 16, 16).expand(3, -1, -1, -1)
    for result in (model.decode(z, torch.arange(3)), *model.encode(x, torch.arange(3))):
        flat = result.flatten(1)
        assert all((flat[a] - flat[b]).abs().max() > 1e-4 for a, b in ((0, 1), (0, 2), (1, 2)))
    same = model.decode(z, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(same[:1], model.decode(z[:1], torch.tensor([0])), atol=1e-5, rtol=0)


def test_a_linear_model_is_linear():
    model = LinearVAE(3, 6, 3)
    with torch.no_grad():
        model.log_variance.normal_()
    x, z = torch.rand(4, 3, 6, 6), torch.randn(4, 3)
    mean, log_variance = model.encode(x)
    torch.testing.assert_close(model.encode((x[:2] + x[2:]) / 2)[0], (mean[:2] + mean[2:]) / 2)
    assert (log_variance == model.log_variance).all() and log_variance.shape == (4, 3)
    torch.testing.assert_close(model.decode((z[:2] + z[2:]) / 2), (model.decode(z)[:2] + model.decode(z)[2:]) / 2)
    torch.testing.assert_close(model.decode(z)[0].flatten(), model.decoder.weight @ z[0] + model.decoder.bias)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"latent_size": 0}, ValueError, "latent_size is 0"),
        ({"size": 2.5}, TypeError, r"size is 2\.5"),
        ({"channels": 0}, ValueError, "channels is 0: 1 is grey"),
        ({"widths": ()}, ValueError, r"widths is \[\]: the network needs at least 1"),
        ({"widths": 32}, TypeError, r"widths is 32: .*for example \(32,\)"),
        ({"widths": (4, 0)}, ValueError, "a width is 0"),
        ({"hidden": 0}, ValueError, "hidden is 0"),
        ({"blocks": -1}, ValueError, "blocks is -1"),
        ({"classes": -1}, ValueError, "classes is -1"),
        ({"likelihood": "poisson"}, ValueError, "likelihood is 'poisson': choose from bernoulli, gaussian"),
        ({"sigma": 0.0}, ValueError, r"sigma is 0\.0"),
        ({"size": 4, "widths": (4, 4, 4)}, ValueError, "size is 4: halving number 3 of 3 would find one pixel"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    for kind in (VAE, Autoencoder):
        with pytest.raises(error, match=message):
            kind(**change)


def test_bad_input_names_the_way_out():
    for model in (VAE(5, 16, 3, **SMALL), Autoencoder(5, 16, 3, **SMALL), MLPVAE(5, 16, 3), LinearVAE(5, 16, 3)):
        with pytest.raises(ValueError, match=r"this model takes images of 3 x 16 x 16: build the model with their channels"):
            model.encode(torch.zeros(2, 1, 16, 16))
        with pytest.raises(ValueError, match=r"this model takes \[N, 5\]: model.noise\(N\)"):
            model.decode(torch.ones(2, 6))
        for call, x in ((model.decode, torch.ones(2, 5)), (model.encode, torch.rand(2, 3, 16, 16))):
            with pytest.raises(ValueError, match="labels were given to a network without classes"):
                call(x, torch.tensor([0, 1]))
