"""What is given to a model and would be computed without a word, or end deep inside PyTorch, is named instead."""

import math

import pytest
import torch

from course_lib import data, vae
from course_lib.vae import VAE, Autoencoder, VectorQuantizedVAE, binarised, evaluate_vae, mlp_vae, reconstruct, sample
from tests.vae.runs import IMAGES

SMALL = {"widths": (4, 6), "hidden": 8}
MODELS = [
    Autoencoder(1, 16, 5, **SMALL),
    VAE(1, 16, 5, likelihood="gaussian", **SMALL),
    mlp_vae(1, 16, 5, widths=(12,), likelihood="optimal-gaussian"),
    VectorQuantizedVAE(1, 16, 5, 3, widths=(4, 6), likelihood="logistic"),
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
X = IMAGES.pixels(slice(0, 4))


@EVERY
def test_images_of_another_range_type_or_size(model):
    with pytest.raises(ValueError, match=r"x lies between 0 and 255: its values must lie in \[0, 1\]; .*x.float\(\) / 255"):
        reconstruct(model, 255 * X)
    for call in (model.encode, model, lambda x: reconstruct(model, x)):
        with pytest.raises(TypeError, match=r"x is torch.uint8: .*; x.float\(\) / 255 makes them"):
            call((X > 0.5).byte())
        with pytest.raises(ValueError, match=r"takes images of 1 x 16 x 16"):
            call(X[:, :, :8])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model.eval()(X.bfloat16()).log_likelihood.isfinite().all()


def test_double_precision():
    model = mlp_vae(1, 16, 5, widths=(4,)).double()
    assert model.decode(model.noise(2)).dtype == model(X.double()).kl.dtype == torch.float64


@pytest.mark.parametrize("shape", [(5,), (4, 1), (1, 5), (1, 1), (), (5, 5)])
@pytest.mark.parametrize("model", MODELS[1:3], ids=lambda model: type(model).__name__)
def test_eps_that_would_be_broadcast(model, shape):
    with pytest.raises(RuntimeError, match=r"shape '\[4, 5\]' is invalid for input of size \d+"):
        model(X, eps=torch.randn(shape))


def test_what_cannot_be_binarised():
    with pytest.raises(ValueError, match="binarise is 'stochastic': choose from none, dynamic, threshold"):
        binarised(X, "stochastic")


def test_labels_of_another_kind():
    model = VAE(1, 16, 5, classes=3, **SMALL)
    for call, x in ((model.decode, torch.ones(2, 5)), (model.encode, torch.rand(2, 1, 16, 16))):
        with pytest.raises(ValueError, match=r"this network has 3 classes: give it labels, int64 \[2\]"):
            call(x)
        with pytest.raises(TypeError, match=r"labels must be int64, got torch\.int32"):
            call(x, torch.tensor([0, 1], dtype=torch.int32))
    for count in (2, 4):
        with pytest.raises(ValueError, match=rf"labels must have the shape \[{count}\], one for each image, got \[3\]"):
            sample(model, count, labels=torch.tensor([0, 1, 2]))
    for model in (VAE(1, 16, 5, **SMALL), Autoencoder(1, 16, 5, **SMALL)):
        with pytest.raises(ValueError, match="labels were given to a network without classes"):
            reconstruct(model, X, torch.zeros(4, dtype=torch.int64))


def test_labels_are_read_before_they_go_to_the_device():
    """Nothing can be read on a meta device, and on a GPU a label that is no class would end the process."""
    model = VAE(1, 16, 5, classes=3, **SMALL).to("meta")
    labels = torch.tensor([0, 1, 2, 3])
    images = data.ImageSet(IMAGES.images[:4], labels, IMAGES.classes)
    for call in (
        lambda: sample(model, 4, labels=labels),
        lambda: reconstruct(model, X, labels),
        lambda: evaluate_vae(model, images),
    ):
        with pytest.raises(ValueError, match="a label is 3, outside the classes 0 to 2"):
            call()
    with pytest.raises(ValueError, match="x lies between 0 and 255"):
        reconstruct(model, 255 * X, labels % 3)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_numbers_that_are_not_finite_are_refused_where_they_would_pass_for_an_answer(bad):
    x = torch.rand(20, 6)
    linear = vae.ProbabilisticPCA(torch.rand(6, 2), torch.zeros(6), 0.1)
    x[3, 2] = bad
    with pytest.raises(ValueError, match="x is not finite"):
        linear.log_prob(x)
    model = vae.VectorQuantizedVAE(1, 32, 8, 4, widths=(4, 8))
    with torch.no_grad():
        next(model.parameters())[0] = bad
    with pytest.raises(ValueError, match="not a finite number"):
        vae.code_usage(model, data.load("glyphs", "test").subset(slice(0, 9)))
