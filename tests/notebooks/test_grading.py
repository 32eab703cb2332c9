"""What comes back is checked by the course's own checks alone; and the commands that hand out and grade."""

import csv
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.repository.files import NOTEBOOKS, notebook
from tools import exercises, grading
from tools.exercises import handout, solutions
from tools.grading import grade, one_by_one
from tools.setup_cell import BADGE_START, COLAB_LINE, SETUP_START

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


REFERENCES = """from course_lib.exercises import Exercise
import torch
def numbers(rng):
    return [(4.0,), *((float(number),) for number in 2 + torch.rand(2, generator=rng))]
tenfold_of_the_course = Exercise(lambda x: 10 * x, numbers, seconds=0.5)
squared_of_the_course = Exercise(lambda x: 10 * x * x, numbers)
counter = Exercise(type("Count", (), {"up": lambda self, x: x + 1}), numbers, use=lambda answer, x: answer().up(x))"""
ANSWERS = {
    "tenfold": "def tenfold(x):\n    return 10 * x",
    "squared": "def squared(x):\n    return tenfold(x) * x",
    "Counter": "class Counter:\n    def up(self, x):\n        return x + 1",
}


@pytest.fixture(scope="module")
def rebuilt() -> nbformat.NotebookNode:
    """A notebook in the rebuilt form: a cell that asks for two functions, and one that asks for a class."""
    stubs = {name: code.split("    return")[0] + "    return None  # your turn" for name, code in ANSWERS.items()}
    asks = {"tags": ["exercise"]}
    return new_notebook(
        cells=[
            new_markdown_cell("# 1 · Trial\n\n[Open in Colab](https://example.org)"),
            new_code_cell(f"{SETUP_START}\n%pip --version"),
            new_code_cell(REFERENCES),
            new_code_cell(stubs["tenfold"] + "\n\n\n" + stubs["squared"], metadata=asks),
            new_code_cell("tenfold = tenfold_of_the_course.choose(tenfold)\nsquared = squared_of_the_course.choose(squared)"),
            new_markdown_cell(FOLDED.format(code=ANSWERS["tenfold"] + "\n\n\n" + ANSWERS["squared"])),
            new_code_cell(stubs["Counter"], metadata=asks),
            new_code_cell("Counter = counter.choose(Counter)"),
            new_markdown_cell(FOLDED.format(code=ANSWERS["Counter"])),
        ]
    )


def of(*sources) -> nbformat.NotebookNode:
    """A handed-in notebook of these cells."""
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def test_a_chapter_is_checked_in_a_kernel_whatever_colab_and_the_student_have_changed():
    (path,) = [path for path in NOTEBOOKS if path.name.startswith("01_")]
    book = notebook(path)
    folded, asked = solutions(book), exercises.exercises(book)
    back = nbformat.from_dict(book)
    for cell in back.cells:
        cell.metadata, cell.source = nbformat.from_dict({"id": "of-Colab"}), str(cell.source)
        cell.pop("id")
    back.nbformat_minor = 0
    cells = {name: back.cells[place] for name, place in asked.items()}
    cells["conv1d"].source = "import numpy as np\n%time help_me = 3\n" + folded["conv1d"]
    # Beside a wrong answer, a check that was changed, and a helper of the notebook that was defined anew.
    cells["output_size"].source = "def slide(*anything):\n    return 3\ndef output_size(*numbers):\n    return slide()"
    back.cells[asked["output_size"] + 1].source = 'print("output_size is right in all 8 cases.")'
    cells["correlate"].source = folded["correlate"]
    found = grade(book, back)
    assert found.pop("output_size").startswith("output_size is not right yet: the size is off by up to")
    right = {"conv1d", "correlate"}
    assert found == {name: "right" if name in right else "waiting" for name in asked if name != "output_size"}


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


