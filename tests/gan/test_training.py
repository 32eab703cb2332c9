"""The alternating loop: each step moves one network alone, runs repeat and resume exactly, and the known games are solved."""

import copy
import os
import signal

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.gan import (
    DifferentiableAugment,
    Discriminator,
    Generator,
    PointBatches,
    PointDiscriminator,
    PointGenerator,
    coverage,
    discriminator_step,
    fit_gan,
    follow,
    generator_step,
    gradient_penalty,
    hinge,
    non_saturating,
    ring,
    sample,
    wasserstein,
)
from course_lib.runtime import DivergenceError, Run, load_checkpoint, save_checkpoint

FULL = data.load("glyphs", "train", size=16)
IMAGES = data.ImageSet(FULL.images[:64], FULL.labels[:64], FULL.classes)


def networks(device="cpu", classes=0, **options):
    torch.manual_seed(0)
    generator = Generator(8, 16, widths=(16, 8), classes=classes)
    discriminator = Discriminator(16, widths=(8, 16), classes=classes, **{"batch_norm": False, **options})
    return generator.to(device), discriminator.to(device)


def make_batches(device="cpu"):
    return data.Batches(IMAGES, batch_size=16, generator=torch.Generator().manual_seed(3), device=device, channels_last=True)


def state(*modules):
    return torch.cat([value.detach().cpu().flatten().double() for module in modules for value in module.state_dict().values()])


@pytest.mark.parametrize("options", [{}, {"batch_norm": True}, {"spectral_norm": True}])
def test_each_step_moves_one_network_alone(options, device):
    generator, discriminator = networks(device, **options)
    x, _ = make_batches(device).take(slice(0, 16))
    fake = generator(generator.noise(16, torch.Generator().manual_seed(0)))
    before = state(generator)
    optimizer = torch.optim.SGD(discriminator.parameters(), lr=0.1)
    own = state(discriminator)
    said = discriminator_step(discriminator, optimizer, 2 * x - 1, fake.detach(), [], non_saturating)
    assert torch.equal(state(generator), before) and all(p.grad is None for p in generator.parameters())
    assert not torch.equal(state(discriminator), own) and 0 < said["real"] < 1 and 0 < said["fake"] < 1

    weights = [p.clone() for p in discriminator.parameters()]
    gradients = [p.grad.clone() for p in discriminator.parameters()]
    optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    generator_step(discriminator, optimizer, fake, [], non_saturating, frozen=discriminator)
    assert not torch.equal(state(generator), before)
    for parameter, weight, gradient in zip(discriminator.parameters(), weights, gradients, strict=True):
        assert torch.equal(parameter, weight) and torch.equal(parameter.grad, gradient) and parameter.requires_grad


def test_a_step_is_the_textbooks():
    generator, discriminator = networks()
    other = copy.deepcopy(discriminator)
    x, _ = make_batches().take(slice(0, 16))
    fake = generator(generator.noise(16, torch.Generator().manual_seed(0))).detach()
    discriminator_step(discriminator, torch.optim.SGD(discriminator.parameters(), lr=0.1), x, fake, [], hinge)
    expected = torch.relu(1 - other(x)).mean() + torch.relu(1 + other(fake)).mean()
    for parameter, reference, gradient in zip(
        discriminator.parameters(), other.parameters(), torch.autograd.grad(expected, other.parameters()), strict=True
    ):
        torch.testing.assert_close(parameter, reference - 0.1 * gradient)


@pytest.mark.parametrize("classes", [0, 10])
def test_two_runs_with_one_seed_are_equal(classes, device):
    runs, images = [], []
    for _ in range(2):
        generator, discriminator = networks(device, classes)
        average = copy.deepcopy(generator)
        augment = DifferentiableAugment()
        runs.append(fit_gan(generator, discriminator, make_batches(device), steps=7, average=average, augment=augment))
        labels = torch.arange(10) if classes else None
        images.append(sample(average, 10, torch.Generator().manual_seed(0), labels))
        assert not torch.equal(state(average), state(generator))
    assert runs[0].steps == runs[1].steps and torch.equal(*images)
    assert images[0].shape == (10, 1, 16, 16) and images[0].min() >= 0 and images[0].max() <= 1
    assert runs[0].step == 7 == len(runs[0].steps["generator_loss"]) and len(runs[0].epochs) == 1


@pytest.mark.parametrize("stop", [1, 4, 6, 9])
@pytest.mark.parametrize("discriminator_steps", [1, 3])
def test_stopped_saved_and_resumed_equals_never_stopped(stop, discriminator_steps, device, tmp_path):
    arguments = {"steps": 11, "discriminator_steps": discriminator_steps}
    whole = [*networks(device)]
    whole.append(copy.deepcopy(whole[0]))
    expected = fit_gan(*whole[:2], make_batches(device), average=whole[2], augment=DifferentiableAugment(), **arguments)

    class Press(DifferentiableAugment):
        calls = 0

        def __call__(self, x):
            self.calls += 1
            # Two calls in a discriminator's step, one in a generator's.
            if self.calls == sum(3 if n % discriminator_steps == 0 else 2 for n in range(stop)):
                os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(x)

    parts = [*networks(device)]
    parts.append(copy.deepcopy(parts[0]))
    run = fit_gan(*parts[:2], make_batches(device), average=parts[2], augment=Press(), **arguments)
    assert run.stopped and run.step == stop
    save_checkpoint(tmp_path / "gan", nn.ModuleList(parts), training=run.state_dict())

    fresh = [*networks(device)]
    fresh.append(copy.deepcopy(fresh[0]))
    for part in fresh:
        nn.init.zeros_(next(part.parameters()))
    checkpoint = load_checkpoint(tmp_path / "gan", nn.ModuleList(fresh))
    resumed = fit_gan(
        *fresh[:2],
        make_batches(device),
        average=fresh[2],
        augment=DifferentiableAugment(),
        resume=Run.from_state_dict(checkpoint.training),
        **arguments,
    )
    assert resumed.steps == expected.steps and torch.equal(state(*fresh), state(*whole))


