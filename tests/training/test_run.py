"""The record of a run: what is noted is read in order, what is not finite stops it, and its state
comes back exactly.
"""

import math
import weakref

import pytest
import torch

from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.training import DivergenceError, Run
from course_lib.training.run import READ_EVERY
from tests.training.loops import LENGTH, Loop, at_step, make_batches, make_model, press, same_weights, without_time


def begin(resume=None, settings=None, optimizers=None, rngs=None):
    return Run.begin(resume, settings or {"lr": 1}, optimizers or {}, rngs or {}, torch.device("cpu"), "Lower it.")


def test_values_are_read_in_order_from_where_they_lie(device):
    run = begin()
    for step in range(READ_EVERY + 3):
        run.record(loss=torch.tensor(float(step), device=device), rate=0.1)
    assert run.step == READ_EVERY + 3 and len(run.steps["loss"]) == READ_EVERY, "a read waits for the device: not each time"
    run.read()
    assert run.steps["loss"] == list(range(READ_EVERY + 3)) and run.steps["rate"] == [0.1] * run.step
    assert {type(value) for values in run.steps.values() for value in values} == {float}
    run.read()
    assert len(run.steps["loss"]) == run.step


def test_a_value_that_is_recorded_again_may_be_a_number_first_and_a_tensor_then():
    """A GAN that goes on between two steps of the generator repeats the last loss that it had, as a
    number.
    """
    run = begin()
    for value in (0.1, torch.tensor(2.0), torch.tensor(3.0)):
        run.record(loss=value)
    run.read()
    assert run.steps["loss"] == [0.1, 2.0, 3.0] and {type(value) for value in run.steps["loss"]} == {float}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_stops_the_run_and_names_the_step(bad):
    run = begin()
    for value in (1.0, 2.0, bad, 4.0):
        run.record(loss=torch.tensor(value), accuracy=0.5)
    with pytest.raises(DivergenceError, match=r"loss is -?(nan|inf) in step 3\. Lower it\.") as caught:
        run.read()
    assert caught.value.run is run and run.steps["loss"][:2] == [1, 2] and not math.isfinite(run.steps["loss"][2])
    run = begin()
    run.record(loss=torch.tensor(bad))
    for _ in range(READ_EVERY - 2):
        run.record(loss=torch.tensor(0.0))
    with pytest.raises(DivergenceError, match="in step 1"):
        run.record(loss=torch.tensor(0.0))


def test_the_first_step_that_was_not_finite_is_the_one_that_is_named():
    run = begin()
    for step in range(4):
        run.record(first=math.nan if step == 3 else 0.0, second=math.nan if step == 2 else 0.0)
    with pytest.raises(DivergenceError, match="second is nan in step 3"):
        run.read()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_a_run_from_a_file_goes_on_as_if_it_had_never_stopped(tmp_path, device, fused, kernel_size):
    """The weights lie as [O, KH, KW, C]: a file must bring the optimizer's state back with these
    strides.

    A fused optimizer goes through the memory of both side by side, and would pair each weight with
    the average of another.
    """

    def make():
        torch.manual_seed(0)
        model = torch.nn.Conv2d(3, 4, kernel_size)
        return model, torch.optim.Adam(model.parameters(), 0.1, fused=fused)

    whole, optimizer = make()
    expected = Loop(whole, make_batches(device, channels_last=True), optimizer).fit(1)
    first, optimizer = make()
    run = Loop(first, make_batches(device, channels_last=True), optimizer, at_step(3, press)).fit(1)
    assert run.stopped and run.step == 3 and whole.weight.is_contiguous() == (kernel_size == 1)
    save_checkpoint(tmp_path / "run.pt", first, training=run.state_dict())

    second, optimizer = make()
    checkpoint = load_checkpoint(tmp_path / "run.pt", second)
    saved = checkpoint.training["state"]["optimizers"]["updates"]["state"][0]
    assert saved["exp_avg"].stride() == saved["exp_avg_sq"].stride() == first.weight.stride()
    loop = Loop(second, make_batches(device, channels_last=True), optimizer)
    resumed = loop.fit(1, resume=Run.from_state_dict(checkpoint.training))
    state = optimizer.state[second.weight]
    assert state["exp_avg"].stride() == state["exp_avg_sq"].stride() == second.weight.stride() == whole.weight.stride()
    assert same_weights(second, whole) and resumed.steps == expected.steps


