"""The linear-Gaussian model against torch.distributions, SciPy, gradients and each of its own other forms."""

import dataclasses
import math

import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.vae import ProbabilisticPCA, principal_angles
from tests.vae.runs import likeliest


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def images(N=60, D=7, seed=0):
    """Images whose pixels depend on each other, with a mean that is not 0."""
    return random(N, D, seed=seed) @ random(D, D, seed=seed + 1) + random(D, seed=seed + 2)


def orthogonal(size, seed=0):
    return torch.linalg.qr(random(size, size, seed=seed)).Q


SEEDS = st.integers(0, 999)


def test_a_linear_autoencoder_trained_by_gradient_finds_the_subspace():
    x = images(200, 6)
    centred = x - x.mean(dim=0)
    encoder, decoder = (0.1 * random(6, 2, seed=seed) for seed in (3, 4))
    weights = [encoder.requires_grad_(), decoder.requires_grad_()]
    optimizer = torch.optim.Adam(weights, lr=0.02)
    for _ in range(1500):
        loss = (centred @ encoder @ decoder.mT - centred).square().sum(dim=1).mean()
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
            weight.grad = gradient
        optimizer.step()
    values, vectors = torch.linalg.eigh(torch.cov(x.mT, correction=0))
    assert principal_angles(decoder, vectors[:, 4:]).max() < 1e-3
    torch.testing.assert_close(loss.item(), values[:4].sum().item(), rtol=1e-4, atol=0)
    # The subspace is found, the axes in it are not: the columns are any two directions that span it.
    assert principal_angles(decoder[:, :1], vectors[:, 5:]).item() > 0.1


@given(seed=SEEDS, K=st.integers(1, 4), L=st.integers(1, 4))
def test_principal_angles_are_scipys(seed, K, L):
    a, b = random(6, K, seed=seed), random(6, L, seed=seed + 1)
    expected = scipy.linalg.subspace_angles(a.numpy(), b.numpy())[::-1].copy()
    torch.testing.assert_close(principal_angles(a, b), torch.from_numpy(expected), atol=1e-7, rtol=0)


@pytest.mark.parametrize("angle", [0.0, 1e-10, 1e-5, 0.3, math.pi / 4, 1.2, math.pi / 2 - 1e-10, math.pi / 2])
def test_an_angle_of_any_size_is_exact(angle):
    a = torch.eye(4, dtype=torch.float64)[:, :2]
    turned = torch.tensor([math.cos(angle), 0, math.sin(angle), 0], dtype=torch.float64)
    b = torch.stack([turned, a[:, 1]], dim=1) @ random(2, 2)
    turn = orthogonal(4)
    found = principal_angles(turn @ a, turn @ b)
    torch.testing.assert_close(found, torch.tensor([0.0, angle], dtype=torch.float64), atol=2e-14, rtol=1e-12)


def model(D=5, Z=2, seed=0):
    return ProbabilisticPCA(random(D, Z, seed=seed), random(D, seed=seed + 1), 0.3)


@given(seed=SEEDS, D=st.integers(2, 6), Z=st.integers(1, 3))
def test_log_prob_is_that_of_the_gaussian(seed, D, Z):
    pca, x = model(D, Z, seed), random(9, D, seed=seed + 3)
    expected = torch.distributions.MultivariateNormal(pca.mean, pca.covariance).log_prob(x)
    torch.testing.assert_close(pca.log_prob(x), expected)


@pytest.mark.parametrize("variance", [1e-4, 1e-8, 1e-12])
def test_log_prob_keeps_its_digits_where_the_noise_is_small(variance):
    basis, lengths = orthogonal(50), torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)
    pca = ProbabilisticPCA(basis[:, :3] * lengths @ orthogonal(3), torch.zeros(50), variance)
    variances = torch.cat([lengths.square() + variance, torch.full((47,), variance, dtype=torch.float64)])
    coordinates = random(9, 50, seed=1) * variances.sqrt()  # in the basis of C's eigenvectors, where it is diagonal
    expected = torch.distributions.Normal(0, variances.sqrt()).log_prob(coordinates).sum(dim=1)
    torch.testing.assert_close(pca.log_prob(coordinates @ basis.mT), expected, atol=1e-6, rtol=0)


@given(seed=SEEDS)
def test_the_elbo_at_the_exact_posterior_is_log_prob(seed):
    pca, x = model(seed=seed), random(9, 5, seed=seed + 3)
    mean, covariance = pca.posterior(x)
    torch.testing.assert_close(pca.elbo(x, mean, covariance), pca.log_prob(x))
    torch.testing.assert_close(pca.elbo(x, mean, covariance.expand(9, 2, 2)), pca.log_prob(x))


@given(seed=SEEDS)
def test_for_any_other_q_the_gap_is_its_divergence_from_the_posterior(seed):
    pca, x = model(seed=seed), random(9, 5, seed=seed + 3)
    factor = random(9, 2, 2, seed=seed + 4)
    mean, covariance = random(9, 2, seed=seed + 5), factor @ factor.mT + 0.1 * torch.eye(2, dtype=torch.float64)
    q = torch.distributions.MultivariateNormal(mean, covariance)
    posterior = torch.distributions.MultivariateNormal(*pca.posterior(x))
    gap = torch.distributions.kl_divergence(q, posterior)
    torch.testing.assert_close(pca.elbo(x, mean, covariance) + gap, pca.log_prob(x))
    assert (gap > 0).all()


