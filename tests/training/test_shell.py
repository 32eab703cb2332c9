"""The shell around a loop: passes, what is called aside and when, the clock, and that everything is
put back after an error.
"""

import itertools
import math
import signal
import time

import pytest
import torch
from torch import nn

from course_lib.training import DivergenceError, Run
from tests.training.loops import COUNT, LENGTH, Loop, at_step, make_batches, make_model, press


def test_each_pass_holds_each_image_once_in_a_new_order():
    loop = Loop(make_model(), make_batches())
    run = loop.fit(2)
    first, second = (list(itertools.chain(*loop.seen[start : start + LENGTH])) for start in (0, LENGTH))
    assert sorted(first) == sorted(second) == list(range(COUNT)) and first != second
    assert run.step == 2 * LENGTH and not run.stopped
    assert run.steps["progress"] == [(step + 0.5) / (2 * LENGTH) for step in range(2 * LENGTH)]


def test_an_epoch_has_the_means_of_its_steps_and_what_was_measured():
    run = Loop(make_model(), make_batches()).fit(3, measure=lambda: {"validation": 0.25})
    losses = run.steps["loss"]
    for number, epoch in enumerate(run.epochs):
        mean = sum(losses[number * LENGTH : (number + 1) * LENGTH]) / LENGTH
        assert epoch["epoch"] == number + 1 and epoch["step"] == (number + 1) * LENGTH and epoch["loss"] == mean
        assert epoch["validation"] == 0.25
    seconds = [epoch["seconds"] for epoch in run.epochs]
    assert 0 < seconds[0] < seconds[1] < seconds[2] <= run.seconds


def test_a_run_may_end_in_the_middle_of_a_pass():
    loop = Loop(make_model(), make_batches())
    run = Run.begin(None, {}, {}, {"order": loop.batches.rng}, torch.device("cpu"))
    with run.training(LENGTH + 2):
        for _ in run.batches(loop.batches):
            run.record(loss=1.0)
    assert run.step == LENGTH + 2 and len(run.epochs) == 1 and not run.stopped


def test_measuring_and_watching_are_in_evaluation_mode_and_the_body_in_training_mode():
    modes = []

    def note(where):
        modes.append((where, loop.run.step, loop.model.training))

    loop = Loop(make_model(), make_batches(), body=lambda _: note("body"))
    loop.model[1].eval()  # the shell sets all parts to training
    loop.fit(2, measure=lambda: note("measure") or {}, watch=lambda run: note("watch"))
    assert [mode[0] for mode in modes] == (["body"] * LENGTH + ["measure", "watch"]) * 2
    assert all(training == (where == "body") for where, _, training in modes)
    assert not any(part.training for part in loop.model.modules()), "and evaluation mode at the end"


def test_watch_gets_the_run_after_each_pass_with_all_that_was_recorded():
    seen = []

    def watch(run):
        seen.append((run.step, len(run.steps["loss"]), len(run.epochs)))

    run = Loop(make_model(), make_batches()).fit(2, watch=watch)
    assert seen == [(LENGTH, LENGTH, 1), (2 * LENGTH, 2 * LENGTH, 2)] and run.step == 2 * LENGTH


@pytest.mark.parametrize("every", [1, 4, LENGTH, 100])
def test_watch_is_called_every_so_many_updates_instead(every):
    seen = []

    def watch(run):
        seen.append((run.step, len(run.steps["loss"])))

    Loop(make_model(), make_batches()).fit(3, watch=watch, watch_every=every)
    assert seen == [(step, step) for step in range(1, 3 * LENGTH + 1) if step % every == 0]


def test_what_is_called_aside_is_off_the_clock(monkeypatch):
    clock = {"now": 0.0}

    def wait(seconds):
        clock["now"] += seconds

    monkeypatch.setattr(time, "perf_counter", lambda: clock["now"])
    loop = Loop(make_model(), make_batches(), body=lambda _: wait(1))
    run = loop.fit(2, measure=lambda: wait(100) or {}, watch=lambda run: wait(1000), watch_every=4)
    assert run.seconds == 2 * LENGTH and [epoch["seconds"] for epoch in run.epochs] == [LENGTH, 2 * LENGTH]
    loop = Loop(make_model(), make_batches(), body=lambda _: wait(1) or at_step(4, press)(loop))
    run = loop.fit(2, watch=lambda run: wait(1000))
    assert run.seconds == 4
    wait(5000)  # between the stop and the resuming
    loop.body = lambda _: wait(1)
    assert loop.fit(2, resume=run, watch=lambda run: wait(1000)).seconds == 2 * LENGTH


