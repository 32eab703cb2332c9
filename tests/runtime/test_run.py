"""The record of a run: what is noted is read in the right order, and what is not finite stops it."""

import math

import pytest
import torch

from course_lib.runtime import DivergenceError, Run, load_checkpoint, save_checkpoint
from course_lib.runtime.run import READ_EVERY


def begin(resume=None, settings=None, optimizers=None, generators=None):
    return Run.begin(resume, settings or {"lr": 1}, "Lower it.", optimizers or {}, generators or {}, torch.device("cpu"))


def test_values_are_read_in_order_and_averaged_over_the_epoch(device):
    run = begin()
    order = torch.Generator()
    for epoch in range(2):
        run.begin_epoch(order)
        for step in range(READ_EVERY + 3):
            run.record(loss=torch.tensor(float(100 * epoch + step), device=device), rate=0.5)
        run.pause()
        run.end_epoch(READ_EVERY + 3, validation=epoch)
    assert run.step == len(run.steps["loss"]) == 2 * (READ_EVERY + 3)
    assert run.steps["loss"][:2] == [0, 1] and run.steps["loss"][-1] == 100 + READ_EVERY + 2
    assert run.epochs[1]["epoch"] == 2 and run.epochs[1]["step"] == run.step and run.epochs[1]["validation"] == 1
    assert run.epochs[1]["loss"] == 100 + (READ_EVERY + 2) / 2 and run.epochs[0]["rate"] == 0.5
    assert 0 < run.epochs[0]["seconds"] < run.epochs[1]["seconds"] == run.seconds


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_stops_the_run_and_names_the_step(bad):
    run = begin()
    run.begin_epoch(torch.Generator())
    for value in (1.0, 2.0, bad, 4.0):
        run.record(loss=torch.tensor(value))
    with pytest.raises(DivergenceError, match=r"loss is -?(nan|inf) in step 3\. Lower it\.") as caught:
        run.pause()
    assert caught.value.run is run and run.steps["loss"][:2] == [1, 2] and len(run.steps["loss"]) == 3
    run = begin()
    run.begin_epoch(torch.Generator())
    run.record(loss=torch.tensor(bad))
    for _ in range(READ_EVERY - 2):
        run.record(loss=torch.tensor(0.0))
    with pytest.raises(DivergenceError):
        run.record(loss=torch.tensor(0.0))


