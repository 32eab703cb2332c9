"""Penalties on the gradient of critics whose slope is known."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import Discriminator, gradient_penalty, r1_penalty


def images(count=4, seed=0):
    return torch.randn(count, 2, 3, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def linear(slope):
    """A critic whose gradient has the length `slope` everywhere."""
    direction = images(1, seed=9)[0]
    direction = slope * direction / direction.norm()
    return lambda x: (x * direction).sum(dim=(1, 2, 3)) + 7


def test_a_critic_of_slope_three_pays_four():
    assert abs(gradient_penalty(linear(3), images(), images(seed=1)).item() - 4) < 1e-12
    assert abs(r1_penalty(linear(3), images()).item() - 9) < 1e-12


@given(slope=st.floats(0.1, 5), target=st.floats(0, 3), count=st.integers(1, 6))
def test_the_slope_of_a_linear_critic_is_what_counts(slope, target, count):
    penalty = gradient_penalty(linear(slope), images(count), images(count, seed=1), target=target)
    assert abs(penalty.item() - (slope - target) ** 2) < 1e-9
    assert abs(r1_penalty(linear(slope), images(count)).item() - slope**2) < 1e-9


def square(x):
    """|x|^2 / 2, whose gradient at x is x itself: it tells where it was asked."""
    return x.square().sum(dim=tuple(range(1, x.dim()))) / 2


def test_the_points_lie_on_the_lines_between_the_pairs_and_fill_them():
    # In one dimension, with real 1 and fake 0, the gradient is t: the penalty with target 0 is the mean of t^2, 1/3.
    real, fake = torch.ones(20_000, 1), torch.zeros(20_000, 1)
    penalty = gradient_penalty(square, real, fake, torch.Generator().manual_seed(0), target=0.0)
    assert abs(penalty.item() - 1 / 3) < 5 * (4 / 45 / 20_000) ** 0.5
    # From 3 to 3 there is one point, and r1 looks at real images alone.
    assert abs(gradient_penalty(square, 3 * real, 3 * real, target=0.0).item() - 9) < 1e-5
    assert abs(r1_penalty(square, 3 * real).item() - 9) < 1e-5


def test_one_t_for_each_pair_and_not_for_each_pixel():
    asked = []
    real, fake = images(5), images(5, seed=1)
    gradient_penalty(lambda x: asked.append(x.detach()) or square(x), real, fake)
    share = (asked[0] - fake) / (real - fake)
    assert torch.allclose(share, share[:, :1, :1, :1].expand_as(share), atol=1e-6)
    assert len(share[:, 0, 0, 0].unique()) == 5 and share.min() >= 0 and share.max() <= 1


def test_the_same_generator_gives_the_same_points():
    arguments = square, images(), images(seed=1)
    first = gradient_penalty(*arguments, torch.Generator().manual_seed(5))
    assert torch.equal(first, gradient_penalty(*arguments, torch.Generator().manual_seed(5)))
    assert not torch.equal(first, gradient_penalty(*arguments, torch.Generator().manual_seed(6)))


@pytest.mark.parametrize("penalty", ["gradient", "r1"])
def test_it_is_differentiable_with_respect_to_the_weights(penalty):
    real, fake = images(3).flatten(1), images(3, seed=1).flatten(1)

    def of_weights(first, second):
        def critic(x):
            return torch.tanh(x @ first) @ second

        if penalty == "r1":
            return r1_penalty(critic, real)
        return gradient_penalty(critic, real, fake, torch.Generator().manual_seed(0))

    generator = torch.Generator().manual_seed(2)
    first = torch.randn(18, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    second = torch.randn(4, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(of_weights, (first, second))


def test_a_flat_critic_has_a_gradient_that_is_a_number():
    weight = torch.zeros(3, requires_grad=True)
    penalty = gradient_penalty(lambda x: x @ weight, torch.rand(4, 3), torch.rand(4, 3))
    penalty.backward()
    assert penalty.item() == 1 and weight.grad.isfinite().all()


def test_nothing_flows_to_the_generator_and_the_batches_stay_as_they_are():
    real, fake = images(), images(seed=1).requires_grad_()
    weight = torch.ones(2, 3, 3, dtype=torch.float64, requires_grad=True)
    before = real.clone()
    for penalty in (gradient_penalty(lambda x: square(x * weight), real, fake), r1_penalty(lambda x: square(x * weight), real)):
        penalty.backward()
    assert fake.grad is None and not real.requires_grad and torch.equal(real, before) and weight.grad.abs().min() > 0


def test_a_real_discriminator(device):
    model = Discriminator(1, 16, widths=(4, 6), batch_norm=False).to(device)
    x = torch.rand(3, 1, 16, 16, device=device)
    (gradient_penalty(model, x, x.flip(0)) + r1_penalty(model, x)).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for name, p in model.named_parameters() if "weight" in name)


def test_other_counts_are_refused():
    x = torch.rand(3, 1, 16, 16)
    with pytest.raises(ValueError, match=r"real \[3, 1, 16, 16\] and fake \[2, 1, 16, 16\]"):
        gradient_penalty(square, x, x[:2])
