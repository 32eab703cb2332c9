"""Generator and discriminator of images: sizes computed, labels that matter, normalisation where it belongs, and bad input."""

import json

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.gan import Discriminator, Generator
from course_lib.runtime import load_checkpoint, save_checkpoint

SMALL = {"widths": (16, 8, 4)}


def random(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [28, 32, 64])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("upsample", ["transposed", "nearest"])
def test_sizes_fit_each_other(size, channels, upsample, device):
    G = Generator(channels, size, 7, widths=(16, 8, 4), upsample=upsample).to(device)
    D = Discriminator(channels, size, widths=(4, 8, 16)).to(device)
    z = G.noise(3)
    assert z.shape == (3, 7) and z.device.type == device.type
    images = G(z)
    assert images.shape == (3, channels, size, size) and D(images).shape == (3,)


@given(size=st.integers(8, 50), layers=st.integers(1, 3), upsample=st.sampled_from(["transposed", "nearest"]))
def test_every_pixel_is_drawn_and_seen(size, layers, upsample):
    G = Generator(1, size, 5, widths=[6, 5, 4][:layers], upsample=upsample)
    images = G(G.noise(8, random()))
    assert images.shape == (8, 1, size, size)
    assert (images.std(dim=0) > 0).all(), "a pixel does not depend on z"
    D = Discriminator(1, size, widths=[4, 5, 6][:layers], batch_norm=False)
    x = torch.rand(1, 1, size, size, generator=random(1)).requires_grad_()
    D(x).sum().backward()
    assert (x.grad != 0).all(), "a pixel does not reach the logit"


