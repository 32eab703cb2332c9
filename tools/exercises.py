"""The exercises of a notebook, and the notebook without their solutions.

An exercise cell asks for every function and class that it defines, and the next cell checks them. In the notebooks that were
rebuilt the check is a line for each name, `NAME = exercises.NAME.choose(NAME)`, and what follows runs on what it chose. In the
others an exercise is one function, and its check is a cell of assertions.

An open task is an exercise without a right answer: the next cell scores it, `exercises.learning.task.score(learn)`, and there is
no solution.

`make handout NOTEBOOK=notebooks/01_convolution.ipynb` writes a copy into build/handout. It differs from the notebook in its
text alone: the folded solutions are gone, and the Colab link, which would open the notebook that has them. Its set-up cell still
installs course_lib in Colab. tools/grading.py checks what comes back.
"""

import argparse
import ast
import copy
import re
import sys
from pathlib import Path

import nbformat

from tools.files import ROOT, write_atomically
from tools.needed_cells import parse
from tools.notebook_form import dumps
from tools.setup_cell import COLAB_LINE, PLACEHOLDER_ACCOUNT, read_address

SOLUTION = re.compile(r"<details><summary>Solution</summary>(.*?)</details>\n*", re.DOTALL)
CODE = re.compile(r"```python\n(.*?)\n```", re.DOTALL)
CHOICE = re.compile(r"\.choose\((\w+)(?=[,)])")
HOW_TO_HAND_IN = (
    "\n\n**Handing in.** This notebook, as an `.ipynb` file (Colab: File → Download). What counts is every function and class "
    "that an exercise asks for; imports and helper functions count wherever they stand. Checks and outputs do not count."
)
SCORE = re.compile(r"\b([\w.]{1,99})\.score\((\w+)(?=[,)])")  # the task, and the name of what is scored


def definitions(source: str) -> dict[str, str]:
    """The functions and classes that code defines at its top level: the source of each, by name."""
    nodes = [node for node in parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    return {node.name: ast.get_source_segment(source, node) for node in nodes}


def exercises(book: nbformat.NotebookNode) -> dict[str, int]:
    """The places of the exercise cells, by each name that is asked for; the check is the next cell.

    Raises:
        ValueError: a cell tagged exercise asks for nothing, or has no check in the next cell, or not for each name.
    """
    found = {}
    for place, cell in enumerate(book.cells):
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        names = [*definitions(cell.source)]
        if place + 1 == len(book.cells) or book.cells[place + 1].cell_type != "code":
            raise ValueError(f"the exercise {', '.join(names)} has no check: the next cell has to be one of code")
        check = book.cells[place + 1].source
        chosen = CHOICE.findall(check) or [name for _, name in SCORE.findall(check)]
        if chosen and chosen != names:
            raise ValueError(f"the exercise in cell {place} defines {names}, and its check chooses {chosen}: each in its order")
        if not chosen and len(names) != 1:
            raise ValueError(
                f"the exercise in cell {place} defines {names}: several are asked for with a line of choose for each"
            )
        found.update(dict.fromkeys(names, place))
    return found


def open_tasks(book: nbformat.NotebookNode) -> dict[str, str]:
    """The exercises that are scored: by the name that is asked for, the expression of the task."""
    checks = {name: book.cells[place + 1].source for name, place in exercises(book).items()}
    return {name: found[1] for name, check in checks.items() if (found := SCORE.search(check))}


def solutions(book: nbformat.NotebookNode) -> dict[str, str]:
    """The code of the folded solutions, by each name that it defines."""
    texts = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    codes = [code for folded in SOLUTION.findall(texts) for code in CODE.findall(folded)]
    return {name: code for code in codes for name in definitions(code)}


def handout(book: nbformat.NotebookNode, seed: int = 0) -> nbformat.NotebookNode:
    """A copy of a notebook without the folded solutions of its exercises and without its Colab link. An exercise of your own may
    have its solution elsewhere.

    seed: of the numbers on which the checks of the copy try an answer. An exercise asks for a function of all its numbers, so
    they are what can be another's; its text holds none that could.
    """
    places = set(exercises(book).values())  # raises where an exercise has no check
    book = copy.deepcopy(book)
    for check in [book.cells[place + 1] for place in places] if seed else []:
        check.source = CHOICE.sub(rf".choose(\1, seed={seed}", check.source)
    for cell in book.cells:
        if cell.cell_type == "markdown":
            cell.source = SOLUTION.sub("", COLAB_LINE.sub("", cell.source)).strip("\n")
    book.cells = [cell for cell in book.cells if cell.source]
    if book.cells[0].cell_type == "markdown":
        book.cells[0].source += HOW_TO_HAND_IN
    return book


def read_course(path: Path) -> nbformat.NotebookNode:
    """A notebook of the course, by the path that NOTEBOOK gives.

    Raises:
        ValueError: there is no such file, or it has no exercises.
    """
    if not path.is_file():
        raise ValueError(f"NOTEBOOK is {str(path)!r}: give a notebook of the course, as notebooks/01_convolution.ipynb")
    book = nbformat.read(path, as_version=4)
    if not exercises(book):
        raise ValueError(f"{path.name} has no exercises: there is nothing to hand out or to check")
    return book


def main() -> int:
    """Runs the command line and returns the exit status: 1 if there is nothing to hand out."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description="Writes a notebook without its solutions.")
    parser.add_argument("notebook", type=Path, help="a notebook of the course")
    parser.add_argument("--seed", type=int, default=0, help="of the numbers in the checks (0, as in the notebook)")
    given = parser.parse_args()
    path = given.notebook
    try:
        book = read_course(path)
        text = dumps(handout(book, given.seed))
    except (OSError, ValueError) as error:
        print(f"make handout: {error}", file=sys.stderr)
        return 1
    target = ROOT / "build" / "handout" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, text)
    count = len(exercises(book))
    print(f"{target.relative_to(ROOT)}: {count} exercise{'s' if count > 1 else ''} without the solutions")
    if PLACEHOLDER_ACCOUNT in read_address().repository:
        print("In Colab it cannot install course_lib yet: give the course its address by make address first, and publish it.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
