"""An open task in a notebook: it has no solution, and the grader reports its score, on private images if a word is given."""

import csv
import dataclasses
import re
import sys
import types

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.data import render, sample_factors
from tests.notebooks.trial import UNSAFE, boxes, grade, of
from tests.repository.files import NOTEBOOKS, notebook
from tools import exercises, grade_class, grading
from tools.answers import read_cells
from tools.exercises import handout
from tools.grading import grade_all
from tools.sandbox.host import missing
from tools.tasks import course_of, in_words

FOLDED = "<details><summary>Solution</summary>\n\n```python\ndef same(x):\n    return x\n```\n\n</details>"
LEARN = "def learn(images, labels):\n    {}"
MODEL = LEARN.format("return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 10))")


@pytest.fixture(scope="module")
def scored() -> nbformat.NotebookNode:
    """A notebook with an exercise and an open task of 60 images."""
    asks = {"tags": ["exercise"]}
    return new_notebook(
        cells=[
            new_code_cell("import dataclasses\nimport torch\nfrom course_lib.exercises import Exercise, learning"),
            new_code_cell("once = Exercise(lambda x: x, lambda rng: [(torch.rand(1, generator=rng).item(),)])"),
            new_code_cell("quick = dataclasses.replace(learning.task, images=60, judged=50, seconds=3)"),
            new_code_cell("def same(x):\n    return None  # your turn", metadata=asks),
            new_code_cell("same = once.choose(same)"),
            new_markdown_cell(FOLDED),
            new_code_cell(LEARN.format("return None  # your turn"), metadata=asks),
            new_code_cell("quick.score(learn)"),
        ]
    )


def test_an_open_task_has_no_solution_and_is_handed_out_as_it_is(scored):
    assert exercises.exercises(scored) == {"same": 3, "learn": 6}
    assert exercises.open_tasks(scored) == {"learn": "quick"}
    assert exercises.open_tasks(of("learning.task.score(learn)")) == {}, "only after an exercise"
    assert "your turn" in handout(scored).cells[-2].source


def test_an_open_task_is_scored_beside_the_exercises(scored):
    found = grade(scored, of("def same(x):\n    return x", "import numpy\n%time help_me = 3\n" + MODEL))
    assert found["same"] == "right" and re.fullmatch(r"\d+\.\d %", found["learn"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LEARN.format("print('learn reads 99.0 % of 50 digits')"), "waiting"),
        (LEARN.format("raise ValueError('no')"), "has no score yet: it raises ValueError: no"),
        (LEARN.format("return torch.nn.Linear(400, 400)"), "has no score yet: its model has 160,400 weights, and 100,000 are "),
        ("def learn(images labels):", "could not be read: cell 1 is no Python (SyntaxError"),
        ("learner = 3", "missing"),
    ],
    ids=["waiting", "raises", "large", "broken", "missing"],
)
def test_what_gets_no_score_is_told_apart(scored, answer, words):
    assert grade(scored, of(answer))["learn"].startswith(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("while True: pass", "has no score yet: it takes more than 3 core-seconds"),
        ("import time; time.sleep(999)", "has no score yet: it does not end within 3 s"),
        ("import os; os._exit(1)", "has no score yet: it ends its process, or takes more memory than there is"),
    ],
    ids=["busy", "waits", "exits"],
)
def test_a_learn_without_an_end_or_that_ends_the_kernel_costs_only_itself(scored, monkeypatch, line, words):
    monkeypatch.setattr(grading, "PATIENCE", 1 if "sleep" in line else 40)
    assert grade(scored, of("def same(x):\n    return x", LEARN.format(line))) == {"same": "right", "learn": words}


