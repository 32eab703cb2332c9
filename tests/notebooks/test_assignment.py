"""The exercises in the forms of other graders: right, wrong and empty hand-ins get the same points there."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks import hand_ins
from tests.repository.files import NOTEBOOKS, ROOT
from tools.assignment import FORMATS, for_nbgrader, for_otter, parts_of, write
from tools.exercises import solutions

# Where Otter-Grader and nbgrader are installed: a folder of commands, as .venv-assignments/bin.
TOOLS = os.environ.get("COURSE_ASSIGNMENTS", "")
MATERIAL = hand_ins.CONVOLUTION
POINTS = {"right": 3, "wrong": 0, "empty": 0}


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """A notebook of three exercises."""
    (whole,) = (path for path in NOTEBOOKS if path.name.startswith(MATERIAL.notebook))
    short = tmp_path_factory.mktemp("course") / "short.ipynb"
    nbformat.write(hand_ins.shortened(whole, MATERIAL.names), short)
    return short


def answered(student_version: Path, kind: str, folded: dict[str, str]) -> nbformat.NotebookNode:
    """The students' version with the answers of a kind."""
    book = nbformat.read(student_version, 4)
    answers = {"right": folded, "wrong": MATERIAL.wrong, "empty": {}}[kind]
    for cell in book.cells:
        for name in MATERIAL.names:
            if cell.cell_type == "code" and cell.source.startswith(f"def {name}(") and name in answers:
                cell.source = answers[name]
    return book


def test_the_tests_raise_and_no_student_gets_the_solutions(path, tmp_path):
    book = nbformat.read(path, 4)
    needs, parts = parts_of(book, 7)
    for kind, points in POINTS.items():
        count = 0
        for part in parts:
            names: dict = {}
            exec("\n".join(needs), names)
            answers = {"right": part.solution, "wrong": MATERIAL.wrong[part.names[0]], "empty": part.stub}
            exec(answers[kind], names)
            for line, test in zip(part.checks, part.hidden, strict=True):
                exec(line, names)
                try:
                    exec(test, names)
                    count += 1
                except AssertionError:
                    pass
        assert count == points, kind
    for name, code in solutions(book).items():
        assert name not in MATERIAL.names or code not in str(for_otter(book, 7, "short"))
    assert sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in for_nbgrader(book, 7).cells) == 3
    for form in FORMATS:
        assert write(path, form, 7, tmp_path / form)


def run(*command, **settings) -> str:
    """Runs a command of the graders, whose folder is first on PATH."""
    environment = {**os.environ, "PATH": os.pathsep.join([TOOLS, os.environ["PATH"]]), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([str(one) for one in command], capture_output=True, text=True, env=environment, **settings)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(not TOOLS, reason="COURSE_ASSIGNMENTS names no folder with otter and nbgrader: see TEACHING.md")
def test_otter_grades_right_wrong_and_empty(path, tmp_path):
    write(path, "otter", 7, tmp_path)
    (tmp_path / "dist").mkdir()
    run(f"{TOOLS}/otter", "assign", "short.ipynb", "dist", cwd=tmp_path)
    (archive,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    for kind, points in POINTS.items():
        (tmp_path / kind).mkdir()
        book = answered(tmp_path / "dist" / "student" / "short.ipynb", kind, solutions(nbformat.read(path, 4)))
        nbformat.write(book, tmp_path / kind / "short.ipynb")
        run(f"{TOOLS}/otter", "run", "short.ipynb", "-a", archive, "-o", ".", cwd=tmp_path / kind)
        found = json.loads((tmp_path / kind / "results.json").read_text())
        assert sum(test.get("score", 0) for test in found["tests"]) == points, kind


@pytest.mark.skipif(not TOOLS, reason="COURSE_ASSIGNMENTS names no folder with otter and nbgrader: see TEACHING.md")
def test_nbgrader_grades_right_wrong_and_empty(path, tmp_path):
    write(path, "nbgrader", 7, tmp_path)
    run(f"{TOOLS}/nbgrader", "generate_assignment", "short", "--create", cwd=tmp_path)
    released = tmp_path / "release" / "short" / "short.ipynb"
    assert "seed=7" not in released.read_text()
    for kind in POINTS:
        (tmp_path / "submitted" / kind / "short").mkdir(parents=True)
        book = answered(released, kind, solutions(nbformat.read(path, 4)))
        nbformat.write(book, tmp_path / "submitted" / kind / "short" / "short.ipynb")
    run(f"{TOOLS}/nbgrader", "autograde", "short", "--create", cwd=tmp_path)
    run(f"{TOOLS}/nbgrader", "export", "--to", "grades.csv", cwd=tmp_path)
    lines = (tmp_path / "grades.csv").read_text().splitlines()
    head = lines[0].split(",")
    rows = [dict(zip(head, line.split(","), strict=False)) for line in lines[1:]]
    assert {row["student_id"]: float(row["score"]) for row in rows} == POINTS


@pytest.mark.skipif(not os.environ.get("COURSE_CLASS"), reason="it starts the grader three times: make test-class")
def test_the_autograder_of_classroom_50_grades_right_wrong_and_empty(tmp_path):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith("00_"))
    write(path, "classroom50", 7, tmp_path)
    folded = solutions(nbformat.read(path, 4))
    wrong = {name: f"def {name}(*numbers):\n    return numbers[0]" for name in folded}
    for kind, points in {"right": 2, "wrong": 0, "empty": 0}.items():
        folder = tmp_path / kind
        shutil.copytree(tmp_path / "template", folder)
        book = nbformat.read(folder / path.name, 4)
        if kind != "empty":
            answers = folded if kind == "right" else wrong
            book.cells += [nbformat.v4.new_code_cell(code) for code in dict.fromkeys(answers.values())]
        nbformat.write(book, folder / path.name)
        settings = {"COURSE": str(ROOT), "PYTHONPATH": str(ROOT), "CLASSROOM": "c", "ASSIGNMENT": "a"}
        script = tmp_path / "autograders" / path.stem / "autograder.py"
        subprocess.run([sys.executable, script], cwd=folder, check=True, env={**os.environ, **settings}, capture_output=True)
        found = json.loads((folder / "result.json").read_text())
        assert found["schema"] == "classroom50/result/v1" and (found["score"], found["max-score"]) == (points, 2), kind
    shutil.rmtree(ROOT / "build" / "classroom50", ignore_errors=True)


def test_a_format_that_is_not_known_is_refused():
    done = subprocess.run([sys.executable, "-m", "tools.assignment", "x.ipynb", "word"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "FORMAT is 'word': give one of otter, nbgrader, classroom50" in done.stderr
