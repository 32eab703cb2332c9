"""The classifiers: shapes from sizes, the network of the tutorials where it fits, and bad input."""

import json

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.blocks import ResidualBlock
from course_lib.classification import CNN, MLP, Classifier, LinearClassifier, ResNet, count_parameters
from course_lib.layers import trace_shapes
from course_lib.layers.explorers import TUTORIAL

ALL = [LinearClassifier, MLP, CNN, ResNet]


@pytest.mark.parametrize("kind", ALL)
@given(channels=st.sampled_from([1, 3]), size=st.integers(10, 40), classes=st.integers(1, 12))
def test_every_size_gives_logits_from_features(kind, channels, size, classes):
    model = kind(channels, size, classes).eval()
    assert isinstance(model, Classifier)
    x = torch.rand(2, channels, size, size)
    features = model.features(x)
    assert features.dim() == 2 and model(x).shape == (2, classes)
    assert torch.equal(model(x), model.head(features))


@pytest.mark.parametrize("kind", ALL)
def test_a_model_is_built_again_from_its_config(kind):
    options = {MLP: {"widths": (7, 5)}, CNN: {"widths": (4, 6), "hidden": 9, "stride": 2, "batch_norm": True}}
    options[ResNet] = {"widths": (4, 8), "depth": 2, "stem_stride": 1, "skip": False}
    model = kind(3, 20, 4, **options.get(kind, {}))
    assert model.config == json.loads(json.dumps(model.config))
    again = type(model)(**model.config)
    assert again.config == model.config
    again.load_state_dict(model.state_dict())
    x = torch.rand(2, 3, 20, 20)
    assert torch.equal(again.eval()(x), model.eval()(x))


@pytest.mark.parametrize(("channels", "size"), [(3, 32), (1, 28), (3, 64), (1, 33)])
def test_the_reference_cnn_is_the_tutorials_network_at_any_size(channels, size):
    steps = trace_shapes(TUTORIAL, (channels, size, size))
    model = CNN(channels, size, 10)
    assert count_parameters(model) == sum(step.parameters for step in steps)
    assert [tuple(p.shape) for p in model.parameters()][4] == (128, steps[7].shape[0])
    x = torch.rand(2, channels, size, size)
    for layer in model.body:
        if isinstance(layer, nn.Linear):
            assert x.shape[1] == steps[7].shape[0]
        x = layer(x)
    assert x.shape == (2, 128)


def test_a_size_for_which_nothing_is_left_names_the_layer():
    CNN(1, 10, 2)
    with pytest.raises(ValueError, match=r"convolution 2 and its pooling leave nothing of 3 x 3: use larger images"):
        CNN(1, 9, 2)


@pytest.mark.parametrize("name", ["channels", "size", "classes"])
@pytest.mark.parametrize("value", [0, 2.0, -1])
def test_sizes_are_whole_numbers(name, value):
    with pytest.raises((TypeError, ValueError), match=rf"{name} is {value}"):
        LinearClassifier(**{"channels": 1, "size": 8, "classes": 2, name: value})


def test_statistics_are_those_of_the_images_and_part_of_the_state():
    images = torch.randint(0, 256, (50, 3, 6, 6), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images[:, 2] = 7  # constant: divided by something, not by zero
    model = LinearClassifier(3, 6, 2).set_statistics(images)
    pixels = images.double().permute(1, 0, 2, 3).flatten(1) / 255
    torch.testing.assert_close(model.mean.flatten().double(), pixels.mean(dim=1), atol=1e-7, rtol=1e-6)
    torch.testing.assert_close(model.std[:2].flatten().double(), pixels[:2].std(dim=1, correction=0), atol=1e-7, rtol=1e-5)
    x = images.float() / 255
    standardised = (model.features(x)).view(50, 3, -1)
    assert abs(standardised[:, :2].mean()) < 1e-5 and abs(standardised[:, :2].std() - 1) < 1e-3
    assert standardised.isfinite().all() and {"mean", "std"} <= set(model.state_dict())
    with pytest.raises(ValueError, match=r"images must be uint8 \[N, 3, H, W\].* got torch.float32 \[50, 3, 6, 6\]"):
        model.set_statistics(x)
    with pytest.raises(ValueError, match=r"N at least 1, got torch.uint8 \[0, 3, 6, 6\]"):
        model.set_statistics(images[:0])


@pytest.mark.parametrize("kind", ALL)
def test_bad_input_names_the_way_out(kind):
    model = kind(3, 16, 2)
    with pytest.raises(TypeError, match=r"x is torch.uint8.*x.float\(\) / 255"):
        model(torch.zeros(2, 3, 16, 16, dtype=torch.uint8))
    with pytest.raises(ValueError, match=r"takes images of 3 x 16 x 16: build the model with their channels"):
        model(torch.zeros(2, 1, 16, 16))
    with pytest.raises(ValueError, match=r"load them with size=16"):
        model(torch.zeros(2, 3, 17, 16))
    with pytest.raises(ValueError, match=r"x\[None\]"):
        model(torch.zeros(3, 16, 16))


def test_depth_and_width_are_what_was_asked_for():
    model = ResNet(1, 32, 10, widths=(4, 8, 16), depth=3)
    assert len([part for part in model.modules() if isinstance(part, ResidualBlock)]) == 9
    assert model.head.in_features == 16
    assert model.features(torch.rand(2, 1, 32, 32)).shape == (2, 16)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: CNN(1, 28, 10, stride=0), "stride is 0"),
        (lambda: CNN(1, 28, 10, hidden=0), "hidden is 0"),
        (lambda: CNN(1, 28, 10, widths=32), r"widths is 32: it must be a sequence"),
        (lambda: ResNet(1, 28, 10, widths=()), r"widths is \[\]: the network needs at least 1"),
        (lambda: ResNet(1, 28, 10, depth=0), "depth is 0"),
        (lambda: MLP(1, 28, 10, widths=(8, -1)), "a width is -1"),
        (lambda: LinearClassifier(1, 8, True), "classes is True"),
    ],
)
def test_sizes_that_build_no_network_are_named(build, words):
    with pytest.raises((TypeError, ValueError), match=words):
        build()


def test_widths_may_come_from_an_iterator_and_convolutions_before_a_norm_have_no_bias():
    model = MLP(1, 8, 10, widths=iter([5]))
    assert model.config["widths"] == [5] and model.head.in_features == 5
    assert CNN(1, 28, 10, batch_norm=True).body[0].bias is None and CNN(1, 28, 10).body[0].bias is not None
