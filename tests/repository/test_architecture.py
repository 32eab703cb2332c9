"""The shape of the code: who may import whom, how large it may be, public names that are tested."""

import ast
import graphlib
import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository.files import ROOMS, ROOT, SOURCES, imports, name_of, tree

PACKAGE = ROOT / "course_lib"

# What each room may import from the others: notebooks -> pretrained, exercises -> themes -> metrics,
# training, blocks -> data, viz -> runtime. A theme is what a chapter is about, and does not need the models
# or the training of another one: the later ones may use the functions of `convolution` and
# `layers`, and of a classifier only FACE. `start` is chapter 0. Beside the rooms, train.py stands above the
# themes and below `pretrained`, which trains with it, and __main__ above all.
GROUND = {"runtime"}
SHARED = GROUND | {"data", "viz"}
CHAPTER = SHARED | {"metrics", "training", "blocks", "convolution", "layers"}
MAY_IMPORT = {
    "runtime": set(),
    "viz": GROUND,
    "data": GROUND,
    "metrics": SHARED,
    "training": SHARED,
    "blocks": SHARED,
    "start": SHARED,
    "convolution": SHARED,
    "layers": SHARED | {"convolution"},
    "classification": CHAPTER,
    "gan": CHAPTER,
    "vae": CHAPTER,
    "pretrained": CHAPTER | {"classification", "gan", "vae"},
    "recorded": {"viz"},
    "exercises": (CHAPTER | {"start", "classification", "gan", "vae", "pretrained", "recorded"}) - {"viz"},
}
FACE = {f"course_lib.classification.{name}" for name in ("Classifier", "fit_classifier", "evaluate")}

# The ideas themselves are tensors in, tensors out: only the pictures and the interactive pieces of
# a room draw.
DRAWS = {"figures", "explorers", "viz"}
DRAWING = ("matplotlib", "ipywidgets", "IPython")
MAX_LINES = 300

MAX_STATEMENTS = 3_800 + 205
"""Of the package without its pictures and exercises, up to the chapter of the VAE; a new chapter may add 300: 205 are those of
chapter 12, one core to many (`training.devices` and `train`).
"""


def room_of(path: Path) -> str:
    """The room that a file of the package belongs to; "" for those beside the rooms."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def draws(path: Path) -> bool:
    """Whether a file holds pictures: figures.py, explorers.py, folders of that name, viz."""
    return bool(DRAWS & set(path.relative_to(PACKAGE).with_suffix("").parts))


MODULES = [path for path in SOURCES if path.is_relative_to(PACKAGE)]
IN_ROOMS = [path for path in MODULES if room_of(path)]


def test_every_room_is_in_the_table():
    assert set(ROOMS) <= set(MAY_IMPORT), "a new room needs its line in MAY_IMPORT"


@pytest.mark.parametrize("path", IN_ROOMS, ids=name_of)
def test_imports_run_one_way(path):
    room = room_of(path)
    wrong = []
    for module, line in imports(path):
        other = module.split(".")[1] if module.startswith("course_lib.") else room
        allowed = other == room or other in MAY_IMPORT[room] or (module in FACE and MAY_IMPORT[room] >= CHAPTER)
        if other in ROOMS and not allowed:
            wrong.append(f"line {line}: {room} imports {module}")
    assert not wrong


def file_of(module: str) -> Path | None:
    """The file of the package that holds an imported name; None where it comes from elsewhere."""
    parts = module.split(".")
    while parts and parts[0] == "course_lib":
        path = ROOT.joinpath(*parts)
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if candidate.is_file():
                return candidate
        parts.pop()
    return None


def imported_files(path: Path) -> set[Path]:
    """The files of the package that a file imports, in functions and for types alone too."""
    return {found for module, _ in imports(path) if (found := file_of(module)) not in (None, path)}


def circle(graph: dict) -> list[str]:
    """A circle in a graph of files or rooms and what they import; empty where there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [str(step) for step in error.args[1]]
    return []


def test_no_files_import_each_other_in_a_circle():
    found = circle({name_of(path): {name_of(other) for other in imported_files(path)} for path in MODULES})
    assert not found, f"each imports the one before: {' <- '.join(found)}"


def test_no_rooms_may_import_each_other_in_a_circle():
    assert not circle(MAY_IMPORT)


