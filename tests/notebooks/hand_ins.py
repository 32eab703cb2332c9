"""Hand-ins as a class sends them, right, wrong, empty, unusual, careless and hostile: what a fair grader says of each."""

import copy
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat
import torch
from nbformat.v4 import new_code_cell

from tools.exercises import exercises, solutions


@dataclass(frozen=True)
class Material:
    """Of a notebook three exercises, the first on tensors, and answers to them.

    Attributes:
        notebook: the beginning of its name.
        module: of the exercises.
        names: the three.
        wrong: an answer to each with every part wrong.
        by_numpy: a right answer to the first that reads `np`.
        helped: a right answer to the second that calls a helper `best`, and that helper.
        short: a right answer to the third as a lambda.
    """

    notebook: str
    module: str
    names: tuple[str, str, str]
    wrong: dict[str, str]
    by_numpy: str
    helped: tuple[str, str]
    short: str


CONVOLUTION = Material(
    "01_",
    "convolution",
    ("conv1d", "output_size", "gaussian_kernel"),
    {
        "conv1d": "def conv1d(x, w):\n    return x[: len(x) - len(w) + 1]",
        "output_size": "def output_size(size, kernel_size, stride=1, padding=0, dilation=1):\n    return size - kernel_size",
        "gaussian_kernel": "def gaussian_kernel(size, sigma):\n    return torch.ones(size, size) / size",
    },
    "def conv1d(x, w):\n    return torch.from_numpy(np.correlate(x.numpy(), w.numpy(), 'valid'))",
    (
        "def output_size(size, kernel_size, stride=1, padding=0, dilation=1):\n"
        "    return best(size + 2 * padding, dilation * (kernel_size - 1) + 1) // stride + 1",
        "def best(size, span):\n    return size - span",
    ),
    "gaussian_kernel = lambda size, sigma: (lambda p: torch.outer(p, p) / p.sum() ** 2)("
    "torch.exp(-(torch.arange(size) - (size - 1) / 2) ** 2 / (2 * sigma**2)))",
)
BUILDING = Material(
    "03_",
    "building_a_cnn",
    ("cross_entropy", "linear_backward", "dropout_backward"),
    {
        "cross_entropy": "def cross_entropy(logits, target):\n    return logits.logsumexp(1).mean()",
        "linear_backward": "def linear_backward(g, x, weight):\n    return g @ weight + 1, g.T @ x + 1, g.sum(0) + 1",
        "dropout_backward": "def dropout_backward(g, mask):\n    return g",
    },
    "def cross_entropy(logits, target):\n    z = logits.numpy() - logits.numpy().max(axis=1, keepdims=True)\n"
    "    p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))\n"
    "    return torch.tensor(-p[np.arange(len(p)), target.numpy()].mean())",
    (
        "def linear_backward(g, x, weight):\n    return best(g, weight), best(g.T, x), g.sum(dim=0)",
        "def best(a, b):\n    return a @ b",
    ),
    "dropout_backward = lambda g, mask: g * mask",
)
RIGHT = 3
SAYS_WHY = "a row that says why it could not be graded"
FIRST_LINE = "def NAME(*arguments):\n    "
# Each breaks into something, or lies, and costs its exercise. The last of them try to get points with a wrong answer.
COSTS = {
    "endless": "while True:\n        pass",
    "exit": "import os\n    os._exit(0)",
    "flood": "while True:\n        print('x' * 10000)",
    "memory": "return [bytearray(2**28) for _ in range(64)]",
    "fork": "import os\n    while True:\n        os.fork()",
    "kill": "import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)\n    os.kill(-1, signal.SIGKILL)",
    "disk": "import os\n    for k in range(99):\n        open(f'/tmp/{k}', 'wb').write(bytes(2**25))",
    "network": "import socket\n    socket.create_connection(('1.1.1.1', 53), 2)",
    "solutions": "from course_lib.exercises import MODULE\n    return MODULE.NAME.reference(*arguments)",
    "notebooks": "import pathlib\n    return next(pathlib.Path('ROOT').rglob('NOTEBOOK*.ipynb')).read_text()",
    "grader": "import os\n    return open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
    "lies": "return type('Number', (float,), {n: lambda *a: True for n in ('__eq__', '__le__', '__lt__')}"
    " | {n: lambda *a: 0.0 for n in ('__sub__', '__rsub__', '__abs__', '__float__')})(1e9)",
    "patches": "import torch\n    torch.Tensor.__sub__ = torch.Tensor.abs = lambda self, *a: torch.zeros(())\n"
    "    torch.as_tensor = lambda *a, **b: torch.zeros(())\n    return torch.full((7, 7), 3.0)",
    "frames": "import gc\n    kept = [f for f in gc.get_objects() if getattr(f, '__name__', '') in ('_NAME', 'NAME_answer')]\n"
    "    return kept[0](*arguments)",
    "forges": "import gc, json, socket, struct, torch\n    reply = json.dumps({'found': True, 'text': 'right'}).encode()\n"
    "    for one in gc.get_objects():\n        if isinstance(one, socket.socket):\n"
    "            one.sendall(struct.pack('>Q', len(reply)) + reply)",
}


