"""Naive Bayes on pixels, against sums over every possible small image."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.exercises import start_here as exercises
from course_lib.start import fit_pixels, sample_pixels


def log_likelihood(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """log p(x|y) in nats for every image and class: x of 0 and 1 [N, D], theta [K, D] -> [N, K]."""
    return x @ theta.log().T + (1 - x) @ (1 - theta).log().T


EVERY_IMAGE = torch.tensor(list(itertools.product((0.0, 1.0), repeat=4)), dtype=torch.float64)  # all 16 of 2 x 2 pixels


def thetas(classes, seed):
    """Random probabilities [classes, 4]."""
    return torch.rand(classes, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 0.98 + 0.01


@given(classes=st.integers(1, 4), seed=st.integers(0, 99))
def test_the_likelihood_is_a_distribution_over_images(classes, seed):
    p = log_likelihood(EVERY_IMAGE, thetas(classes, seed)).exp()
    assert p.shape == (16, classes)
    assert torch.allclose(p.sum(dim=0), torch.ones(classes, dtype=torch.float64))


@given(seed=st.integers(0, 99))
def test_the_share_of_white_makes_the_images_most_probable(seed):
    rng = torch.Generator().manual_seed(seed)
    x = torch.rand(12, 4, generator=rng, dtype=torch.float64).round()
    theta, _ = fit_pixels(x, torch.zeros(12, dtype=torch.long), 1)
    padded = torch.cat([x, torch.zeros(1, 4), torch.ones(1, 4)])  # the two images that are added
    best = log_likelihood(padded, theta).sum()
    for other in (thetas(1, seed), (theta + 0.02).clamp(max=0.99), (theta - 0.02).clamp(min=0.01)):
        assert log_likelihood(padded, other).sum() <= best


def test_counts_and_shares_of_the_classes():
    x = torch.tensor([[1.0, 0], [1, 1], [0, 0], [1, 0]])
    theta, log_prior = fit_pixels(x, torch.tensor([0, 0, 0, 1]), 2)
    assert torch.allclose(theta, torch.tensor([[3 / 5, 2 / 5], [2 / 3, 1 / 3]]))
    assert torch.allclose(log_prior.exp(), torch.tensor([0.75, 0.25]))


def test_samples_follow_theta_and_the_prior():
    theta, prior = thetas(3, 0), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    x, y = sample_pixels(theta, prior.log(), 60_000, torch.Generator().manual_seed(0))
    assert set(x.unique().tolist()) == {0, 1}
    assert torch.allclose(torch.bincount(y) / len(y), prior.float(), atol=0.01)
    for label in range(3):
        members = x[y == label]
        assert torch.allclose(members.mean(dim=0), theta[label], atol=0.02)
        together, product = (members[:, 0] * members[:, 1]).mean(), theta[label, 0] * theta[label, 1]
        assert together == pytest.approx(product.item(), abs=0.02), "pixels are independent given the class"


def forgets_the_prior(theta, log_prior, count, rng):
    y = torch.randint(0, len(theta), (count,), generator=rng)
    return torch.bernoulli(theta[y], generator=rng), y


def one_coin_for_all(theta, log_prior, count, rng):
    y = torch.multinomial(log_prior.exp(), count, replacement=True, generator=rng)
    return (torch.rand(count, 1, generator=rng) < theta[y]).double(), y


def takes_the_likelier_colour(theta, log_prior, count, rng):
    y = torch.multinomial(log_prior.exp(), count, replacement=True, generator=rng)
    return (theta[y] > 0.5).double(), y


def draws_grey(theta, log_prior, count, rng):
    y = torch.multinomial(log_prior.exp(), count, replacement=True, generator=rng)
    return theta[y], y


def returns_one_image(theta, log_prior, count, rng):
    return torch.bernoulli(theta[0], generator=rng), torch.tensor(0)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (forgets_the_prior, "share of each class"),
        (one_coin_for_all, "two pixels white together"),
        (takes_the_likelier_colour, "share of white for each class"),
        (draws_grey, "pixels that are 0 or 1"),
        (returns_one_image, "x and y have the shapes"),
    ],
)
def test_wrong_ways_to_draw_are_named(answer, words):
    assert words in exercises.sample.fault(answer)


def test_another_right_way_to_draw_is_right():
    def sample(theta, log_prior, count, rng):
        y = torch.searchsorted(log_prior.exp().cumsum(0), torch.rand(count, generator=rng, dtype=torch.float64))
        return (torch.rand(count, theta.shape[1], generator=rng) < theta[y]).float(), y

    assert [exercises.sample.fault(sample, seed) for seed in range(5)] == [None] * 5
