"""Measured against slow loops and exact answers; the bound rises with K and stays below the truth; modes stay as they were."""

import math

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.vae import (
    VAE,
    Autoencoder,
    VAEEvaluation,
    bernoulli_log_likelihood,
    evaluate_vae,
    fit_vae,
    gaussian_kl,
    gaussian_kl_sampled,
    importance_weighted_bound,
    mlp_vae,
    principal_angles,
    reconstruct,
    sample,
)
from tests.vae.runs import FULL, IMAGES, likeliest, make_batches, model, weights


def test_the_terms_against_one_image_at_a_time(device):
    network = model(device).train()
    result = evaluate_vae(network, IMAGES, rng=torch.Generator().manual_seed(5), batch_size=64)
    eps = network.noise(64, torch.Generator().manual_seed(5))
    x = IMAGES.pixels().to(device)
    network.eval()
    for n in range(0, 64, 9):
        mean, log_variance = network.encode(x[n : n + 1])
        decoded = network.decode(mean + (log_variance / 2).exp() * eps[n])
        log_likelihood = bernoulli_log_likelihood(x[n : n + 1], decoded)
        assert result.log_likelihoods[n].item() == pytest.approx(log_likelihood.item(), rel=1e-4)
        assert result.kls[n].item() == pytest.approx(gaussian_kl(mean, log_variance).sum().item(), rel=1e-4, abs=1e-5)
    assert isinstance(result, VAEEvaluation) and result.bounds is None and result.bound is None
    assert result.kl == pytest.approx(result.latent_kl.sum().item()) and result.latent_kl.shape == (4,)
    assert result.elbo == result.reconstruction - result.kl and "-ELBO" in str(result)


@pytest.mark.parametrize("binarise", ["none", "dynamic"])
def test_chunks_and_samples_change_the_memory_and_nothing_else(binarise):
    even, fifty = model(), slice(0, 50)
    odd = VAE(1, 15, 5, widths=(6, 8), hidden=12)  # neither pixels nor latents are multiples of 16 numbers
    for network, images in ((even, FULL.subset(fifty)), (odd, data.load("glyphs", "test", size=15).subset(fifty))):
        expected = evaluate_vae(network, images, binarise=binarise, samples=5, batch_size=64)
        for samples, batch_size in ((0, 64), (0, 17), (5, 17), (5, 3), (9, 17)):
            found = evaluate_vae(network, images, binarise=binarise, samples=samples, batch_size=batch_size)
            torch.testing.assert_close(found.log_likelihoods, expected.log_likelihoods, atol=1e-3, rtol=1e-5)
            torch.testing.assert_close(found.kls, expected.kls, atol=1e-5, rtol=1e-4)
            if samples == 5:
                torch.testing.assert_close(found.bounds, expected.bounds, atol=1e-3, rtol=1e-5)
        assert evaluate_vae(network, images, binarise=binarise, samples=5, batch_size=64).elbo == expected.elbo


@pytest.mark.parametrize(("K", "batch_size"), [(6, 4), (7, 1), (2, 100)])  # several images at a time, one, all
def test_the_k_sample_bound_is_the_formula(K, batch_size):
    network, images, drawn = model(classes=10).eval(), IMAGES.subset(slice(0, 9)), []
    with torch.no_grad():
        network.decoder.embedding.weight.mul_(5)  # with the label of another image it is another bound
    network.noise = lambda *arguments: drawn.append(VAE.noise(network, *arguments)) or drawn[-1]
    result = evaluate_vae(network, images, samples=K, batch_size=batch_size)
    _, *draws = drawn  # the first is that of the terms
    for n, of_image in enumerate(draws):
        x, label = images.pixels(slice(n, n + 1)), images.labels[n : n + 1]
        mean, log_variance = network.encode(x, label)
        log_weights = []
        for eps in of_image:
            z = mean + (log_variance / 2).exp() * eps
            log_likelihood = bernoulli_log_likelihood(x, network.decode(z, label))
            log_weights.append(log_likelihood - gaussian_kl_sampled(z, mean, log_variance).sum(dim=1))
        assert result.bounds[n].item() == pytest.approx(importance_weighted_bound(torch.stack(log_weights)).item(), rel=1e-5)
    assert len(draws) == 9 and all(eps.shape == (K, 4) for eps in draws) and f"K = {K}" in str(result)
    assert not result.bounds.requires_grad and not result.log_likelihoods.requires_grad


