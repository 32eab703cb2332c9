"""Mixtures with known modes, and the counting of those that were found."""

import math

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from course_lib.gan import Coverage, Mixture, PointBatches, coverage, grid, ring


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def test_a_ring_is_round_and_even():
    centres = ring(modes=7, radius=3.0).centres
    assert centres.shape == (7, 2) and torch.allclose(centres[0], torch.tensor([3.0, 0.0]))
    assert torch.allclose(centres.norm(dim=1), torch.tensor(3.0))
    neighbours = (centres - centres.roll(1, dims=0)).norm(dim=1)
    assert torch.allclose(neighbours, torch.tensor(6 * math.sin(math.pi / 7)), atol=1e-5)


def test_a_grid_is_square_and_centred():
    centres = grid(side=3, spacing=2.0).centres
    assert sorted(centres.tolist()) == [[x, y] for x in (-2.0, 0.0, 2.0) for y in (-2.0, 0.0, 2.0)]
    assert grid(1).centres.tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize("mixture", [ring(8, 2.0, 0.1), grid(5, 1.0, 0.05), Mixture(torch.tensor([[-1.0], [2.0]]), 0.3)])
def test_samples_are_what_they_should_be(mixture):
    K, D = mixture.centres.shape
    x = mixture.sample(20_000, random())
    assert x.shape == (20_000, D) and torch.equal(x, mixture.sample(20_000, random()))
    nearest = torch.cdist(x, mixture.centres).argmin(dim=1)
    share = torch.bincount(nearest, minlength=K) / 20_000
    assert (share - 1 / K).abs().max() < 5 * (1 / K / 20_000) ** 0.5
    residual = (x - mixture.centres[nearest]) / mixture.std
    # Five standard deviations of a mean, and of a variance, of so many normal numbers.
    assert residual.mean().abs() < 5 / (20_000 * D) ** 0.5
    assert abs(residual.var() - 1) < 5 * (2 / 20_000 / D) ** 0.5


def test_the_density_is_that_of_torch_distributions():
    mixture = ring(5, 1.0, 0.3)
    x = torch.randn(50, 2, generator=random(), dtype=torch.float64)
    parts = Independent(Normal(mixture.centres.double(), torch.full((5, 2), 0.3, dtype=torch.float64)), 1)
    reference = MixtureSameFamily(Categorical(torch.ones(5, dtype=torch.float64)), parts)
    torch.testing.assert_close(mixture.log_density(x), reference.log_prob(x), atol=1e-9, rtol=0)
    line = torch.arange(-6, 6, 0.01, dtype=torch.float64)
    mass = Mixture(torch.tensor([[-1.0], [2.0]]), 0.3).log_density(line[:, None]).exp().sum() * 0.01
    assert abs(mass - 1) < 1e-9


@pytest.mark.parametrize("mixture", [ring(), grid()])
def test_the_truth_hits_every_mode_and_is_as_good_as_theory_says(mixture, device):
    found = coverage(mixture.sample(20_000, random()).to(device), mixture.centres, mixture.std)
    expected = 1 - math.exp(-9 / 2)
    assert isinstance(found, Coverage) and found.modes == len(mixture.centres)
    assert abs(found.good - expected) < 5 * (expected * (1 - expected) / 20_000) ** 0.5
    assert found.counts.sum() == round(found.good * 20_000)


def test_samples_are_counted_one_by_one():
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    samples = torch.tensor(
        [[0.0, 2.9], [2.0, 2.0], [0.1, 0.0], [0.0, 3.1], [3.0, 0.5], [10.0, -2.0], [5.0, 5.0], [math.nan, 0.0]]
    )
    found = coverage(samples, centres, 1.0)
    assert found.modes == 2 and found.good == 4 / 8 and found.counts.tolist() == [3, 1, 0]
    assert coverage(samples + 100, centres, 1.0)[:2] == (0, 0.0)


def test_a_collapsed_generator_is_found_out():
    mixture = ring()
    found = coverage(mixture.centres[2].expand(100, 2), mixture.centres, mixture.std)
    assert found.modes == 1 and found.good == 1


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="modes is 0"):
        ring(0)
    with pytest.raises(ValueError, match="side is 0"):
        grid(0)
    with pytest.raises(ValueError, match=r"std positive, got .* std=0"):
        ring(std=0)
    with pytest.raises(ValueError, match=r"centres must be points \[K, D\].*got \[3\]"):
        Mixture(torch.zeros(3), 1.0)
    for samples in (torch.zeros(4), torch.zeros(4, 3), torch.zeros(0, 2)):
        with pytest.raises(ValueError, match=r"samples and centres.*\[2, 2\]"):
            coverage(samples, torch.zeros(2, 2), 1.0)


def test_batches_are_fresh_points_and_repeat_with_the_seed(device):
    mixture = Mixture(ring().centres.to(device), 0.1)
    batches = PointBatches(mixture, 5, count=3, rng=random(1))
    first, again = list(batches), list(PointBatches(mixture, 5, count=3, rng=random(1)))
    assert len(batches) == len(first) == 3 and batches.targets is None and batches.device == mixture.centres.device
    assert all(x.shape == (5, 2) and x.device.type == device.type and y is None for x, y in first)
    assert all(torch.equal(x, other) for (x, _), (other, _) in zip(first, again, strict=True))
    assert not torch.equal(first[0][0], first[1][0]) and not torch.equal(first[0][0], next(iter(batches))[0])
    with pytest.raises(ValueError, match="batch_size is 0"):
        PointBatches(mixture, 0)
