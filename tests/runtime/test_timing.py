"""Timing: the median of each candidate's own rounds, in turn, the first round not counted."""

import pytest

from course_lib.runtime import interleaved_medians, timing


def test_the_candidates_take_turns_and_the_first_round_does_not_count(monkeypatch):
    clock = {"now": 0.0}
    calls = []

    def candidate(name, durations):
        remaining = iter(durations)

        def run():
            calls.append(name)
            clock["now"] += next(remaining)

        return run

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock["now"])
    functions = {"a": candidate("a", [100, 1, 2, 9]), "b": candidate("b", [100, 5, 5, 4])}
    assert interleaved_medians(functions, rounds=3) == {"a": 2, "b": 5}
    assert calls == ["a", "b"] * 4


def test_at_least_one_round():
    with pytest.raises(ValueError, match=r"rounds is 0.*at least 1"):
        interleaved_medians({}, rounds=0)


def test_a_gpu_is_waited_for(monkeypatch):
    events = []
    monkeypatch.setattr(timing.torch.accelerator, "is_available", lambda: True)
    monkeypatch.setattr(timing.torch.accelerator, "synchronize", lambda: events.append("wait"))
    interleaved_medians({"a": lambda: events.append("run")}, rounds=1)
    assert events == ["wait", "run", "wait"] * 2
