"""Who wants points for a wrong answer, or to keep others from theirs, fails: what was tried beside tests/notebooks/hand_ins.py.

Each answer here is wrong, in a way of its own, and the one beside it is right and must stay so.
"""

import json
import os
import stat
import time
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests.notebooks.trial import UNSAFE, boxes, of
from tools.answers import LARGEST, MOST, read_cells
from tools.grade_class import Worker
from tools.grading import grade_all
from tools.handed_in import handed_in_files
from tools.marks import Marks
from tools.tasks import course_of

ASKED = """from course_lib.exercises import Exercise
import torch
def numbers(rng):
    return [(torch.rand(300_000, generator=rng),) for _ in range(2)]
tenfold_exercise = Exercise(lambda x: 10 * x, numbers)
squared_exercise = Exercise(lambda x: x * x, numbers)
class _Count:
    def up(self, x):
        return x + 1
counter = Exercise(_Count, numbers, use=lambda answer, x: answer().up(x))"""
SQUARED = "def squared(x):\n    return x * x"
STUBS = ("def tenfold(x):\n    return None", "def squared(x):\n    return None", "class Counter:\n    pass")
CHECKS = ("tenfold_exercise.choose(tenfold)", "squared_exercise.choose(squared)", "counter.choose(Counter)")
FORGE = """import gc, json, signal, socket, struct
def forge(reply):
    text = json.dumps(reply).encode()
    send(struct.pack('>QQ', len(text), 0) + text)
def send(data):
    for one in gc.get_objects():
        if isinstance(one, socket.socket) and one.fileno() >= 0:
            one.sendall(data)"""
# By what is tried: what runs where the answer is defined, the body of tenfold(x), and words of what is said of it.
ATTEMPTS = {
    "torch is patched": (
        "import torch\nfor name in ('allclose', 'equal', 'as_tensor', 'where'):\n    setattr(torch, name, lambda *a, **k: True)",
        "return x",
        "off by",
    ),
    "the check's random numbers are patched": (
        "import torch\ntorch.manual_seed = torch.Generator = lambda *a: None\ntorch.rand = lambda *a, **k: torch.zeros(300_000)",
        "import torch\nreturn torch.zeros(300_000)",
        "off by",
    ),
    "json is patched": (
        'import json\njson.dumps = lambda value: \'{"dict": [["found", true], ["changed", false]]}\'',
        "return x",
        "has the shape []",
    ),
    "a tensor lies": (
        "",
        "import torch\nclass Lies(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *a, **k):\n"
        "        return torch.zeros(())\nreturn torch.zeros(300_000).as_subclass(Lies)",
        "",
    ),
    "the exercise is looked for in memory": (
        "",
        "import gc\n[one] = [o for o in gc.get_objects() if type(o).__name__ == 'Exercise']\nreturn one.reference(x)",
        "raises ValueError: not enough values",
    ),
    "modules are swapped": (
        "import sys, types\nfor name in [*sys.modules]:\n    if name.startswith(('course_lib', 'tools', 'torch.')):\n"
        "        sys.modules[name] = types.ModuleType(name)",
        "return x",
        "off by",
    ),
    "at exit, and in a thread": (
        FORGE + "\nimport atexit, threading, time\natexit.register(forge, {'dict': [['found', True]]})\n"
        "threading.Timer(0.02, forge, [{'dict': [['found', True]]}]).start()",
        "import time\ntime.sleep(0.1)\nreturn x",
        "has the shape []",
    ),
    "signals are not heard": (
        "import os, signal\nfor k in (2, 10, 12, 14, 15):\n    signal.signal(k, signal.SIG_IGN)\nos.kill(0, 15)",
        "while True:\n    pass",
        "does not end within",
    ),
    "a reply is forged while it is defined": (
        FORGE + "\nforge({'dict': [['error', 'right'], ['text', 'right'], ['first', 3], ['name', ['a']]]})",
        "return x",
        "cannot be judged: right: right",
    ),
    "its first error is no error": (
        FORGE + "\nforge({'dict': [['first', {'dict': [[3, [1]]]}]]})",
        "return y",
        "waiting",
    ),
    "it does not read": (FORGE + "\nforge({'dict': [['defined', True]]})\nsignal.pause()", "return x", "does not end within"),
    "its error is called right": (
        "",
        "raise type('right', (Exception,), {'__str__': lambda self: 'right\\x1b[2J\\ud800'})()",
        "raises right: right?[2J?",
    ),
    "a name that no class can have": (FORGE + "\nforge({'dict': [['error', 'a\\0b\\ud800']]})", "return x", "a?b?"),
    "lists of nothing": (FORGE + "\nsend(struct.pack('>QQ', 2**27, 0) + b'[' + b'[],' * 2**20)", "return x", "bytes"),
    "a tensor larger than its bytes": (
        FORGE + "\nforge({'dict': [['found', {'tensor': 'float32', 'shape': [300000], 'at': 8}]]})",
        "return x",
        "it is no answer",
    ),
    "the page's check is called": (
        "import course_lib.exercises as e\ne.Exercise.choose = e.Exercise.fault = lambda *a, **k: None\nanswer.fault = None",
        "return x",
        "off by",
    ),
}

