"""The models: sizes computed and met exactly, labels that matter, draws with the right moments, checkpoints, bad input."""

import inspect
import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.runtime import load_checkpoint, load_weights, save_checkpoint
from course_lib.vae import VAE, Autoencoder, Terms, bernoulli_log_likelihood, gaussian_kl, mlp_vae

SMALL = {"widths": (4, 6), "hidden": 8}
MODELS = [
    Autoencoder(1, 28, 5, **SMALL),
    VAE(3, 28, 5, **SMALL),
    VAE(1, 16, 5, classes=3, likelihood="optimal-gaussian", **SMALL),
    VAE(1, 16, 5, likelihood="logistic", sigma=0.2, **SMALL),
    mlp_vae(3, 9, 5, widths=(12, 8), classes=3, likelihood="gaussian"),
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def batch(model, count=3):
    """Images and labels for a model, on its device."""
    x = torch.rand(count, model.channels, model.size, model.size, generator=rng())
    labels = torch.arange(count) % model.classes if model.classes else None
    device = next(model.parameters()).device
    return x.to(device), None if labels is None else labels.to(device)


@EVERY
def test_shapes_and_devices(model, device):
    model.to(device)
    x, labels = batch(model)
    z = model.noise(3, rng())
    assert z.shape == (3, 5) and z.device.type == device.type
    assert model.decode(z, labels).shape == x.shape == model.image(z, labels).shape
    assert model.image(100 * z, labels).min() >= 0 and model.image(100 * z, labels).max() <= 1
    terms = model(x, labels, z)
    assert isinstance(terms, Terms) and terms.log_likelihood.shape == (3,) and terms.kl.shape == (3, 5) and terms.penalty == 0
    model.to("cpu")


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("kind", [Autoencoder, VAE])
def test_the_decoder_returns_the_size_of_the_images(kind, size, channels):
    model = kind(channels, size, 4, widths=(4, 5, 6), hidden=7)
    x, _ = batch(model, 2)
    assert model.decode(model.noise(2)).shape == x.shape and model(x).log_likelihood.shape == (2,)


@given(size=st.integers(2, 50), layers=st.integers(1, 3))
def test_every_pixel_of_any_size_is_seen_and_drawn(size, layers):
    if size <= 2 ** (layers - 1):
        with pytest.raises(ValueError, match=rf"size is {size}: halving number \d of {layers} would find one pixel"):
            VAE(1, size, 3, widths=[4] * layers)
        return
    model = VAE(1, size, 3, widths=[6, 5, 4][:layers], hidden=32)
    images = model.decode(model.noise(16, rng()))
    assert images.shape == (16, 1, size, size)
    assert (images.std(dim=0) > 0).all(), "a pixel does not depend on z"
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.abs_()  # so that no ReLU hides a path
    x = torch.rand(1, 1, size, size, generator=rng(1)).requires_grad_()
    mean, log_variance = model.eval().encode(x)
    (mean.square().sum() + log_variance.square().sum()).backward()
    assert (x.grad != 0).all(), "a pixel reaches no latent"


def test_the_reference_widths():
    model = VAE(1, 32)
    shapes = [tuple(layer.weight.shape) for layer in model.encoder.modules() if isinstance(layer, nn.Conv2d)]
    assert shapes == [(32, 1, 3, 3), (64, 32, 3, 3)] and model.encoder.dense[0].in_features == 64 * 8 * 8
    assert model.latent_size == 20


def test_all_that_is_hidden_is_normalised():
    model = VAE(1, 16, 4, widths=(6, 8, 10), hidden=12)
    for part, count in ((model.encoder.body, 3), (model.decoder.body, 3), (model.encoder.dense, 1), (model.decoder.dense, 1)):
        assert sum(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in part.modules()) == count


def test_the_network_of_pytorchs_example():
    model = mlp_vae(1, 28, 20, widths=(400,))
    layers = [(layer.in_features, layer.out_features) for layer in model.modules() if isinstance(layer, nn.Linear)]
    assert sorted(layers) == sorted([(784, 400), (400, 20), (400, 20), (20, 400), (400, 784)])


def test_the_constructor_says_what_it_takes():
    for kind in (VAE, Autoencoder, mlp_vae):
        assert list(inspect.signature(kind).parameters)[:4] == ["channels", "size", "latent_size", "widths"]


def test_from_constructor_to_forward_a_student_reads_one_page():
    read = (VAE.__init__, VAE.encode, VAE.reparameterise, VAE.decode, VAE.forward)
    lines = sum(len(inspect.getsource(part).splitlines()) for part in read)
    words = sum(len(f'"""{part.__doc__}"""'.splitlines()) for part in read if part.__doc__)
    assert lines - words + len(read) - 1 < 45  # blank lines between them


def test_the_networks_can_be_ones_own():
    class Pixelwise(nn.Module):
        def __init__(self, inputs, outputs, shape):
            super().__init__()
            self.layer, self.shape = nn.Linear(inputs, outputs), shape

        def forward(self, x, labels=None):
            return self.layer(x.flatten(1)).unflatten(1, self.shape)

    encoder, decoder = Pixelwise(64, 7, (7,)), Pixelwise(3, 64, (1, 8, 8))
    model = VAE(1, 8, 3, hidden=7, encoder=encoder, decoder=decoder)
    assert model.encoder is encoder and model.decoder is decoder
    x, _ = batch(model)
    mean, log_variance = model.encode(x)
    assert torch.equal(mean, model.mean(encoder(x))) and torch.equal(model.decode(mean), decoder(mean))
    assert torch.equal(model(x).kl, gaussian_kl(mean, log_variance))


@pytest.mark.parametrize("model", MODELS[1:4], ids=lambda model: model.config["likelihood"])
def test_a_model_is_built_again_from_its_config_and_checkpoint(model, tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, model, config=model.config)
    checkpoint = load_checkpoint(path)
    again = VAE(**checkpoint.config)
    assert again.config == model.config == json.loads(json.dumps(model.config))
    load_weights(again, checkpoint.weights)
    x, labels = batch(model)
    one, other = again.eval()(x, labels, torch.ones(3, 5)), model.eval()(x, labels, torch.ones(3, 5))
    assert torch.equal(one.log_likelihood, other.log_likelihood) and torch.equal(one.kl, other.kl)


def test_a_draw_has_the_moments_that_were_asked_for():
    model = VAE(1, 8, 2, widths=(4,))
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, -2.0]])
    z = model.reparameterise(mean.expand(40_000, -1), log_variance.expand(40_000, -1), model.noise(40_000, rng()))
    assert (z.mean(dim=0) - mean[0]).abs().max() < 0.02
    assert (z.var(dim=0).log() - log_variance[0]).abs().max() < 0.03, "the number is the logarithm of the variance"
    assert not torch.equal(model.reparameterise(mean, log_variance), model.reparameterise(mean, log_variance))


