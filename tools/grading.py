"""Checks handed-in copies: `make grade NOTEBOOK=notebooks/03_classification.ipynb HANDED_IN=FOLDER`, a line for each file.

From a handed-in notebook only the cells that define the functions of the exercises are taken, found by these names: Colab changes
the ids of cells, and tags get lost. They are put into the course's own notebook, and of that the cells run that the checks and
the answers read, in a fresh kernel. So neither a changed check nor a stored output counts, nor a helper of the notebook that an
answer defines anew: each answer has its own names.

It executes what others wrote: run it where that can do no harm. It holds against mistakes, and not against somebody who means to
deceive.
"""

import argparse
import copy
import csv
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from tools.exercises import exercises, read_course
from tools.needed_cells import reads, replaces
from tools.notebooks import CELL_TIMEOUT, execute

LIMIT = 60  # seconds for an answer, and for its check; the checks of the course need less than one
# Letters of any language, digits, and the signs that learning platforms put into names. No control characters, which a terminal
# would obey, and no "=" in front, which a table would compute.
USUAL_NAME = re.compile(r"\w[\w .,()+'@-]*")
# A copy of the names that are there: what the answer defines beside its function is seen by that function alone.
ANSWER = "_names = dict(globals())\nexec(compile({source!r}, 'the answer', 'exec'), _names)\n{name} = _names[{name!r}]"


def handed_in_files(folder: str) -> tuple[list[Path], list[str]]:
    """The notebooks in a folder and the folders in it, ordered by name, and what was passed over, each with the reason.

    Raises:
        ValueError: it is no folder, or no notebook lies in it.
    """
    if not folder or not Path(folder).is_dir():
        raise ValueError(f"HANDED_IN is {folder!r}: give the folder in which the handed-in notebooks lie")
    found, passed_over = [], []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        if ".ipynb_checkpoints" in parts:
            continue
        if path.is_symlink() or not path.is_file():
            passed_over.append(f"{'/'.join(parts)!a}: a link or no file")
        elif not all(USUAL_NAME.fullmatch(part) for part in parts):
            passed_over.append(f"{'/'.join(parts)!a}: an unusual name")
        else:
            found.append(path)
    if not found and not passed_over:
        raise ValueError(f"HANDED_IN is {folder!r}: no file there ends in .ipynb")
    return found, passed_over


def answers(handed_in: nbformat.NotebookNode, asked: dict[str, int]) -> dict[str, str]:
    """The source of the last cell that defines each function that is asked for; without an entry where there is none."""
    found = {}
    for cell in handed_in.cells:
        for name in asked:
            if cell.cell_type == "code" and re.search(rf"^(async )?def {name}\b", cell.source, re.MULTILINE):
                # As the kernel does: lines such as %time are made Python.
                found[name] = TransformerManager().transform_cell(cell.source)
    return found


def names_read(source: str) -> set[str]:
    """The names that a cell reads; none where it is not Python, which its execution will show."""
    try:
        return reads(source)
    except SyntaxError:
        return set()


def needed(book: nbformat.NotebookNode, places: set[int]) -> list[int]:
    """The places of the code cells that those at `places` need, themselves included: the cells that bind the names they read.

    Cells that only change such a value are left out, as a training that nobody takes the result of: the checks ask for none.
    """
    wanted, chosen = set(), []
    for place in reversed(range(len(book.cells))):
        source = book.cells[place].source
        if book.cells[place].cell_type == "code" and (place in places or replaces(source) & wanted):
            chosen.append(place)
            wanted = (wanted - (set() if place in places else replaces(source))) | names_read(source)
    return sorted(chosen)


def assemble(book: nbformat.NotebookNode, given: dict[str, str]) -> tuple[nbformat.NotebookNode, dict[str, int]]:
    """A notebook of the answers, their checks, and what these need; and the places of the answers in it, by name.

    Args:
        book: the course's notebook.
        given: the sources of the answers, by the name of their function.
    """
    asked = exercises(book)
    book = copy.deepcopy(book)
    for name, source in given.items():
        book.cells[asked[name]].source = source
    keep = needed(book, {place for name in given for place in (asked[name], asked[name] + 1)})
    for name, source in given.items():
        book.cells[asked[name]].source = ANSWER.format(source=source, name=name)
        for cell in book.cells[asked[name] : asked[name] + 2]:
            cell.metadata["tags"] = ["raises-exception"]
    book.cells = [book.cells[place] for place in keep]
    for cell in book.cells:
        cell.outputs, cell.execution_count = [], None
    return book, {name: keep.index(asked[name]) for name in given}


