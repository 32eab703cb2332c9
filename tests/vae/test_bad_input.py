"""What is given to a model and would be computed without a word, or end deep inside PyTorch, is named instead."""

import pytest
import torch

from course_lib import data
from course_lib.vae import (
    MLPVAE,
    VAE,
    Autoencoder,
    LinearVAE,
    VectorQuantizedVAE,
    binarised,
    evaluate_vae,
    reconstruct,
    sample,
)
from tests.vae.runs import IMAGES

SMALL = {"widths": (4, 6), "hidden": 8}
MODELS = [
    Autoencoder(5, 16, **SMALL),
    VAE(5, 16, likelihood="gaussian", **SMALL),
    MLPVAE(5, 16, widths=(12,), likelihood="optimal-gaussian"),
    LinearVAE(5, 16),
    VectorQuantizedVAE(5, 3, 16, widths=(4, 6), likelihood="learned-gaussian"),
]
EVERY = pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
X = IMAGES.images[:4] / 255


@EVERY
def test_images_of_another_range_or_type(model):
    for call in (model.encode, model.terms, lambda x: reconstruct(model, x)):
        with pytest.raises(ValueError, match=r"x lies between 0 and 255: its values must lie in \[0, 1\]; .*x.float\(\) / 255"):
            call(255 * X)
        with pytest.raises(TypeError, match=r"x is torch.uint8: .*; x.float\(\) / 255 makes them"):
            call(IMAGES.images[:4])
        for dtype in (torch.float64, torch.float16):
            with pytest.raises(TypeError, match=rf"x is {dtype} and the model torch.float32: x.to\(torch.float32\) fits it"):
                call(X.to(dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert model.eval().terms(X.bfloat16()).log_likelihood.isfinite().all()
        with pytest.raises(TypeError, match=r"x is torch.float64 and the model torch.float32"):
            model.terms(X.double())


@pytest.mark.parametrize("model", MODELS[:4], ids=lambda model: type(model).__name__)
def test_latent_vectors_of_another_type(model):
    with pytest.raises(TypeError, match=r"z is torch.float64 and the model torch.float32: z.to\(torch.float32\) fits it"):
        model.decode(torch.zeros(2, 5, dtype=torch.float64))
    assert MLPVAE(5, 16, widths=(4,)).double().decode(torch.zeros(2, 5, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.parametrize("shape", [(5,), (4, 1), (1, 5), (1, 1), (), (5, 5)])
@pytest.mark.parametrize("model", MODELS[1:4], ids=lambda model: type(model).__name__)
def test_noise_that_would_be_broadcast(model, shape):
    with pytest.raises(
        ValueError, match=r"noise has the shape \[.*\]: it must be \[4, 5\], a number for each latent of each image"
    ):
        model.terms(X, noise=torch.randn(shape))


@pytest.mark.parametrize("binarise", ["none", "threshold", "dynamic"])
def test_what_cannot_be_binarised(binarise):
    with pytest.raises(TypeError, match=r"x is torch.uint8: it must be floating point, .*x.float\(\) / 255 makes it so"):
        binarised(IMAGES.images, binarise)
    with pytest.raises(ValueError, match=r"x lies between 0 and 255: its values must lie in \[0, 1\]"):
        binarised(IMAGES.images.float(), binarise)


def test_labels_of_another_kind():
    model = VAE(5, 16, classes=3, **SMALL)
    for call, x in ((model.decode, torch.ones(2, 5)), (model.encode, torch.rand(2, 1, 16, 16))):
        with pytest.raises(ValueError, match=r"this network has 3 classes: give it labels, int64 \[2\]"):
            call(x)
        with pytest.raises(ValueError, match="a label is 3, outside the classes 0 to 2"):
            call(x, torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"labels must have the shape \[2\], one for each image, got \[3\]"):
        sample(model, 2, labels=torch.tensor([0, 1, 2]))


def test_labels_are_read_before_they_go_to_the_device():
    """Nothing can be read on a meta device, and on a GPU a label that is no class would end the process."""
    model = VAE(5, 16, classes=3, **SMALL).to("meta")
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
