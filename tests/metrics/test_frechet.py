"""The Frechet distance against closed forms and SciPy's root of a matrix."""

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.metrics import feature_statistics, frechet_distance


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(size, seed):
    factor = random(size, size, seed=seed)
    return factor @ factor.mT


SIZES, SEEDS = st.integers(1, 7), st.integers(0, 999)


@given(size=SIZES, seed=SEEDS)
def test_equal_gaussians_have_no_distance(size, seed):
    mean, cov = random(size, seed=seed), covariance(size, seed)
    assert frechet_distance(mean, cov, mean, cov) < 1e-9 * (1 + cov.trace())


@given(size=SIZES, seed=SEEDS)
def test_a_shift_alone_counts_its_square(size, seed):
    mean, cov, shift = random(size, seed=seed), covariance(size, seed), random(size, seed=seed + 1)
    expected = shift.square().sum().item()
    assert abs(frechet_distance(mean, cov, mean + shift, cov) - expected) < 1e-8 * (1 + cov.trace())


@given(size=SIZES, seed=SEEDS)
def test_diagonal_covariances_compare_standard_deviations(size, seed):
    std1, std2, mean = random(size, seed=seed).abs(), random(size, seed=seed + 1).abs(), torch.zeros(size)
    expected = (std1 - std2).square().sum().item()
    assert abs(frechet_distance(mean, std1.square().diag(), mean, std2.square().diag()) - expected) < 1e-9


@given(size=SIZES, seed=SEEDS)
def test_it_is_scipys(size, seed):
    mean1, mean2 = random(size, seed=seed), random(size, seed=seed + 1)
    cov1, cov2 = covariance(size, seed + 2), covariance(size, seed + 3)
    root = scipy.linalg.sqrtm((cov1 @ cov2).numpy())
    expected = (mean1 - mean2).square().sum().item() + (cov1 + cov2).trace().item() - 2 * np.trace(root).real
    distance = frechet_distance(mean1, cov1, mean2, cov2)
    assert abs(distance - expected) < 1e-6 * (1 + expected)
    assert abs(distance - frechet_distance(mean2, cov2, mean1, cov1)) < 1e-6 * (1 + expected), "it is symmetric"


@given(size=st.integers(2, 6), seed=SEEDS)
def test_turning_both_changes_nothing(size, seed):
    turn = torch.linalg.qr(random(size, size, seed=seed + 9)).Q
    mean1, mean2, cov1, cov2 = random(size), random(size, seed=1), covariance(size, seed), covariance(size, seed + 1)
    turned = frechet_distance(turn @ mean1, turn @ cov1 @ turn.mT, turn @ mean2, turn @ cov2 @ turn.mT)
    assert abs(turned - frechet_distance(mean1, cov1, mean2, cov2)) < 1e-6


def test_fewer_images_than_features_give_a_number():
    few, others = random(5, 20), random(5, 20, seed=1) + 1
    assert frechet_distance(*feature_statistics(few), *feature_statistics(few)) < 1e-6
    assert frechet_distance(*feature_statistics(few), *feature_statistics(others)) > 10


def test_statistics_are_numpys_in_float64(device):
    # A large mean on a small spread: in float32 sums the covariance would be lost.
    features = (random(400, 6) * 0.01 + 100).to(device)
    mean, cov = feature_statistics(features)
    assert mean.dtype == cov.dtype == torch.float64 and mean.device.type == device.type
    np.testing.assert_allclose(mean.cpu(), features.cpu().numpy().mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(cov.cpu(), np.cov(features.cpu().numpy(), rowvar=False), rtol=1e-6, atol=1e-12)
    assert feature_statistics(features.float())[1].dtype == torch.float64


def test_samples_of_known_gaussians_come_close_to_the_closed_form():
    x, y = random(40_000, 3), 2 * random(40_000, 3, seed=1) + torch.tensor([1.0, 0, 0])
    # |shift|^2 + 3 (2 - 1)^2
    assert abs(frechet_distance(*feature_statistics(x), *feature_statistics(y)) - 4) < 0.1


def test_bad_input_is_named():
    for features in (torch.rand(1, 4), torch.rand(8)):
        with pytest.raises(ValueError, match=r"features must be \[N, D\] of at least two images"):
            feature_statistics(features)
    with pytest.raises(ValueError, match="a feature is not a finite number"):
        feature_statistics(torch.full((3, 2), float("inf")))
    mean, cov = torch.zeros(2), torch.eye(2)
    with pytest.raises(ValueError, match=r"must have the shapes .* got \[2\], \[2, 2\], \[3\], \[2, 2\]"):
        frechet_distance(mean, cov, torch.zeros(3), cov)
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="a mean is not finite"):
            frechet_distance(mean, cov, torch.tensor([0.0, bad]), cov)
        with pytest.raises(ValueError, match="cov2 is not finite"):
            frechet_distance(mean, cov, mean, cov * bad)
    with pytest.raises(ValueError, match="cov2 has the eigenvalue -1"):
        frechet_distance(mean, cov, mean, torch.diag(torch.tensor([1.0, -1.0])))
    with pytest.raises(ValueError, match="cov1 is not finite and symmetric"):
        frechet_distance(mean, torch.tensor([[1.0, 0.5], [0.0, 1.0]]), mean, cov)
