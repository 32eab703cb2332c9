"""Finds what a hand-in answers: the definitions that are asked for, and all that each needs, by the syntax tree of its cells.

The student's imports, helper functions and values count wherever they stand, and where one is missing the course's own cell is
taken. Cells that Python cannot read are listed: what was in them is never blamed on the student's answer.
"""

import ast
import builtins
import functools
import re
from dataclasses import dataclass, field, replace
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from tools.exercises import CHOICE, SCORE, definitions, exercises
from tools.needed_cells import bottom, bound_by, read_by

# Cell magics whose cell runs as Python, in the notebook's names or as if it did.
TRANSPARENT = re.compile(r"\s*%%(time|timeit|capture|prun|memit|python3?)\b.*\n?")
LINE_MAGICS = {"time", "timeit", "prun", "memit"}  # they run what stands behind them
CHECKS = re.compile(rf"{CHOICE.pattern}|{SCORE.pattern}")
DEFINITE = (ast.Assign, ast.AnnAssign, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
LARGEST = 400_000  # letters of code: ten times those of the longest notebook of the course
MOST = 4_000  # statements at the top of its cells
GIVEN = {*dir(builtins), "display", "get_ipython", "__name__"}


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a cell: its source, the cell, and the names that it binds, changes and reads."""

    source: str
    binds: frozenset[str]
    changes: frozenset[str]
    reads: frozenset[str]
    definite: bool
    imports: bool
    check: bool
    cell: int = 0


@dataclass
class Notebook:
    """The statements of a notebook in their order, and by its place each cell that could not be read, with the reason."""

    statements: list[Statement] = field(default_factory=list)
    unread: dict[int, tuple[str, str]] = field(default_factory=dict)


class NoMagics(ast.NodeTransformer):
    """Takes `%time f()` as f(), and leaves out other magics and shell commands."""

    def visit_Expr(self, node: ast.Expr) -> Any:
        """A statement that is a call of get_ipython()."""
        call = node.value
        if not isinstance(call, ast.Call) or "get_ipython()." not in ast.unparse(call.func):
            return self.generic_visit(node)
        words = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        if call.func.attr == "run_line_magic" and words[0] in LINE_MAGICS:
            return ast.parse(words[1]).body or ast.Pass()
        return ast.Pass()


def tree_of(source: str) -> ast.Module:
    """The syntax tree of a cell without its magics; empty where the cell is in another language.

    Raises:
        SyntaxError: Python cannot read it.
    """
    lines = source.lstrip().splitlines(keepends=True)
    while lines and (TRANSPARENT.match(lines[0]) or lines[0].startswith("#") or not lines[0].strip()):
        del lines[0]
    if lines and lines[0].startswith("%%"):
        return ast.Module([], [])
    try:
        tree = ast.parse(TransformerManager().transform_cell("".join(lines)))
        return ast.fix_missing_locations(NoMagics().visit(tree))
    except (ValueError, RecursionError, MemoryError) as error:  # a zero byte; very deep
        raise SyntaxError(str(error)) from error


@functools.lru_cache(maxsize=2000)
def statements(source: str) -> tuple[Statement, ...]:
    """The statements of a cell. Most cells are the same in a whole class, and are read once.

    Raises:
        SyntaxError, RecursionError: Python cannot read it.
    """
    return tuple(statement(node) for node in tree_of(source).body)


def statement(node: ast.stmt) -> Statement:
    """What a statement does with names."""
    changes = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Assign | ast.AugAssign):
            changes |= {bottom(target) for target in (part.targets if isinstance(part, ast.Assign) else [part.target])}
        elif isinstance(part, ast.Expr) and isinstance(part.value, ast.Call) and isinstance(part.value.func, ast.Attribute):
            changes.add(bottom(part.value.func))
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        changes = set()
    source = ast.unparse(node)
    star = isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
    return Statement(
        source,
        binds=frozenset({"*"} if star else bound_by(node)),
        changes=frozenset(changes - {None}),
        reads=frozenset(read_by(node)),
        definite=isinstance(node, DEFINITE),
        imports=isinstance(node, ast.Import | ast.ImportFrom),
        check=bool(CHECKS.search(source)),
    )


def read_cells(book: nbformat.NotebookNode) -> Notebook:
    """The statements of a notebook's code cells.

    Raises:
        ValueError: it holds so much code that reading it would keep the others waiting.
    """
    found = Notebook()
    size = sum(len(cell.source) for cell in book.cells if cell.cell_type == "code")
    if size > LARGEST:
        raise ValueError(
            f"it has {size:,} letters of code, and {LARGEST:,} are allowed: leave data out of the code, and hand in again"
        )
    for place, cell in enumerate(book.cells):
        if cell.cell_type != "code":
            continue
        try:
            found.statements += [replace(one, cell=place) for one in statements(cell.source)]
        except (SyntaxError, RecursionError) as error:
            line = f" in line {error.lineno}" if getattr(error, "lineno", None) else ""
            found.unread[place] = (cell.source, f"{type(error).__name__}{line}: {getattr(error, 'msg', error)}")
        if len(found.statements) > MOST:
            raise ValueError(
                f"it has more than {MOST:,} statements outside of functions: leave data out of the code, and hand in again"
            )
    return found


def course_cells(book: nbformat.NotebookNode) -> Notebook:
    """The statements of the course's notebook without its exercises and their checks."""
    places = set(exercises(book).values())
    found = read_cells(book)
    found.statements = [one for one in found.statements if one.cell not in places and one.cell - 1 not in places]
    return found


def find(handed_in: Notebook, names: dict[str, str]) -> dict[str, int]:
    """The place among the statements of what answers each name: its last definition that is not the stub.

    Args:
        handed_in: the student's notebook.
        names: the stub of each name that is asked for.
    """
    found = {}
    for name, stub in names.items():
        places = [k for k, one in enumerate(handed_in.statements) if name in one.binds and not one.check]
        bare = ast.unparse(ast.parse(stub)) if stub else ""
        own = [k for k in places if handed_in.statements[k].source != bare]
        if own or places:
            found[name] = (own or places)[-1]
    return found


def unread_answer(handed_in: Notebook, name: str) -> str:
    """Why an answer that is not found may stand in a cell that could not be read; empty where there is none."""
    for place, (source, why) in handed_in.unread.items():
        if re.search(rf"^[ \t]*((async[ \t]+)?def|class)[ \t]+{name}\b|^[ \t]*{name}[ \t]*=", source, re.MULTILINE):
            return f"could not be read: cell {place + 1} is no Python ({why})"
    return ""


@dataclass(frozen=True)
class Needs:
    """What an answer needs: sources of statements in their order, names that none defines, and those of other exercises."""

    statements: list[str]
    lacking: set[str]
    used: set[str]


def needed(course: Notebook, handed_in: Notebook, start: int, provided: set[str]) -> Needs:
    """What one of the student's statements needs, itself included.

    A name means what it means at the end of the student's cell. Where nothing above defines it, the course's cell does, and else
    the first one below.

    Args:
        course: the course's own statements.
        handed_in: the student's.
        start: the place of the answer in the student's.
        provided: names that are there already: the exercises before.
    """
    every = [*course.statements, *handed_in.statements]
    start += len(course.statements)
    limit = max(k for k in range(len(every)) if k <= start or (every[k].cell == every[start].cell and k > start))
    chosen, seen, lacking = {start}, set(every[start].binds), set()
    chosen |= {k for k in range(limit + 1) if "*" in every[k].binds}
    todo = sorted(every[start].reads)
    while todo:
        name = todo.pop()
        if name in seen or name in GIVEN:
            continue
        seen.add(name)
        if name in provided:
            continue
        new = makers(every, name, limit)
        if not new:
            lacking.add(name)
        for place in new - chosen:
            chosen.add(place)
            todo += every[place].reads
    return Needs([every[k].source for k in sorted(chosen)], lacking, seen & provided)


def makers(statements: list[Statement], name: str, limit: int) -> set[int]:
    """The places of the statements that make what a name means at `limit`."""
    places = [k for k, one in enumerate(statements) if name in one.binds and not one.check]
    above = [k for k in places if k <= limit]
    if not above:
        return set(places[:1])
    begin = max([k for k in above if statements[k].definite], default=above[0])
    if statements[begin].imports:
        return {k for k in above if k >= begin}
    changed = {k for k in range(begin, limit + 1) if name in statements[k].changes and not statements[k].check}
    return {k for k in above if k >= begin} | changed


def stubs(book: nbformat.NotebookNode) -> dict[str, str]:
    """The stub of each exercise of the course."""
    return {name: definitions(book.cells[place].source)[name] for name, place in exercises(book).items()}
