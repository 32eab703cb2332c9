"""An open task in a notebook: it has no solution, and the grader reports its score, on private images if a word is given."""

import contextlib
import csv
import io
import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib.data import render, sample_factors
from tests.repository.files import NOTEBOOKS, notebook
from tools import exercises, grading
from tools.exercises import handout
from tools.grading import grade, one_by_one

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


def of(*sources) -> nbformat.NotebookNode:
    """A handed-in notebook of these cells."""
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def test_an_open_task_has_no_solution_and_is_handed_out_as_it_is(scored):
    assert exercises.exercises(scored) == {"same": 3, "learn": 6}
    assert exercises.open_tasks(scored) == {"learn": "quick"}
    assert exercises.open_tasks(of("learning.task.score(learn)")) == {}, "only after an exercise"
    assert "your turn" in handout(scored).cells[-2].source
    assert one_by_one(scored).cells[7].source == "quick.score(learn)"
    assert one_by_one(scored, private="tu'lip").cells[7].source == """quick.score(learn, name="private:tu'lip")"""


def test_an_open_task_is_scored_beside_the_exercises(scored):
    found = grade(scored, of("def same(x):\n    return x", "import numpy\n%time help_me = 3\n" + MODEL))
    assert found["same"] == "right" and re.fullmatch(r"\d+\.\d %", found["learn"])


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (LEARN.format("print('learn reads 99.0 % of 50 digits')"), "waiting"),
        (LEARN.format("raise ValueError('no')"), "has no score yet: it raises ValueError: no"),
        (LEARN.format("return torch.nn.Linear(400, 400)"), "has no score yet: its model has 160,400 weights, and 100,000 are "),
        ("def learn(images labels):", "SyntaxError: "),
        ("learner = 3", "missing"),
    ],
    ids=["waiting", "raises", "large", "broken", "missing"],
)
def test_what_gets_no_score_is_told_apart(scored, answer, words):
    """As in a kernel, but without one: the cells run here."""
    given = grading.answers(of(answer), exercises.exercises(scored))
    assembled, places = grading.assemble(one_by_one(scored), given)
    names: dict = {}
    for cell in assembled.cells:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            try:
                exec(cell.source, names)
            except Exception as error:
                cell.outputs.append(new_output("error", ename=type(error).__name__, evalue=str(error)))
        cell.outputs.append(new_output("stream", text=said.getvalue()))
    found = [grading.verdict(*assembled.cells[place : place + 2]) for place in places.values()]
    assert (found or ["missing"])[0].startswith(words)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("while True: pass", "has no score yet: it takes more than 3 core-seconds"),
        ("import time; time.sleep(999)", "does not end within 15 s"),
        ("import os; os._exit(1)", "ends the kernel"),
    ],
    ids=["busy", "waits", "exits"],
)
def test_a_learn_without_an_end_or_that_ends_the_kernel_costs_only_itself(scored, monkeypatch, line, words):
    monkeypatch.setattr(grading, "CELL_TIMEOUT", 15)
    assert grade(scored, of("def same(x):\n    return x", LEARN.format(line))) == {"same": "right", "learn": words}


def test_the_command_scores_an_open_task_and_first_the_course_s_own(scored, tmp_path, monkeypatch, capsys):
    (tmp_path / "in").mkdir()
    nbformat.write(scored, tmp_path / "scored.ipynb")
    total = render(sample_factors("private:tulip", "train", range(60)))[0].sum().item()
    asserts = ['import os; assert "tulip" not in str(os.environ)', f"assert images.sum() == {total}"]
    nbformat.write(of(MODEL.replace("    return", f"    {'; '.join(asserts)}\n    return")), tmp_path / "in" / "a.ipynb")
    for name in ("PRIVATE", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"):
        monkeypatch.setenv(name, "PRIVATE=tulip")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["grading", "scored.ipynb", "in", "--private", "tulip", "--csv", "table.csv"])
    assert grading.main() == 0
    output, errors = capsys.readouterr()
    assert errors == ""
    first, second = output.splitlines()
    assert re.fullmatch(r"the course's own: learn: \d+\.\d %", first)
    assert re.fullmatch(r"a.ipynb: 0 of 1; same: missing; learn: \d+\.\d %", second)
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        header, own, row = csv.reader(file)
    assert header == ["file", "right", "same", "learn"] and own[:3] == ["the course's own", "", ""]
    assert row == ["a.ipynb", "0", "missing", second.rpartition(": ")[2]] and own[3] == first.rpartition(": ")[2]


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
def test_a_chapter_ends_in_the_task_that_is_graded(chapter, name, task):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(chapter))
    assert exercises.open_tasks(notebook(path)) == {name: task}
