"""Every exercise of the room: the course's own answer is right on every seed, and each way to be wrong is refused."""

import dataclasses
import importlib
import pkgutil

import pytest
import torch

from course_lib import exercises
from course_lib.exercises import Exercise

FOUND = {
    f"{module.name}.{name}": value
    for module in pkgutil.iter_modules(exercises.__path__)
    for name, value in vars(importlib.import_module(f"course_lib.exercises.{module.name}")).items()
    if isinstance(value, Exercise)
}
each_exercise = pytest.mark.parametrize("exercise", FOUND.values(), ids=FOUND)


def test_there_are_exercises():
    assert FOUND


def fault(exercise: Exercise, spoil, seed: int = 0) -> str | None:
    """What is wrong with an answer that gives spoil(what the course's gives, the arguments)."""

    def use(answer, *arguments):
        found = exercise.use(exercise.reference, *arguments)
        return found if answer is exercise.reference else spoil(found, arguments)

    return dataclasses.replace(exercise, use=use).fault("an answer", seed)


def each_part(change):
    """A way to spoil: every part of what is found, as float64, is changed."""

    def spoil(found, arguments):
        parts = found if isinstance(found, tuple) else (found,)
        changed = tuple(change(torch.as_tensor(part, dtype=torch.float64)) for part in parts)
        return changed if isinstance(found, tuple) else changed[0]

    return spoil


def tensors(values):
    """The tensors in arguments, in tuples, lists and dictionaries too."""
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, dict | tuple | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from tensors(value)


def change_an_argument(found, arguments):
    for tensor in tensors(arguments):
        tensor.logical_not_() if tensor.dtype == torch.bool else tensor.add_(1)
    return found


def fail(found, arguments):
    raise ZeroDivisionError("spoiled")


@each_exercise
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_reference_is_right(exercise, seed):
    assert fault(exercise, lambda found, arguments: found, seed) is None


@each_exercise
@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (each_part(lambda part: part * torch.nan), "is not a number (NaN)"),
        (each_part(lambda part: part + 0.5), "is off by up to 0.5"),
        (each_part(lambda part: part[..., None]), "has the shape"),
        (fail, "raises ZeroDivisionError: spoiled"),
        (lambda found, arguments: None, "waiting for you"),
    ],
    ids=["NaN", "off", "shape", "error", "None"],
)
def test_a_spoiled_answer_is_refused(exercise, spoil, words):
    text = fault(exercise, spoil)
    assert words in text or "and should be a tensor of int64" in text or "and should be a tensor of bool" in text


@each_exercise
def test_a_changed_argument_is_refused(exercise):
    (first, *_) = exercise.cases(torch.Generator().manual_seed(0))
    if any(True for _ in tensors(first)):
        assert "changes its arguments" in fault(exercise, change_an_argument)


@each_exercise
def test_another_seed_draws_other_cases_and_the_same_seed_the_same(exercise):
    first, again, other = (repr([*numbers(exercise, seed)]) for seed in (0, 0, 1))
    assert first == again != other, "a grader's hidden cases have to be new ones"
    # A tensor that two draws share could be changed by an answer without being noticed.
    kept = [*tensors(exercise.cases(torch.Generator()))]
    places = {tensor.data_ptr() for tensor in kept if tensor.numel()}
    assert not places & {tensor.data_ptr() for tensor in tensors(exercise.cases(torch.Generator()))}


def numbers(exercise: Exercise, seed: int):
    """The arguments of all cases, tensors as lists; functions and generators are left out."""
    for case in exercise.cases(torch.Generator().manual_seed(seed)):
        yield [tensor.tolist() for tensor in tensors(case)], [value for value in case if isinstance(value, int | float)]
