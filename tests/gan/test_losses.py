"""The losses against the papers' formulas in probabilities, closed forms, their gradients, and what they do at the extremes."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import hinge, least_squares, minimax, non_saturating, wasserstein

ALL = [minimax, non_saturating, least_squares, hinge, wasserstein]
LOGITS = st.lists(st.floats(-8, 8), min_size=1, max_size=6).map(lambda numbers: torch.tensor(numbers, dtype=torch.float64))

# At logits 0, where D = 1/2 everywhere.
UNDECIDED = {
    minimax: (2 * math.log(2), -math.log(2)),
    non_saturating: (2 * math.log(2), math.log(2)),
    least_squares: (0.5, 0.5),
    hinge: (2.0, 0.0),
    wasserstein: (0.0, 0.0),
}


@pytest.mark.parametrize("loss", ALL)
def test_a_discriminator_that_knows_nothing(loss, device):
    zeros = torch.zeros(3, device=device)
    for result, expected in zip(loss(zeros, zeros), UNDECIDED[loss], strict=True):
        assert result.shape == () and result.device.type == device.type and abs(result.item() - expected) < 1e-6


@given(real=LOGITS, fake=LOGITS)
def test_the_formulas_of_the_papers(real, fake):
    p, q = torch.sigmoid(real), torch.sigmoid(fake)
    of_discriminator = -p.log().mean() - (1 - q).log().mean()
    expected = {
        minimax: (of_discriminator, (1 - q).log().mean()),
        non_saturating: (of_discriminator, -q.log().mean()),
        least_squares: (((real - 1) ** 2).mean() / 2 + (fake**2).mean() / 2, ((fake - 1) ** 2).mean() / 2),
        hinge: (-(real - 1).clamp(max=0).mean() - (-1 - fake).clamp(max=0).mean(), -fake.mean()),
        wasserstein: (-(real.mean() - fake.mean()), -fake.mean()),
    }
    for loss, pair in expected.items():
        for result, wanted in zip(loss(real, fake), pair, strict=True):
            torch.testing.assert_close(result, wanted, atol=1e-9, rtol=1e-9)


@given(real=LOGITS, fake=LOGITS, smoothing=st.floats(0, 0.9))
def test_smoothing_is_binary_cross_entropy_with_a_softer_target_on_one_side(real, fake, smoothing):
    loss, _ = non_saturating(real, fake, label_smoothing=smoothing)
    ones, zeros = torch.full_like(real, 1 - smoothing), torch.zeros_like(fake)
    expected = F.binary_cross_entropy_with_logits(real, ones) + F.binary_cross_entropy_with_logits(fake, zeros)
    torch.testing.assert_close(loss, expected, atol=1e-9, rtol=1e-9)


def test_the_best_discriminator_under_smoothing():
    # Three real images to one generated one in the same place, so that p / (p + q) = 3/4 there if both count with their number.
    best = torch.tensor((1 - 0.2) * 0.75, dtype=torch.float64)
    logit = torch.logit(best).requires_grad_()
    of_real = non_saturating(logit[None], torch.full_like(logit[None], -1e3), label_smoothing=0.2)[0]
    of_fake = non_saturating(torch.full_like(logit[None], 1e3), logit[None])[0]
    (gradient,) = torch.autograd.grad(0.75 * of_real + 0.25 * of_fake, logit)
    assert abs(gradient.item()) < 1e-12


@pytest.mark.parametrize("loss", ALL)
def test_gradients(loss):
    generator = torch.Generator().manual_seed(0)
    real, fake = (3 * torch.randn(5, generator=generator, dtype=torch.float64).requires_grad_() for _ in range(2))
    assert torch.autograd.gradcheck(loss, (real, fake))


def test_minimax_falls_silent_where_the_discriminator_is_sure_and_non_saturating_does_not():
    fake = torch.tensor([-30.0, 0.0, 30.0], dtype=torch.float64, requires_grad=True)
    d = torch.sigmoid(fake.detach())
    (of_minimax,) = torch.autograd.grad(minimax(fake, fake)[1], fake)
    (of_non_saturating,) = torch.autograd.grad(non_saturating(fake, fake)[1], fake)
    torch.testing.assert_close(of_minimax, -d / 3, atol=1e-15, rtol=1e-9)
    torch.testing.assert_close(of_non_saturating, (d - 1) / 3, atol=1e-15, rtol=1e-9)
    assert of_minimax[0].abs() < 1e-12 < 0.3 < of_non_saturating[0].abs()


@pytest.mark.parametrize("loss", ALL)
def test_extreme_logits_stay_numbers(loss):
    extreme = torch.tensor([-1e4, 1e4], requires_grad=True)
    both = loss(extreme, extreme)
    (gradient,) = torch.autograd.grad(sum(both), extreme)
    assert torch.stack(both).isfinite().all() and gradient.isfinite().all()


def test_confident_and_wrong_costs_the_logit_and_not_less():
    # -log(1 - sigmoid(50)) is 50; through a rounded probability it would be infinite, or cut off.
    right, wrong = torch.tensor([50.0]), torch.tensor([50.0])
    assert abs(minimax(right, wrong)[0].item() - 50) < 1e-5
    assert abs(non_saturating(right, -wrong)[1].item() - 50) < 1e-5


@pytest.mark.parametrize("loss", ALL)
@given(real=LOGITS, fake=LOGITS)
def test_means_over_images_and_a_generator_that_looks_at_its_own_images(loss, real, fake):
    both = loss(real, fake)
    again = loss(torch.cat([real, real, real]), torch.cat([fake, fake]))
    for one, other in zip(both, again, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)
    assert torch.equal(loss(real.flip(0) + 5, fake)[1], both[1])


@pytest.mark.parametrize("loss", ALL)
def test_each_player_gains_where_it_should(loss):
    high, low = torch.full((2,), 0.9), torch.full((2,), -0.9)
    assert loss(high, low)[0] < loss(low, high)[0], "the discriminator wants real images above generated ones"
    assert loss(high, high)[1] < loss(high, low)[1], "the generator wants to be taken for real"


@pytest.mark.parametrize("loss", ALL)
def test_half_precision_is_summed_in_float32(loss):
    real, fake = torch.linspace(-2, 2, 300), torch.linspace(-1, 3, 300)
    half = loss(real.bfloat16(), fake.bfloat16())
    for result, expected in zip(half, loss(real.bfloat16().float(), fake.bfloat16().float()), strict=True):
        assert result.dtype == torch.float32 and torch.equal(result, expected)


@pytest.mark.parametrize("loss", ALL)
def test_bad_logits_are_named(loss):
    good = torch.zeros(3)
    with pytest.raises(ValueError, match=r"real_logits must be floating point \[N\].* \[3, 1\]; squeeze\(1\)"):
        loss(good[:, None], good)
    with pytest.raises(ValueError, match=r"fake_logits must be.*at least one image, got torch.int64"):
        loss(good, good.long())
    with pytest.raises(ValueError, match=r"fake_logits must be.*at least one image, got .* \[0\]"):
        loss(good, good[:0])
