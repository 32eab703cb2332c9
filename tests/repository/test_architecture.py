"""The shape of the code: which room may import which, how long a file may be, public names documented and tested."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

from tests.repository.files import ROOMS, ROOT, SOURCES, imports, name_of, tree

# What each room may import from the others. `notebooks -> chapters -> data, viz, runtime`; of the chapters, layers builds on
# convolution, and the later ones may use both. `start` is chapter 0. __main__ stands above the rooms.
MAY_IMPORT = {
    "runtime": set(),
    "viz": set(),
    "data": {"runtime"},
    "start": {"data", "viz", "runtime"},
    "convolution": {"data", "viz", "runtime"},
    "layers": {"data", "viz", "runtime", "convolution"},
    "classification": {"data", "viz", "runtime", "convolution", "layers"},
    "gan": {"data", "viz", "runtime", "convolution", "layers"},
    "vae": {"data", "viz", "runtime", "convolution", "layers"},
}
# The ideas themselves are tensors in, tensors out: only the pictures and the interactive pieces of a room draw.
DRAWS = {"figures.py", "explorers.py"}
DRAWING = ("matplotlib", "ipywidgets", "IPython")
MAX_LINES = 300


def other_rooms(path) -> list[tuple[str, int]]:
    """The rooms that a file of a room imports beside its own, with the lines."""
    own = path.relative_to(ROOT / "course_lib").parts[0]
    rooms = [(module.split(".")[1], line) for module, line in imports(path) if module.startswith("course_lib.")]
    return [(room, line) for room, line in rooms if room in ROOMS and room != own]


def in_rooms():
    """The source files of the rooms."""
    return [path for path in SOURCES if path.is_relative_to(ROOT / "course_lib") and path.parent != ROOT / "course_lib"]


def test_every_room_is_in_the_table():
    assert set(ROOMS) <= set(MAY_IMPORT), "a new room needs its line in MAY_IMPORT"


@pytest.mark.parametrize("path", in_rooms(), ids=name_of)
def test_imports_run_one_way(path):
    room = path.relative_to(ROOT / "course_lib").parts[0]
    wrong = [f"line {line}: {room} imports {other}" for other, line in other_rooms(path) if other not in MAY_IMPORT[room]]
    assert not wrong


def that_compute():
    """Those of them that must not draw."""
    return [path for path in in_rooms() if path.name not in DRAWS and not path.is_relative_to(ROOT / "course_lib" / "viz")]


@pytest.mark.parametrize("path", that_compute(), ids=name_of)
def test_only_figures_and_explorers_draw(path):
    wrong = [f"line {line}: {module}" for module, line in imports(path) if module.split(".")[0] in DRAWING]
    # The typefaces and the photograph of the embedded data come out of matplotlib's files, without drawing.
    if path.is_relative_to(ROOT / "course_lib" / "data"):
        wrong = [line for line in wrong if "matplotlib" not in line or "pyplot" in line]
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_short_and_say_what_they_import(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, "split it by noun"
    assert path.stem not in ("utils", "util", "helpers", "common", "misc"), "name the file after what it holds"
    stars = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    assert not stars, f"star import in lines {stars}"


def names_used_in(folder) -> set[str]:
    """Every name that the test files of a folder mention as code."""
    names = set()
    for path in folder.rglob("test_*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_documented_and_tested(room):
    module = importlib.import_module(f"course_lib.{room}")
    assert module.__doc__, "the room needs a docstring"
    assert module.__all__ and len(set(module.__all__)) == len(module.__all__)
    values = {name: getattr(module, name) for name in module.__all__}
    callables = [name for name, value in values.items() if inspect.isroutine(value) or inspect.isclass(value)]
    undocumented = [name for name in callables if not inspect.getdoc(values[name])]
    assert not undocumented, f"without a docstring: {undocumented}"
    untested = sorted(set(module.__all__) - names_used_in(ROOT / "tests" / room))
    assert not untested, f"in no test of tests/{room}: {untested}"


# The notebook's first cell should answer at once: what draws or downloads is imported where it is used.
COMPUTING = ("classification", "convolution", "data", "gan", "layers", "runtime", "vae")
LIGHT = ["course_lib", *(f"course_lib.{room}" for room in COMPUTING)]


WHAT_EACH_LOADS = f"""
import importlib, sys
heavy = {{"matplotlib", "torchvision", "ipywidgets", "scipy"}}
for module in {LIGHT}:
    importlib.import_module(module)
    if heavy & set(sys.modules):
        print(module, "loads", *sorted(heavy & set(sys.modules)))
        break
"""


def test_importing_a_room_loads_nothing_that_draws_or_downloads():
    # One process for all rooms, since PyTorch alone takes seconds: the first that loads too much is named.
    done = subprocess.run([sys.executable, "-c", WHAT_EACH_LOADS], capture_output=True, text=True, check=True)
    assert done.stdout == ""
