"""nbval bites: a notebook whose stored fact is wrong fails, and the same notebook as it was committed passes."""

import copy
import subprocess
import sys

import nbformat

from tests.repository.files import NOTEBOOKS

FACT = "nbval-check-output"


def stored_text(cell) -> nbformat.NotebookNode | None:
    """The first printed output of a cell."""
    return next((output for output in cell.outputs if output.output_type == "stream" and output.text.strip()), None)


def up_to_the_first_fact(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """A copy of the beginning of a notebook, to the first cell that prints a fact which nbval compares."""
    notebook = copy.deepcopy(notebook)
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and FACT in cell.metadata.get("tags", []) and stored_text(cell):
            notebook.cells = notebook.cells[: index + 1]
            return notebook
    raise AssertionError("the notebook prints no fact that nbval compares")


def test_an_altered_fact_is_noticed(tmp_path):
    # The one with the least output is run soonest.
    beginnings = [up_to_the_first_fact(nbformat.read(path, as_version=4)) for path in NOTEBOOKS]
    honest = min(beginnings, key=lambda notebook: len(nbformat.writes(notebook)))
    altered = copy.deepcopy(honest)
    output = stored_text(altered.cells[-1])
    output.text = output.text[:-2] + ("0" if output.text[-2] != "0" else "1") + output.text[-1:]
    nbformat.write(honest, tmp_path / "honest.ipynb")
    nbformat.write(altered, tmp_path / "altered.ipynb")
    # Only what the notebooks need: a configuration of its own, so that nothing else can fail.
    (tmp_path / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "--nbval-lax", "--nbval-current-env"]
    done = subprocess.run([*command, "-rA", "--tb=no", "."], cwd=tmp_path, capture_output=True, text=True)
    cells = sum(cell.cell_type == "code" for cell in honest.cells)
    assert done.returncode == 1, done.stdout + done.stderr
    results = [line.partition(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("PASSED", "FAILED"))]
    assert [line for line in results if line.startswith("FAILED")] == [f"FAILED altered.ipynb::Cell {cells - 1}"]
    assert sum("honest.ipynb" in line for line in results) == sum("altered.ipynb" in line for line in results) == cells
