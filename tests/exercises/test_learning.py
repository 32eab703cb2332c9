"""The open task: what is handed in gets its score or its fault in words, whatever happens; nothing is raised to the page."""

import dataclasses
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from course_lib.data import render, sample_factors
from course_lib.exercises import learning
from course_lib.exercises.learning import Score, task
from course_lib.recorded import recorded

QUICK = dataclasses.replace(task, images=60, judged=50, weights=5_000, seconds=2.0)
PUBLIC, FAULT = "recorded, public images", "has no score yet: "


class Mean(nn.Module):
    """Scores by the mean of the image alone."""

    def __init__(self, change=lambda scores: scores):
        super().__init__()
        self.layer, self.change = nn.Linear(1, 10), change

    def forward(self, x):
        assert x.dtype == torch.float32 and x.min() >= 0 and x.max() <= 1 and x.shape[1:] == (3, 32, 32)
        assert not self.training and not torch.is_grad_enabled()
        return self.change(self.layer(x.mean(dim=(1, 2, 3))[:, None]))


def said(capsys, answer, **settings) -> str:
    """The first line that is printed; below it stand the recorded scores."""
    assert QUICK.score(answer, **settings) is None
    first, _, below = capsys.readouterr().out.partition("\n")
    assert PUBLIC in below and all(len(line) <= 110 for line in below.splitlines())
    return first


def test_a_model_gets_its_score(capsys):
    def learn(images, labels):
        assert images.shape == (60, 3, 32, 32) and images.dtype == torch.uint8
        assert labels.shape == (60,) and labels.dtype == torch.int64
        return Mean()

    QUICK.score(learn)
    lines = capsys.readouterr().out.splitlines()
    found = QUICK.measure(learn)
    assert isinstance(found, Score) and found.weights == 20 and 0 <= found.seconds < 2
    low, high = found.interval
    assert low < found.accuracy < high and found.accuracy * 50 == pytest.approx(round(found.accuracy * 50))
    assert lines[0].startswith(f"learn reads {100 * found.accuracy:.1f} % of 50 digits in unseen typefaces (95 % interval: ")
    assert lines[1].startswith("Its model has 20 of 5,000 weights, and learned in 0 of 2 core-seconds.")


def test_it_learns_from_the_training_images_and_is_judged_on_unseen_typefaces(capsys):
    for name in ("glyphs-color", "private:tulip"):
        seen = []

        def learn(images, labels, seen=seen):
            seen += [images.clone(), labels.clone()]
            model = Mean()
            model.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
            return model

        assert "learn reads" in said(capsys, learn, name=name)
        train, test = sample_factors(name, "train", range(60)), sample_factors(name, "unseen-fonts", range(50))
        assert torch.equal(seen[0], render(train)[0]) and torch.equal(seen[1], train["digit"])
        assert torch.equal(torch.cat(seen[2:]), render(test)[0] / 255)


def test_a_model_that_knows_the_answers_is_right_on_all():
    test = sample_factors("glyphs-color", "unseen-fonts", range(50))
    answers = nn.functional.one_hot(test["digit"], 10).float()
    assert QUICK.measure(lambda images, labels: Mean(lambda scores: answers)).accuracy == 1


def test_what_is_not_written_is_waited_for(capsys):
    def learn(images, labels):
        raise NotImplementedError

    assert said(capsys, lambda images, labels: None) == "<lambda> is waiting for you: it returns None."
    assert said(capsys, learn) == "learn is waiting for you."


def returns(model):
    return lambda images, labels: model


def raising(error):
    def learn(images, labels):
        raise error

    return learn


def changing(change):
    def learn(images, labels):
        change(images, labels)
        return Mean()

    return learn


def not_finite(value):
    return returns(Mean(lambda scores: scores * value))


