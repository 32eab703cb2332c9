"""What the tests of the repository read: its source files, their syntax trees, and its notebooks."""

import ast
import functools
from pathlib import Path

import nbformat

from tools.files import ROOT

ROOMS = sorted(path.parent.name for path in ROOT.glob("course_lib/*/__init__.py"))
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
SOURCES = sorted(
    path for folder in ("course_lib", "tests", "tools", "benchmarks") for path in ROOT.joinpath(folder).rglob("*.py")
)


def name_of(path: Path) -> str:
    """The path from the root of the repository, which also names a test case."""
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@functools.cache
def notebook(path: Path) -> nbformat.NotebookNode:
    """A notebook, read once and not to be changed."""
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of a notebook, in order."""
    return [cell for cell in notebook(path).cells if cell.cell_type == "code"]


def imports(path: Path) -> list[tuple[str, int]]:
    """Every module that a file imports, with the line: `from a import b` counts as `a.b`, since b may be a module.

    Imports inside functions count too: they are how a ban would be evaded.
    """
    found = []
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A relative import starts at the package of the file, one level up for each further dot.
            start = [*package[: len(package) - node.level + 1]] if node.level else []
            module = ".".join([*start, *([node.module] if node.module else [])])
            found += [(f"{module}.{alias.name}", node.lineno) for alias in node.names]
    return found