def shortened(path: Path, names: tuple[str, ...]) -> nbformat.NotebookNode:
    """A notebook of the course in which only these exercises are asked for, so that a test takes seconds."""
    book = nbformat.read(path, 4)
    asked = exercises(book)
    for name, place in asked.items():
        if asked[name] not in [asked[kept] for kept in names]:
            book.cells[place].metadata["tags"] = []
    for place in {asked[name] for name in names}:
        for step in (0, 1):  # of a cell that asks for two, the first
            own = [name for name, where in asked.items() if where == place and name in names]
            cell = book.cells[place + step]
            if step:
                cell.source = "\n".join(line for line in cell.source.splitlines() if line.split(" = ")[0] in own)
            else:
                cell.source = "\n\n\n".join(text for text in cell.source.split("\n\n\n") if any(f"def {n}(" in text for n in own))
    return book


def hard_coded(material: Material, exercise) -> str:
    """An answer to the first exercise that knows the cases of the page."""
    name = material.names[0]
    cases = exercise.cases(torch.Generator().manual_seed(0))
    known = {repr([part.tolist() for part in case]): exercise.reference(*case).tolist() for case in cases}
    return f"import torch\nKNOWN = {known!r}\n" + (
        f"def {name}(*case):\n    found = KNOWN.get(repr([part.tolist() for part in case]), 0.0)\n"
        "    return torch.tensor(found, dtype=case[0].dtype)"
    )


def write(book: nbformat.NotebookNode, material: Material, exercise, out: Path, root: Path) -> dict[str, int | str]:
    """Writes all kinds into a folder, and returns of each file the points of a fair grader, or what it must say."""
    names, expected = material.names, {}
    right = {name: solutions(book)[name] for name in names}
    first, second, third = names

    def put(path, answers, expect, *, checks=None, before=None, top=None):
        copied = copy.deepcopy(book)
        places = exercises(copied)
        for name, code in answers.items():
            copied.cells[places[name]].source = code
        for place in set(places.values()) if checks else ():
            copied.cells[place + 1].source = checks
        if before:
            copied.cells.insert(places[before[0]], new_code_cell(before[1]))
        if top:
            copied.cells.insert(3, new_code_cell(top))
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(copied, out / path)
        expected[path] = expect

    put("plain/right.ipynb", right, RIGHT)
    put("plain/wrong.ipynb", material.wrong, 0)
    put("plain/empty.ipynb", {}, 0)
    put("plain/edited_checks.ipynb", material.wrong, 0, checks=f'print("{first} is right in all 4 cases.")')
    put("honest/import_in_another_cell.ipynb", {**right, first: material.by_numpy}, RIGHT, top="import numpy as np")
    put("honest/helper_in_another_cell.ipynb", {**right, second: material.helped[0]}, RIGHT, before=(second, material.helped[1]))
    put("honest/lambda.ipynb", {**right, third: material.short}, RIGHT)
    for magic in ("time", "capture"):
        put(f"honest/{magic}.ipynb", {**right, third: f"%%{magic}\n{right[third]}"}, RIGHT)
    put("honest/twice.ipynb", {**right, first: material.wrong[first] + "\n\n\n" + right[first]}, RIGHT)
    put("names/Übung – 3.ipynb", right, RIGHT)
    put("names/Jürgen Müller_123456_assignsubmission_file/03 [final].ipynb", right, RIGHT)
    put("names/mueller_LATE_12345_678910_03_classification-1.ipynb", right, RIGHT)
    (out / "names" / "late.py").write_text("def top_k_accuracy(): pass\n")
    (out / "names" / "answers.pdf").write_bytes(b"%PDF-1.4\n")
    (out / "names" / "broken.ipynb").write_text("{")
    nbformat.write(nbformat.v4.new_notebook(cells=[new_code_cell("x = 1")]), out / "names" / "another.ipynb")
    for name in ("late.py", "answers.pdf", "broken.ipynb", "another.ipynb"):
        expected[f"names/{name}"] = SAYS_WHY
    with zipfile.ZipFile(out / "names" / "moodle.zip", "w") as archive:
        archive.write(out / "plain" / "right.ipynb", "A_1_assignsubmission_file/03_classification.ipynb")
    expected["names/moodle.zip/A_1_assignsubmission_file/03_classification.ipynb"] = RIGHT
    files = (
        "import os, pathlib, subprocess\n"
        "pathlib.Path.home().joinpath('WRITTEN-BY-A-HAND-IN').write_text('x')\n"
        "subprocess.Popen(['sleep', '977'], start_new_session=True)\n"
    )
    put("hostile/writes_home_and_daemon.ipynb", {**right, first: files + right[first]}, "no such file, no such process")
    put("hostile/hard_coded.ipynb", {**material.wrong, first: hard_coded(material, exercise)}, 0)
    for kind, code in COSTS.items():
        answer = FIRST_LINE + code
        for mark, text in (("NAME", first), ("MODULE", material.module), ("ROOT", str(root)), ("NOTEBOOK", material.notebook)):
            answer = answer.replace(mark, text)
        put(f"hostile/{kind}.ipynb", {**right, first: answer}, RIGHT - 1)
    return expected
