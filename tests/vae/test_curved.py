"""The bent latent: quadrature against two closed forms and sampling, and log p = ELBO + gap."""

import itertools
import math

import numpy as np
import pytest
import scipy.special
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.vae import CurvedModel, ProbabilisticPCA, arc

NOISE, TURN = 0.2, 1.2


def points(count=40, seed=0):
    """Points around the arc, on both sides of it and in the middle."""
    return 1.5 * torch.randn(count, 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def straight(z):
    """A line in the plane: with it the model is probabilistic PCA of two pixels."""
    return torch.stack([0.5 + 1.5 * z, -0.3 - 0.7 * z], dim=-1)


def series(x, radius=1.0, terms=200):
    """log p(x) of the arc as a series of Bessel functions.

    |x - f(z)|^2 = |x|^2 + radius^2 - 2 radius |x| cos(turn z - angle), exp(k cos t) = I_0(k) + 2 sum of I_n(k) cos(n t), and the
    mean of cos(n (turn z - angle)) over z ~ N(0, 1) is cos(n angle) exp(-(n turn)^2 / 2).
    """
    x = x.numpy()
    length, angle = np.hypot(x[:, 0], x[:, 1]), np.arctan2(x[:, 0], -x[:, 1])  # from the bottom, where z = 0 is
    k, n = radius * length / NOISE**2, np.arange(1, terms)[:, None]
    mean = np.cos(n * angle) * np.exp(-((n * TURN) ** 2) / 2)
    total = scipy.special.ive(0, k) + 2 * (scipy.special.ive(n, k) * mean).sum(axis=0)  # ive is I times exp(-k)
    square = (length - radius) ** 2
    return torch.from_numpy(np.log(total) - square / (2 * NOISE**2) - np.log(2 * np.pi * NOISE**2))


def test_the_arc_goes_round():
    z = torch.tensor([0.0, math.pi / 2, -math.pi / 2])
    expected = torch.tensor([[0.0, -2], [2, 0], [-2, 0]])
    torch.testing.assert_close(arc(z, radius=2.0, turn=1.0), expected, atol=1e-6, rtol=0)
    assert arc(torch.zeros(3, 4)).shape == (3, 4, 2)


@given(seed=st.integers(0, 99), radius=st.floats(0.5, 2))
def test_quadrature_gives_the_series_of_bessel_functions(seed, radius):
    x = points(seed=seed)
    found = CurvedModel(lambda z: arc(z, radius, TURN), NOISE).log_prob(x)
    expected = series(x, radius)
    close = expected > -40  # farther away the series loses its digits by cancellation
    assert close.sum() > 5
    torch.testing.assert_close(found[close], expected[close], atol=1e-6, rtol=0)


def test_on_a_straight_line_it_is_probabilistic_pca():
    model = CurvedModel(straight, 0.4)
    weight, mean = torch.tensor([[1.5], [-0.7]]), torch.tensor([0.5, -0.3])
    exact, x = ProbabilisticPCA(weight, mean, 0.4**2), points()
    torch.testing.assert_close(model.log_prob(x), exact.log_prob(x), atol=1e-6, rtol=1e-6)
    means, variances = exact.posterior(x)
    posterior = model.posterior(x) * model.spacing
    torch.testing.assert_close(posterior.sum(dim=1), torch.ones(40, dtype=torch.float64))
    torch.testing.assert_close(posterior @ model.grid, means[:, 0], atol=1e-6, rtol=1e-6)
    mean, log_variance = torch.linspace(-1, 1, 40, dtype=torch.float64), torch.linspace(-3, 0, 40, dtype=torch.float64)
    expected = exact.elbo(x, mean[:, None], log_variance.exp()[:, None, None])
    torch.testing.assert_close(model.elbo(x, mean, log_variance), expected, atol=1e-5, rtol=1e-6)
    # There the best Gaussian is the posterior itself, and nothing is missing.
    near = x[model.log_prob(x) > -8]
    best = model.best_gaussian(near)
    torch.testing.assert_close(best[0], exact.posterior(near)[0][:, 0], atol=1e-4, rtol=0)
    torch.testing.assert_close(best[1].exp(), variances[0].expand(len(near)), atol=1e-4, rtol=0)
    assert model.gap(near, *best).abs().max() < 1e-6


def test_the_density_has_the_integral_one():
    side = torch.arange(-3, 3, 0.1, dtype=torch.float64)
    mass = CurvedModel().log_prob(torch.cartesian_prod(side, side)).exp().sum() * 0.1**2
    assert abs(mass - 1) < 1e-9


def test_a_finer_or_longer_grid_changes_nothing():
    x = points()
    expected = CurvedModel().log_prob(x)
    for other in (CurvedModel(points=8001), CurvedModel(limit=10.0, points=2001)):
        torch.testing.assert_close(other.log_prob(x), expected, atol=1e-9, rtol=0)


def test_a_posterior_that_the_grid_cannot_hold_is_refused_with_the_points_that_it_needs():
    x = arc(torch.tensor([0.1011, -0.7003], dtype=torch.float64))
    for noise in (0.003, 0.002, 0.0003):
        coarse = CurvedModel(noise=noise)
        q = torch.tensor([0.1011, -0.7003]), torch.full((2,), -7.0)
        for call in (coarse.log_prob, coarse.posterior, lambda x, coarse=coarse, q=q: coarse.gap(x, *q)):
            with pytest.raises(
                ValueError, match=rf"with noise={noise} .* a step of the grid, 0\.004: give .* points=\d+ or"
            ) as error:
                call(x)
        needed = int(str(error.value).split("points=")[1].split()[0])
        fine = CurvedModel(noise=noise, points=4 * needed).log_prob(x)
        torch.testing.assert_close(CurvedModel(noise=noise, points=needed).log_prob(x), fine, atol=1e-6, rtol=0)


def test_a_posterior_beyond_the_grid_is_refused():
    far, flat = torch.tensor([[4.0, 0.0]]), lambda z: torch.stack([0.3 * z, 0 * z], dim=-1)  # its z is near 9
    exact = ProbabilisticPCA(torch.tensor([[0.3], [0.0]], dtype=torch.float64), torch.zeros(2), 0.2**2)
    for call in (CurvedModel(flat).log_prob, CurvedModel(flat).posterior):
        with pytest.raises(ValueError, match=r"a posterior of z reaches the end of the grid at 8: give the model a larger limit"):
            call(far)
    torch.testing.assert_close(CurvedModel(flat, limit=15).log_prob(far), exact.log_prob(far), atol=1e-9, rtol=0)
    centre = torch.zeros(1, 2)  # of the arc: as near to every z, so that the posterior is the prior
    torch.testing.assert_close(CurvedModel(limit=6).log_prob(centre), CurvedModel().log_prob(centre), atol=1e-6, rtol=0)


def test_many_points_are_taken_in_parts():
    model, x, rows = CurvedModel(points=801), points(1030), slice(508, 516)
    q = torch.linspace(-1, 1, 1030), torch.linspace(-3, 0, 1030)
    torch.testing.assert_close(model.gap(x, *q)[rows], model.gap(x[rows], *(part[rows] for part in q)))
    torch.testing.assert_close(model.posterior(x)[rows], model.posterior(x[rows]))
    sizes, log_joint = [], CurvedModel.log_joint

    class Spy(CurvedModel):
        def log_joint(self, x, z):
            sizes.append(len(x))
            return log_joint(self, x, z)

    for call in (Spy().log_prob, Spy().posterior, lambda x: Spy().gap(x, *q)):
        call(x)
    assert max(sizes) <= 512 and sum(sizes) == 3 * 1030


QS = st.tuples(st.floats(-2, 2), st.floats(-6, -0.5))


@given(seed=st.integers(0, 99), q=QS)
def test_log_p_is_the_elbo_plus_the_gap(seed, q):
    model, x = CurvedModel(), points(seed=seed)
    mean, log_variance = (torch.full((40,), value, dtype=torch.float64) for value in q)
    elbo, gap = model.elbo(x, mean, log_variance), model.gap(x, mean, log_variance)
    torch.testing.assert_close(elbo + gap, model.log_prob(x), atol=1e-8, rtol=1e-8)
    assert (gap > 0).all()


def test_the_elbo_is_what_sampling_finds():
    model, x = CurvedModel(), torch.tensor([[0.8, -0.3]])
    q = torch.tensor([0.7]), torch.tensor([-2.0])
    weights = model.log_weights(x, *q, 200_000, torch.Generator().manual_seed(0))
    standard_error = weights.std() / math.sqrt(len(weights))
    assert (weights.mean() - model.elbo(x, *q)).abs() < 4 * standard_error
    # The weights themselves average to p(x), without bias.
    shares = (weights - model.log_prob(x)).exp()
    assert (shares.mean() - 1).abs() < 4 * shares.std() / math.sqrt(len(weights))
    z = q[0] + (q[1] / 2).exp() * torch.randn(200_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    likelihoods = model.log_likelihood(x, z)
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(0.7, math.exp(-1.0)), torch.distributions.Normal(0.0, 1.0))
    standard_error = likelihoods.std() / math.sqrt(len(z))
    assert (likelihoods.mean() - kl - model.elbo(x, *q)).abs() < 4 * standard_error


def test_more_samples_tighten_the_bound_towards_log_p():
    model, x = CurvedModel(), torch.tensor([[0.7, -0.7]])  # its z is near 0.65, at the edge of q
    q = torch.tensor([0.0]), torch.tensor([-1.0])
    bounds = []
    for K in (1, 2, 4, 16, 64):
        weights = model.log_weights(x, *q, K * 20_000, torch.Generator().manual_seed(K)).view(K, -1)
        values = torch.logsumexp(weights, dim=0) - math.log(K)
        bounds.append((values.mean().item(), values.std().item() / math.sqrt(20_000)))
    truth = model.log_prob(x).item()
    for (low, low_error), (high, high_error) in itertools.pairwise(bounds):
        assert low - high < 4 * math.hypot(low_error, high_error)
    assert bounds[0][0] < truth - 0.5, "there is a gap to close"
    assert all(value < truth + 4 * error for value, error in bounds) and bounds[-1][0] > truth - 0.1


def test_the_best_gaussian_is_at_a_maximum_and_in_the_deeper_valley():
    model, x = CurvedModel(), torch.tensor([[0.1, 1.0], [-0.1, 1.0], [1.0, 0.0], [0.3, -0.2]], dtype=torch.float64)
    mean, log_variance = model.best_gaussian(x)
    assert mean[0] > 1 and mean[1] < -1, "two ways lead to the opening of the arc, and one is a little nearer"
    parameters = [mean.clone().requires_grad_(), log_variance.clone().requires_grad_()]
    for gradient in torch.autograd.grad(model.elbo(x, *parameters).sum(), parameters):
        assert gradient.abs().max() < 1e-3
    best = model.elbo(x, mean, log_variance)
    for other_mean in torch.linspace(-3, 3, 25, dtype=torch.float64):
        for other in (-5.0, -3.0, -1.0):
            tried = model.elbo(x, other_mean.expand(4), torch.full((4,), other, dtype=torch.float64))
            assert (tried <= best + 1e-6).all()


def test_the_ascent_starts_from_the_best_of_its_table():
    model, x = CurvedModel(), points(12)
    start = model.elbo(x, *model.best_gaussian(x, steps=0))
    for mean in torch.linspace(-4, 4, 81, dtype=torch.float64):
        for log_variance in torch.linspace(-7, 0.5, 16, dtype=torch.float64):
            assert (model.elbo(x, mean.expand(12), log_variance.expand(12)) < start + 1e-8).all()


def test_where_the_posterior_has_two_peaks_a_gaussian_loses_a_bit():
    # Two equal, well separated peaks: a Gaussian can take one of them, and KL(q, posterior) is then log 2.
    model, x = CurvedModel(noise=0.1), torch.tensor([[0.0, 1.0]])
    density = model.posterior(x)[0]
    assert density[model.points // 2] < 1e-6 * density.max()
    assert model.gap(x, *model.best_gaussian(x)).item() == pytest.approx(math.log(2), abs=0.01)


def test_the_elbo_can_be_differentiated():
    x = points(3)
    q = [torch.tensor([0.3, -0.2, 1.0], dtype=torch.float64), torch.tensor([-1.0, -2.0, 0.0], dtype=torch.float64)]
    assert torch.autograd.gradcheck(lambda *q: CurvedModel().elbo(x, *q), [part.requires_grad_() for part in q])


def test_samples_have_the_moments_of_the_model():
    x, z = CurvedModel().sample(100_000, torch.Generator().manual_seed(0))
    assert x.shape == (100_000, 2) and z.shape == (100_000,)
    # E sin(turn z) = 0 and E cos(turn z) = exp(-turn^2 / 2); E |x|^2 = radius^2 + 2 noise^2.
    assert (x.mean(dim=0) - torch.tensor([0, -math.exp(-0.72)])).abs().max() < 0.01
    assert abs(x.square().sum(dim=1).mean() - 1.08) < 0.01
    again, _ = CurvedModel().sample(100_000, torch.Generator().manual_seed(0))
    assert torch.equal(x, again)


def test_it_follows_its_points_to_their_device(device):
    model, x = CurvedModel(), points(3).to(device)
    assert model.log_prob(x).device.type == device.type and model.gap(x, *model.best_gaussian(x, 5)).shape == (3,)
    assert model.log_weights(x, *model.best_gaussian(x, 5), 4).shape == (4, 3)


def test_bad_input_is_named():
    model, x, q = CurvedModel(), points(3), (torch.zeros(3), torch.zeros(3))
    with pytest.raises(ValueError, match=r"\[N, 2\], got the shape \[2\]: a point alone becomes a batch with x\[None\]"):
        model.log_prob(x[0])
    with pytest.raises(ValueError, match=r"\[N, 2\], got the shape \[3, 3\]"):
        model.posterior(torch.zeros(3, 3))
    for wrong in ((torch.zeros(3, 1), q[1]), (q[0], torch.tensor(0.0))):
        with pytest.raises(ValueError, match=r"mean and log_variance must be \[3\], one number for each point, got \[3"):
            model.elbo(x, *wrong)
    for mean, log_variance in ((0.0, -10.0), (3.0, 0.0), (0.0, 2 * math.log(1.9 * model.spacing))):  # steps of 0.004
        with pytest.raises(ValueError, match=r"a q has a standard deviation down to .*: give the model more points or a larger"):
            model.gap(x, torch.full((3,), mean), torch.full((3,), log_variance))
