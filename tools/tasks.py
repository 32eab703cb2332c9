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
import torch

from course_lib import exercises as room
from course_lib.exercises import Exercise
from course_lib.exercises.exercise import ChangedArguments
from tools.answers import Notebook, course_cells, needed, read_cells, stubs
from tools.exercises import exercises, open_tasks, solutions
from tools.sandbox import host

GONE = "the course's own answer is not there while answers are graded"


@dataclasses.dataclass(frozen=True)
class Task:
    """One name that is asked for: an exercise, a check of assertions (its cell), or an open task.

    Attributes:
        use: the source and the expression with which the sandbox finds how an answer is called; none if it is called as it is.
    """

    name: str
    exercise: Any = None
    use: tuple[str, str] | None = None
    check: str = ""
    is_open: bool = False


@dataclasses.dataclass(frozen=True)
class Course:
    """A notebook of the course: its cells beside the exercises, the exercises, their stubs and the folded solutions."""

    cells: Notebook
    tasks: dict[str, Task]
    stubs: dict[str, str]
    solutions: dict[str, Notebook]
    modules: tuple[str, ...]

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
                return without(module, exercise.reference), name
    return "\n".join(sources(cells, expression)), expression


def without(module: Any, reference: Any) -> str:
    """The source of a module in which the course's answer is a function or a class without its lines."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and getattr(module, node.name, None) is reference:
            node.body = ast.parse(f"raise RuntimeError({GONE!r})" if isinstance(node, ast.FunctionDef) else "pass").body
    return ast.unparse(tree)


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


class Remote:
    """An answer in the sandbox, as a function: what comes back is plain numbers and tensors."""

    def __init__(self, name: str, answer: host.Answer, seed: int):
        self.__name__, self.answer, self.seed = name, answer, seed
        self.fault: dict = {}

    def ask(self, message: dict, cores: float = float("inf")) -> dict:
        """What the answer replies; an error that it raised is raised here, with the same name and text."""
        reply = self.answer.ask(message, cores)
        if "error" not in reply:
            return reply
        self.fault = reply
        if reply["error"] == "NotImplementedError":
            raise NotImplementedError() if reply.get("bare") else NotImplementedError(str(reply.get("text")))
        raise type(str(reply["error"]), (Exception,), {})(str(reply.get("text")))

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Calls the answer.

        Raises:
            ChangedArguments: it has changed what it was given.
        """
        reply = self.ask({"call": list(arguments), "settings": settings, "seed": self.seed})
        if reply.get("changed"):
            raise ChangedArguments
        return reply.get("found")

    def learner(self, cores: float) -> Callable:
        """As the answer to an open task: for the learning it has so many core-seconds."""

        def learn(*given: torch.Tensor) -> Any:
            reply = self.ask({"learn": list(given), "seed": 0}, cores)
            if reply.get("changed"):
                given[0].add_(1)
            if not reply.get("is"):
                return type(str(reply["model"]), (), {})() if reply.get("model") else None
            return RemoteModel(self, cores, int(reply["weights"]), reply.get("prior"))

        learn.__name__ = self.__name__
        return learn


class RemoteModel(torch.nn.Module):
    """A model that stays in the sandbox; here are how many weights it has, and its prior if it is a VAE with one."""

    def __init__(self, remote: Remote, cores: float, weights: int, prior: Any, number: int = 0):
        super().__init__()
        self.remote, self.cores, self.prior, self.number = remote, cores, prior, number
        self.register_buffer("claimed", torch.empty(max(weights, 0), device="meta"))

    def __deepcopy__(self, memo: dict) -> "RemoteModel":
        number = self.remote.ask({"copy": self.number}, self.cores).get("number")
        return RemoteModel(self.remote, self.cores, len(self.claimed), self.prior, int(number))

    def cpu(self) -> "RemoteModel":
        """It is there already."""
        return self

    def _asked(self, method: str, x: torch.Tensor) -> Any:
        return self.remote.ask({"model": self.number, "method": method, "x": x}, self.cores).get("found")

    def forward(self, x: torch.Tensor) -> Any:
        """What it makes of images or labels."""
        return self._asked("forward", x)

    def encode(self, x: torch.Tensor) -> Any:
        """Mean and log-variance of q(z|x)."""
        return self._asked("encode", x)

    def decode(self, z: torch.Tensor) -> Any:
        """Logits of the pixels."""
        return self._asked("decode", z)


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

    def use(given: Any, *arguments: Any) -> Any:
        return answer(*arguments) if given is answer else task.exercise.use(given, *arguments)

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