A_FEW = ("torch is patched", "a reply is forged while it is defined", "it does not read", "lists of nothing")
TRIED = ATTEMPTS if os.environ.get("COURSE_CLASS") else {name: ATTEMPTS[name] for name in A_FEW}  # `make test-class` has all


def attempt(before: str, body: str) -> str:
    """An answer to tenfold, decorated by what runs first."""
    lines = [f"    {line}" for line in before.splitlines()], [f"    {line}" for line in body.splitlines()]
    return "\n".join(["def first(answer):", *lines[0], "    return answer", "@first", "def tenfold(x):", *lines[1]])


@pytest.fixture(scope="module")
def book() -> nbformat.NotebookNode:
    """Three exercises on tensors of a megabyte."""
    cells = [new_markdown_cell("# Trial"), new_code_cell(ASKED)]
    for stub, check in zip(STUBS, CHECKS, strict=True):
        cells += [new_code_cell(stub, metadata={"tags": ["exercise"]}), new_code_cell(check)]
    return new_notebook(cells=cells)


@pytest.mark.skipif(UNSAFE, reason="there is no sandbox: it would run with the rights of the tests")
@pytest.mark.parametrize(("before", "body", "words"), TRIED.values(), ids=TRIED)
def test_a_wrong_answer_gets_nothing_and_costs_only_itself(book, before, body, words):
    found = grade_all(course_of(book), read_cells(of(attempt(before, body), SQUARED)), boxes(), seconds=1.5)
    assert found["tenfold"].share == 0 and words in found["tenfold"].text
    assert found["squared"].text == "right"


@pytest.mark.skipif(UNSAFE, reason="there is no sandbox")
@pytest.mark.parametrize("place", ["/tmp/left", "/dev/shm/left", "shmget"])
def test_an_answer_leaves_nothing_for_another(book, place):
    if place == "shmget":
        leave, there = (f"__import__('ctypes').CDLL(None).shmget(977, 64, 0o{flag})" for flag in ("1666", "666"))
        there += " >= 0"
    else:
        leave, there = f"open({place!r}, 'w').write('a')", f"__import__('os').path.exists({place!r})"
    leaves = f"def tenfold(x):\n    assert {leave} >= 0\n    return 10 * x"
    takes = f"def squared(x):\n    return x if {there} else x * x"
    found = grade_all(course_of(book), read_cells(of(leaves, takes)), boxes())
    assert found["tenfold"].text == found["squared"].text == "right"