def test_what_was_learned_before_a_stop_is_left_out():
    loop = Loop(make_model(), make_batches(), body=at_step(LENGTH + 2, press))
    run = loop.fit(2)
    assert run.stopped and run.step == LENGTH + 2 and len(run.epochs) == 1
    stopped_after = len(loop.seen)
    loop.body = None
    loop.fit(2, resume=run)
    second_pass = itertools.chain(*loop.seen[LENGTH:])
    assert len(loop.seen) - stopped_after == LENGTH - 2 and sorted(second_pass) == list(range(COUNT))


def test_a_press_while_measuring_or_watching_ends_the_run_after_that():
    for option in ("measure", "watch"):
        run = Loop(make_model(), make_batches()).fit(3, **{option: lambda *_: press() or {}})
        assert run.stopped and run.step == LENGTH and len(run.epochs) == 1
        type(run._stop).last_press = (-math.inf, None)


def test_a_press_before_the_first_step_ends_the_run_there():
    batches = make_batches()
    before = batches.rng.get_state()
    run = Run.begin(None, {}, {}, {"order": batches.rng}, torch.device("cpu"))
    with run.training(5):
        press()
        assert not list(run.batches(batches))
    assert run.stopped and run.step == 0 and torch.equal(run.state["rngs"]["order"], before)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("where", ["body", "measure", "watch"])
def test_an_error_puts_the_interrupt_and_evaluation_mode_back(where, error):
    def broken(*_):
        raise error

    before = signal.getsignal(signal.SIGINT)
    loop = Loop(make_model(), make_batches(), body=broken if where == "body" else None)
    options = {} if where == "body" else {where: broken}
    with pytest.raises(error):
        loop.fit(2, **options)
    assert signal.getsignal(signal.SIGINT) is before
    assert not any(part.training for part in loop.model.modules())
    assert loop.run.state is None, "there is no state of a step that was broken off"


def test_a_second_press_breaks_in_at_once():
    loop = Loop(make_model(), make_batches(), body=lambda _: press() or press())
    with pytest.raises(KeyboardInterrupt):
        loop.fit()
    assert loop.run.step == 0 and not loop.model.training


def test_what_is_measured_must_be_finite():
    with pytest.raises(DivergenceError, match=r"validation_loss is nan at the end of epoch 1\. Lower it\.") as caught:
        Loop(make_model(), make_batches()).fit(measure=lambda: {"validation_loss": math.nan})
    assert len(caught.value.run.steps["loss"]) == LENGTH


def test_a_loss_that_is_not_finite_ends_the_loop():
    loop = Loop(make_model(), make_batches())
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), lr=1e30)
    with pytest.raises(DivergenceError, match=r"loss is (nan|inf) in step \d+\. Lower it\."):
        loop.fit(10)


def test_the_bar_counts_the_steps_of_the_whole_run(monkeypatch):
    bars = []

    class Bar:
        def __init__(self, total, initial):
            self.total, self.n, self.hidden = total, initial, 0
            bars.append(self)

        def update(self):
            self.n += 1

        def hide(self):
            self.hidden += 1

        def __enter__(self):
            return self

        def __exit__(self, *error): ...

    monkeypatch.setattr("course_lib.training.run.Progress", Bar)
    loop = Loop(make_model(), make_batches(), body=at_step(4, press))
    run = loop.fit(2, watch=lambda run: None)
    loop.body = None
    loop.fit(2, resume=run, watch=lambda run: None)
    assert [(bar.total, bar.n) for bar in bars] == [(2 * LENGTH, 4), (2 * LENGTH, 2 * LENGTH)]
    assert [bar.hidden for bar in bars] == [0, 2], "it is taken away before a picture is shown"


def test_several_networks_are_in_training_mode_together():
    models, batches = (nn.Dropout(), nn.Dropout()), make_batches()
    run = Run.begin(None, {}, {}, {"order": batches.rng}, torch.device("cpu"))
    with run.training(1, *models):
        for _ in run.batches(batches):
            assert all(model.training for model in models)
            run.record(loss=0.0)
    assert not any(model.training for model in models)


def test_an_error_on_the_way_carries_the_record():
    def broken(run):
        raise ZeroDivisionError("a picture")

    with pytest.raises(ZeroDivisionError, match="a picture") as caught:
        Loop(make_model(), make_batches()).fit(2, watch=broken)
    assert len(caught.value.run.steps["loss"]) == LENGTH == caught.value.run.step
    assert f"record of {LENGTH} updates" in caught.value.__notes__[0] and "last_value.run" in caught.value.__notes__[0]
