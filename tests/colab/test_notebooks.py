"""A notebook that Colab opens: it lies alone in an empty folder, sets itself up, runs to its end and leaves PyTorch as it was.

In `make test` this is the first notebook, and those of its cells that its explorers need; `make test-colab` runs all, whole.
"""

import json
import shutil
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from tests.colab.colab import FULL, LIST, ask, variables
from tests.repository.files import NOTEBOOKS, name_of
from tools.needed_cells import makes_explorers, needed_cells
from tools.notebook_form import WIDGET, faults
from tools.notebooks import CELL_TIMEOUT, Client

WHERE = """
import sys
import course_lib
import torch
print("google.colab" in sys.modules, torch.__version__)
print(course_lib.__file__)
"""


class ColabClient(Client):
    """Executes a notebook in the kernel of another Python."""

    def create_kernel_manager(self):
        """Finds the one kernel in the folder of kernels that `run_alone` has written."""
        specs = KernelSpecManager(kernel_dirs=[str(self.kernels)])
        self.km = self.kernel_manager_class(kernel_name="colab", kernel_spec_manager=specs, config=self.config)
        return self.km


def run_alone(book: nbformat.NotebookNode, python: Path, folder: Path, published: Path | None, home: Path) -> None:
    """Executes a notebook in place, in `folder`, with another Python's kernel; `home` is for the kernel's own files."""
    start = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = home / "kernels" / "colab" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": start, "display_name": "Colab", "language": "python"}), encoding="utf-8")
    client = ColabClient(book, timeout=CELL_TIMEOUT * 4, coalesce_streams=True, record_timing=False)
    client.kernels = spec.parent.parent
    client.extra_arguments = ["--IPKernelApp.log_level=40"]
    client.resources = {"metadata": {"path": str(folder)}}
    client.execute(env={**variables("colab", published), "IPYTHONDIR": str(home), "COURSE_DEVICE": "cpu"})


@pytest.mark.parametrize("path", NOTEBOOKS if FULL else NOTEBOOKS[:1], ids=name_of)
def test_a_notebook_alone_sets_itself_up_and_runs(path, python, snapshot, tmp_path):
    folder = tmp_path / "content"
    folder.mkdir()
    shutil.copy2(snapshot / name_of(path), folder)
    book = nbformat.read(folder / path.name, as_version=4)
    if not FULL:
        book.cells = [book.cells[place] for place in needed_cells(book)]
    book.cells.append(nbformat.v4.new_code_cell(WHERE))
    before = ask(python, LIST)
    run_alone(book, python, folder, snapshot, tmp_path)

    code = [cell for cell in book.cells if cell.cell_type == "code"]
    said = "".join(output.get("text", "") for output in code[0].outputs)
    assert "error" not in said.lower() and len(said.splitlines()) <= 1, said  # IPython's note about restarting
    colab, place = code[-1].outputs[0].text.splitlines()
    assert colab.split()[0] == "True" and colab.split()[1].partition("+")[0] == before["torch"].partition("+")[0]
    assert Path(place).is_relative_to(python.parent.parent)
    after = ask(python, LIST)
    assert "course_lib" in after
    assert {name: after[name] for name in before} == before and set(after) - set(before) <= {"course_lib"}
    assert [file.name for file in folder.iterdir()] == [path.name], "nothing else is written there"
    book.cells.pop()  # it has shown a path of this machine
    assert faults(book) == []
    # Colab shows an explorer as the widget alone: among several forms it would choose by rules of its own.
    for cell in filter(lambda cell: makes_explorers(cell.source), code):
        kinds = [set(output.data) for output in cell.outputs if output.output_type == "display_data"]
        assert any(WIDGET in kind and "image/png" not in kind for kind in kinds)
