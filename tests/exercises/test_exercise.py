"""What an exercise says of an answer and which version it chooses: never a wrong one, and whatever happens it goes on."""

import math
import subprocess
import sys
import time

import pytest
import torch

from course_lib.exercises import Exercise
from tools.files import ROOT

COURSE = " What follows runs on the course's.\n"


def halves(x, rest):
    """x [2 N] -> its first and its second half."""
    return x[: len(x) // 2], x[len(x) // 2 :]


def cases(rng):
    return [(torch.rand(size, generator=rng), {"more": [torch.rand(2, generator=rng)]}) for size in (2, 4, 6)]


EXERCISE = Exercise(halves, cases, ("first half", "second half"), seconds=0.3)


def right(x, rest):
    return x.chunk(2)


def said(capsys, exercise, answer, **settings) -> str:
    """What is printed; the answer is chosen exactly where that says so."""
    chosen = exercise.choose(answer, **settings)
    text = capsys.readouterr().out
    assert (chosen is answer and answer is not exercise.reference) == text.endswith("What follows runs on yours.\n")
    assert chosen is (answer if text.endswith("yours.\n") else exercise.reference)
    return text


def test_a_right_answer_is_chosen(capsys):
    assert said(capsys, EXERCISE, right) == "right is right in all 3 cases. What follows runs on yours.\n"
    assert said(capsys, EXERCISE, lambda x, rest: [half.double() for half in x.chunk(2)], seed=5).endswith("yours.\n")


def test_what_is_not_written_is_waited_for(capsys):
    def later(x, rest):
        raise NotImplementedError

    assert said(capsys, EXERCISE, lambda x, rest: None) == "<lambda> is waiting for you: it returns None." + COURSE
    assert "is waiting for you" in said(capsys, EXERCISE, lambda x, rest: (None, None))
    assert said(capsys, EXERCISE, later) == "later is waiting for you." + COURSE


def test_the_course_s_own_is_not_taken_for_the_reader_s(capsys):
    # Where the check runs a second time after a wrong answer, the name stands for the course's version.
    assert said(capsys, EXERCISE, halves).startswith("This is the course's own: run the cell with your answer again")


def changing(place):
    def changes(x, rest):
        answer = x[: len(x) // 2].clone(), x[len(x) // 2 :].clone()
        place(x, rest)
        return answer

    return changes


def raising(error):
    def raises(x, rest):
        raise error

    return raises


def one_missing(x, rest):
    return right(x, rest) if len(x) == 2 else (right(x, rest)[0], None)


def late_none(x, rest):
    return right(x, rest) if len(x) < 6 else None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda x, rest: tuple(half + 0.5 for half in right(x, rest)), "the first half is off by up to 0.5, where the right"),
        (
            lambda x, rest: (right(x, rest)[0], right(x, rest)[1] / 0 * 0),
            "the second half is not a number (NaN) in 1 of 1 ",
        ),
        (lambda x, rest: (x[: len(x) // 2] + torch.inf, right(x, rest)[1]), "the first half is off by up to inf"),
        (lambda x, rest: (x[:1, None], x[1:]), "the first half has the shape [1, 1], and should have [1] (case 1 of 3)"),
        (one_missing, "the second half has the type NoneType, and numbers are asked for (case 2 of 3)"),
        (late_none, "it should return 2 values: the first half, the second half (case 3 of 3)"),
        (lambda x, rest: x, "it should return 2 values: the first half, the second half (case 1 of 3)"),
        (lambda x, rest: ("left", "right"), "the first half has the type str"),
        (lambda x, rest: ([[1.0], [1.0, 2.0]], 2), "the first half has the type list"),
        (lambda x, rest: [half.tolist() for half in x.chunk(2)], "the first half is a list, and should be a tensor of floats"),
        (
            lambda x, rest: (right(x, rest)[0], x[len(x) // 2 :] > 2),
            "the second half is a tensor of bool, and should be a tensor of floats",
        ),
        (lambda x: x, "it raises TypeError: "),
        (7, "it raises TypeError: 'int' object is not callable"),
        (raising(ValueError("too\nlong")), "it raises ValueError: too long (case 1 of 3)"),
        (raising(NotImplementedError("aten::add is not there")), "it raises NotImplementedError: aten::add is not there"),
        (raising(SystemExit(3)), "it raises SystemExit: 3"),
        (raising(TimeoutError("a server")), "it raises TimeoutError: a server"),
        (changing(lambda x, rest: x.add_(1)), "it changes its arguments, and may only read them (case 1 of 3)"),
        (changing(lambda x, rest: x.resize_(1)), "it changes its arguments"),
        (changing(lambda x, rest: rest["more"][0].mul_(2)), "it changes its arguments"),
        (changing(lambda x, rest: rest["more"].append(1)), "it changes its arguments"),
        (changing(lambda x, rest: rest["more"].__setitem__(0, None)), "it changes its arguments"),
        (changing(lambda x, rest: rest.pop("more")), "it changes its arguments"),
    ],
)
def test_a_wrong_answer_is_never_chosen_and_the_fault_is_named(capsys, answer, words):
    text = said(capsys, EXERCISE, answer)
    assert " is not right yet: " in text and words in text and text.endswith(" of 3)." + COURSE)
    assert text.count("\n") == 1


def test_an_answer_without_an_end_is_ended_even_where_it_catches_every_exception(capsys):
    def endless(x, rest):
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    start = time.monotonic()
    assert "endless is not right yet: it does not end within 0.3 s (case 1 of 3)" in said(capsys, EXERCISE, endless)
    assert time.monotonic() - start < 10
    # The limit is over with the check.
    said(capsys, EXERCISE, right)
    time.sleep(0.4)


def test_the_stop_button_is_not_an_answer_s_fault():
    with pytest.raises(KeyboardInterrupt):
        EXERCISE.choose(raising(KeyboardInterrupt()))


def test_what_an_answer_prints_stands_above_the_verdict(capsys):
    def talks(x, rest):
        print("here is right in all 3 cases")

    assert said(capsys, EXERCISE, talks).endswith("\ntalks is waiting for you: it returns None." + COURSE)


@pytest.mark.parametrize(
    ("result", "wrong", "words"),
    [
        (True, False, "the answer is off by up to 1, where the right numbers go up to 1"),
        (3, 4, "the answer is off by up to 1, where the right numbers go up to 3"),
        ([0.5, 0.25], [0.5], "the answer has the shape [1], and should have [2]"),
        (torch.tensor([True, False]), torch.tensor([True, True]), "the answer is off by up to 1"),
        (torch.zeros(0, 3), torch.zeros(0), "the answer has the shape [0], and should have [0, 3]"),
        ([], [1.0], "the answer has the shape [1], and should have [0]"),
    ],
)
def test_numbers_truth_values_lists_and_empty_tensors_are_answers(capsys, result, wrong, words):
    exercise = Exercise(lambda: result, lambda rng: [()])
    assert "right in all 1 cases" in said(capsys, exercise, lambda: result)
    assert words in said(capsys, exercise, lambda: wrong)


def test_a_class_can_be_asked_for(capsys):
    class Twice:
        def __init__(self, factor):
            self.factor = factor

        def forward(self, x):
            return self.factor * x

    class Stub(Twice):
        def forward(self, x):
            raise NotImplementedError

    class Wrong(Twice):
        def forward(self, x):
            return x

    exercise = Exercise(
        Twice, lambda rng: [(3.0, torch.rand(2, generator=rng))], use=lambda answer, factor, x: answer(factor).forward(x)
    )
    assert "Mine is right" in said(capsys, exercise, type("Mine", (Twice,), {}))
    assert "Stub is waiting for you." in said(capsys, exercise, Stub)
    assert "Wrong is not right yet: the answer is off by" in said(capsys, exercise, Wrong)


def test_answers_that_draw_are_compared_and_the_reader_s_random_numbers_go_on_as_they_were(capsys):
    exercise = Exercise(lambda x: x + torch.rand(3), lambda rng: [(torch.rand(3, generator=rng),)])
    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    assert "is right" in said(capsys, exercise, lambda x: torch.rand(3) + x)
    assert torch.equal(torch.rand(2), expected)


INFINITE = Exercise(lambda x: torch.stack([x[0], x.new_tensor(math.inf)]), lambda rng: [(torch.rand(1, generator=rng),)])


def test_infinity_is_as_far_from_other_numbers_as_they_are_from_each_other():
    assert INFINITE.fault(lambda x: torch.stack([x[0], x.new_tensor(math.inf)])) is None
    for wrong in (-math.inf, 7.0, math.nan):
        assert INFINITE.fault(lambda x, wrong=wrong: torch.stack([x[0], x.new_tensor(wrong)]))
    assert INFINITE.fault(lambda x: torch.stack([x[0] + 1, x.new_tensor(math.inf)]))
    assert EXERCISE.fault(lambda x, rest: (x[: len(x) // 2] / 0, x[len(x) // 2 :]))


def test_a_wrong_answer_is_wrong_without_assertions_too():
    code = "from course_lib.exercises import start_here; print(start_here.fit.fault(lambda x, y, classes: (x * 0, x * 0)))"
    found = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "is not right yet" in found.stdout, found.stderr