def test_no_more_than_a_batch_is_decoded_at_once():
    network, sizes = model(), []
    network.decoder.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    evaluate_vae(network, IMAGES.subset(slice(0, 11)), samples=30, batch_size=8)
    assert max(sizes) == 8 and sum(sizes) == 11 + 11 * 30


def linear_vae(Z, size, likelihood, sigma):
    """One matrix each way: x = W z + b + sigma e, with an encoder whose variances are the same for all images."""
    encoder = nn.Flatten()
    encoder.forward = lambda x, labels=None: x.flatten(1)
    decoder = nn.Sequential(nn.Linear(Z, size * size), nn.Unflatten(1, (1, size, size)))
    decoder.forward = lambda z, labels=None: decoder[1](decoder[0](z))
    options = {"likelihood": likelihood, "sigma": sigma, "encoder": encoder, "decoder": decoder}
    network = VAE(1, size, Z, hidden=size * size, **options)
    network.log_variance.weight.data.zero_()
    return network


def test_a_linear_model_reaches_the_exact_likelihood_of_probabilistic_pca():
    """With the exact posterior as its encoder ELBO = log p(x), for every image and every K; with any other it stays below."""
    torch.manual_seed(0)
    sigma = 0.3
    network = linear_vae(3, 6, "gaussian", sigma)
    basis, _ = torch.linalg.qr(torch.randn(36, 3))
    W, b = basis * torch.tensor([2.0, 1.0, 0.5]), 0.5 * torch.ones(36)
    M = W.T @ W + sigma**2 * torch.eye(3)  # diagonal, since the columns of W are orthogonal
    V = torch.linalg.solve(M, W.T)
    with torch.no_grad():
        network.decoder[0].weight.copy_(W), network.decoder[0].bias.copy_(b)
        network.mean.weight.copy_(V), network.mean.bias.copy_(-V @ b)
        network.log_variance.bias.copy_((sigma**2 / M.diagonal()).log())
    images = data.load("glyphs", "test", size=6).subset(slice(0, 200))
    x = images.pixels().flatten(1).double()
    covariance = (W @ W.T + sigma**2 * torch.eye(36)).double()
    truth = torch.distributions.MultivariateNormal(b.double(), covariance).log_prob(x)
    bounds = [evaluate_vae(network, images, samples=K).bounds for K in (1, 20)]
    for bound in bounds:
        torch.testing.assert_close(bound, truth, atol=1e-2, rtol=1e-4)
    # log p(x|z) - KL(q || p) has the expectation log p(x), and its terms the noise of one draw.
    elbo = evaluate_vae(network, images)
    error = (elbo.log_likelihoods - elbo.kls - truth).std() / math.sqrt(len(x))
    assert abs(elbo.elbo - truth.mean().item()) < 4 * error

    with torch.no_grad():
        network.log_variance.bias += 1.0
        network.mean.bias += 0.3
    one, some, many = (evaluate_vae(network, images, samples=K).bound for K in (1, 10, 200))
    assert one < some < many < truth.mean().item() + 0.02 and truth.mean().item() - one > 0.3


def test_a_linear_model_learns_probabilistic_pca():
    D, Z = 25, 2
    basis, _ = torch.linalg.qr(torch.randn(D, Z))
    x = 0.5 + torch.randn(512, Z) * torch.tensor([0.6, 0.3]) @ basis.T + 0.05 * torch.randn(512, D)
    pictures = (255 * x.clamp(0, 1)).round().byte().view(-1, 1, 5, 5)
    images = data.ImageSet(pictures, torch.zeros(512, dtype=torch.int64), ["0"])
    best = likeliest(images.pixels().flatten(1), Z)
    network = linear_vae(Z, 5, "optimal-gaussian", 0.2)
    fit_vae(network, make_batches(images=images, batch_size=64), epochs=60, lr=0.1)
    largest = best.log_prob(images.pixels().flatten(1)).mean().item()
    assert largest - 1.0 < evaluate_vae(network, images).elbo < largest + 0.05
    assert principal_angles(network.decoder[0].weight, best.weight).max() < 0.15


