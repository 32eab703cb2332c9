"""The commands that hand out and grade: a row for every file, tables, feedback, and one line where something is wrong."""

import csv
import json
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks.trial import SOLVED, UNSAFE, of, trial
from tools import exercises, grade_class


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs a command of this folder, in which course.ipynb lies; returns status, output and errors."""
    nbformat.write(trial(), tmp_path / "course.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exercises, "ROOT", tmp_path)

    def run(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        return main(), *capsys.readouterr()

    return run


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_command_has_a_row_for_every_file(command, tmp_path, jobs):
    (tmp_path / "in" / "b" / ".ipynb_checkpoints").mkdir(parents=True)
    canvas = ("mei_LATE_7_70_course.ipynb", "mei_7_71_course-1.ipynb")
    (moodle := tmp_path / "in" / "Jo Ü_5_assignsubmission_file").mkdir()
    for name in ("b/copy.ipynb", "Ärger, O'Neil [2].ipynb", "=1+1.ipynb", "b/.ipynb_checkpoints/copy.ipynb", *canvas):
        nbformat.write(of(*SOLVED.values()), tmp_path / "in" / name)
    nbformat.write(of(SOLVED["double"]), moodle / "mine.ipynb")
    (tmp_path / "in" / "a.ipynb").write_text("no notebook", encoding="utf-8")
    (tmp_path / "in" / "c.ipynb").write_text('{"cells": 3}', encoding="utf-8")
    (tmp_path / "in" / "d.ipynb").symlink_to(tmp_path / "course.ipynb")
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Letters")]), tmp_path / "in" / "e.ipynb")
    settings = ("--csv", "table.csv", "--out", "out", "-j", str(jobs), *["--unsafe"] * UNSAFE)
    status, output, _ = command(grade_class.main, "course.ipynb", "in", *settings)
    assert status == 0 and "5 of 10 files graded" in output.splitlines()[-1]
    right = "3 of 3; double: right; square: right; cube: right"
    for name in ("b/copy.ipynb", "Ärger, O'Neil [2].ipynb", "'=1+1.ipynb", canvas[1]):
        assert f"{name}: {right}" in output.splitlines()
    for line in (
        "a.ipynb: not graded: it is no notebook that can be read (NotJSONError): hand in again",
        "c.ipynb: not graded: it is no notebook that can be read (TypeError): hand in again",
        "d.ipynb: not graded: it is a link",
        "e.ipynb: not graded: it has none of the exercises; it is 'Letters'",
        f"{canvas[0]}: not graded: a later file of the same student counts: {canvas[1]}",
    ):
        assert line in output
    tables = {}
    for name in ("table", "out/moodle", "out/canvas"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            tables[name] = list(csv.reader(file))
    assert tables["table"][0] == [
        *("file", "student", "id", "late", "points", "maximum", "double", "square", "cube", "not graded")
    ]
    assert len(tables["table"]) == 11 and tables["table"][1][0] == "'=1+1.ipynb"
    assert tables["out/moodle"][1:] == [["Participant 5", "Jo Ü", "1", "3"]]
    assert tables["out/canvas"][2:] == [["mei", "7", "", "", "", "3"]]
    kept = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert len(kept["rows"]) == 10 and kept["maximum"] == 3
    assert len((tmp_path / "out" / "rows.jsonl").read_text(encoding="utf-8").splitlines()) == 10
    page = (tmp_path / "out" / "feedback" / "Jo Ü_5_assignsubmission_file_mine.ipynb.md").read_text(encoding="utf-8")
    assert "**1 of 3 points**" in page and "| `cube` | 0 | missing |" in page


def test_a_row_is_written_as_it_comes(command, tmp_path, monkeypatch):
    (tmp_path / "in").mkdir()
    for name in "abc":
        nbformat.write(of(*SOLVED.values()), tmp_path / "in" / f"{name}.ipynb")

    def breaks(self, one, grade=grade_class.Worker.grade):
        if one.name == "c.ipynb":
            raise MemoryError
        return grade(self, one)

    monkeypatch.setattr(grade_class.Worker, "grade", breaks)
    with pytest.raises(MemoryError):
        command(grade_class.main, "course.ipynb", "in", "--out", "out", *["--unsafe"] * UNSAFE)
    assert len((tmp_path / "out" / "rows.jsonl").read_text(encoding="utf-8").splitlines()) == 2


def test_without_a_sandbox_the_command_asks_for_unsafe(command, tmp_path, monkeypatch):
    monkeypatch.setattr(grade_class, "missing", lambda: "there is no bubblewrap")
    status, _, errors = command(grade_class.main, "course.ipynb", ".")
    assert status == 1 and "there is no bubblewrap" in errors and "UNSAFE=1" in errors


def test_the_handout_is_written_and_says_when_its_address_is_not_set(command, tmp_path):
    status, output, _ = command(exercises.main, "course.ipynb")
    assert status == 0 and output.startswith("build/handout/course.ipynb: 3 exercises without the solutions\n")
    text = (tmp_path / "build" / "handout" / "course.ipynb").read_text(encoding="utf-8")
    assert "As said" not in text and "### Where it comes from" in text


@pytest.mark.parametrize(
    ("main", "arguments", "words"),
    [
        (exercises.main, ["without.ipynb"], "without.ipynb has no exercises: there is nothing to hand out"),
        (exercises.main, ["nowhere.ipynb"], "NOTEBOOK is 'nowhere.ipynb': give a notebook of the course"),
        (exercises.main, [""], "NOTEBOOK is '.': give a notebook of the course"),
        (exercises.main, ["unchecked.ipynb"], "the exercise f has no check"),
        (exercises.main, ["two.ipynb"], "defines ['f', 'g']: several are asked for with a line of choose for each"),
        (exercises.main, ["one-of-two.ipynb"], "defines ['f', 'g'], and its check chooses ['g']"),
        (grade_class.main, ["without.ipynb", "."], "without.ipynb has no exercises: there is nothing to hand out or to check"),
        (grade_class.main, ["nowhere.ipynb", "."], "NOTEBOOK is 'nowhere.ipynb'"),
        (grade_class.main, ["course.ipynb", "nowhere"], "HANDED_IN is 'nowhere': give the folder"),
        (grade_class.main, ["course.ipynb", ""], "HANDED_IN is '': give the folder"),
        (grade_class.main, ["course.ipynb", "empty"], "HANDED_IN is 'empty': no file lies there"),
        (grade_class.main, ["course.ipynb", ".", "--csv", "nowhere/table.csv"], "CSV is 'nowhere/table.csv': its folder"),
        (grade_class.main, ["course.ipynb", ".", "--private", "tulip"], "PRIVATE is 'tulip': course.ipynb has no open task"),
    ],
)
def test_the_commands_say_in_one_line_what_is_wrong(command, tmp_path, main, arguments, words):
    stub = {"source": "def f():\n    return None", "metadata": {"tags": ["exercise"]}}
    (tmp_path / "empty").mkdir()
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Letters")]), tmp_path / "without.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell(**stub)]), tmp_path / "unchecked.ipynb")
    two = new_code_cell(stub["source"] + "\n\n\ndef g():\n    pass", metadata=stub["metadata"])
    nbformat.write(new_notebook(cells=[two, new_code_cell("f()")]), tmp_path / "two.ipynb")
    nbformat.write(new_notebook(cells=[two, new_code_cell("g = e.choose(g)")]), tmp_path / "one-of-two.ipynb")
    status, output, errors = command(main, *arguments)
    assert status == 1 and output == "" and words in errors and len(errors.splitlines()) == 1