def verdict(answer: nbformat.NotebookNode, check: nbformat.NotebookNode) -> str:
    """What was found of an executed answer: "right", "waiting", or the error of the answer or of its check, in a line."""
    for cell in (answer, check):
        for output in cell.outputs:
            if output.output_type == "error":
                text = " ".join(f"{output.ename}: {output.evalue}".split())
                return "".join(sign if sign.isprintable() else "?" for sign in text)[:200]
    # The check speaks after the answer, whatever that has printed.
    lines = "".join(output.get("text", "") for output in check.outputs if output.get("name") == "stdout").splitlines()
    said = [line for line in lines if "is right" in line or "waiting for you" in line]
    if not said:
        return "its check said nothing"
    return "waiting" if "waiting for you" in said[-1] else "right"


def grade(book: nbformat.NotebookNode, handed_in: nbformat.NotebookNode, seconds: int = LIMIT) -> dict[str, str]:
    """By the name of each exercise: "right", "waiting", "missing", or what was wrong, in a line.

    Args:
        book: the course's notebook.
        handed_in: a student's copy; what is not meant as an answer is not looked at.
        seconds: the limit for an answer, and for its check. After one that exceeds it, or ends the kernel, those below run anew.
    """
    asked = exercises(book)
    results = dict.fromkeys(asked, "missing")
    given = answers(handed_in, asked)
    while given:
        assembled, places = assemble(book, given)
        started: list[int] = []
        limited = {id(assembled.cells[place + step]) for place in places.values() for step in (0, 1)}
        settings = {
            "on_cell_execute": lambda cell, cell_index, started=started: started.append(cell_index),
            "timeout_func": lambda cell, limited=limited: seconds if id(cell) in limited else CELL_TIMEOUT,
            "shutdown_kernel": "immediate",
        }
        with tempfile.TemporaryDirectory() as folder:
            try:
                execute(assembled, Path(folder), {"COURSE_DEVICE": os.environ.get("COURSE_DEVICE", "cpu")}, **settings)
                stopped = ""
            except CellTimeoutError:
                stopped = f"does not end within {seconds} s"
            except DeadKernelError:
                stopped = "ends the kernel"
            except CellExecutionError as error:
                stopped = f"raises {error.ename}"
        for name, place in places.items():
            results[name] = verdict(*assembled.cells[place : place + 2])
        if not stopped:
            break
        culprits = [name for name, place in places.items() if started[-1] in (place, place + 1)]
        if not culprits:  # a cell of the course that an answer reads: there is nothing to run again
            return results | {name: f"a cell that it needs {stopped}" for name in given if places[name] > started[-1]}
        results[culprits[0]] = stopped
        given = {name: source for name, source in given.items() if places[name] > places[culprits[0]]}
    return results


def read(path: Path) -> nbformat.NotebookNode:
    """A handed-in notebook of any version.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        book = nbformat.read(path, as_version=4)
        for cell in book.cells:
            cell.cell_type, cell.source.splitlines()
    except Exception as error:  # nbformat raises what the broken file happens to cause
        raise ValueError(f"is no notebook ({type(error).__name__})") from error
    return book


def main() -> int:
    """Runs the command line and returns the exit status: 1 if something could not be checked, whatever the answers are worth."""
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description="Checks handed-in copies of a notebook.")
    parser.add_argument("notebook", type=Path, help="the notebook of the course")
    parser.add_argument("handed_in", help="the folder of the handed-in copies")
    parser.add_argument("--csv", default="", help="write a table of the results to this file too")
    parser.add_argument("--seconds", type=int, default=LIMIT, help=f"limit for an answer, and for its check ({LIMIT})")
    arguments = parser.parse_args()
    try:
        book = read_course(arguments.notebook)
        paths, passed_over = handed_in_files(arguments.handed_in)
        if arguments.csv and not Path(arguments.csv).parent.is_dir():
            raise ValueError(f"CSV is {arguments.csv!r}: its folder does not exist")
    except (OSError, ValueError) as error:
        print(f"make grade: {error}", file=sys.stderr)
        return 1
    for line in passed_over:
        print(f"passed over {line}", file=sys.stderr)
    table = [["file", "right", *exercises(book)]]
    for path in paths:
        name = path.relative_to(arguments.handed_in).as_posix()
        try:
            results = grade(book, read(path), arguments.seconds)
        except ValueError as error:
            passed_over.append(name)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        right = sum(result == "right" for result in results.values())
        table.append([name, right, *results.values()])
        print(f"{name}: {right} of {len(results)}; " + "; ".join(f"{n}: {r}" for n, r in results.items()), flush=True)
    if arguments.csv:
        with open(arguments.csv, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(table)
    return 1 if passed_over else 0


if __name__ == "__main__":
    sys.exit(main())
