"""What a notebook of the course asks for, made ready to be judged: each exercise with its check, apart from any answer."""

import ast
import contextlib
import dataclasses
import importlib
import io
import pkgutil
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat

from course_lib import exercises as room
from course_lib.exercises import Exercise
from course_lib.exercises.exercise import ChangedArguments
from tools.answers import Notebook, course_cells, needed, read_cells, stubs
from tools.exercises import exercises, open_tasks, solutions
from tools.sandbox.remote import Remote

GONE = "the course's own answer is not there while answers are graded"


@dataclasses.dataclass(frozen=True)
class Task:
    """One name that is asked for: an exercise, a check of assertions (its cell), or an open task.

    Attributes:
        use: the source and the expression with which the sandbox finds how an answer is called; none if it is called as it is.
        known: what is right, by the seed and the number of the case: it is the same for the whole class.
    """

    name: str
    exercise: Any = None
    use: tuple[str, str] | None = None
    check: str = ""
    is_open: bool = False
    known: dict[tuple[int, int], Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Course:
    """A notebook of the course: its cells beside the exercises, the exercises, their stubs and the folded solutions.

    Attributes:
        judged: the result of each program that was judged.
    """

    cells: Notebook
    tasks: dict[str, Task]
    stubs: dict[str, str]
    solutions: dict[str, Notebook]
    modules: tuple[str, ...]
    judged: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def open(self) -> list[str]:
        """The names of the open tasks."""
        return [name for name, task in self.tasks.items() if task.is_open]

    @property
    def maximum(self) -> int:
        """The points that can be had: one for each exercise. What a score is worth, a teacher decides."""
        return len(self.tasks) - len(self.open)


def course_of(book: nbformat.NotebookNode) -> Course:
    """Reads a notebook of the course, and runs the cells that its checks need."""
    cells = course_cells(book)
    scored, tasks = open_tasks(book), {}
    for name, place in exercises(book).items():
        check = book.cells[place + 1].source
        if name in scored:
            task = evaluate(cells, scored[name])
            if hasattr(task, "images"):  # the others hand over a function or an iterator: their page alone scores them
                tasks[name] = Task(name, task, is_open=True)
        elif chosen := chooses(check, name):
            exercise = evaluate(cells, chosen)
            tasks[name] = Task(name, exercise, where_used(cells, chosen, exercise))
        else:
            tasks[name] = Task(name, check=check)
    folded = {name: one_cell(code) for name, code in solutions(book).items()}
    used = [one_cell(task.use[0]) for task in tasks.values() if task.use]
    asked = {name: stub for name, stub in stubs(book).items() if name in tasks}
    return Course(cells, tasks, asked, folded, modules(cells, *used))


def one_cell(source: str) -> Notebook:
    """A notebook of one cell."""
    return read_cells(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)]))


def chooses(check: str, name: str) -> str:
    """The expression of the exercise that a check lets choose: "exercises.conv1d"; empty where it does not."""
    for node in ast.walk(ast.parse(check)):
        called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "choose"
        if called and [ast.unparse(argument) for argument in node.args] == [name]:
            return ast.unparse(node.func.value)
    return ""


def sources(cells: Notebook, code: str, besides: frozenset[str] = frozenset()) -> list[str]:
    """The course's statements that some code needs, without that code."""
    cell = one_cell("def _wanted():\n" + textwrap.indent(code, "    "))
    return needed(cells, cell, 0, set(besides)).statements[:-1]


def run(statements: list[str]) -> dict[str, Any]:
    """Runs the course's own statements; asserts count, whatever PYTHONOPTIMIZE says."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for one in statements:
        exec(compile(one, "a cell of the course", "exec", optimize=0), names)
    return names


def evaluate(cells: Notebook, expression: str) -> Any:
    """The value of an expression in the course's notebook."""
    return eval(expression, run(sources(cells, expression)))


