"""Stop keeps the state; stopping, saving and resuming equals never having stopped; what could not be exact is refused."""

import os
import signal

import pytest
import torch
from torch import nn

from course_lib import data
from course_lib.classification import Augment, fit_classifier
from course_lib.runtime import Run, load_checkpoint, save_checkpoint
from tests.classification.runs import IMAGES, ROUND, StopAfter, fit, make_batches, model_with_dropout, weights


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("step", [1, 4, 6, 11])  # the first, the end of an epoch, within one, near the end
def test_stopped_saved_and_resumed_equals_never_stopped(step, optimizer, device, tmp_path):
    changed = {"optimizer": optimizer, "lr": 0.01}
    whole = model_with_dropout()
    expected = fit(whole, device, **changed)

    model = model_with_dropout()
    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(0)
    arguments = {**ROUND, **changed}
    run = fit_classifier(model, make_batches(device), IMAGES, augment=StopAfter(step, generator), **arguments)
    assert run.stopped and run.step == step == len(run.steps["loss"])
    assert run.steps["loss"] == expected.steps["loss"][:step]
    save_checkpoint(tmp_path / "run.safetensors", model, training=run.state_dict())

    torch.manual_seed(99)  # a new process, another state of everything
    torch.rand(100)
    fresh = model_with_dropout().to(device)
    nn.init.zeros_(fresh[0].weight)
    checkpoint = load_checkpoint(tmp_path / "run.safetensors", fresh, device=device)
    resumed = fit_classifier(
        fresh,
        make_batches(device),
        IMAGES,
        augment=Augment(shift=1),
        resume=Run.from_state_dict(checkpoint.training),
        **arguments,
    )
    assert resumed.steps == expected.steps and not resumed.stopped
    without_time = [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in resumed.epochs]
    assert without_time == [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in expected.epochs]
    assert torch.equal(weights(fresh), weights(whole))


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
    ],
)
def test_other_settings_or_data_cannot_be_resumed(changed, words):
    model = model_with_dropout()
    stop = StopAfter(6, torch.Generator().manual_seed(0))
    run = fit_classifier(model, make_batches(), IMAGES, augment=stop, **ROUND)
    arguments = {"augment": Augment(shift=1), "resume": run, **ROUND, **changed}
    validation = arguments.pop("validation", IMAGES)
    part = IMAGES.subset(slice(0, arguments.pop("images", 64)))
    with pytest.raises(ValueError, match=words):
        fit_classifier(model, data.Batches(part, batch_size=16, channels_last=True), validation, **arguments)


def test_a_run_that_broke_off_after_resuming_cannot_be_resumed_again():
    model = model_with_dropout()
    run = fit_classifier(model, make_batches(), augment=StopAfter(6, torch.Generator()), **ROUND)

    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit_classifier(model, make_batches(), augment=Augment(shift=1), resume=run, watch=broken, **ROUND)
    with pytest.raises(ValueError, match="was resumed already"):
        fit_classifier(model, make_batches(), augment=Augment(shift=1), resume=run, **ROUND)


def test_one_generator_for_order_and_augmentation_is_refused():
    feed = make_batches()
    with pytest.raises(ValueError, match="one generator draws order and augment"):
        fit_classifier(model_with_dropout(), feed, augment=Augment(shift=1, generator=feed.generator), **ROUND)