@pytest.mark.parametrize("step", [1, 4, LENGTH, LENGTH + 1, 2 * LENGTH + 3, 3 * LENGTH])
def test_stopped_saved_and_resumed_equals_never_stopped_bit_by_bit(step, device, tmp_path):
    """In the first step, within a pass, at its end, at the next one's beginning, and in the last
    step of all.
    """
    whole = Loop(make_model(), make_batches(device))
    torch.manual_seed(5)
    expected = whole.fit()

    first = Loop(make_model(), make_batches(device), body=at_step(step, press))
    torch.manual_seed(5)
    run = first.fit()
    assert run.step == step and run.stopped == (step < 3 * LENGTH)
    save_checkpoint(tmp_path / "run.pt", first.model, training=run.state_dict())

    torch.manual_seed(99)  # a new process, another state of everything
    torch.rand(100)
    second = Loop(make_model(1), make_batches(device, seed=50), noise=torch.Generator().manual_seed(60))
    checkpoint = load_checkpoint(tmp_path / "run.pt", second.model)
    resumed = second.fit(resume=Run.from_state_dict(checkpoint.training))
    assert resumed.steps == expected.steps and not resumed.stopped
    assert without_time(resumed) == without_time(expected)
    assert first.seen + second.seen == whole.seen, "the batches too: none twice, none left out"
    assert same_weights(second.model, whole.model)


def test_a_run_can_be_stopped_and_resumed_in_every_step(device):
    whole = Loop(make_model(), make_batches(device))
    torch.manual_seed(5)
    expected = whole.fit()
    pieces = Loop(make_model(), make_batches(device), body=lambda _: press())
    torch.manual_seed(5)
    run = None
    for step in range(3 * LENGTH):
        run = pieces.fit(resume=run)
        assert run.step == step + 1
        type(run._stop).last_press = (-math.inf, None)  # each press is meant for its own run
    assert run.steps == expected.steps and without_time(run) == without_time(expected)
    assert pieces.seen == whole.seen and same_weights(pieces.model, whole.model)


def test_a_finished_run_that_is_resumed_makes_no_step_and_changes_nothing():
    loop = Loop(make_model(), make_batches())
    run = loop.fit(1)
    before, order = {name: value.clone() for name, value in loop.model.state_dict().items()}, loop.batches.rng.get_state()
    again = loop.fit(1, resume=run)
    assert again is run and run.step == LENGTH and len(loop.seen) == LENGTH and not run.stopped
    assert all(torch.equal(value, before[name]) for name, value in loop.model.state_dict().items())
    assert torch.equal(loop.batches.rng.get_state(), order) and run.state is not None


def test_what_draws_from_its_own_generator_goes_on_where_it_was():
    other = torch.Generator().manual_seed(2)
    run = begin(rngs={"order": torch.Generator(), "other": other})
    with run.training(0):
        for _ in run.batches(make_batches()):
            pass
    expected = torch.rand(3, generator=other), torch.rand(3)
    begin(run, rngs={"order": torch.Generator(), "other": other})
    assert torch.equal(torch.rand(3, generator=other), expected[0]) and torch.equal(torch.rand(3), expected[1])


