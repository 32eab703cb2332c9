"""The alternating loop: runs repeat and resume exactly, and the known games are solved."""

import copy
import os
import signal
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from course_lib import data
from course_lib.gan import (
    Discriminator,
    Generator,
    Mixture,
    PointBatches,
    PointDiscriminator,
    PointGenerator,
    coverage,
    fit_gan,
    gradient_penalty,
    non_saturating,
    ring,
    sample,
    wasserstein,
)
from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.training import DivergenceError, Run
from tests.gan.players import IMAGES, augmentation, make_batches, networks, state


@pytest.mark.parametrize("classes", [0, 10])
def test_two_runs_with_one_seed_are_equal(classes, device):
    runs, images = [], []
    for _ in range(2):
        G, D = networks(device, classes)
        average = copy.deepcopy(G)
        runs.append(fit_gan(G, D, make_batches(device), steps=7, average=average, augment=augmentation()))
        labels = torch.arange(10) if classes else None
        images.append(sample(average, 10, torch.Generator().manual_seed(0), labels))
        assert not torch.equal(state(average), state(G))
    assert runs[0].steps == runs[1].steps and torch.equal(*images)
    assert images[0].shape == (10, 1, 16, 16) and images[0].min() >= 0 and images[0].max() <= 1
    assert runs[0].step == 7 == len(runs[0].steps["generator_loss"]) and len(runs[0].epochs) == 1


@pytest.mark.parametrize("stop", [1, 4, 6, 9])
@pytest.mark.parametrize("discriminator_steps", [1, 3])
def test_stopped_saved_and_resumed_equals_never_stopped(stop, discriminator_steps, device, tmp_path):
    arguments = {"steps": 11, "discriminator_steps": discriminator_steps}
    whole = [*networks(device)]
    whole.append(copy.deepcopy(whole[0]))
    expected = fit_gan(*whole[:2], make_batches(device), average=whole[2], augment=augmentation(), **arguments)

    class Press(data.Augment):
        calls = 0

        def __call__(self, x):
            self.calls += 1
            # Two calls in a discriminator's step, one in a generator's.
            if self.calls == sum(3 if n % discriminator_steps == 0 else 2 for n in range(stop)):
                os.kill(os.getpid(), signal.SIGINT)
            return super().__call__(x)

    parts = [*networks(device)]
    parts.append(copy.deepcopy(parts[0]))
    run = fit_gan(*parts[:2], make_batches(device), average=parts[2], augment=augmentation(Press), **arguments)
    assert run.stopped and run.step == stop
    save_checkpoint(tmp_path / "gan.pt", nn.ModuleList(parts), training=run.state_dict())

    fresh = [*networks(device)]
    fresh.append(copy.deepcopy(fresh[0]))
    for part in fresh:
        nn.init.zeros_(next(part.parameters()))
    checkpoint = load_checkpoint(tmp_path / "gan.pt", nn.ModuleList(fresh))
    resumed = fit_gan(
        *fresh[:2],
        make_batches(device),
        average=fresh[2],
        augment=augmentation(),
        resume=Run.from_state_dict(checkpoint.training),
        **arguments,
    )
    assert resumed.steps == expected.steps and torch.equal(state(*fresh), state(*whole))
    assert {type(value) for values in resumed.steps.values() for value in values} == {float}


def test_a_game_of_points_resumes_exactly():
    mixture, runs = ring(), []
    for stop in (None, 3):
        torch.manual_seed(0)
        G, D = PointGenerator(), PointDiscriminator()

        def press(run, stop=stop):
            if run.step == stop:
                os.kill(os.getpid(), signal.SIGINT)

        run = fit_gan(G, D, PointBatches(mixture, 16, count=4), steps=7, watch=press, watch_every=1)
        if run.stopped:
            run = fit_gan(G, D, PointBatches(mixture, 16, count=4), steps=7, resume=run)
        runs.append((run.steps, state(G, D)))
    assert runs[0][0] == runs[1][0] and torch.equal(runs[0][1], runs[1][1])


def test_the_real_images_are_brought_to_the_generators_range():
    seen = []

    class Watching(Discriminator):
        def forward(self, x, labels=None):
            seen.append((x.min().item(), x.max().item()))
            return super().forward(x, labels)

    torch.manual_seed(0)
    D = Watching(1, 16, widths=(8, 16), batch_norm=False)
    for output, extremes in (("tanh", (-1.0, 1.0)), ("sigmoid", (0.0, 1.0))):
        seen.clear()
        fit_gan(Generator(1, 16, 8, widths=(16, 8), output=output), D, make_batches(), steps=1)
        assert seen[0] == extremes


def test_the_rates_fall_to_zero_over_the_second_half():
    rates = []
    watching = register_optimizer_step_pre_hook(lambda optimizer, *_: rates.append(optimizer.param_groups[0]["lr"]))
    try:
        fit_gan(*networks(), make_batches(), steps=8, generator_lr=0.01, discriminator_lr=0.02)
    finally:
        watching.remove()
    fall = [min(1, 2 * (1 - (n + 0.5) / 8)) for n in range(8)]
    assert rates == pytest.approx([rate * share for share in fall for rate in (0.02, 0.01)])


