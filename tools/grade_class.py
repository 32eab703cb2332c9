"""Grades what a class handed in: `make grade NOTEBOOK=notebooks/01_convolution.ipynb HANDED_IN=FOLDER`, a line for each file.

It writes rows, tables for Moodle and Canvas, and feedback into build/marks. What students wrote runs in a sandbox
(tools/sandbox); where there is none it stops, unless UNSAFE=1 is set. tools/grading.py says how an answer is judged.
"""

import argparse
import contextlib
import gc
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import nbformat
from tqdm import tqdm

from tools.answers import find, read_cells, unread_answer
from tools.exercises import read_course
from tools.files import ROOT
from tools.grading import HIDDEN_SEED, LIMIT, Boxes, grade_all
from tools.handed_in import HandIn, handed_in_files, read, title
from tools.marks import Marks, Row, row
from tools.sandbox.host import missing
from tools.tasks import Course, course_of, images, in_words

COURSES = "the course's own"  # its line in the results
CONTAINER = "or run the course in a container without a network (TEACHING.md, 'Safe grading')"


class Worker:
    """Grades one file after another, in sandboxes of its own."""

    def __init__(self, book: nbformat.NotebookNode, settings: dict, unsafe: bool):
        self.course, self.settings = course_of(book), settings
        self.boxes = Boxes(self.course.modules, unsafe)

    def grade(self, one: HandIn) -> Row:
        """The row of a file, whatever it holds."""
        if one.why:
            return row(one, {})
        try:
            book = read(one)
            cells = read_cells(book)
        except ValueError as error:
            return row(one, {}, str(error))
        if not find(cells, self.course.stubs) and not any(unread_answer(cells, name) for name in self.course.tasks):
            return row(one, {}, f"it has none of the exercises; it is '{title(book)}': hand in the notebook that was handed out")
        try:
            return row(one, grade_all(self.course, cells, self.boxes, **self.settings))
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            return row(one, {}, f"the grader could not judge it ({type(error).__name__}: {error}): look at it yourself")


worker: Worker | None = None  # of a process of the pool


def begin(*arguments: object) -> None:
    """Makes the worker of this process."""
    global worker
    worker = Worker(*arguments)


def work(one: HandIn) -> Row:
    """Grades a file in a process of the pool."""
    return worker.grade(one)


def rows(files: list[HandIn], jobs: int, arguments: tuple) -> Iterator[Row]:
    """The rows of all files, as they are done."""
    if jobs == 1:
        begin(*arguments)
        with worker.boxes:
            yield from map(work, files)
        return
    # Forked, the workers share PyTorch's memory, and what is loaded, as no collection touches it.
    gc.freeze()
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=begin, initargs=arguments) as pool:
        for done in as_completed([pool.submit(work, one) for one in files]):
            yield done.result()


def courses_own(course: Course, private: str) -> str:
    """A line of the scores of the course's own answers to the open tasks."""
    tasks = {name: course.tasks[name].exercise for name in course.open}
    scores = {name: in_words(task.measure(task.reference, **images(private))) for name, task in tasks.items()}
    return f"{COURSES}: " + "; ".join(f"{name}: {score}" for name, score in scores.items())


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.grade_class", description="Grades handed-in copies of a notebook.")
    parser.add_argument("notebook", type=Path, help="the notebook of the course")
    parser.add_argument("handed_in", help="the folder of the handed-in copies")
    parser.add_argument("--out", default="", help="the folder of the results (build/marks/NAME)")
    parser.add_argument("--csv", default="", help="write the table of the results to this file too")
    parser.add_argument("--seconds", type=float, default=LIMIT, help=f"limit for all that an answer is asked ({LIMIT})")
    parser.add_argument("--seed", type=int, default=HIDDEN_SEED, help=f"of the hidden cases ({HIDDEN_SEED})")
    parser.add_argument("--private", default="", metavar="WORD", help="score open tasks on images that this word draws")
    parser.add_argument("-j", "--jobs", type=int, default=1, help="how many files at the same time (1)")
    parser.add_argument("--unsafe", action="store_true", help="without a sandbox")
    return parser.parse_args()


def main() -> int:
    """Runs the command line and returns the exit status: 0 if grading worked, whatever the answers are worth."""
    given = options()
    # The word is not for the students' code: make puts it into the environment.
    for variable in ("PRIVATE", "MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS"):
        os.environ.pop(variable, None)
    private, seed = given.private.strip(), given.seed
    try:
        book = read_course(given.notebook)
        course = course_of(book)
        files = handed_in_files(given.handed_in)
        if given.csv and not Path(given.csv).parent.is_dir():
            raise ValueError(f"CSV is {given.csv!r}: its folder does not exist")
        if private and not course.open:
            raise ValueError(f"PRIVATE is {private!r}: {given.notebook.name} has no open task to be scored on private images")
        if given.jobs < 1:
            raise ValueError(f"JOBS is {given.jobs}: at least one file at a time")
        if not given.unsafe and (why := missing()):
            raise ValueError(f"{why}. Install it, {CONTAINER}, or set UNSAFE=1 to run what students wrote with all your rights")
    except (OSError, ValueError) as error:
        print(f"make grade: {error}", file=sys.stderr)
        return 1
    arguments = (book, {"seconds": given.seconds, "seed": seed, "private": private}, given.unsafe)
    folder = Path(given.out) if given.out else ROOT / "build" / "marks" / given.notebook.stem
    marks = Marks(folder, given.notebook.stem, [*course.tasks], course.maximum)
    if private:
        print(courses_own(course, private), flush=True)
    tqdm.monitor_interval = 0  # no thread, which a fork would not like
    with contextlib.closing(tqdm(total=len(files), unit=" files", disable=None)) as progress:
        for new in rows(files, given.jobs, arguments):
            marks.add(new)
            tqdm.write(new.line(course.maximum), file=sys.stdout)
            progress.update()
    marks.finish(given.csv)
    left = sum(bool(one.why) for one in marks.rows)
    print(f"{len(files) - left} of {len(files)} files graded; tables and feedback in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