def test_the_random_numbers_of_the_gpu_in_use_are_part_of_the_state(monkeypatch):
    """Dropout draws there. A run that goes on elsewhere cannot have them, and goes on all the same."""
    gpus = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    monkeypatch.setattr(torch.cuda, "default_generators", gpus)
    run = Run.begin(None, {}, {}, {"order": torch.Generator()}, torch.device("cuda", 1))
    with run.training(0):
        assert not list(run.batches(make_batches()))
    state, expected = run.state_dict(), torch.rand(3, generator=gpus[1])
    Run.begin(Run.from_state_dict(state), {}, {}, {"order": torch.Generator()}, torch.device("cuda", 1))
    assert torch.equal(torch.rand(3, generator=gpus[1]), expected) and gpus[0].initial_seed() == 1
    Run.begin(Run.from_state_dict(state), {}, {}, {"order": torch.Generator()}, torch.device("cpu"))


def test_other_settings_and_runs_without_state_are_refused():
    with pytest.raises(ValueError, match="no state to resume from"):
        begin(Run({"lr": 1}))
    run = Loop(make_model(), make_batches()).fit(1)
    rngs = {"order": torch.Generator(), "noise": torch.Generator()}
    with pytest.raises(ValueError, match="lr is 2, and 1 in the run to resume"):
        begin(run, {"lr": 2}, rngs=rngs)
    with pytest.raises(ValueError, match=r"epochs is 1, and None in the run to resume"):
        begin(run, {"lr": 1, "epochs": 1}, rngs=rngs)
    with pytest.raises(ValueError, match=r"random is \['order'\], and \['noise', 'order'\]"):
        begin(run, rngs={"order": torch.Generator()})


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (torch.nn.Linear(3, 5), r"parameter 0 has the shape \[5, 3\], and \[4, 3\] in the run to resume: give it the model"),
        (torch.nn.Linear(3, 4, bias=False), r"parameter 1 has the shape None, and \[4\] in the run to resume"),
    ],
)
def test_the_state_of_other_parameters_is_refused_and_kept(other, words):
    """A fused optimizer would write over memory that is not its own, which ends the process."""
    model = torch.nn.Linear(3, 4)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    run = begin(optimizers={"updates": optimizer})
    with run.training(0):
        for _ in run.batches(make_batches()):
            pass
    with pytest.raises(ValueError, match=words):
        begin(run, optimizers={"updates": torch.optim.Adam(other.parameters(), fused=True)})
    assert begin(run, optimizers={"updates": optimizer}) is run


def test_a_state_is_a_copy_and_is_used_once():
    loop = Loop(make_model(), make_batches(), body=at_step(2, press))
    run = loop.fit()
    saved = run.state_dict()
    momentum = saved["state"]["optimizers"]["updates"]["state"][0]["exp_avg"].clone()
    loop.fit(resume=run)  # moves the live optimizer, and fills the live lists
    assert saved["step"] == 2 == len(saved["steps"]["loss"]) and saved["stopped"] and not saved["epochs"]
    assert torch.equal(saved["state"]["optimizers"]["updates"]["state"][0]["exp_avg"], momentum)
    first, second = Run.from_state_dict(saved), Run.from_state_dict(saved)
    first.steps["loss"].append(9.0)
    assert len(second.steps["loss"]) == 2 and second.seconds == saved["seconds"] > 0

    def broken(_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loop.fit(resume=first, watch=broken)
    with pytest.raises(ValueError, match="or was resumed already"):
        loop.fit(resume=first)


def test_one_generator_for_two_things_cannot_be_resumed():
    shared = torch.Generator()
    with pytest.raises(ValueError, match="one generator draws order and augment"):
        begin(rngs={"order": shared, "augment": shared})


def test_what_is_no_run_is_named():
    with pytest.raises(TypeError, match="resume must be a Run, got dict"):
        begin({})
    with pytest.raises(ValueError, match="no training run in this checkpoint"):
        Run.from_state_dict(None)


def test_a_record_does_not_keep_the_model_alive():
    loop = Loop(make_model(), make_batches())
    run, model = loop.fit(1), weakref.ref(loop.model)
    loop.model = loop.optimizer = None
    assert model() is None and run.epochs
