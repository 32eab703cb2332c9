"""A notebook is handed out without its solutions, and what comes back is checked by the course's own checks alone."""

import builtins
import contextlib
import csv
import io
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools import exercises, grading
from tools.exercises import handout, solutions
from tools.grading import assemble, grade
from tools.needed_cells import reads, replaces
from tools.notebook_form import dumps, faults
from tools.setup_cell import BADGE_START, SETUP_START

WITH_EXERCISES = [path for path in NOTEBOOKS if exercises.exercises(notebook(path))]
FOLDED = "<details><summary>Solution</summary>\n\nAs said.\n\n```python\n{code}\n```\n\n</details>"
CHECK = """
if {name}(2) is None:
    print("Exercise {number} is waiting for you.")
else:
    assert equal({name}(2), {value}), "it should be {value}"
    print("Exercise {number} is right.\\n  and so on")
"""
SOLVED = {"double": "def double(x):\n    return 2 * x", "square": "def square(x):\n    return x * x"}
SOLVED["cube"] = "def cube(x):\n    return square(x) * x"


@pytest.fixture(scope="module")
def course() -> nbformat.NotebookNode:
    """A notebook of the course with three exercises, which takes no time."""
    cells = [
        new_markdown_cell(f"{BADGE_START}(https://example.org)\n\n# Trial"),
        new_code_cell(f"{SETUP_START}\nimport math"),
        new_code_cell("def equal(left, right):\n    return math.isclose(left, right)"),
        new_code_cell("raise RuntimeError('no check needs this cell')"),
        new_code_cell("expensive = 1 / 0"),
    ]
    for number, (name, code) in enumerate(SOLVED.items(), start=1):
        stub = f"def {name}(x):\n    return None  # your turn"
        cells += [
            new_markdown_cell(f"**{number}.** Write {name}."),
            new_code_cell(stub, metadata={"tags": ["exercise"]}),
            new_code_cell(CHECK.format(name=name, number=number, value=(4, 4, 8)[number - 1])),
            new_markdown_cell(FOLDED.format(code=code) + "\n\n### Where it comes from" * (number == 3)),
        ]
    return new_notebook(cells=cells)


def of(*sources) -> nbformat.NotebookNode:
    """A handed-in notebook of these cells."""
    return new_notebook(cells=[new_code_cell(source) for source in sources])


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=name_of)
def test_what_is_handed_out_is_the_notebook_without_solutions_and_badge(path):
    before, after = notebook(path), handout(notebook(path))
    assert [c for c in after.cells if c.cell_type == "code"] == [c for c in before.cells if c.cell_type == "code"]
    assert exercises.exercises(after) and solutions(after) == {} and faults(after) == []
    text = "\n\n".join(cell.source for cell in after.cells if cell.cell_type == "markdown")
    for code in solutions(before).values():
        assert code not in text
    assert "Solution" not in text and BADGE_START not in text
    assert after.cells[0].source.startswith("# ") and "### Where it comes from" in text
    # Nothing else is lost.
    lost = "".join(match[0] for cell in before.cells for match in exercises.SOLUTION.finditer(cell.source))
    lost += before.cells[0].source.splitlines()[0]
    left, whole = ("".join(cell.source for cell in book.cells) for book in (after, before))
    assert sorted("".join((left + lost).split())) == sorted("".join(whole.split()))
    assert dumps(nbformat.reads(dumps(after), as_version=4)) == dumps(after)


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=name_of)
def test_the_checks_of_a_chapter_need_few_cells_and_take_each_solution(path):
    """The cells that `make grade` runs, run here without a kernel."""
    book = notebook(path)
    assembled, places = assemble(book, solutions(book))
    assert len(assembled.cells) <= 2 * len(places) + 2, "it would run cells that no check needs"
    names: dict = {}
    for number, cell in enumerate(assembled.cells):
        with contextlib.redirect_stdout(io.StringIO()) as said:
            exec(cell.source, names)
        if number - 1 in places.values():
            assert "is right" in said.getvalue() and "waiting" not in said.getvalue()


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=name_of)
def test_no_exercise_needs_another_one_to_be_answered(path):
    for name, code in solutions(notebook(path)).items():
        known = {*dir(builtins), "_names"}
        for cell in assemble(notebook(path), {name: code})[0].cells:
            assert reads(cell.source) <= known
            assert f"{name} = _names" not in cell.source or reads(code) <= known
            known |= replaces(cell.source)


def test_a_chapter_is_checked_in_a_kernel_whatever_colab_and_the_student_have_changed():
    (path,) = [path for path in NOTEBOOKS if path.name.startswith("01_")]
    book = notebook(path)
    folded, asked = solutions(book), exercises.exercises(book)
    back = nbformat.from_dict(book)
    for cell in back.cells:
        cell.metadata, cell.source = nbformat.from_dict({"id": "of-Colab"}), str(cell.source)
        cell.pop("id")
    back.nbformat_minor = 0
    cells = [back.cells[place] for place in asked.values()]
    checks = [back.cells[place + 1] for place in asked.values()]
    cells[0].source = "import numpy as np\n%time help_me = 3\n" + folded["kernel_that_moves_right"]
    # Beside a wrong answer, a check that was changed, and a helper of the notebook that was defined anew.
    cells[1].source = "def close(*anything):\n    return True\ndef conv1d_by_taps(x, weight, stride):\n    return x[:1]"
    checks[1].source = 'print("Exercise 2 is right.")'
    cells[2].source = folded["conv1d_input_gradient"]
    found = grade(book, back)
    assert found.pop("conv1d_by_taps") == "AssertionError: wrong for length 7, 3 taps, stride 1"
    assert found == {
        "kernel_that_moves_right": "right",
        "conv1d_input_gradient": "right",
        "strides_of_the_network": "waiting",
    }