def test_the_command_scores_an_open_task_and_first_the_course_s_own(scored, tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    nbformat.write(scored, tmp_path / "scored.ipynb")
    total = render(sample_factors("private:tulip", "train", range(60)))[0].sum().item()
    # Neither the word nor the typefaces are there, wherever a `learn` looks.
    asserts = ['import os; assert "tulip" not in str(os.environ)', f"assert images.sum() == {total}"]
    if not UNSAFE:
        look = "open(f'/proc/{p}/cmdline').read() for p in os.listdir('/proc') if p.isdigit()"
        asserts += [f"assert 'tulip' not in str([{look}])"]
    nbformat.write(of(MODEL.replace("    return", f"    {'; '.join(asserts)}\n    return")), tmp_path / "in" / "a.ipynb")
    for name in ("PRIVATE", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"):
        monkeypatch.setenv(name, "PRIVATE=tulip")
    monkeypatch.chdir(tmp_path)
    settings = ["--private", "tulip", "--csv", "table.csv", "--out", "out", *["--unsafe"] * UNSAFE]
    monkeypatch.setattr("sys.argv", ["grade", "scored.ipynb", "in", *settings])
    assert grade_class.main() == 0
    output, _ = capsys.readouterr()
    first, second, _ = output.splitlines()
    assert re.fullmatch(r"the course's own: learn: \d+\.\d %", first)
    assert re.fullmatch(r"a.ipynb: 0 of 1; same: missing; learn: \d+\.\d %", second)
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        header, row = csv.reader(file)
    assert header[4:8] == ["points", "maximum", "same", "learn"]
    assert row[4:8] == ["0", "1", "missing", second.rpartition(": ")[2]]


@pytest.mark.skipif(UNSAFE, reason=missing() or "there is a sandbox")
@pytest.mark.parametrize(
    "line",
    [
        "from course_lib.data import render, sample_factors; render(sample_factors('glyphs-color', 'unseen-fonts', range(5)))",
        "from course_lib.exercises.learning import task; return task.reference(images, labels)",
        "import gc; next(o for o in gc.get_objects() if isinstance(o, str) and o.startswith('private:'))",
    ],
    ids=["draws", "reference", "word"],
)
def test_a_learn_cannot_draw_the_typefaces_or_find_the_word(scored, line):
    found = grade(scored, of(LEARN.format(line)), private="tulip")["learn"]
    assert found.startswith("has no score yet: it raises"), found


@pytest.mark.parametrize(
    ("chapter", "name", "smaller", "answer"),
    [
        ("05_", "learn", {"images": 60, "judged": 50}, MODEL),
        (
            "07_",
            "draw",
            {"images": 200, "judged": 50, "compared": 20},
            "class Moved(torch.nn.Module):\n    def __init__(self, known):\n        super().__init__()\n"
            "        self.known = known\n    def forward(self, labels):\n"
            "        return self.known[labels, torch.randint(9, (len(labels),))].roll(2, dims=-1)\n\n"
            "def draw(images, labels):\n    x = images.float() / 255\n"
            "    return Moved(torch.stack([x[labels == k][:9] for k in range(10)]))",
        ),
        (
            "09_",
            "learn",
            {"images": 200, "judged": 50, "samples": 3},
            "class Alone(torch.nn.Module):\n    def __init__(self, shares):\n        super().__init__()\n"
            "        self.logits, self.prior = shares.logit(), (torch.ones(1), torch.zeros(1, 2), torch.eye(2)[None])\n"
            "    def encode(self, x):\n        return torch.zeros(len(x), 2), torch.zeros(len(x), 2)\n"
            "    def decode(self, z):\n        return self.logits.expand(len(z), -1, -1, -1)\n\n"
            "def learn(images):\n    return Alone(((images >= 128).sum(dim=0) + 0.5) / (len(images) + 1))",
        ),
    ],
    ids=["05", "07", "09"],
)
def test_the_open_task_of_a_chapter_is_scored_on_private_images(chapter, name, smaller, answer, monkeypatch):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(chapter))
    course = course_of(notebook(path))
    assert course.open == [name]
    task = course.tasks[name]
    small = dataclasses.replace(task, exercise=dataclasses.replace(task.exercise, **smaller))
    course = dataclasses.replace(course, tasks={name: small})
    found = grade_all(course, read_cells(of(answer)), boxes(), private="tulip")[name].text
    # The same as in this process.
    monkeypatch.setitem(sys.modules, "answer", module := types.ModuleType("answer"))
    module.torch = torch
    exec(answer, vars(module))
    assert found == in_words(small.exercise.measure(getattr(module, name), "private:tulip")) and found.endswith(" %")
    assert (found == "0.0 %") == (chapter == "09_"), "pixels one by one save nothing; the others score something"


@pytest.mark.parametrize("chapter", ["06_", "08_"])
def test_an_open_task_that_its_own_page_alone_scores_is_not_graded(chapter):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(chapter))
    course = course_of(notebook(path))
    assert "entry" in exercises.open_tasks(notebook(path)) and "entry" not in course.tasks and course.open == []


@pytest.mark.parametrize(
    ("chapter", "name", "task"),
    [
        ("05_", "learn", "learning.task"),
        ("06_", "entry", "adversarial_game_task.task"),
        ("07_", "draw", "drawing_gan_task.task"),
        ("08_", "entry", "variational_bound_task.task"),
        ("09_", "learn", "drawing_vae_task.task"),
    ],
)
def test_a_chapter_ends_in_its_task(chapter, name, task):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(chapter))
    assert exercises.open_tasks(notebook(path)) == {name: task}