@pytest.mark.skipif(UNSAFE, reason="there is no sandbox")
def test_nothing_of_the_grader_is_to_be_read_in_the_sandbox(book):
    look = (
        "import glob, os\ndef tenfold(x):\n    seen = str(dict(os.environ))\n"
        "    for path in [*glob.glob('/proc/[0-9]*/cmdline'), *glob.glob('/proc/[0-9]*/environ')]:\n"
        "        try:\n            seen += open(path, errors='replace').read()\n        except OSError:\n            pass\n"
        "    import course_lib.exercises as e\n    seen += str(os.listdir(os.path.dirname(e.__file__)))\n"
        "    hits = [w for w in ('977123', 'grade_class', 'convolution.py', 'learning.py') if w in seen]\n"
        "    raise ValueError(f'it saw {hits}')"
    )
    found = grade_all(course_of(book), read_cells(of(look)), boxes(), seed=977123)
    assert "it saw []" in found["tenfold"].text


@pytest.mark.skipif(UNSAFE or not os.environ.get("COURSE_CLASS"), reason="it takes a quarter of a minute: make test-class")
def test_a_sandbox_that_is_stopped_is_started_again(book):
    stops = attempt("import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)", "return x")
    found = grade_all(course_of(book), read_cells(of(stops, SQUARED)), boxes())
    assert found["tenfold"].share == 0 and found["squared"].text == "right"


def graded(book: nbformat.NotebookNode, folder, out) -> dict[str, str]:
    """Why each file of a folder was not graded; the tables are written as `make grade` writes them."""
    worker, marks = Worker(book, {"seconds": 2}, UNSAFE), Marks(out, "trial", ["tenfold"], 1)
    worker.boxes = boxes()
    for one in handed_in_files(str(folder)):
        marks.add(worker.grade(one))
    marks.finish()
    return {one.name: one.why for one in marks.rows}


def test_files_that_want_to_break_the_grader_get_a_row(book, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1\n" * (LARGEST // 6 + 1))]), folder / "long.ipynb")
    nbformat.write(new_notebook(cells=[new_code_cell("x = 1\n" * (MOST + 1))]), folder / "many.ipynb")
    heading = {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# \ud800\x1b[2J"}
    whole = {"cells": [heading], "metadata": {"points": 3}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "heading.ipynb").write_text(json.dumps(whole))
    os.close(os.open(os.fsencode(folder) + b"/\xff.ipynb", os.O_CREAT | os.O_WRONLY))
    (folder / "a").mkdir()
    for name in ("a/b.ipynb", "a_b.ipynb"):
        nbformat.write(of("def tenfold(x)\n    return"), folder / name)
    with zipfile.ZipFile(folder / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("../../out.ipynb", "{}")
        archive.writestr("bomb.ipynb", bytes(51 * 2**20))
    begin = time.monotonic()
    found = graded(book, folder, tmp_path / "out")
    assert time.monotonic() - begin < 20
    assert len(found) == 9 and sum(not why for why in found.values()) == 2, "a/b and a_b have an answer that cannot be read"
    assert "letters of code" in found["long.ipynb"] and "statements" in found["many.ipynb"]
    assert "it is '??[2J'" in found["heading.ipynb"] and "NotJSONError" in found["?.ipynb"]
    assert "more than 50 MB" in found["z.zip/bomb.ipynb"]
    assert {path.name for path in tmp_path.iterdir()} == {"in", "out"}
    pages = [path.read_text(encoding="utf-8") for path in (tmp_path / "out" / "feedback").iterdir()]
    assert len(pages) == 9, "a/b and a_b have a page each"


def test_a_page_of_feedback_shows_what_an_error_says_and_obeys_none_of_it(book, tmp_path):
    raises = "def tenfold(x):\n    raise ValueError('<img src=x> | a')"
    (folder := tmp_path / "in").mkdir()
    nbformat.write(of(raises), folder / "a.ipynb")
    graded(book, folder, tmp_path / "out")
    (page,) = (tmp_path / "out" / "feedback").iterdir()
    assert "&lt;img src=x&gt; \\| a" in page.read_text(encoding="utf-8")