def test_the_widths_of_the_paper_at_its_sizes():
    G = Generator(3, 64, 100, widths=(1024, 512, 256, 128))
    shapes = [tuple(layer.weight.shape) for layer in G.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert shapes == [(1024, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 3, 4, 4)] and G.first_side == 4
    D = Discriminator(3, 64, widths=(128, 256, 512, 1024))
    assert D.head.in_features == 1024 * 4 * 4


def test_the_first_layer_is_the_transposed_convolution_of_one_pixel():
    G = Generator(1, 28, 6, widths=(8, 4, 4)).eval()
    side = G.first_side
    weight = G.project.weight.view(side, side, 8, 6).permute(3, 2, 0, 1)
    z = G.noise(5, random())
    expected = G.body(G.norm(F.conv_transpose2d(z[:, :, None, None], weight)))
    torch.testing.assert_close(G(z), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("output", "low", "high"), [("tanh", -1.0, 1.0), ("sigmoid", 0.0, 1.0)])
def test_images_fill_the_range_and_stay_in_it(output, low, high):
    G = Generator(1, 16, 4, output=output, **SMALL)
    G.body[-2].weight.data *= 1e4
    images = G(G.noise(20, random()))
    assert G.range == (low, high) == (images.min().item(), images.max().item())


def test_on_a_flat_image_transposed_convolution_draws_a_checkerboard_and_upsampling_does_not():
    flat = torch.ones(1, 4, 8, 8)
    pictures = {}
    for upsample in ("transposed", "nearest"):
        torch.manual_seed(0)
        model = Generator(1, 16, 4, widths=(4,), upsample=upsample)
        last = model.body[1:-1]  # what doubles the side, without the activation
        pictures[upsample] = last(flat)[0, 0, 2:-2, 2:-2]
    assert pictures["nearest"].std() < 1e-6
    board = pictures["transposed"]
    assert board.std() > 1e-2 and torch.allclose(board[2:, 2:], board[:-2, :-2]), "it repeats every two pixels"


CONFIGS = [
    Generator(3, 28, 5, **SMALL),
    Generator(1, 12, 5, upsample="nearest", classes=3, output="sigmoid", widths=(6, 4)),
    Discriminator(3, 28, widths=(4, 6)),
    Discriminator(1, 16, spectral_norm=True, classes=3, widths=[4]),
    Discriminator(1, 16, batch_norm=False, widths=[4, 6]),
]


@pytest.mark.parametrize("model", CONFIGS, ids=lambda model: type(model).__name__)
def test_a_model_is_built_again_from_its_config_and_checkpoint(model, tmp_path):
    path = tmp_path / "model.pt"
    save_checkpoint(path, model, config=model.config)
    again = type(model)(**load_checkpoint(path).config)
    assert again.config == model.config == json.loads(json.dumps(model.config))
    load_checkpoint(path, again)
    is_generator = isinstance(model, Generator)
    x = model.noise(3, random()) if is_generator else torch.rand(3, model.channels, model.size, model.size)
    labels = torch.tensor([0, 2, 1]) if model.classes else None
    assert torch.equal(again.eval()(x, labels), model.eval()(x, labels))


def test_weights_start_as_in_dcgan():
    torch.manual_seed(0)
    for model in (Generator(classes=10), Discriminator(classes=10)):
        for name, module in model.named_modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and module.weight.numel() > 4000:
                assert abs(module.weight.std() - 0.02) < 0.001 and abs(module.weight.mean()) < 0.001, name
            if isinstance(module, nn.BatchNorm2d):
                assert abs(module.weight.mean() - 1) < 0.02 and 0.01 < module.weight.std() < 0.03 and not module.bias.any(), name


def test_the_names_of_the_weights_are_those_of_the_files():
    """Weights that come with the package are found by these names."""
    G = Generator(1, 16, 8, widths=(16, 8), classes=3)
    assert {name.rsplit(".", 1)[0] for name in G.state_dict()} == {
        "project",
        "embedding",
        "norm",  # of the first pixels
        "body.1",  # 4 to 8 pixels
        "body.2",
        "body.4",  # 8 to 16
    }
    assert isinstance(G.body[0], nn.ReLU) and isinstance(G.body[-1], nn.Tanh) and Generator(1, 16, 8).embedding is None


def normalised(model):
    """The widths of the batch normalisations of a model."""
    return [module.num_features for module in model.modules() if isinstance(module, nn.BatchNorm2d)]


def test_batch_norm_is_between_the_layers_and_makes_way():
    assert normalised(Discriminator(widths=(4, 6, 8))) == [6, 8]
    assert normalised(Discriminator(widths=(4, 6, 8), batch_norm=False)) == []
    assert normalised(Discriminator(widths=(4, 6, 8), spectral_norm=True)) == []
    assert normalised(Generator(widths=(8, 6, 4))) == [8, 6, 4]
    with pytest.raises(ValueError, match="batch_norm and spectral_norm"):
        Discriminator(spectral_norm=True, batch_norm=True)


def test_without_batch_norm_the_images_of_a_batch_do_not_meet():
    D = Discriminator(1, 16, widths=(4, 6), batch_norm=False)
    x = torch.rand(4, 1, 16, 16, generator=random())
    torch.testing.assert_close(D(x)[:2], D(x[:2]), atol=1e-6, rtol=0)
    mixing = Discriminator(1, 16, widths=(4, 6))
    assert (mixing(x)[:2] - mixing(x[:2])).abs().max() > 1e-3


def test_spectral_norm_bounds_every_layer():
    torch.manual_seed(0)
    D = Discriminator(1, 16, widths=(6, 8), spectral_norm=True, classes=4)
    with torch.no_grad():
        for parameter in D.parameters():
            parameter *= 7
    x, y = torch.rand(2, 1, 16, 16), torch.tensor([0, 3])
    for _ in range(100):
        D(x, y)  # each pass in training mode is one power iteration
    layers = [m for m in D.modules() if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]
    assert len(layers) == 4
    for layer in layers:
        assert abs(torch.linalg.matrix_norm(layer.weight.flatten(1), 2) - 1) < 1e-3


def test_the_generator_obeys_its_label():
    torch.manual_seed(0)
    G = Generator(1, 16, 20, classes=5, **SMALL).eval()
    with torch.no_grad():
        G.embedding.weight *= 50  # it starts near zero
    z = G.noise(1, random()).expand(5, -1)
    images = G(z, torch.arange(5))
    assert (images[0] - images[1:]).flatten(1).abs().amax(dim=1).min() > 1e-4
    assert torch.allclose(G(z, torch.full((5,), 3))[0], images[3], atol=1e-6)


def test_however_large_the_labels_offset_becomes_the_noise_keeps_its_share():
    G, seen = Generator(1, 16, 20, classes=5, **SMALL), []
    G.body[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    labels = torch.arange(5).repeat(200)
    z = G.noise(1000, random())
    G(z, labels)
    with torch.no_grad():
        G.embedding.weight *= 1000
    G(z, labels)
    for pixels in seen:
        within = torch.stack([pixels[labels == k].std(dim=0).mean() for k in range(5)])
        torch.testing.assert_close(within, torch.ones(5), atol=0.1, rtol=0)
    assert seen[1].std() > 5  # the labels do move them apart


def test_the_discriminator_adds_the_projection_of_its_features():
    D = Discriminator(1, 16, widths=(4, 6), classes=3).eval()
    x = torch.rand(4, 1, 16, 16, generator=random())
    logits = torch.stack([D(x, torch.full((4,), y)) for y in range(3)])
    features = D.body(x)
    expected = D.head(features)[:, 0] + D.embedding.weight @ features.mT
    torch.testing.assert_close(logits, expected, atol=1e-6, rtol=1e-5)
    assert (logits[0] - logits[1]).abs().max() > 1e-4


def test_noise_is_normal_and_the_same_for_the_same_seed():
    G = Generator(1, 8, 50, widths=(4,)).double()
    z = G.noise(400, random(3))
    assert z.dtype == torch.float64 and torch.equal(z, G.noise(400, random(3)))
    assert abs(z.mean()) < 5 / 20_000**0.5 and abs(z.std() - 1) < 5 / 40_000**0.5


@pytest.mark.parametrize(("kind", "least"), [(Generator, 5), (Discriminator, 8)])
def test_images_too_small_for_the_widths_are_named(kind, least):
    kind(size=least, widths=(4, 4, 4))
    with pytest.raises(ValueError, match=rf"size is {least - 1}: .*3.*use larger images"):
        kind(size=least - 1, widths=(4, 4, 4))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"size": 32.0}, TypeError, "size is 32.0"),
        ({"channels": 0}, ValueError, "channels is 0"),
        ({"widths": ()}, ValueError, r"widths is \[\]"),
        ({"widths": (8, 0)}, ValueError, "width is 0"),
        ({"classes": True}, TypeError, "classes is True"),
        ({"classes": -2}, ValueError, "classes is -2.*0"),
    ],
)
@pytest.mark.parametrize("kind", [Generator, Discriminator])
def test_bad_arguments_of_both(kind, change, error, message):
    with pytest.raises(error, match=message):
        kind(**change)


def test_bad_arguments_of_the_random():
    for change, message in (
        ({"latent_size": 0}, "latent_size is 0"),
        ({"upsample": "bilinear"}, "upsample is 'bilinear': choose from transposed, nearest"),
        ({"output": "relu"}, "output is 'relu': choose from tanh"),
    ):
        with pytest.raises(ValueError, match=message):
            Generator(**change)


def test_bad_input_names_the_way_out():
    G, D = Generator(1, 8, 5, classes=3, widths=(4,)), Discriminator(3, 16, widths=(4,))
    with pytest.raises(ValueError, match=r"\[2, 6\].*\[N, 5\].*noise"):
        G(torch.ones(2, 6))
    with pytest.raises(ValueError, match=r"3 classes.*\[2\]"):
        G(torch.ones(2, 5))
    with pytest.raises(ValueError, match=r"\[2, 1, 16, 16\].*3 x 16 x 16"):
        D(torch.zeros(2, 1, 16, 16))
    with pytest.raises(ValueError, match=r"labels.*without classes"):
        D(torch.zeros(2, 3, 16, 16), torch.tensor([0, 1]))