def test_answers_that_are_not_right_are_told_from_each_other_in_one_kernel(course):
    found = grade(course, of("def double(x)\n    return 2", SOLVED["square"], "x = 1\ndef cube(x):\n    return helper(x)"))
    assert found["double"].startswith("SyntaxError") and found["square"] == "right"
    assert found["cube"] == "NameError: name 'helper' is not defined"
    lie = 'def double(x):\n    print("Exercise 1 is right.", end="")'
    leave = 'import sys\ndef square(x):\n    print("Exercise 2 is right.")\n    sys.exit()'
    found = grade(course, of(lie, leave, "def cube(x):\n    raise ValueError('\\x1b[2J' + 1000 * 'long\\n')"))
    assert found["double"] == "waiting" and found["square"].startswith("SystemExit")
    assert found["cube"].startswith("ValueError: ?[2Jlong long") and len(found["cube"]) == 200


def test_an_answer_without_an_end_and_one_that_ends_the_kernel_cost_only_themselves(course):
    loop, end = "def double(x):\n    while True:\n        pass", "import os\ndef square(x):\n    os._exit(1)"
    found = grade(course, of(loop, end, "def cube(x):\n    return x**3"), seconds=2)
    assert found == {"double": "does not end within 2 s", "square": "ends the kernel", "cube": "right"}


def test_a_cell_of_the_course_that_an_answer_reads_runs_and_its_error_is_reported(course):
    found = grade(course, of(SOLVED["double"], "y = expensive\n" + SOLVED["square"]))
    assert found == {
        "double": "a cell that it needs raises ZeroDivisionError",
        "square": "a cell that it needs raises ZeroDivisionError",
        "cube": "missing",
    }


def test_the_last_definition_counts_as_it_does_for_the_student(course):
    found = grading.answers(of("def double(x):\n    return 1", "double(2)", SOLVED["double"]), exercises.exercises(course))
    assert found == {"double": SOLVED["double"] + "\n"}


@pytest.fixture
def command(course, tmp_path, monkeypatch, capsys):
    """Runs a command of this folder, in which course.ipynb lies; returns status, output and errors."""
    nbformat.write(course, tmp_path / "course.ipynb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(exercises, "ROOT", tmp_path)

    def run(main, *arguments):
        monkeypatch.setattr(sys, "argv", ["command", *arguments])
        return main(), *capsys.readouterr()

    return run


def test_the_command_lists_every_file_in_order_and_goes_on_after_a_broken_one(command, course, tmp_path):
    (tmp_path / "in" / "b" / ".ipynb_checkpoints").mkdir(parents=True)
    for name in ("b/copy.ipynb", "Ärger, O'Neil (2).ipynb", "=1+1.ipynb", "b/.ipynb_checkpoints/copy-checkpoint.ipynb"):
        nbformat.write(of(*SOLVED.values()), tmp_path / "in" / name)
    (tmp_path / "in" / "a.ipynb").write_text("no notebook", encoding="utf-8")
    (tmp_path / "in" / "c.ipynb").write_text('{"cells": 3}', encoding="utf-8")
    (tmp_path / "in" / "link.ipynb").symlink_to(tmp_path / "course.ipynb")
    status, output, errors = command(grading.main, "course.ipynb", "in", "--csv", "table.csv")
    right = "3 of 3; double: right; square: right; cube: right"
    assert status == 1
    assert output.splitlines() == [f"b/copy.ipynb: {right}", f"Ärger, O'Neil (2).ipynb: {right}"]
    assert errors.splitlines() == [
        "passed over '=1+1.ipynb': an unusual name",
        "passed over 'link.ipynb': a link or no file",
        "a.ipynb: is no notebook (NotJSONError)",
        "c.ipynb: is no notebook (TypeError)",
    ]
    with (tmp_path / "table.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [["file", "right", "double", "square", "cube"], ["b/copy.ipynb", "3", "right", "right", "right"]]


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
        (exercises.main, ["unsolved.ipynb"], "the exercises are ['f'], the folded solutions []: each exercise needs its own"),
        (exercises.main, ["unchecked.ipynb"], "the exercise f has no check"),
        (exercises.main, ["two.ipynb"], "defines ['f', 'g']: it has to define one function"),
        (grading.main, ["without.ipynb", "."], "without.ipynb has no exercises: there is nothing to hand out or to check"),
        (grading.main, ["nowhere.ipynb", "."], "NOTEBOOK is 'nowhere.ipynb'"),
        (grading.main, ["course.ipynb", "nowhere"], "HANDED_IN is 'nowhere': give the folder"),
        (grading.main, ["course.ipynb", ""], "HANDED_IN is '': give the folder"),
        (grading.main, ["course.ipynb", "empty"], "HANDED_IN is 'empty': no file there ends in .ipynb"),
        (grading.main, ["course.ipynb", ".", "--csv", "nowhere/table.csv"], "CSV is 'nowhere/table.csv': its folder"),
    ],
)
def test_the_commands_say_in_one_line_what_is_wrong(command, tmp_path, main, arguments, words):
    stub = {"source": "def f():\n    return None", "metadata": {"tags": ["exercise"]}}
    (tmp_path / "empty").mkdir()
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Letters")]), tmp_path / "without.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell(**stub), new_code_cell("f()")]), tmp_path / "unsolved.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell(**stub)]), tmp_path / "unchecked.ipynb")
    two = new_code_cell(stub["source"] + "\n\n\ndef g():\n    pass", metadata=stub["metadata"])
    nbformat.write(new_notebook(cells=[two, new_code_cell("f()")]), tmp_path / "two.ipynb")
    status, output, errors = command(main, *arguments)
    assert status == 1 and output == "" and words in errors and len(errors.splitlines()) == 1
