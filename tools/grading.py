"""Checks handed-in copies: `make grade NOTEBOOK=notebooks/01_convolution.ipynb HANDED_IN=FOLDER`, a line for each file.

From a handed-in notebook only the cells that define what the exercises ask for are taken, found by these names: Colab changes
the ids of cells, and tags get lost. They are put into the course's own notebook, and of that the cells run that the checks and
the answers read, in a fresh kernel. So neither a changed check nor a stored output counts, nor a helper of the notebook that an
answer defines anew: each answer has its own names.

Checks by `choose` draw other cases here than on the page: those of SEED, which students do not see. An answer that builds on an
earlier one runs with that one if it is right, and with the course's otherwise, as on the page.

An open task has no right answer: its column holds the score, as "93.1 %", and it is not among those counted as right. With
PRIVATE=WORD the images are those of "private:WORD", which nobody has seen (see `course_lib.data.load`), and the first line is the
score of the course's own answer on these.

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

from tools.exercises import CHOICE, SCORE, definitions, exercises, open_tasks, read_course
from tools.handed_in import handed_in_files, read
from tools.needed_cells import reads, replaces
from tools.notebooks import CELL_TIMEOUT, execute

LIMIT = 60  # seconds for an answer, and for its check; the checks of the course need less than one
# The stub first, for the cells below where the answer ends in an error. Then a copy of the names that are there: what the answer
# defines beside what is asked for is seen by that alone.
ANSWER = """{stub}
_names = dict(globals())
exec(compile({source!r}, 'the answer', 'exec'), _names)
{name} = _names[{name!r}]
_names.update({{other: globals()[other] for other in {beside}}})"""
HIDDEN_SEED = 2026  # any but 0, which the page has
SCORED = re.compile(r"\w+ (?:(?:reads|scores) (\d+\.\d %) (?:of|after) .*|(is waiting for you).*|(has no score yet: .*)\.)")
COURSES = "the course's own"  # its line in the results
GOES_ON = re.compile(r"(.*)\. What follows runs on (yours|the course's)\.")


def one_by_one(book: nbformat.NotebookNode, seed: int = HIDDEN_SEED, private: str = "") -> nbformat.NotebookNode:
    """A copy of the course's notebook in which each name that is asked for has an exercise cell and a check of its own.

    A check by `choose` draws the cases of `seed`. The names before it in the same cell stand in the metadata as "beside". An open
    task is scored on the images of a `private` word, if there is one.
    """
    book, asked = copy.deepcopy(book), exercises(book)
    for place in sorted(set(asked.values()), reverse=True):
        cell, check = book.cells[place : place + 2]
        if private:
            check.source = SCORE.sub(lambda match: f"{match[1]}.score({match[2]}, name={'private:' + private!r}", check.source)
        if not CHOICE.search(check.source):
            continue
        names, pairs = [name for name in asked if asked[name] == place], []
        for number, name in enumerate(names):
            (line,) = [line for line in check.source.splitlines() if CHOICE.findall(line) == [name]]
            own = nbformat.v4.new_code_cell(definitions(cell.source)[name], metadata={"tags": ["exercise"]})
            own.metadata["beside"] = names[:number]
            pairs += [own, nbformat.v4.new_code_cell(CHOICE.sub(rf".choose(\1, seed={seed})", line))]
        book.cells[place : place + 2] = pairs
    return book


def answers(handed_in: nbformat.NotebookNode, asked: dict[str, int]) -> dict[str, str]:
    """The source of the last cell that defines each name that is asked for; without an entry where there is none."""
    found = {}
    for cell in handed_in.cells:
        for name in asked:
            if cell.cell_type == "code" and re.search(rf"^(async def|def|class) {name}\b", cell.source, re.MULTILINE):
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
            wanted.update(book.cells[place].metadata.get("beside", []))
    return sorted(chosen)


def assemble(book: nbformat.NotebookNode, given: dict[str, str]) -> tuple[nbformat.NotebookNode, dict[str, int]]:
    """A notebook of the answers, their checks, and what these need; and the places of the answers in it, by name.

    Args:
        book: the course's notebook, one by one.
        given: the sources of the answers, by their names.
    """
    asked = exercises(book)
    stubs = {name: book.cells[asked[name]].source for name in given}
    book = copy.deepcopy(book)
    for name, source in given.items():  # the stub runs before the answer: a class may stand on one of the page's
        book.cells[asked[name]].source = f"{stubs[name]}\n\n{source}"
    keep = needed(book, {place for name in given for place in (asked[name], asked[name] + 1)})
    for name, source in given.items():
        beside = book.cells[asked[name]].metadata.get("beside", [])
        book.cells[asked[name]].source = ANSWER.format(stub=stubs[name], source=source, name=name, beside=beside)
        for cell in book.cells[asked[name] : asked[name] + 2]:
            cell.metadata["tags"] = ["raises-exception"]
    book.cells = [book.cells[place] for place in keep]
    for cell in book.cells:
        cell.outputs, cell.execution_count = [], None
    return book, {name: keep.index(asked[name]) for name in given}


def verdict(answer: nbformat.NotebookNode, check: nbformat.NotebookNode) -> str:
    """What was found of an executed answer: "right" (of an open task its score), "waiting", or what was wrong, in a line."""
    for cell in (answer, check):
        for output in cell.outputs:
            if output.output_type == "error":
                return printable(f"{output.ename}: {output.evalue}")
    # The check speaks after the answer, whatever that has printed.
    lines = "".join(output.get("text", "") for output in check.outputs if output.get("name") == "stdout").splitlines()
    if SCORE.search(check.source):
        found = [match for line in lines if (match := SCORED.fullmatch(line))]
        share, waits, fault = found[-1].groups() if found else (None, None, "its check said nothing")
        return share or ("waiting" if waits else printable(fault))
    chosen = GOES_ON.fullmatch(lines[-1]) if lines else None
    if chosen and chosen[2] == "yours":
        return "right"
    if chosen:
        return "waiting" if "is waiting for you" in chosen[1] else printable(chosen[1])
    said = [line for line in lines if "is right" in line or "waiting for you" in line]
    if not said:
        return "its check said nothing"
    return "waiting" if "waiting for you" in said[-1] else "right"


def printable(text: str) -> str:
    """A text in one line, short, and without what a terminal would obey."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))[:200]