def test_a_circle_is_noticed_also_where_an_import_is_for_types_alone(tmp_path, monkeypatch):
    package = tmp_path / "course_lib"
    (package / "room").mkdir(parents=True)
    sources = {
        "__init__": "",
        "first": "def late():\n    from course_lib.room.second import x\n",
        "second": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from course_lib.room import first\n",
    }
    for name, source in sources.items():
        (package / "room" / f"{name}.py").write_text(source, encoding="utf-8")
    monkeypatch.setattr("tests.repository.test_architecture.ROOT", tmp_path)
    monkeypatch.setattr("tests.repository.files.ROOT", tmp_path)
    graph = {path.stem: {other.stem for other in imported_files(path)} for path in (package / "room").glob("*.py")}
    assert graph == {"__init__": set(), "first": {"second"}, "second": {"first"}}
    assert circle(graph) and not circle({**graph, "second": set()})


@pytest.mark.parametrize("path", [path for path in IN_ROOMS if not draws(path)], ids=name_of)
def test_only_figures_and_explorers_draw(path):
    wrong = [f"line {line}: {module}" for module, line in imports(path) if module.split(".")[0] in DRAWING]
    # The typefaces and the photograph of the embedded data come out of matplotlib's files, without
    # drawing.
    if room_of(path) == "data":
        wrong = [line for line in wrong if "matplotlib" not in line or "pyplot" in line]
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_are_short_and_say_what_they_import(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES, "split it by noun"
    assert path.stem not in ("utils", "util", "helpers", "common", "misc"), "name the file after what it holds"
    stars = [node.lineno for node in ast.walk(tree(path)) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    assert not stars, f"star import in lines {stars}"


def statements(path: Path) -> int:
    """Statements of a file, texts that stand alone (docstrings) left out.

    Lines would be another measure: what is squeezed into fewer lines counts as before.
    """
    nodes = [node for node in ast.walk(tree(path)) if isinstance(node, ast.stmt)]
    return sum(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in nodes)


def test_the_package_stays_small():
    counts: dict[str, int] = {}
    for path in MODULES:
        if not draws(path) and room_of(path) != "exercises":
            counts[room_of(path)] = counts.get(room_of(path), 0) + statements(path)
    total = sum(counts.values())
    rooms = ", ".join(f"{room or 'beside them'} {count}" for room, count in sorted(counts.items(), key=lambda item: -item[1]))
    assert total <= MAX_STATEMENTS, (
        f"the package has {total} statements without its pictures, and {MAX_STATEMENTS} are its budget: take out what no "
        f"notebook, tool or benchmark uses, or what stands there twice ({rooms})"
    )


def names_used_in(folder: Path) -> set[str]:
    """Every name that the test files of a folder mention as code."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Name):
                names.add(node.id)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
    return names


def public_names(room: str) -> list[str]:
    """The names that a room's `__init__.py` imports: they are what the room offers."""
    nodes = ast.walk(tree(PACKAGE / room / "__init__.py"))
    return [alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_is_documented_and_tested(room):
    module, names = importlib.import_module(f"course_lib.{room}"), public_names(room)
    assert module.__doc__, "the room needs a docstring"
    assert names and len(set(names)) == len(names)
    assert not hasattr(module, "__all__"), "the imports say which names are public"
    values = {name: getattr(module, name) for name in names}
    callables = [name for name, value in values.items() if inspect.isroutine(value) or inspect.isclass(value)]
    undocumented = [name for name in callables if not inspect.getdoc(values[name])]
    assert not undocumented, f"without a docstring: {undocumented}"
    untested = sorted(set(names) - names_used_in(ROOT / "tests" / room))
    assert not untested, f"in no test of tests/{room}: {untested}"


# The notebook's first cell should answer at once: what draws or downloads is imported where it is
# used.
WHAT_EACH_LOADS = f"""
import importlib, sys
heavy = {{"matplotlib", "torchvision", "ipywidgets", "scipy"}}
for module in {["course_lib", *(f"course_lib.{room}" for room in ROOMS if room != "viz")]}:
    importlib.import_module(module)
    if heavy & set(sys.modules):
        print(module, "loads", *sorted(heavy & set(sys.modules)))
        break
"""


def test_importing_a_room_loads_nothing_that_draws_or_downloads():
    # One process for all rooms, since PyTorch alone takes seconds: the first that loads too much is
    # named.
    done = subprocess.run([sys.executable, "-c", WHAT_EACH_LOADS], capture_output=True, text=True, check=True)
    assert done.stdout == ""