def test_the_gradient_passes_through_the_draw():
    model = VAE(1, 8, 2, widths=(4,))
    mean, log_variance = torch.tensor([[1.0, 2.0]], requires_grad=True), torch.tensor([[0.5, -1.0]], requires_grad=True)
    eps = torch.tensor([[0.3, -0.7]])
    model.reparameterise(mean, log_variance, eps).sum().backward()
    assert torch.equal(mean.grad, torch.ones(1, 2))
    torch.testing.assert_close(log_variance.grad, eps * (log_variance.detach() / 2).exp() / 2)


def test_the_terms_are_the_losses_of_what_is_encoded_and_decoded():
    model = VAE(1, 12, 4, **SMALL).eval()
    x, _ = batch(model)
    eps = model.noise(3, rng())
    mean, log_variance = model.encode(x)
    terms = model(x, eps=eps)
    decoded = model.decode(mean + (log_variance / 2).exp() * eps)
    torch.testing.assert_close(terms.log_likelihood, bernoulli_log_likelihood(x, decoded))
    assert torch.equal(terms.kl, gaussian_kl(mean, log_variance))


def test_an_autoencoder_asks_nothing_of_z():
    model = Autoencoder(1, 12, 4, **SMALL).eval()
    x, _ = batch(model)
    terms = model(x)
    assert torch.equal(terms.log_likelihood, bernoulli_log_likelihood(x, model.decode(model.encode(x)))) and not terms.kl.any()


@pytest.mark.parametrize("model", [VAE(1, 16, 5, classes=3, **SMALL), mlp_vae(1, 16, 5, widths=(12,), classes=3)])
def test_labels_change_what_is_encoded_and_drawn(model):
    model.eval()
    z, x = model.noise(1, rng()).expand(3, -1), torch.rand(1, 1, 16, 16).expand(3, -1, -1, -1)
    for result in (model.decode(z, torch.arange(3)), *model.encode(x, torch.arange(3))):
        flat = result.flatten(1)
        assert all((flat[a] - flat[b]).abs().max() > 1e-4 for a, b in ((0, 1), (0, 2), (1, 2)))
    same = model.decode(z, torch.zeros(3, dtype=torch.int64))
    torch.testing.assert_close(same[:1], model.decode(z[:1], torch.tensor([0])), atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"latent_size": 0}, ValueError, "latent_size is 0"),
        ({"size": 2.5}, TypeError, r"size is 2\.5"),
        ({"channels": 0}, ValueError, "channels is 0"),
        ({"widths": ()}, ValueError, r"widths is \[\]"),
        ({"widths": 32}, TypeError, r"widths is 32: .*for example \(32,\)"),
        ({"widths": (4, 0)}, ValueError, "a width is 0"),
        ({"hidden": 0}, ValueError, "hidden is 0"),
        ({"likelihood": "poisson"}, ValueError, "likelihood is 'poisson': choose from bernoulli, gaussian"),
        ({"sigma": 0.0}, ValueError, r"sigma is 0\.0"),
        ({"size": 4, "widths": (4, 4, 4)}, ValueError, "size is 4: halving number 3 of 3 would find one pixel"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    for kind in (VAE, Autoencoder):
        with pytest.raises(error, match=message):
            kind(**{"channels": 1, "size": 16, **change})
    with pytest.raises(ValueError, match="classes is -1"):
        VAE(1, 16, classes=-1)


def test_bad_input_names_the_way_out():
    for model in (VAE(3, 16, 5, **SMALL), Autoencoder(3, 16, 5, **SMALL), mlp_vae(3, 16, 5)):
        with pytest.raises(ValueError, match=r"this model takes images of 3 x 16 x 16: build the model with their channels"):
            model.encode(torch.zeros(2, 1, 16, 16))
        with pytest.raises(ValueError, match=r"this model takes \[N, 5\]: model.noise\(N\)"):
            model.decode(torch.ones(2, 6))
    model = VAE(3, 16, 5, **SMALL)
    for call, x in ((model.decode, torch.ones(2, 5)), (model.encode, torch.rand(2, 3, 16, 16))):
        with pytest.raises(ValueError, match="labels were given to a network without classes"):
            call(x, torch.tensor([0, 1]))