def grade(
    book: nbformat.NotebookNode,
    handed_in: nbformat.NotebookNode,
    seconds: int = LIMIT,
    seed: int = HIDDEN_SEED,
    private: str = "",
) -> dict[str, str]:
    """By the name of each exercise: "right", "waiting", "missing", or what was wrong, in a line; of an open task the score.

    Args:
        book: the course's notebook.
        handed_in: a student's copy; what is not meant as an answer is not looked at.
        seconds: the limit for an answer, and for its check. After one that exceeds it, or ends the kernel, those below run anew.
            For an open task, whose score counts core-seconds, it is CELL_TIMEOUT.
        seed: of the hidden cases.
        private: the word whose images an open task is scored on; none for the public ones.
    """
    book = one_by_one(book, seed, private)
    asked, scored = exercises(book), open_tasks(book)
    results = dict.fromkeys(asked, "missing")
    given = answers(handed_in, asked)
    while given:
        assembled, places = assemble(book, given)
        started: list[int] = []
        limits = {
            id(assembled.cells[place + step]): CELL_TIMEOUT if name in scored else seconds
            for name, place in places.items()
            for step in (0, 1)
        }
        settings = {
            "on_cell_execute": lambda cell, cell_index, started=started: started.append(cell_index),
            "timeout_func": lambda cell, limits=limits: limits.get(id(cell), CELL_TIMEOUT),
            "shutdown_kernel": "immediate",
        }
        with tempfile.TemporaryDirectory() as folder:
            try:
                execute(assembled, Path(folder), {"COURSE_DEVICE": os.environ.get("COURSE_DEVICE", "cpu")}, **settings)
                stopped = ""
            except CellTimeoutError:
                stopped = f"does not end within {limits.get(id(assembled.cells[started[-1]]), CELL_TIMEOUT)} s"
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


def courses_own(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A handed-in notebook of the course's own answers to the open tasks."""
    sources = [f"def {name}(*given):\n    return {task}.reference(*given)" for name, task in open_tasks(book).items()]
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def main() -> int:
    """Runs the command line and returns the exit status: 1 if something could not be checked, whatever the answers are worth."""
    parser = argparse.ArgumentParser(prog="python -m tools.grading", description="Checks handed-in copies of a notebook.")
    parser.add_argument("notebook", type=Path, help="the notebook of the course")
    parser.add_argument("handed_in", help="the folder of the handed-in copies")
    parser.add_argument("--csv", default="", help="write a table of the results to this file too")
    parser.add_argument("--seconds", type=int, default=LIMIT, help=f"limit for an answer, and for its check ({LIMIT})")
    parser.add_argument("--seed", type=int, default=HIDDEN_SEED, help=f"of the hidden cases ({HIDDEN_SEED})")
    parser.add_argument("--private", default="", metavar="WORD", help="score open tasks on images that this word draws")
    arguments = parser.parse_args()
    # The word is not for the students' code: make puts it into the environment.
    for variable in ("PRIVATE", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"):
        os.environ.pop(variable, None)
    private = arguments.private.strip()
    try:
        book = read_course(arguments.notebook)
        paths, passed_over = handed_in_files(arguments.handed_in)
        if arguments.csv and not Path(arguments.csv).parent.is_dir():
            raise ValueError(f"CSV is {arguments.csv!r}: its folder does not exist")
        if private and not open_tasks(book):
            raise ValueError(f"PRIVATE is {private!r}: {arguments.notebook.name} has no open task to be scored on private images")
    except (OSError, ValueError) as error:
        print(f"make grade: {error}", file=sys.stderr)
        return 1
    for line in passed_over:
        print(f"passed over {line}", file=sys.stderr)
    table = [["file", "right", *exercises(book)]]
    count = len(exercises(book)) - len(open_tasks(book))
    if private:
        results = grade(book, courses_own(book), private=private)
        table.append([COURSES, "", *(results[name] if name in open_tasks(book) else "" for name in results)])
        print(f"{COURSES}: " + "; ".join(f"{name}: {results[name]}" for name in open_tasks(book)), flush=True)
    for path in paths:
        name = path.relative_to(arguments.handed_in).as_posix()
        try:
            results = grade(book, read(path), arguments.seconds, arguments.seed, private)
        except ValueError as error:
            passed_over.append(name)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        right = sum(result == "right" for result in results.values())
        table.append([name, right, *results.values()])
        print(f"{name}: {right} of {count}; " + "; ".join(f"{n}: {r}" for n, r in results.items()), flush=True)
    if arguments.csv:
        with open(arguments.csv, "w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(table)
    return 1 if passed_over else 0


if __name__ == "__main__":
    sys.exit(main())