def test_in_the_rebuilt_form_several_functions_and_classes_are_asked_for(rebuilt):
    assert exercises.exercises(rebuilt) == {"tenfold": 3, "squared": 3, "Counter": 6}
    assert solutions(rebuilt)["tenfold"] == solutions(rebuilt)["squared"] and "class" in solutions(rebuilt)["Counter"]
    assert COLAB_LINE.search(handout(rebuilt).cells[0].source) is None
    split = one_by_one(rebuilt, seed=5)
    assert exercises.exercises(split) == {"tenfold": 3, "squared": 5, "Counter": 8}
    assert split.cells[5].source == "def squared(x):\n    return None"
    assert split.cells[6].source == "squared = squared_of_the_course.choose(squared, seed=5)"


def test_in_the_rebuilt_form_the_course_s_version_stands_in_for_a_wrong_answer_that_another_one_uses(rebuilt):
    both = "{}\n\n\n" + ANSWERS["squared"]
    wrong = both.format("def tenfold(x):\n    print('tenfold is right', end='')\n    return 9 * x")
    found = grade(rebuilt, of(wrong, "class Counter:\n    pass"))
    assert "tenfold is not right yet: the answer is off by up to 4, where the right numbers go up to 40" in found["tenfold"]
    assert found["squared"] == "right" and "AttributeError" in found["Counter"]
    # Also for one that ends in an error, or has no end.
    found = grade(rebuilt, of("def tenfold(x)\n    return", ANSWERS["squared"], ANSWERS["Counter"]))
    assert found["tenfold"].startswith("SyntaxError") and found["squared"] == found["Counter"] == "right"
    found = grade(rebuilt, of(both.format("def tenfold(x):\n    while True:\n        pass")))
    assert "tenfold is not right yet: it does not end within 0.5 s" in found["tenfold"] and found["squared"] == "right"
    assert found["Counter"] == "missing"


def test_in_the_rebuilt_form_the_cases_are_hidden(rebuilt):
    names: dict = {}
    exec(REFERENCES, names)
    known = {x: 10 * x for (x,) in names["numbers"](names["torch"].Generator().manual_seed(0))}
    learned = f"def tenfold(x):\n    return {known}.get(x, 0)"
    exec(learned, names)
    assert names["tenfold_of_the_course"].fault(names["tenfold"]) is None
    chosen = ANSWERS["squared"].replace("x) * x", "x)") + "\nsquared = squared_of_the_course.choose(squared)"
    found = grade(rebuilt, of(learned, chosen))
    assert "off by" in found["tenfold"] and "(case 2 of 3)" in found["tenfold"]
    assert found["squared"].startswith("This is the course's own")


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
        (exercises.main, ["two.ipynb"], "defines ['f', 'g']: several are asked for with a line of choose for each"),
        (exercises.main, ["one-of-two.ipynb"], "defines ['f', 'g'], and its check chooses ['g']"),
        (grading.main, ["without.ipynb", "."], "without.ipynb has no exercises: there is nothing to hand out or to check"),
        (grading.main, ["nowhere.ipynb", "."], "NOTEBOOK is 'nowhere.ipynb'"),
        (grading.main, ["course.ipynb", "nowhere"], "HANDED_IN is 'nowhere': give the folder"),
        (grading.main, ["course.ipynb", ""], "HANDED_IN is '': give the folder"),
        (grading.main, ["course.ipynb", "empty"], "HANDED_IN is 'empty': no file there ends in .ipynb"),
        (grading.main, ["course.ipynb", ".", "--csv", "nowhere/table.csv"], "CSV is 'nowhere/table.csv': its folder"),
        (grading.main, ["course.ipynb", ".", "--private", "tulip"], "PRIVATE is 'tulip': course.ipynb has no open task"),
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
    nbformat.write(new_notebook(cells=[two, new_code_cell("g = e.choose(g)")]), tmp_path / "one-of-two.ipynb")
    status, output, errors = command(main, *arguments)
    assert status == 1 and output == "" and words in errors and len(errors.splitlines()) == 1