def where_used(cells: Notebook, expression: str, exercise: Exercise) -> tuple[str, str] | None:
    """The source in which the sandbox finds an exercise's `use`, without the course's own answer."""
    if exercise.use is Exercise.use:
        return None
    for found in pkgutil.iter_modules(room.__path__):
        module = importlib.import_module(f"{room.__name__}.{found.name}")
        for name, value in vars(module).items():
            if value is exercise:
                return without(module, exercise.reference, name), name
    return "\n".join(sources(cells, expression)), expression


def without(module: Any, reference: Any, name: str) -> str:
    """What an exercise needs of its module, where the course's answer is a function or a class without its lines.

    Other exercises' answers stay here too, unless this one is used with them.
    """
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and getattr(module, node.name, None) is reference:
            node.body = ast.parse(f"raise RuntimeError({GONE!r})" if isinstance(node, ast.FunctionDef) else "pass").body
    whole = one_cell(ast.unparse(tree))
    (place,) = [k for k, one in enumerate(whole.statements) if name in one.binds]
    return "\n".join(needed(Notebook(), whole, place, set()).statements)


def modules(*cells: Notebook) -> tuple[str, ...]:
    """What the notebook and its exercises import: the sandbox loads it once for all."""
    found = set()
    for one in (one for each in cells for one in each.statements if one.imports):
        (node,) = ast.parse(one.source).body
        names = [alias.name for alias in node.names]
        found |= {*names} if isinstance(node, ast.Import) else {node.module, *(f"{node.module}.{name}" for name in names)}
    if any("optim." in one.source for each in cells for one in each.statements):
        found.add("torch._dynamo")  # the first optimizer of a process imports it, which takes seconds
    return tuple(sorted(name for name in found if "exercises" not in name))


def judge_cells(course: Course, task: Task, answer: Callable) -> str:
    """What a check of assertions says of an answer: "right", "waiting", or what is wrong."""
    names = run(sources(course.cells, task.check, frozenset(course.tasks))) | {task.name: answer}
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(task.check, "the check", "exec", optimize=0), names)
    except ChangedArguments:
        return "it changes its arguments, and may only read them"
    except NotImplementedError as error:
        return f"NotImplementedError: {error}" if error.args else "waiting"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    lines = [line for line in said.getvalue().splitlines() if "is right" in line or "waiting for you" in line]
    return "its check said nothing" if not lines else "waiting" if "waiting for you" in lines[-1] else "right"


def judge(task: Task, answer: Remote, seed: int) -> tuple[str, float]:
    """What is found of an answer to an exercise with the cases of a seed, and the share of its parts that are right."""

    case = 0

    def use(given: Any, *arguments: Any) -> Any:
        nonlocal case
        if given is answer:
            case += 1
            return answer(*arguments)
        if (seed, case) not in task.known:
            task.known[seed, case] = task.exercise.use(given, *arguments)
        return task.known[seed, case]

    found = dataclasses.replace(task.exercise, use=use).verdict(answer, seed)
    if found.fault is None:
        return "right", 1.0
    waits = found.fault.startswith("is waiting for you")
    return ("waiting" if waits else f"{task.name} {found.fault}"), found.share


def judge_open(task: Task, answer: Remote, private: str) -> str:
    """The score of an answer to an open task, as "93.1 %", or what is wrong with it."""
    return in_words(task.exercise.measure(answer.learner(task.exercise.seconds), **images(private)))


def images(private: str) -> dict[str, str]:
    """The name of the images that a task is scored on, where a word draws them."""
    return {"name": f"private:{private}"} if private else {}


def in_words(found: Any) -> str:
    """What was measured of an open task: its first number is the score."""
    if isinstance(found, str):
        return "waiting" if found.startswith("is waiting for you") else found
    return f"{100 * getattr(found, dataclasses.fields(found)[0].name):.1f} %"


SCORED = re.compile(r"\d+\.\d %")