def test_the_elbo_is_what_sampling_finds():
    pca, x = model(), random(1, 5, seed=3)
    mean, variances = random(1, 2, seed=4), torch.tensor([[0.5, 0.1]], dtype=torch.float64)
    q = torch.distributions.Normal(mean, variances.sqrt())
    z = mean + variances.sqrt() * random(200_000, 2, seed=5)
    likelihood = torch.distributions.Normal(pca.mean + z @ pca.weight.mT, math.sqrt(pca.variance)).log_prob(x).sum(dim=1)
    terms = likelihood + torch.distributions.Normal(0, 1).log_prob(z).sum(dim=1) - q.log_prob(z).sum(dim=1)
    standard_error = terms.std() / math.sqrt(len(terms))
    assert (terms.mean() - pca.elbo(x, mean, variances.diag_embed())).abs() < 4 * standard_error


def test_bayes_rule_holds_at_any_z():
    # log p(x | z) + log p(z) - log p(z | x) is log p(x), wherever z is.
    pca, x, z = model(), random(6, 5, seed=3), random(6, 2, seed=4)
    likelihood = torch.distributions.Normal(pca.mean + z @ pca.weight.mT, math.sqrt(pca.variance)).log_prob(x).sum(dim=1)
    prior = torch.distributions.Normal(0, 1).log_prob(z).sum(dim=1)
    posterior = torch.distributions.MultivariateNormal(*pca.posterior(x)).log_prob(z)
    torch.testing.assert_close(likelihood + prior - posterior, pca.log_prob(x))


def test_turned_latents_are_the_same_model_but_not_for_an_encoder_with_diagonal_covariance():
    x = images(80, 6)
    fitted = likeliest(x, 3)
    turned = dataclasses.replace(fitted, weight=fitted.weight @ orthogonal(3, seed=8))
    torch.testing.assert_close(turned.log_prob(x), fitted.log_prob(x))
    gaps = []
    for pca in (fitted, turned):
        mean, covariance = pca.posterior(x)
        # The best Gaussian with independent latents has the precisions of the exact one.
        diagonal = (1 / torch.linalg.inv(covariance).diagonal()).diag()
        gaps.append((pca.log_prob(x) - pca.elbo(x, mean, diagonal)).mean().item())
    assert abs(gaps[0]) < 1e-10 and gaps[1] > 0.01


@given(seed=SEEDS)
def test_no_step_away_from_the_fit_is_more_likely(seed):
    x = images(seed=seed)
    fitted = likeliest(x, 3)
    weight, mean = fitted.weight.clone().requires_grad_(), fitted.mean.clone().requires_grad_()
    log_variance = torch.tensor(math.log(fitted.variance), dtype=torch.float64, requires_grad=True)
    covariance = weight @ weight.mT + log_variance.exp() * torch.eye(7)
    likelihood = torch.distributions.MultivariateNormal(mean, covariance).log_prob(x).mean()
    torch.testing.assert_close(likelihood, fitted.log_prob(x).mean())
    for gradient in torch.autograd.grad(likelihood, [weight, mean, log_variance]):
        assert gradient.abs().max() < 1e-6
    for step in (0.1, -0.1):
        changed = ProbabilisticPCA(fitted.weight + step * random(7, 3, seed=seed), fitted.mean, fitted.variance * (1 + step))
        assert changed.log_prob(x).mean() < fitted.log_prob(x).mean()


def test_the_fit_finds_the_model_that_drew_the_images():
    truth = model(D=6, Z=2)
    x, z = truth.sample(100_000, torch.Generator().manual_seed(0))
    assert x.shape == (100_000, 6) and z.shape == (100_000, 2)
    fitted = likeliest(x, 2)
    assert abs(fitted.variance - truth.variance) < 0.005
    assert (fitted.covariance - truth.covariance).abs().max() < 0.1
    assert principal_angles(fitted.weight, truth.weight).max() < 0.01
    again, _ = truth.sample(100_000, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)


def test_it_follows_its_images_to_their_device(device):
    x = images().to(device, torch.float32)
    fitted = likeliest(x, 2)
    assert fitted.weight.device.type == device.type and fitted.log_prob(x).device.type == device.type
    assert fitted.elbo(x, *fitted.posterior(x)).shape == (60,) and fitted.sample(3)[0].device.type == device.type


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"columns of one length, got \[3, 2\], \[4, 2\]"):
        principal_angles(random(3, 2), random(4, 2))
    with pytest.raises(ValueError, match="the columns of b depend on each other: they span fewer than 2"):
        principal_angles(random(3, 2), torch.ones(3, 2))
    with pytest.raises(ValueError, match="the columns of a depend on each other: they span fewer than 4"):
        principal_angles(random(3, 4), random(3, 2))
    pca = model()
    with pytest.raises(ValueError, match=r"rows, \[N, 5\], got the shape \[2, 4\]"):
        pca.log_prob(random(2, 4))
    for covariance in (-torch.eye(2), torch.tensor([[1.0, 0.5], [0.0, 1.0]])):
        with pytest.raises(ValueError, match="PositiveDefinite"):
            pca.elbo(random(2, 5), random(2, 2), covariance)
