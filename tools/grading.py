"""What a hand-in is worth, exercise by exercise.

Of a handed-in notebook the definitions that are asked for are taken, and what these need of its other cells. Each answer runs
in a process of its own in a sandbox; it is called there with cases that no student has seen, and what it returns is compared
here, as plain numbers. So neither a changed check nor a stored output counts, nor an answer that knows the page's cases.

An answer that builds on an earlier one runs with that one if it is right, and with the course's otherwise, as on the page. An
open task has no right answer but a score, on images of a private word if one is given.
"""

import contextlib
import re
from dataclasses import dataclass

from tools.answers import Notebook, find, needed, unread_answer
from tools.files import ROOT
from tools.sandbox.host import Sandbox, Stopped
from tools.sandbox.plain import printable
from tools.sandbox.remote import Remote, fault_of
from tools.tasks import SCORED, Course, judge, judge_cells, judge_open

LIMIT = 60  # seconds for all that one answer is asked
PATIENCE = 5  # seconds for each core-second that an open task may take
HIDDEN_SEED = 2026  # any but 0, which the page has
# The typefaces of the embedded digits: a `learn` could draw what it is judged on.
TYPEFACES = tuple((ROOT / "course_lib" / "data").glob("*.png"))


@dataclass(frozen=True)
class Result:
    """What was found of an answer: "right", "waiting", "missing", a score, or what is wrong; and the share of a point."""

    text: str
    share: float = 0.0


class Boxes:
    """The sandboxes of a worker: one for exercises, and those for open tasks without typefaces, each started when it is used."""

    def __init__(self, modules: tuple[str, ...] = (), unsafe: bool = False):
        self.plain = Sandbox(modules, unsafe)
        self.open = [Sandbox((), unsafe, TYPEFACES) for _ in range(3)]  # a model and two copies of it, each by itself

    def __enter__(self) -> "Boxes":
        return self

    def __exit__(self, *error: object) -> None:
        for box in (self.plain, *self.open):
            box.close()


def grade_all(
    course: Course,
    cells: Notebook,
    boxes: Boxes,
    seconds: float = LIMIT,
    seed: int = HIDDEN_SEED,
    private: str = "",
) -> dict[str, Result]:
    """The result of each exercise, by its name.

    Args:
        course: the course's notebook.
        cells: of a student's copy.
        boxes: where the answers run.
        seconds: the limit for all that an answer is asked.
        seed: of the hidden cases.
        private: the word whose images an open task is scored on; none for the public ones.
    """
    results: dict[str, Result] = {}
    places = find(cells, course.stubs)
    for name in course.tasks:
        if name not in places:
            results[name] = Result(printable(unread_answer(cells, name)) or "missing")
            continue
        results[name] = grade_one(course, cells, places, name, results, boxes, seconds, seed, private)
    return results


def program(course: Course, cells: Notebook, places: dict, name: str, results: dict, above: tuple = ()) -> tuple[dict, set[str]]:
    """The statements of an answer, with those of the exercises that it builds on; and the names that it lacks."""
    others = set(course.tasks) - {name}
    needs = needed(course.cells, cells, places[name], others)
    beside, above = {}, (*above, name)
    for other in sorted(needs.used - set(above)):
        own = other in places and (other not in results or results[other].text == "right")
        if own:
            beside[other] = program(course, cells, places, other, results, above)[0]
        elif other in results and other in course.solutions:
            folded = course.solutions[other]
            found = {other: [k for k, one in enumerate(folded.statements) if other in one.binds][-1]}
            beside[other] = program(course, folded, found, other, results, above)[0]
    return {"statements": needs.statements, "beside": beside}, needs.lacking | (needs.used - set(beside) - set(above))


def grade_one(
    course: Course, cells: Notebook, places: dict, name: str, results: dict, boxes: Boxes, seconds: float, seed: int, private: str
) -> Result:
    """The result of one answer that was found."""
    task = course.tasks[name]
    wanted, lacking = program(course, cells, places, name, results)
    message = {"define": wanted, "name": name, "use": list(task.use) if task.use else None}

    def run(seed: int) -> Result:
        fresh = iter(boxes.open if task.is_open else [boxes.plain])
        limit = PATIENCE * task.exercise.seconds if task.is_open else seconds
        with contextlib.ExitStack() as stack:

            def begun() -> Remote:
                remote = Remote(name, stack.enter_context(next(fresh).answer(limit)), seed, begun)
                remote.first = fault_of(remote.ask(message).get("first"))
                return remote

            try:
                remote = begun()
                if task.is_open:
                    text, share = judge_open(task, remote, private), 0.0
                elif task.exercise is None:
                    text = judge_cells(course, task, remote)
                    share = float(text == "right")
                else:
                    text, share = judge(task, remote, seed)
            except Stopped as error:
                return Result(f"has no score yet: it {error}" if task.is_open else str(error))
            except Exception as error:  # the checks catch what an answer raises when it is called
                return Result(printable(f"cannot be judged: {type(error).__name__}: {error}"))
        return Result(printable(explain(text, remote, cells, lacking)), share)

    # What many hand in alike, as the stub or the folded solution, is judged once, and alike.
    key = repr((message, seed, private, seconds))
    if key in course.judged and not cells.unread:
        return course.judged[key]
    result = run(seed)
    compared = " is not right yet: " in result.text and "does not end" not in result.text
    if compared and run(0).text == "right":
        result = Result(f"{result.text}; in the cases of the page it is right", result.share)
    if not cells.unread:
        course.judged[key] = result
    return result


def explain(text: str, remote: Remote, cells: Notebook, lacking: set[str]) -> str:
    """A text with the reason where a name is missing: a cell that could not be read, or one that failed."""
    first, fault = remote.first, remote.fault or remote.first
    if text in ("right", "waiting") or SCORED.fullmatch(text) or not fault:
        return text
    name = fault["name"]
    if fault["error"] == "NameError" and name:
        for place, (source, why) in cells.unread.items():
            if re.search(rf"\b{re.escape(name)}\b", source):
                return f"could not be graded: it needs {name}, and cell {place + 1} is no Python ({why})"
        if name in lacking:
            return f"it needs {name}, which no cell of the notebook makes"
    if first:
        return f"a cell that it needs raises {first['error']}: {first['text']} ({first['statement']})"
    return text
