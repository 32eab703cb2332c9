"""The vector-quantised model: the nearest word, the gradient straight through, both terms of the penalty, used codes."""

import math

import pytest
import torch

from course_lib.vae import CodeUsage, VectorQuantizedVAE, code_usage, evaluate_vae, fit_vae, reconstruct, sample
from tests.vae.runs import FULL, make_batches, weights

SMALL = {"widths": (4, 6)}


def test_each_vector_becomes_the_nearest_word(device):
    model = VectorQuantizedVAE(1, 12, 7, 3, **SMALL).to(device)
    vectors = torch.randn(2, 3, 4, 5, device=device)
    nearest, codes, _ = model.quantise(vectors)
    assert nearest.shape == (2, 3, 4, 5) and codes.shape == (2, 4, 5)
    for n in range(2):
        for i in range(4):
            for j in range(5):
                distances = (model.codebook - vectors[n, :, i, j]).square().sum(dim=1)
                assert codes[n, i, j] == distances.argmin()
                torch.testing.assert_close(nearest[n, :, i, j], model.codebook[distances.argmin()])


def test_the_nearest_word_is_the_nearest_under_autocast_too():
    model = VectorQuantizedVAE(1, 12, 64, 16, **SMALL)
    vectors = torch.randn(20, 16, 8, 8).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, codes, _ = model.quantise(vectors)
    distances = torch.cdist(vectors.permute(0, 2, 3, 1).reshape(-1, 16).double(), model.codebook.double())
    assert torch.equal(codes.flatten(), distances.argmin(dim=1))


def test_the_gradient_goes_straight_through():
    model = VectorQuantizedVAE(1, 12, 7, 3, **SMALL)
    vectors, slope = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4)
    quantised, _, _ = model.quantise(vectors)
    (of_vectors,) = torch.autograd.grad((slope * quantised).sum(), vectors)
    assert torch.equal(of_vectors, slope), "what the word receives, the vector gets"
    assert model.codebook.grad is None and not torch.allclose(quantised, vectors)


def test_the_penalty_moves_the_words_and_the_vectors_each_by_its_term():
    model = VectorQuantizedVAE(1, 12, 5, 3, commitment=0.25, **SMALL)
    vectors = torch.randn(2, 3, 2, 2, requires_grad=True)
    _, codes, penalty = model.quantise(vectors)
    words = model.codebook.detach()[codes].permute(0, 3, 1, 2)
    distance = (vectors.detach() - words).square().sum() / 2  # mean over the two images
    assert penalty.item() == pytest.approx(1.25 * distance.item(), rel=1e-5)
    of_vectors, of_words = torch.autograd.grad(penalty, (vectors, model.codebook))
    torch.testing.assert_close(of_vectors, 0.25 * (vectors.detach() - words))
    expected = torch.zeros(5, 3)
    expected.index_add_(0, codes.flatten(), (words - vectors.detach()).permute(0, 2, 3, 1).reshape(-1, 3))
    torch.testing.assert_close(of_words, expected)


@pytest.mark.parametrize(("size", "channels", "side"), [(28, 1, 7), (32, 3, 8), (64, 1, 16), (13, 1, 4)])
def test_sizes_and_terms(size, channels, side):
    model = VectorQuantizedVAE(channels, size, 9, 3, **SMALL)
    x = torch.rand(2, channels, size, size)
    codes = model.encode(x)
    assert codes.shape == (2, side, side) == model.noise(2).shape and codes.dtype == torch.int64 and model.side == side
    assert model.decode(codes).shape == x.shape == model.image(model.noise(2)).shape
    model.eval()
    terms = model(x)
    torch.testing.assert_close(terms.log_likelihood, model.likelihood.log_prob(x, model.decode(model.encode(x))))
    assert terms.kl.shape == (2, side * side) and (terms.kl == math.log(9)).all() and terms.penalty > 0


def test_it_learns_and_reports_its_codes():
    model = VectorQuantizedVAE(1, 16, 16, 8, widths=(16, 32))
    images = FULL.subset(slice(0, 1024))
    before = evaluate_vae(model, images)
    run = fit_vae(model, make_batches(images=images, batch_size=64), epochs=5, lr=5e-3)
    after = evaluate_vae(model, images)
    assert after.reconstruction > before.reconstruction + 40 and after.kl == pytest.approx(16 * math.log(16))
    assert run.steps["loss"][-1] > run.steps["kl"][-1] - run.steps["reconstruction"][-1], "the penalty is part of the loss"
    usage = code_usage(model, images)
    assert isinstance(usage, CodeUsage) and usage.counts.sum() == 1024 * 16 and usage.counts.shape == (16,)
    assert 4 < usage.perplexity <= usage.used <= 16
    assert reconstruct(model, images.pixels(slice(0, 3))).shape == (3, 1, 16, 16) == sample(model, 3).shape


def test_counting_codes_leaves_the_model_as_it_was():
    model, images = VectorQuantizedVAE(1, 16, 16, 8, widths=(4, 6)), FULL.subset(slice(0, 64))
    before = weights(model)
    usage = code_usage(model.train(), images)
    assert model.training and model.encoder.training and torch.equal(weights(model), before)
    assert torch.equal(usage.counts, code_usage(model.eval(), images, batch_size=7).counts)


def test_usage_of_known_codes(monkeypatch):
    model = VectorQuantizedVAE(1, 16, 6, 2, **SMALL)
    monkeypatch.setattr(model, "encode", lambda x: torch.arange(16).view(1, 4, 4).expand(len(x), -1, -1) % 4)
    usage = code_usage(model, FULL.subset(slice(0, 3)))
    assert usage.counts.tolist() == [12, 12, 12, 12, 0, 0] and usage.used == 4 and usage.perplexity == pytest.approx(4)
    monkeypatch.setattr(model, "encode", lambda x: torch.zeros(len(x), 4, 4, dtype=torch.int64))
    assert code_usage(model, FULL.subset(slice(0, 3))).perplexity == pytest.approx(1)


def test_bad_input_is_named():
    for change, message in (
        ({"codes": 0}, "codes is 0"),
        ({"code_size": 0}, "code_size is 0"),
        ({"commitment": -1.0}, r"commitment is -1\.0"),
        ({"size": 2, "widths": (4, 4)}, "size is 2: halving number 2 of 2"),
    ):
        with pytest.raises(ValueError, match=message):
            VectorQuantizedVAE(**{"channels": 1, "size": 12, **change})
    model = VectorQuantizedVAE(1, 12, 5, 3, **SMALL)
    with pytest.raises(ValueError, match=r"z must be codes, int64 \[N, 3, 3\], .*got torch.float32"):
        model.decode(torch.zeros(2, 3, 3))
    with pytest.raises(ValueError, match=r"z must be codes, int64 \[N, 3, 3\], .*\[2, 4, 4\]"):
        model.decode(torch.zeros(2, 4, 4, dtype=torch.int64))
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        model.decode(torch.full((2, 3, 3), 5))
    with pytest.raises(ValueError, match="labels were given to a network without classes"):
        reconstruct(model, torch.rand(2, 1, 12, 12), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="takes images of 1 x 12 x 12"):
        model.encode(torch.rand(2, 1, 16, 16))
    with pytest.raises(ValueError, match="there are no images"):
        code_usage(model, FULL.subset(slice(0, 0)))
