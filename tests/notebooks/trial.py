"""A notebook of three exercises that takes no time, for the tests of the grader."""

import atexit
import functools
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools.answers import read_cells
from tools.grading import Boxes, grade_all
from tools.sandbox.host import missing
from tools.setup_cell import BADGE_START, SETUP_START
from tools.tasks import course_of

UNSAFE = bool(missing())  # where there is no sandbox, the same without walls
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


def trial() -> nbformat.NotebookNode:
    """The notebook: double, square and cube, with checks of assertions."""
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


@functools.cache
def boxes() -> Boxes:
    """The sandboxes of all tests of a worker, since a start takes seconds."""
    started = Boxes((), UNSAFE)
    atexit.register(started.__exit__)
    return started


def grade(book: nbformat.NotebookNode, handed_in: nbformat.NotebookNode, **settings: Any) -> dict[str, str]:
    """What the grader finds of each exercise."""
    found = grade_all(course_of(book), read_cells(handed_in), boxes(), **settings)
    return {name: result.text for name, result in found.items()}
