"""Writes the exercises of a notebook for another grader: `make assignment NOTEBOOK=notebooks/01_convolution.ipynb FORMAT=otter`.

The formats are those of Otter-Grader 7 (and with it Gradescope), nbgrader 0.9 and Classroom 50. The first two get the exercises
with the cells that they need, the checks of the page, and hidden tests that raise; they run what students wrote in one process
with the tests, so they hold against mistakes. Classroom 50 gets the handout, and an `autograder.py` that judges as `make grade`.

Open tasks are left out: they have a score, and no points.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from tools.exercises import CHOICE, SOLUTION, exercises, handout, read_course, solutions
from tools.files import ROOT, write_atomically
from tools.grading import HIDDEN_SEED
from tools.notebook_form import dumps
from tools.setup_cell import SETUP_START, read_address
from tools.tasks import chooses, course_of, sources

FORMATS = ("otter", "nbgrader", "classroom50")
NBGRADER_CONFIG = """c = get_config()
c.ClearSolutions.code_stub = {"python": ""}  # above each solution stands what students get
c.ExecutePreprocessor.timeout = 120
"""
AUTOGRADER = Path(__file__).with_name("classroom50_autograder.py")


@dataclass(frozen=True)
class Part:
    """A cell that asks for names: the text above it, its source, the lines of its check, and a hidden test for each name."""

    names: list[str]
    text: str
    stub: str
    solution: str
    checks: list[str]
    hidden: list[str]


def parts_of(book: nbformat.NotebookNode, seed: int) -> tuple[list[str], list[Part]]:
    """What the exercises need beside their cells, and the exercises.

    Raises:
        ValueError: an exercise has a check of assertions, which cannot draw other cases.
    """
    course, asked, folded, found = course_of(book), exercises(book), solutions(book), []
    names = [name for name, task in course.tasks.items() if not task.is_open]
    for place in sorted({asked[name] for name in names}):
        own, (cell, check) = [name for name in names if asked[name] == place], book.cells[place : place + 2]
        checks, hidden = [], []
        for name in own:
            exercise = chooses(check.source, name)
            if not exercise:
                raise ValueError(
                    f"the check of {name} is no line of choose: other graders need `{name} = EXERCISE.choose({name})`"
                )
            checks += [line for line in check.source.splitlines() if CHOICE.findall(line) == [name]]
            test = f"_fault = {exercise}.fault({name}, seed={seed})\nassert _fault is None, '{name} ' + str(_fault)"
            hidden.append("\n".join([*sources(course.cells, exercise), test]))
        above = book.cells[place - 1]
        text = SOLUTION.sub("", above.source).strip() if above.cell_type == "markdown" else ""
        solution = "\n\n\n".join(dict.fromkeys(folded[name] for name in own if name in folded))
        found.append(Part(own, text, cell.source, solution, checks, hidden))
    code = "\n\n".join("\n\n".join([part.stub, part.solution, *part.checks]) for part in found)
    return sources(course.cells, code, frozenset(course.tasks)), found


def beginning(book: nbformat.NotebookNode, needs: list[str]) -> list[nbformat.NotebookNode]:
    """The set-up cell, which installs course_lib where it is missing, and what the exercises need."""
    first = [cell.source for cell in book.cells if cell.cell_type == "code" and cell.source.startswith(SETUP_START)]
    return [new_code_cell(source) for source in [*first[:1], "\n".join(needs)] if source]


def for_nbgrader(book: nbformat.NotebookNode, seed: int) -> nbformat.NotebookNode:
    """The source of an assignment: `nbgrader generate_assignment` makes the students' version of it."""
    needs, parts = parts_of(book, seed)

    def marked(source: str, grade_id: str, points: int = 0) -> nbformat.NotebookNode:
        kind = {"grade": bool(points), "solution": not points, "locked": bool(points), "task": False, "schema_version": 3}
        kind |= {"grade_id": grade_id, "cell_type": "code"} | ({"points": points} if points else {})
        return new_code_cell(source, metadata={"nbgrader": kind})

    cells = beginning(book, needs)
    for part in parts:
        cells += [new_markdown_cell(part.text)] if part.text else []
        cells += [marked(f"{part.stub}\n### BEGIN SOLUTION\n{part.solution}\n### END SOLUTION", "_".join(part.names)[:60])]
        for name, check, test in zip(part.names, part.checks, part.hidden, strict=True):
            cells.append(marked(f"{check}\n### BEGIN HIDDEN TESTS\n{test}\n### END HIDDEN TESTS", f"test_{name}", 1))
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def for_otter(book: nbformat.NotebookNode, seed: int, title: str) -> nbformat.NotebookNode:
    """The master notebook: `otter assign` makes the students' version and the zip file for Gradescope of it."""
    needs, parts = parts_of(book, seed)
    address = read_address()
    package = f"git+{address.repository}@{address.branch}"
    config = (
        f"# ASSIGNMENT CONFIG\nname: {title}\nexport_cell: false\nrun_tests: false\ngenerate: true\nrequirements:\n  - {package}"
    )
    cells = [new_raw_cell(config), *beginning(book, needs)]
    for part in parts:
        name = "_".join(part.names)
        cells.append(new_raw_cell(f"# BEGIN QUESTION\nname: {name}\npoints: {len(part.names)}"))
        cells += [new_markdown_cell(part.text or name), new_raw_cell("# BEGIN SOLUTION"), new_code_cell(part.stub)]
        cells += [new_raw_cell("# END SOLUTION"), new_raw_cell("# BEGIN TESTS")]
        cells += [new_code_cell(f'""" # BEGIN TEST CONFIG\nhidden: true\n""" # END TEST CONFIG\n{test}') for test in part.hidden]
        cells += [new_raw_cell("# END TESTS"), new_raw_cell("# END QUESTION"), new_code_cell("\n".join(part.checks))]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return new_notebook(cells=cells, metadata=kernel)


