"""Stop keeps the state; stopping, saving and resuming equals never having stopped; what could not be exact is refused."""

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.runtime import load_checkpoint, load_weights, save_checkpoint
from course_lib.training import Run
from course_lib.vae import fit_vae
from tests.vae.runs import IMAGES, ROUND, StopAfter, fit, make_batches, model, press, weights


@pytest.mark.parametrize("step", [1, 4, 6, 11])  # the first, the end of an epoch, within one, near the end
@pytest.mark.parametrize("options", [{}, {"classes": 10, "likelihood": "optimal-gaussian"}])
def test_stopped_saved_and_resumed_equals_never_stopped(step, options, device, tmp_path):
    whole = model(device, **options)
    expected = fit(whole, device)

    stopped = model(device, StopAfter, **options)
    stopped.left = step
    run = fit(stopped, device)
    assert run.stopped and run.step == step == len(run.steps["loss"]) and not stopped.training
    assert run.steps["loss"] == expected.steps["loss"][:step]
    save_checkpoint(tmp_path / "run.pt", stopped, config=stopped.config, training=run.state_dict())

    torch.manual_seed(99)  # a new process, another state of everything
    checkpoint = load_checkpoint(tmp_path / "run.pt")
    fresh = StopAfter(**checkpoint.config).to(device)
    nn.init.zeros_(next(fresh.parameters()))
    load_weights(fresh, checkpoint.weights)
    resumed = fit(fresh, device, resume=Run.from_state_dict(checkpoint.training))
    assert resumed.steps == expected.steps and not resumed.stopped
    for one, other in zip(resumed.epochs, expected.epochs, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert torch.equal(weights(fresh), weights(whole))


def test_a_press_in_the_last_step_stops_nothing():
    network = model(kind=StopAfter)
    network.left = 12
    run = fit(network)
    assert run.step == 12 and not run.stopped and len(run.epochs) == 3


def test_a_second_press_interrupts_at_once_and_the_model_keeps_its_weights():
    class Twice(StopAfter):
        def forward(self, x, labels=None, eps=None):
            if self.training:
                press()
                press()
            return super().forward(x, labels, eps)

    network = model(kind=Twice)
    before = [parameter.clone() for parameter in network.parameters()]
    with pytest.raises(KeyboardInterrupt):
        fit(network)
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), before, strict=True))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"lr": 0.06}, r"lr is 0\.06, and 0\.005 in the run to resume"),
        ({"beta": 2.0}, r"beta is 2\.0, and 1\.0"),
        ({"binarise": "none"}, "binarise is 'none', and 'dynamic'"),
        ({"images": 48}, "images is 48, and 64"),
        ({"validation": None}, "validated is False, and True"),
    ],
)
def test_other_settings_or_data_cannot_be_resumed(changed, words):
    network = model(kind=StopAfter)
    network.left = 6
    arguments = {**ROUND, "resume": fit(network), **changed}
    validation = arguments.pop("validation", IMAGES)
    part = IMAGES.subset(slice(0, arguments.pop("images", 64)))
    with pytest.raises(ValueError, match=words):
        fit_vae(network, make_batches(images=part), validation, **arguments)


@pytest.mark.parametrize(
    ("options", "feed", "words"),
    [
        ({"hidden": 14}, {}, r"parameter \d+ has the shape .*14.*, and .*12.* in the run to resume"),
        ({"widths": (6,)}, {}, r"parameter \d+ has the shape .*, and .* in the run to resume"),
        ({}, {"batch_size": 32}, "batch_size is 32, and 16 in the run to resume"),
        ({}, {"shuffle": False}, "shuffle is False, and True in the run to resume"),
    ],
)
def test_another_model_or_other_batches_cannot_be_resumed_and_the_run_is_kept(options, feed, words):
    network = model(kind=StopAfter)
    network.left = 6
    run = fit(network)
    other = data.Batches(IMAGES, **{"batch_size": 16, "channels_last": True, **feed})
    with pytest.raises(ValueError, match=words):
        fit_vae(model(kind=StopAfter, **options), other, IMAGES, **ROUND, resume=run)
    assert fit(network, resume=run).step == 12


def test_one_generator_for_order_and_eps_is_refused():
    feed = make_batches()
    with pytest.raises(ValueError, match="one generator draws order and eps"):
        fit_vae(model(), feed, rng=feed.rng, **ROUND)
