"""A chapter to start from, which passes the tests as it is: `make new-chapter NAME=flows`.

It makes the room course_lib/flows, its tests, and a notebook in the form in which notebooks are
committed, executed once; and it adds the lines that name them to the architecture test and to the
README. Each file is small and meant to be written over.
"""

import re
import sys

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import notebooks
from tools.files import ROOT, write_atomically
from tools.notebook_form import dumps
from tools.setup_cell import read_address

TABLE = "tests/repository/test_architecture.py"
FILES = {
    "course_lib/{name}/__init__.py": '''"""Chapter {number}: {name}. Say in a sentence what it is about."""

from course_lib.{name}.scaling import scale
''',
    "course_lib/{name}/scaling.py": '''"""A place for the first idea of the chapter: call the file after what it holds."""

import torch


def scale(x: torch.Tensor, factor: float) -> torch.Tensor:
    """x [N, ...] times `factor`, of the same shape."""
    return x * factor
''',
    "course_lib/{name}/figures.py": '''"""The pictures of chapter {number}."""

import torch
from matplotlib.figure import Figure

from course_lib.{name}.scaling import scale
from course_lib.viz import curves


def scaled_lines(factors: tuple[float, ...] = (0.5, 1.0, 2.0)) -> Figure:
    """A line for each factor: `scale` of the numbers from -1 to 1."""
    x = torch.linspace(-1, 1, 9)
    return curves(x.tolist(), {{f"factor {{factor:g}}": scale(x, factor) for factor in factors}}, "x", "scaled")
''',
    "tests/{name}/test_scaling.py": '''"""The laws of `scale`, and its picture."""

import torch

from course_lib.{name} import scale
from course_lib.{name}.figures import scaled_lines


def test_factors_multiply():
    x = torch.randn(3, 4)
    torch.testing.assert_close(scale(scale(x, 2.0), 3.0), scale(x, 6.0))


def test_the_picture_has_a_line_for_each_factor():
    assert len(scaled_lines((1.0, 2.0)).axes[0].lines) == 2
''',
}
IMPORTS = """import torch
from course_lib import data, {name}, runtime
from course_lib.{name}.figures import scaled_lines
from course_lib.viz import show

# Change this word to "mnist", "fashion-mnist", "cifar10" or "folder:PATH" and run everything again.
DATASET = "glyphs"
rng = runtime.seed_everything(0)
x = data.load(DATASET, "test").pixels(slice(0, 10))"""
IDEA = """## 1. The idea

A derivation ends in a cell that would fail if it were wrong: the slope of $y = a x$ is $a$."""
CHECK = """x.requires_grad_()
{name}.scale(x, 3.0).sum().backward()
print("the gradient is the factor:", torch.equal(x.grad, torch.full_like(x, 3.0)))"""
PICTURE = """show(
    scaled_lines(),
    alt="Three straight lines through the origin, with slopes of a half, one and two.",
)"""
SOURCES = """### Where it comes from

- T. Hastie, R. Tibshirani, J. Friedman, *The Elements of Statistical Learning*, second edition, Springer 2009."""


def cells(name: str, number: int, path: str) -> list[nbformat.NotebookNode]:
    """The cells of the notebook at `path`, not executed."""
    address, title = read_address(), name.replace("_", " ").capitalize()
    return [
        new_markdown_cell(f"# {number} · {title}\n\nSay what the reader will have made.\n\n{address.colab_line(path)}"),
        new_code_cell(address.setup_cell(), metadata={"jupyter": {"source_hidden": True}}),
        new_code_cell(IMPORTS.format(name=name)),
        new_markdown_cell(IDEA),
        new_code_cell(CHECK.format(name=name), metadata={"tags": ["nbval-check-output"]}),
        new_code_cell(PICTURE),
        new_markdown_cell(SOURCES),
    ]


def insert(path: str, before: str, line: str) -> None:
    """Put a line into a file of the checkout, above the first one that begins with `before`."""
    lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
    place = next(place for place, found in enumerate(lines) if found.startswith(before))
    write_atomically(ROOT / path, "\n".join([*lines[:place], line, *lines[place:]]))


def make(name: str) -> None:
    """Write the files of a chapter and execute its notebook.

    Raises:
        ValueError: it is no name for a module, or there is one of that name.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise ValueError(f"NAME is {name!r}: give the room a name of small letters, as in NAME=flows")
    if (ROOT / "course_lib" / name).exists() or (ROOT / "tests" / name).exists():
        raise ValueError(f"NAME is {name!r}: there is such a room, or such a folder of tests")
    number = max(int(path.name[:2]) for path in ROOT.glob("notebooks/[0-8]?_*.ipynb")) + 1
    path = f"notebooks/{number:02}_{name}.ipynb"
    for file, text in FILES.items():
        target = ROOT / file.format(name=name)
        target.parent.mkdir(exist_ok=True)
        write_atomically(target, text.format(name=name, number=number))
    write_atomically(ROOT / path, dumps(new_notebook(cells=cells(name, number, path))))
    link = f"[{number} {name.replace('_', ' ').capitalize()}]({path}) ([Colab]({read_address().colab(path)}))"
    insert("README.md", "| [99", f"| {link} | its question | | | what you will see |")
    rooms = (ROOT / TABLE).read_text(encoding="utf-8").split("\n")
    like = next(line for line in rooms if line.startswith('    "vae": '))  # what a chapter may import
    insert(TABLE, like, like.replace("vae", name, 1))
    notebooks.keep(ROOT / path, notebooks.refresh(ROOT / path))
    print(f"course_lib/{name}, tests/{name} and {path} are there. Next: make check ROOM={name}, and CONTRIBUTING.md.")


def main() -> None:
    """Makes the chapter that the command line names."""
    try:
        make(*sys.argv[1:2] or [""])
    except ValueError as error:
        sys.exit(f"make new-chapter: {error}")


if __name__ == "__main__":
    main()