def test_generators_and_optimizers_are_put_back():
    weight = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    optimizer.step()
    order, other = torch.Generator().manual_seed(1), torch.Generator().manual_seed(2)
    run = begin(generators={"order": order, "other": other})
    run.begin_epoch(order)
    drawn_in_this_epoch = torch.rand(3, generator=order)
    run.keep({"updates": optimizer}, {"order": order, "other": other}, device=torch.device("cpu"), stopped=True)
    next_other, next_global = torch.rand(3, generator=other), torch.rand(3)

    copy = Run.from_state_dict(run.state_dict())
    fresh = torch.optim.SGD([weight], lr=5.0, momentum=0.9)
    again = begin(copy, optimizers={"updates": fresh}, generators={"order": order, "other": other})
    assert again is copy and not again.stopped
    assert torch.equal(torch.rand(3, generator=order), drawn_in_this_epoch), "the unfinished epoch is drawn again"
    assert torch.equal(torch.rand(3, generator=other), next_other) and torch.equal(torch.rand(3), next_global)
    assert torch.equal(fresh.state[weight]["momentum_buffer"], torch.ones(2)) and fresh.param_groups[0]["lr"] == 0.1


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_a_run_from_a_file_goes_on_as_if_it_had_never_stopped(tmp_path, device, fused, kernel_size):
    """Files hold contiguous tensors, these weights lie as [O, KH, KW, C]: fused kernels read both as they lie in memory."""

    def begin_training(weights, resume=None):
        model = torch.nn.Conv2d(3, 4, kernel_size)
        model.load_state_dict(weights)
        model.to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(model.parameters(), 0.1, fused=fused)
        return model, optimizer, begin(resume, optimizers={"updates": optimizer})

    def update(model, optimizer, steps):
        for x in steps:
            optimizer.zero_grad()
            model(x.to(device, memory_format=torch.channels_last)).square().mean().backward()
            optimizer.step()

    batches = torch.randn(6, 2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    start = torch.nn.Conv2d(3, 4, kernel_size).state_dict()
    whole, optimizer, _ = begin_training(start)
    update(whole, optimizer, batches)

    first, optimizer, run = begin_training(start)
    update(first, optimizer, batches[:3])
    run.keep({"updates": optimizer}, {}, device, stopped=True)
    save_checkpoint(tmp_path / "run.safetensors", first, training=run.state_dict())
    checkpoint = load_checkpoint(tmp_path / "run.safetensors")
    second, optimizer, _ = begin_training(checkpoint.weights, Run.from_state_dict(checkpoint.training))
    state = optimizer.state[second.weight]
    assert state["exp_avg"].stride() == state["exp_avg_sq"].stride() == second.weight.stride()
    update(second, optimizer, batches[3:])
    for name, weight in whole.state_dict().items():
        assert torch.equal(second.state_dict()[name], weight), name


def test_other_settings_and_runs_without_state_are_refused():
    with pytest.raises(ValueError, match="no state to resume from"):
        begin(Run({"lr": 1}))
    run = Run({"lr": 1})
    run.keep({}, {}, device=torch.device("cpu"), stopped=True)
    with pytest.raises(ValueError, match="lr is 2, and 1 in the run to resume"):
        begin(run, settings={"lr": 2})


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            torch.nn.Linear(3, 5),
            r"parameter 0 is of shape \[5, 3\], and of shape \[4, 3\] in the run to resume: give it the model",
        ),
        (torch.nn.Linear(3, 4, bias=False), r"parameter 1 is missing, and of shape \[4\] in the run to resume"),
    ],
)
def test_the_state_of_other_parameters_is_refused_and_kept(other, words):
    """A fused optimizer would write over memory that is not its own, which ends the process."""
    model = torch.nn.Linear(3, 4)
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    run = begin()
    run.keep({"updates": optimizer}, {}, torch.device("cpu"), stopped=True)
    with pytest.raises(ValueError, match=words):
        begin(run, optimizers={"updates": torch.optim.Adam(other.parameters(), fused=True)})
    assert begin(run, optimizers={"updates": optimizer}) is run


def test_a_state_is_a_copy_and_is_used_once():
    weight = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    weight.sum().backward()
    optimizer.step()
    order = torch.Generator().manual_seed(1)
    run = begin(generators={"order": order})
    run.begin_epoch(order)
    run.record(loss=torch.tensor(1.0))
    run.pause()
    run.keep({"updates": optimizer}, {"order": order}, torch.device("cpu"), stopped=True)
    saved = run.state_dict()
    optimizer.step()  # moves the momentum of the live optimizer
    again = begin(run, optimizers={"updates": optimizer}, generators={"order": order})
    again.begin_epoch(order)
    again.record(loss=torch.tensor(2.0))
    again.pause()
    assert saved["steps"]["loss"] == [1.0] and saved["step"] == 1
    assert torch.equal(saved["state"]["optimizers"]["updates"]["state"]["0"]["momentum_buffer"], torch.ones(2))
    first, second = Run.from_state_dict(saved), Run.from_state_dict(saved)
    first.steps["loss"].append(9.0)
    assert second.steps["loss"] == [1.0]
    with pytest.raises(ValueError, match="or was resumed already"):
        begin(run, generators={"order": order})


def test_one_generator_for_two_things_cannot_be_resumed():
    shared = torch.Generator()
    with pytest.raises(ValueError, match="one generator draws order and augment"):
        begin(generators={"order": shared, "augment": shared})


def test_what_is_no_run_is_named():
    with pytest.raises(TypeError, match="resume must be a Run, got dict"):
        begin({})
    with pytest.raises(ValueError, match="no training run in this checkpoint"):
        Run.from_state_dict(None)


def test_what_is_measured_at_the_end_of_an_epoch_must_be_finite():
    run = begin()
    run.begin_epoch(torch.Generator())
    run.record(loss=torch.tensor(1.0))
    run.pause()
    with pytest.raises(DivergenceError, match="validation_loss is nan at the end of epoch 1"):
        run.end_epoch(1, validation_loss=math.nan)


def test_time_and_the_stop_are_part_of_the_state():
    run = begin()
    run.seconds = 12.5
    run.keep({}, {}, torch.device("cpu"), stopped=True)
    copy = Run.from_state_dict(run.state_dict())
    assert copy.seconds == 12.5 and copy.stopped and copy.settings == run.settings