def test_conditional_models_get_the_labels_of_the_set():
    network = model(classes=10)
    result = evaluate_vae(network, IMAGES, samples=3)
    wrong = data.ImageSet(IMAGES.images, (IMAGES.labels + 1) % 10, IMAGES.classes)
    assert (result.bounds - evaluate_vae(network, wrong, samples=3).bounds).abs().max() > 1e-4


def test_reconstructions_and_samples(device):
    for network in (model(device), model(device, Autoencoder), model(device, likelihood="gaussian"), model(device, classes=10)):
        network.train()
        network.encoder.eval()
        before, labels = weights(network), torch.arange(5) if network.classes else None
        x = IMAGES.pixels(slice(0, 5))
        again = reconstruct(network, x, labels)
        drawn = sample(network, 5, torch.Generator().manual_seed(0), labels, batch_size=2)
        for images in (again, drawn):
            assert images.shape == (5, 1, 16, 16) and images.device.type == "cpu" and 0 <= images.min() <= images.max() <= 1
        assert network.training and not network.encoder.training and torch.equal(weights(network), before)
        network.eval()
        z = network.noise(5, torch.Generator().manual_seed(0))
        of_labels = None if labels is None else labels.to(device)
        torch.testing.assert_close(drawn, network.image(z, of_labels).cpu(), atol=1e-5, rtol=0)
        code = network.encode(x.to(device), of_labels)
        mean = code[0] if isinstance(code, tuple) else code
        torch.testing.assert_close(again, network.image(mean, of_labels).cpu(), atol=1e-5, rtol=0)


def test_modes_are_put_back_and_running_statistics_left_alone():
    network = model().train()
    before = weights(network)
    evaluate_vae(network, IMAGES, samples=2)
    assert network.training and network.encoder.body[1].training and torch.equal(weights(network), before)


def test_which_images_are_measured_changes_the_figure():
    network = mlp_vae(1, 16, 4, widths=(32,))
    fit_vae(network, make_batches(images=FULL.subset(slice(0, 512))), epochs=3)
    grey, dynamic, threshold = (evaluate_vae(network, IMAGES, binarise=word) for word in ("none", "dynamic", "threshold"))
    assert len({grey.elbo, dynamic.elbo, threshold.elbo}) == 3


def test_a_module_of_ones_own_is_measured_by_its_terms():
    class Own(nn.Module):
        """The least that a model needs: a parameter, which says where it lies, noise and two terms."""

        classes = 0

        def __init__(self):
            super().__init__()
            self.level = nn.Parameter(torch.zeros(()))

        def noise(self, count, rng=None):
            return torch.randn(count, 3, generator=rng)

        def forward(self, x, labels=None, eps=None):
            return -(x - self.level).square().flatten(1).sum(dim=1), eps.square()

    result = evaluate_vae(Own(), IMAGES, rng=torch.Generator().manual_seed(1))
    torch.testing.assert_close(result.log_likelihoods.float(), -IMAGES.pixels().square().flatten(1).sum(dim=1))
    torch.testing.assert_close(result.kls.float(), torch.randn(64, 3, generator=torch.Generator().manual_seed(1)).square().sum(1))


def test_bad_input_is_named():
    network = model()
    with pytest.raises(ValueError, match="there are no images"):
        evaluate_vae(network, IMAGES.subset(slice(0, 0)))
    with pytest.raises(ValueError, match="samples is 5, and Autoencoder has no q"):
        evaluate_vae(model(kind=Autoencoder), IMAGES, samples=5)
    with pytest.raises(ValueError, match="samples is -1"):
        evaluate_vae(network, IMAGES, samples=-1)
    with pytest.raises(ValueError, match="binarise is 'no'"):
        evaluate_vae(network, IMAGES, binarise="no")
    with pytest.raises(ValueError, match="count is 0"):
        sample(network, 0)
    with pytest.raises(ValueError, match="batch_size is 0: "):
        evaluate_vae(network, IMAGES, batch_size=0)
    with pytest.raises(ValueError, match="give it labels"):
        sample(VAE(1, 16, 4, classes=3, widths=(4,)), 2)
    with pytest.raises(ValueError, match=r"x\.float\(\) / 255"):
        reconstruct(network, IMAGES.images)
