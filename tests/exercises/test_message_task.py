"""The open task of chapter 12: what gets a score, what gets none, and what a private word does."""

import dataclasses
import re

import pytest
import torch

from course_lib.exercises import many_devices_task as tasks

task = dataclasses.replace(tasks.task, steps=30)


def test_what_is_left_over_must_be_kept():
    """Sent at once, all numbers learn most; the largest with a memory come near, and numbers at random learn nothing."""
    own, at_random = task.measure(tasks.entry), task.measure(tasks.at_random)
    full = task._measured(tasks.everything, "glyphs", limit=False)
    assert full.sent == 17_098 and own.sent == 170
    assert full.loss < own.loss < 0.8 * at_random.loss
    assert task.measure(tasks.entry) == own, "the same every time"
    assert task.measure(tasks.entry, "private:tulip").loss != own.loss


def test_rest_comes_back_to_the_device_that_left_it():
    seen = {}

    def message(gradient, rest):
        seen.setdefault(None if rest is None else rest[0], []).append(rest)
        k, step = (len(seen[None]) - 1, 0) if rest is None else (rest[0], rest[1] + 1)
        return torch.arange(2), gradient[:2], (k, step)

    assert dataclasses.replace(task, steps=3).measure(message).sent == 2
    assert len(seen[None]) == 4 and all(seen[k] == [(k, 0), (k, 1)] for k in range(4))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (lambda g, rest: None, "is waiting for you: it returns None"),
        (lambda g, rest: g, "should return places, values and rest"),
        (lambda g, rest: (torch.arange(171), g[:171], None), "sends 171 of 17,098 numbers, and 170 are allowed"),
        (lambda g, rest: (g[:5], g[:5], None), r"places should be int64 \[M\]"),
        (lambda g, rest: (torch.arange(5), g[:4], None), r"values should be floats \[5\]"),
        (lambda g, rest: (torch.tensor([17_098]), g[:1], None), "outside of 0 to 17097"),
        (lambda g, rest: (torch.arange(5), g[:5] / 0, None), "not a finite number"),
        (lambda g, rest: 1 / 0, "it raises ZeroDivisionError"),
    ],
)
def test_what_has_no_score_says_why(message, words):
    assert re.search(words, task.measure(message))