def write(path: Path, form: str, seed: int, out: Path) -> str:
    """Writes an assignment into a folder, and returns what comes next."""
    book, name = read_course(path), path.stem
    if form == "nbgrader":
        files = {f"source/{name}/{name}.ipynb": nbformat.writes(for_nbgrader(book, seed)), "nbgrader_config.py": NBGRADER_CONFIG}
        after = f"nbgrader generate_assignment {name} --create"
    elif form == "otter":
        files = {f"{name}.ipynb": nbformat.writes(for_otter(book, seed, name))}
        after = f"otter assign {name}.ipynb dist"
    else:
        address = read_address()
        script = AUTOGRADER.read_text(encoding="utf-8").replace('"REPOSITORY"', repr(address.repository))
        script = script.replace('"BRANCH"', repr(address.branch)).replace('"NOTEBOOK"', repr(path.name))
        files = {
            f"template/{path.name}": dumps(handout(book)),
            f"autograders/{name}/autograder.py": script.replace("-1", str(seed)),
        }
        after = "put template/ into a repository, and autograders/ into the folder of your classroom"
    for place, text in files.items():
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out / place, text)
    return after


def main() -> int:
    """Runs the command line and returns the exit status: 1 if there is nothing to write."""
    parser = argparse.ArgumentParser(prog="python -m tools.assignment", description="Writes exercises for another grader.")
    parser.add_argument("notebook", type=Path, help="a notebook of the course")
    parser.add_argument("format", help=", ".join(FORMATS))
    parser.add_argument("--seed", type=int, default=HIDDEN_SEED, help=f"of the hidden cases ({HIDDEN_SEED})")
    given = parser.parse_args()
    try:
        if given.format not in FORMATS:
            raise ValueError(f"FORMAT is {given.format!r}: give one of {', '.join(FORMATS)}")
        out = ROOT / "build" / "assignments" / given.format
        after = write(given.notebook, given.format, given.seed, out)
    except (OSError, ValueError) as error:
        print(f"make assignment: {error}", file=sys.stderr)
        return 1
    print(f"{out.relative_to(ROOT)} holds {given.notebook.stem}. Next, there: {after}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