def test_watch_sees_what_was_recorded_and_losses_that_explode_stop_with_advice():
    seen = []
    fit_gan(*networks(), make_batches(), steps=7, watch=lambda run: seen.append(len(run.steps["real"])), watch_every=3)
    assert seen == [3, 6]
    with pytest.raises(DivergenceError, match=r"loss is -?(nan|inf).*lower the learning rates"):
        fit_gan(*networks(), make_batches(), steps=60, loss=wasserstein, generator_lr=1e9, discriminator_lr=1e9)


def test_a_penalty_and_bfloat16_change_the_run_and_compile_is_passed_on(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    penalty = {"penalty": lambda D, real, fake: 10 * gradient_penalty(D, real, fake)}
    runs = []
    for options in ({}, {"compile": True}, {"bfloat16": True}, penalty, {"compile": True, **penalty}):
        runs.append(fit_gan(*networks(), make_batches(), steps=3, **options).steps["discriminator_loss"])
    assert runs[0] == runs[1] and runs[0] != runs[2] and runs[0] != runs[3]
    # A compiled network cannot be differentiated twice, so the discriminator is left out where there is a penalty.
    assert [type(model) for model in compiled] == [Generator, Discriminator, Generator]


@pytest.mark.parametrize("classes", [0, 10])
def test_a_penalty_refuses_batch_normalisation(classes):
    with pytest.raises(ValueError, match=r"batch normalisation \(body.3\).*batch_norm=False"):
        fit_gan(*networks(classes=classes, batch_norm=True), make_batches(), steps=1, penalty=gradient_penalty)


def test_a_loss_with_its_own_arguments_is_named():
    run = fit_gan(*networks(), make_batches(), steps=1, loss=partial(non_saturating, label_smoothing=0.1))
    assert (
        run.settings["loss"] == "partial" and fit_gan(*networks(), make_batches(), steps=1).settings["loss"] == "non_saturating"
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"steps": 0}, "steps is 0"),
        ({"discriminator_steps": 0}, "discriminator_steps is 0"),
        ({"generator_lr": float("nan")}, "generator_lr is nan.*at least 0"),
        ({"discriminator_lr": -1}, r"discriminator_lr is -1\.0"),
        ({"watch_every": 0}, "watch_every is 0"),
        ({"average_decay": 1.5}, r"average_decay is 1\.5"),
        ({"resume": Run({})}, "no state to resume from"),
        ({"rng": 3}, "rng is 3.*torch.Generator"),
    ],
)
def test_settings_that_cannot_be_are_named(changed, words):
    with pytest.raises((TypeError, ValueError), match=words):
        fit_gan(*networks(), make_batches(), **changed)


def test_networks_images_and_labels_that_do_not_fit_are_named():
    G, D = networks()
    with pytest.raises(ValueError, match="takes images of 1 x 32 x 32"):
        fit_gan(G, Discriminator(1, 32, widths=(8, 16)), make_batches(), steps=1)
    with pytest.raises(ValueError, match=r"a label is .* 0 to 2"):
        fit_gan(*networks(classes=3), make_batches(), steps=1)
    with pytest.raises(ValueError, match="no labels, and G has 3 classes"):
        fit_gan(*networks(classes=3), data.Batches(IMAGES.images, batch_size=16), steps=1)
    with pytest.raises(ValueError, match=r"labels.*without classes"):
        fit_gan(networks(classes=10)[0], D, make_batches(), steps=1)
    with pytest.raises(ValueError, match="10 classes: give it labels"):
        fit_gan(G, networks(classes=10)[1], make_batches(), steps=1)


def test_a_generator_with_one_number_finds_the_mean():
    """Data N(3, 1), generator z + theta: at the equilibrium theta is 3 and the discriminator can say nothing."""

    class Shift(nn.Module):
        latent_size, range, classes = 1, (0.0, 1.0), 0

        def __init__(self):
            super().__init__()
            self.theta = nn.Parameter(torch.zeros(1))

        def forward(self, z, labels=None):
            return z + self.theta

        def noise(self, count, rng=None):
            return torch.randn(count, 1, generator=rng)

    torch.manual_seed(0)
    real = PointBatches(Mixture(torch.tensor([[3.0]]), 1.0), batch_size=256)
    G = Shift()
    run = fit_gan(G, PointDiscriminator(1, widths=()), real, steps=1500, generator_lr=0.01, discriminator_lr=0.02)
    assert abs(G.theta.item() - 3) < 0.15
    assert abs(sum(run.steps["discriminator_loss"][-100:]) / 100 - 2 * 0.6931) < 0.02, "the game's value is -2 log 2"


def test_every_gaussian_of_the_ring_is_found():
    torch.manual_seed(0)
    mixture = ring(8, radius=2.0, std=0.1)
    G, D = PointGenerator(), PointDiscriminator()
    real = PointBatches(mixture, 256, rng=torch.Generator().manual_seed(0))
    fit_gan(G, D, real, steps=1500, rng=torch.Generator().manual_seed(0))
    found = coverage(sample(G, 2000, torch.Generator().manual_seed(9)), mixture.centres, mixture.std)
    assert found.modes == 8 and found.good > 0.7
