"""What comes back is judged fairly: what worked for the student counts, and a wrong answer does not."""

import os
import subprocess
import sys

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.exercises import Exercise
from tests.notebooks.trial import FOLDED, SOLVED, grade, of, trial
from tests.repository.files import NOTEBOOKS, ROOT, notebook
from tools import exercises
from tools.answers import find, read_cells, stubs
from tools.exercises import handout, solutions
from tools.setup_cell import COLAB_LINE, SETUP_START


@pytest.fixture(scope="module")
def course() -> nbformat.NotebookNode:
    """A notebook of the course with three exercises, which takes no time."""
    return trial()


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
    assert (
        found["double"].startswith("could not be read: cell 1 is no Python (SyntaxError in line 1") and found["square"] == "right"
    )
    assert found["cube"] == "it needs helper, which no cell of the notebook makes"
    lie = 'def double(x):\n    print("Exercise 1 is right.", end="")'
    leave = 'import sys\ndef square(x):\n    print("Exercise 2 is right.")\n    sys.exit()'
    found = grade(course, of(lie, leave, "def cube(x):\n    raise ValueError('\\x1b[2J' + 1000 * 'long\\n')"))
    assert found["double"] == "waiting" and found["square"].startswith("SystemExit")
    assert found["cube"].startswith("ValueError: ?[2Jlong long") and len(found["cube"]) == 240


def test_an_answer_without_an_end_and_one_that_ends_the_kernel_cost_only_themselves(course):
    loop, end = "def double(x):\n    while True:\n        pass", "import os\ndef square(x):\n    os._exit(1)"
    found = grade(course, of(loop, end, "def cube(x):\n    return x**3"), seconds=2)
    assert found == {
        "double": "does not end within 2 s",
        "square": "ends its process, or takes more memory than there is",
        "cube": "right",
    }


def test_a_cell_of_the_course_that_an_answer_reads_runs_and_its_error_is_reported(course):
    found = grade(course, of(SOLVED["double"], "def square(x):\n    return expensive * x"))
    reason = "a cell that it needs raises ZeroDivisionError: division by zero (expensive = 1 / 0)"
    assert found == {"double": "right", "square": reason, "cube": "missing"}


def test_what_could_not_be_read_is_not_blamed_on_the_answer(course):
    found = grade(course, of("helper = 3 +\n", "def double(x):\n    return helper * x / helper", SOLVED["square"]))
    assert found["double"].startswith("could not be graded: it needs helper, and cell 1 is no Python (SyntaxError in line 1")
    assert found["square"] == "right"


@pytest.mark.parametrize(
    "cells",
    [
        ("def double(x):\n    return helped(x)", "helped = lambda x: 2 * x"),
        ("%%capture\nfrom math import *\ndef double(x):\n    return trunc(2 * x)",),
        ("%%bash\nls", "!ls\n%matplotlib inline\n%time two = 2\ndef double(x):\n    return two * x"),
        ("table = {}", "for k in range(9):\n    table[k] = 2 * k", "def double(x):\n    return table[x]"),
        ("def double(x):\n    return 2 * x", "def double(x):\n    return None  # your turn"),
        ("def other(x):\n    return x + x", "double = other"),
        ("class Helper:\n    two = 2", "async def unused(): pass", "def double(x, by=Helper.two):\n    return by * x"),
        ("math = 2", "def double(x):\n    return math * x", "math = 7"),
    ],
)
def test_what_worked_in_the_student_s_notebook_counts(course, cells):
    assert grade(course, of(*cells))["double"] == "right"


def test_in_the_rebuilt_form_several_functions_and_classes_are_asked_for(rebuilt):
    assert exercises.exercises(rebuilt) == {"tenfold": 3, "squared": 3, "Counter": 6}
    assert solutions(rebuilt)["tenfold"] == solutions(rebuilt)["squared"] and "class" in solutions(rebuilt)["Counter"]
    assert COLAB_LINE.search(handout(rebuilt).cells[0].source) is None


def test_in_the_rebuilt_form_the_course_s_version_stands_in_for_a_wrong_answer_that_another_one_uses(rebuilt):
    both = "{}\n\n\n" + ANSWERS["squared"]
    wrong = both.format("def tenfold(x):\n    print('tenfold is right', end='')\n    return 9 * x")
    found = grade(rebuilt, of(wrong, "class Counter:\n    pass"))
    assert "tenfold is not right yet: the answer is off by up to 4, where the right numbers go up to 40" in found["tenfold"]
    assert found["squared"] == "right" and "AttributeError" in found["Counter"]
    # Also for one that ends in an error, or has no end.
    found = grade(rebuilt, of("def tenfold(x)\n    return", ANSWERS["squared"], ANSWERS["Counter"]))
    assert found["tenfold"].startswith("could not be read") and found["squared"] == found["Counter"] == "right"
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
    assert "off by" in found["tenfold"] and found["tenfold"].endswith("(case 2 of 3); in the cases of the page it is right")
    assert found["squared"].startswith("squared is not right yet"), "a line of choose is no answer"


def test_the_last_definition_counts_as_it_does_for_the_student(course):
    cells = read_cells(of("def double(x):\n    return 1", "double(2)", SOLVED["double"]))
    assert cells.statements[find(cells, stubs(course))["double"]].cell == 2


def test_parts_count_by_their_share(rebuilt):
    exercise = Exercise(lambda x: (x, 2 * x), lambda rng: [(torch.rand(3, generator=rng),)], ("output", "gradient"))
    assert exercise.verdict(lambda x: (x, x)).share == 0.5
    assert exercise.verdict(lambda x: (x, 2 * x)).share == 1
    assert exercise.verdict(lambda x: x).share == exercise.verdict(lambda x: 1 / 0).share == 0


def test_asserts_count_whatever_pythonoptimize_says():
    code = (
        "from tests.notebooks.trial import trial\nfrom tools.tasks import course_of, judge_cells\ncourse = course_of(trial())\n"
        "print(judge_cells(course, course.tasks['double'], lambda x: 3 * x))"
    )
    settings = {"cwd": ROOT, "capture_output": True, "text": True, "env": {**os.environ, "PYTHONPATH": str(ROOT)}}
    said = subprocess.run([sys.executable, "-O", "-c", code], **settings)
    assert said.stdout == "AssertionError: it should be 4\n", said.stderr