def test_the_real_images_are_brought_to_the_generators_range():
    seen = []

    def look(real_logits, fake_logits):
        return non_saturating(real_logits, fake_logits)

    class Watching(Discriminator):
        def forward(self, x, labels=None):
            seen.append((x.min().item(), x.max().item()))
            return super().forward(x, labels)

    torch.manual_seed(0)
    discriminator = Watching(16, widths=(8, 16), batch_norm=False)
    fit_gan(Generator(8, 16, widths=(16, 8)), discriminator, make_batches(), steps=1, loss=look)
    assert seen[0] == (-1.0, 1.0)
    seen.clear()
    fit_gan(Generator(8, 16, widths=(16, 8), output="sigmoid"), discriminator, make_batches(), steps=1, loss=look)
    assert seen[0] == (0.0, 1.0)


def test_the_average_follows_and_copies_running_statistics():
    generator, _ = networks()
    average = copy.deepcopy(generator)
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(1)
        for buffer in generator.buffers():
            buffer.add_(1)
    before = copy.deepcopy(average)
    follow(average, generator, 0.75)
    for kept, old in zip(average.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(kept, old + 0.25)
    assert all(torch.equal(a, b) for a, b in zip(average.buffers(), generator.buffers(), strict=True))


def test_the_rates_fall_to_zero_over_the_second_half():
    rates = []
    generator, discriminator = networks()

    class Spy(torch.optim.Adam):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    original, torch.optim.Adam = torch.optim.Adam, Spy
    try:
        fit_gan(generator, discriminator, make_batches(), steps=8, generator_lr=0.01, discriminator_lr=0.02)
    finally:
        torch.optim.Adam = original
    fall = [min(1, 2 * (1 - (n + 0.5) / 8)) for n in range(8)]
    assert rates == pytest.approx([rate * share for share in fall for rate in (0.02, 0.01)])


def test_watch_sees_what_was_recorded_and_losses_that_explode_stop_with_advice():
    seen = []
    fit_gan(*networks(), make_batches(), steps=7, watch=lambda run: seen.append(len(run.steps["real"])), watch_every=3)
    assert seen == [3, 6]
    with pytest.raises(DivergenceError, match=r"loss is -?(nan|inf).*lower the learning rates"):
        fit_gan(*networks(), make_batches(), steps=60, loss=wasserstein, generator_lr=1e9, discriminator_lr=1e9)


def test_a_penalty_and_bfloat16_change_the_run():
    runs = []
    for options in ({}, {"penalty": lambda d, real, fake: 10 * gradient_penalty(d, real, fake)}, {"bfloat16": True}):
        runs.append(fit_gan(*networks(), make_batches(), steps=3, **options).steps["discriminator_loss"])
    assert runs[0] != runs[1] and runs[0] != runs[2]
    with pytest.raises(ValueError, match="batch_norm=False"):
        fit_gan(*networks(batch_norm=True), make_batches(), steps=1, penalty=gradient_penalty)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"discriminator_steps": 0}, "discriminator_steps is 0"),
        ({"generator_lr": float("nan")}, "generator_lr is nan: it must be at least 0 and finite"),
        ({"discriminator_lr": -1}, r"discriminator_lr is -1\.0"),
        ({"watch_every": 0}, "watch_every is 0: it is called after every so many steps"),
        ({"resume": Run({})}, "no state to resume from"),
    ],
)
def test_settings_that_cannot_be_are_named(changed, words):
    with pytest.raises((TypeError, ValueError), match=words):
        fit_gan(*networks(), make_batches(), **changed)


def test_networks_and_images_that_do_not_fit_are_named():
    generator, _ = networks()
    with pytest.raises(ValueError, match="takes images of 1 x 32 x 32"):
        fit_gan(generator, Discriminator(32, widths=(8, 16)), make_batches(), steps=1)


def test_a_generator_with_one_number_finds_the_mean():
    """Data N(3, 1), generator z + theta: at the equilibrium theta is 3 and the discriminator can say nothing."""

    class Shift(nn.Module):
        latent_size = 1

        def __init__(self):
            super().__init__()
            self.theta = nn.Parameter(torch.zeros(1))

        def forward(self, z):
            return z + self.theta

        def noise(self, count, generator=None):
            return torch.randn(count, 1, generator=generator)

    torch.manual_seed(0)
    from course_lib.gan import Mixture

    real = PointBatches(Mixture(torch.tensor([[3.0]]), 1.0), batch_size=256)
    generator = Shift()
    run = fit_gan(generator, PointDiscriminator(1, widths=()), real, steps=1500, generator_lr=0.01, discriminator_lr=0.02)
    assert abs(generator.theta.item() - 3) < 0.15
    assert abs(sum(run.steps["discriminator_loss"][-100:]) / 100 - 2 * 0.6931) < 0.02, "the game's value is -2 log 2"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_gaussian_of_the_ring_is_found(seed):
    torch.manual_seed(seed)
    mixture = ring(8, radius=2.0, std=0.1)
    generator, discriminator = PointGenerator(2, 2), PointDiscriminator(2)
    real = PointBatches(mixture, 256, generator=torch.Generator().manual_seed(seed))
    fit_gan(generator, discriminator, real, steps=1500, noise=torch.Generator().manual_seed(seed))
    found = coverage(sample(generator, 2000, torch.Generator().manual_seed(9)), mixture.centres, mixture.std)
    assert found.modes == 8 and found.good > 0.7
