"""The exercises of a notebook, and the notebook without their solutions.

`make handout NOTEBOOK=notebooks/03_classification.ipynb` writes a copy into build/handout. It differs from the notebook in its
text alone: the folded solutions are gone, and the badge, which would open the notebook that has them. Its set-up cell still
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
from tools.notebook_form import dumps
from tools.setup_cell import BADGE_START, PLACEHOLDER_ACCOUNT, read_address

SOLUTION = re.compile(r"<details><summary>Solution</summary>(.*?)</details>\n*", re.DOTALL)
CODE = re.compile(r"```python\n(def (\w+)\(.*?)\n```", re.DOTALL)


def exercises(book: nbformat.NotebookNode) -> dict[str, int]:
    """The places of the cells of the exercises, by the name of the function that each asks for; the check is the next cell.

    Raises:
        ValueError: a cell tagged exercise does not define one function, or no code cell follows it.
    """
    found = {}
    for place, cell in enumerate(book.cells):
        if "exercise" not in cell.metadata.get("tags", []):
            continue
        names = [node.name for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
        if len(names) != 1:
            raise ValueError(f"the exercise in cell {place} defines {names}: it has to define one function")
        if place + 1 == len(book.cells) or book.cells[place + 1].cell_type != "code":
            raise ValueError(f"the exercise {names[0]} has no check: the next cell has to be one of code")
        found[names[0]] = place
    return found


def solutions(book: nbformat.NotebookNode) -> dict[str, str]:
    """The code of the folded solutions, by the name of their function."""
    texts = "\n".join(cell.source for cell in book.cells if cell.cell_type == "markdown")
    return {match[2]: match[1] for folded in SOLUTION.findall(texts) if (match := CODE.search(folded))}


def handout(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of a notebook without the solutions of its exercises and without its badge.

    Raises:
        ValueError: there is not one folded solution for each.
    """
    asked, folded = set(exercises(book)), set(solutions(book))
    if asked != folded:
        raise ValueError(f"the exercises are {sorted(asked)}, the folded solutions {sorted(folded)}: each exercise needs its own")
    book = copy.deepcopy(book)
    for cell in book.cells:
        if cell.cell_type == "markdown":
            text = cell.source.partition("\n")[2] if cell.source.startswith(BADGE_START) else cell.source
            cell.source = SOLUTION.sub("", text).strip("\n")
    book.cells = [cell for cell in book.cells if cell.source]
    return book


def read_course(path: Path) -> nbformat.NotebookNode:
    """A notebook of the course, by the path that NOTEBOOK gives.

    Raises:
        ValueError: there is no such file, or it has no exercises.
    """
    if not path.is_file():
        raise ValueError(f"NOTEBOOK is {str(path)!r}: give a notebook of the course, as notebooks/03_classification.ipynb")
    book = nbformat.read(path, as_version=4)
    if not exercises(book):
        raise ValueError(f"{path.name} has no exercises: there is nothing to hand out or to check")
    return book


def main() -> int:
    """Runs the command line and returns the exit status: 1 if there is nothing to hand out."""
    parser = argparse.ArgumentParser(prog="python -m tools.exercises", description="Writes a notebook without its solutions.")
    parser.add_argument("notebook", type=Path, help="a notebook of the course")
    path = parser.parse_args().notebook
    try:
        book = read_course(path)
        text = dumps(handout(book))
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
