"""Stopping, saving and resuming equals never having stopped; what could not be exact is refused."""

import os
import signal

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.classification import fit_classifier
from course_lib.data import Augment
from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.training import Run
from tests.classification.runs import IMAGES, ROUND, StopAfter, fit, make_batches, model_with_dropout, weights


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def without_time(run):
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in run.epochs]


# The first step, the end of an epoch, within one, near the end.
@pytest.mark.parametrize("step", [1, 4, 6, 11])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("from_file", [True, False])
def test_stopped_and_resumed_equals_never_stopped(step, optimizer, from_file, device, tmp_path):
    arguments = {**ROUND, "optimizer": optimizer, "lr": 0.01}
    whole = model_with_dropout()
    expected = fit(whole, device, **arguments)

    model = model_with_dropout()
    run = fit(model, device, augment=StopAfter(step), **arguments)
    assert run.stopped and run.step == step == len(run.steps["loss"])
    assert run.steps["loss"] == expected.steps["loss"][:step]
    if from_file:  # a new process: fresh weights, and another state of everything
        save_checkpoint(tmp_path / "run.pt", model, training=run.state_dict())
        model = model_with_dropout().to(device)
        nn.init.zeros_(model[0].weight)
        run = Run.from_state_dict(load_checkpoint(tmp_path / "run.pt", model, device=device).training)
    torch.manual_seed(99)
    torch.rand(100)
    resumed = fit_classifier(model, make_batches(device), IMAGES, augment=Augment(shift=1), resume=run, **arguments)
    assert resumed.steps == expected.steps and not resumed.stopped
    assert without_time(resumed) == without_time(expected)
    assert torch.equal(weights(model), weights(whole))


def test_a_second_press_interrupts_at_once_and_the_model_keeps_its_weights():
    model = model_with_dropout()
    before = weights(model)

    def press_twice(x):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return x

    with pytest.raises(KeyboardInterrupt):
        fit_classifier(model, make_batches(), augment=press_twice, **ROUND)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"lr": 0.06}, r"lr is 0\.06, and 0\.05 in the run to resume"),
        ({"images": 48}, "images is 48, and 64"),
        ({"validation": None}, "validated is False, and True"),
        ({"augment": None}, "random is"),
        # The fused optimizers take the momentum's memory as it lies: in another layout it would be
        # mixed up.
        ({"channels_last": False}, "channels_last is False, and True"),
    ],
)
def test_other_settings_or_data_cannot_be_resumed(changed, words):
    model = model_with_dropout()
    run = fit_classifier(model, make_batches(), IMAGES, augment=StopAfter(6), **ROUND)
    arguments = {"augment": Augment(shift=1), "resume": run, **ROUND, **changed}
    validation = arguments.pop("validation", IMAGES)
    part = IMAGES.subset(slice(0, arguments.pop("images", 64)))
    batches = data.Batches(part, batch_size=16, channels_last=arguments.pop("channels_last", True))
    with pytest.raises(ValueError, match=words):
        fit_classifier(model, batches, validation, **arguments)


def test_a_run_that_broke_off_after_resuming_cannot_be_resumed_again():
    model = model_with_dropout()
    run = fit_classifier(model, make_batches(), augment=StopAfter(6), **ROUND)

    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit_classifier(model, make_batches(), augment=Augment(shift=1), resume=run, watch=broken, **ROUND)
    with pytest.raises(ValueError, match="was resumed already"):
        fit_classifier(model, make_batches(), augment=Augment(shift=1), resume=run, **ROUND)


def test_one_generator_for_order_and_augmentation_is_refused():
    feed = make_batches()
    with pytest.raises(ValueError, match="one generator draws order and augment"):
        fit_classifier(model_with_dropout(), feed, augment=Augment(shift=1, rng=feed.rng), **ROUND)