class Hidden(Mean):
    """Holds its images as a plain attribute, which is no buffer."""

    def __init__(self):
        super().__init__()
        self.known = torch.zeros(60, 3, 32, 32)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (raising(ValueError("too\nlong")), "it raises ValueError: too long"),
        (raising(SystemExit(3)), "it raises SystemExit: 3"),
        (raising(NotImplementedError("aten::add is not there")), "it raises NotImplementedError: aten::add is not there"),
        (lambda images: None, "it raises TypeError: "),
        (7, "it raises TypeError: 'int' object is not callable"),
        (returns(torch.zeros(3)), "it returns a Tensor, and an nn.Module is asked for"),
        (returns(Mean), "it returns a type, and an nn.Module"),
        (returns(nn.Sequential(nn.Flatten(), nn.Linear(3072, 10))), "its model has 30,730 weights, and 5,000 are allowed"),
        (returns(nn.BatchNorm2d(3_000)), "its model has 12,001 weights"),
        (returns(Hidden()), "its model has 184,340 weights"),
        (returns(nn.Linear(3, 10)), "its model raises RuntimeError: "),
        (returns(Mean(lambda scores: scores[:, :9])), "its model gives the shape [50, 9], not [50, 10]"),
        (returns(Mean(lambda scores: scores.argmax(1))), "its model gives the shape [50], not [50, 10]"),
        (returns(Mean(lambda scores: scores.tolist())), "its model raises TypeError: "),
        (not_finite(torch.nan), "a score of its model is not a finite number"),
        (not_finite(torch.inf), "a score of its model is not a finite number"),
        (changing(lambda images, labels: images.add_(1)), "it changes its arguments, and may only read them"),
        (changing(lambda images, labels: images.resize_(1)), "it changes its arguments"),
        (changing(lambda images, labels: labels.zero_()), "it changes its arguments"),
    ],
)
def test_a_fault_is_named(capsys, answer, words):
    line = said(capsys, answer)
    assert FAULT + words in line and line.endswith(".")


def busy(*given):
    while True:
        try:
            sum(range(1000))
        except Exception:
            continue


def test_what_has_no_end_is_ended_by_the_time_that_the_processor_spends(capsys, monkeypatch):
    monkeypatch.setattr("tests.exercises.test_learning.QUICK", dataclasses.replace(QUICK, seconds=0.3))
    start = time.monotonic()
    assert said(capsys, busy) == "busy has no score yet: it takes more than 0.3 core-seconds."
    assert FAULT + "its model takes more than 0.3 core-seconds" in said(capsys, returns(Mean(busy)))
    assert time.monotonic() - start < 20
    # Waiting costs nothing, and the limit ends with the check.
    assert "reads" in said(capsys, changing(lambda *given: time.sleep(0.5)))
    assert sum(range(10**7)) > 0


def work(seconds: float) -> None:
    """Use so many core-seconds, however fast the machine is."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_child_processes_count_and_so_does_all_where_there_is_no_timer_signal(capsys, monkeypatch):
    monkeypatch.setattr("tests.exercises.test_learning.QUICK", dataclasses.replace(QUICK, seconds=0.2))
    command = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.6:\n    pass"]
    assert FAULT + "it takes " in said(capsys, changing(lambda *given: subprocess.run(command, check=True)))
    monkeypatch.delattr("signal.setitimer")
    line = said(capsys, changing(lambda *given: work(0.6)))
    assert FAULT + "it takes " in line and "core-seconds, and 0.2 are allowed" in line


def test_the_stop_button_is_no_fault():
    with pytest.raises(KeyboardInterrupt):
        QUICK.score(raising(KeyboardInterrupt()))


def test_the_seed_draws_what_is_learned_and_the_reader_s_random_numbers_go_on_as_they_were():
    drawn = []

    def learn(images, labels):
        drawn.append(torch.rand(1).item())

    torch.manual_seed(1)
    expected = torch.rand(2)
    torch.manual_seed(1)
    for seed in (0, 0, 1):
        assert QUICK.measure(learn, seed=seed).startswith("is waiting for you")
    assert torch.equal(torch.rand(2), expected)
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_course_s_own_keeps_to_the_rules_and_learns_anew_with_each_seed():
    rules = dataclasses.replace(task, images=40, judged=50)
    found = [rules.measure(task.reference, seed=seed) for seed in (0, 0, 1)]
    assert all(isinstance(score, Score) and score.weights < task.weights for score in found)
    images, labels = rules._draw("glyphs-color", "train", 40)
    torch.manual_seed(0)
    first = learning.learn(images, labels)
    torch.manual_seed(1)
    assert not torch.equal(first.head.weight, learning.learn(images, labels).head.weight)
    assert found[0].accuracy == found[1].accuracy


def test_what_is_recorded_keeps_to_the_rules_and_the_course_s_own_is_the_best():
    scores = recorded("learning")["scores"]
    own, *baselines = scores.values()
    assert len(own["accuracy"]) == 5 and own["weights"] < task.weights
    assert max(own["seconds"]) < task.seconds * 0.75, "a slower machine has to finish it too"
    assert all(min(own["accuracy"]) > max(runs["accuracy"]) + 0.1 for runs in baselines)
