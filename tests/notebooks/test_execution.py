"""`make notebooks`: what is written is normalised, complete and fit to be published, or nothing is written."""

import platform

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import notebooks, records
from tools.notebook_form import WIDGET, dumps, faults, normalise


def write(path, *sources):
    cells = [new_markdown_cell("# Trial", id="title")]
    cells += [new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": {"name": "other", "display_name": "Mine"}}), path)
    return path.read_text(encoding="utf-8")


def test_a_notebook_is_run_in_its_folder_and_written_the_same_twice(tmp_path):
    path = tmp_path / "trial.ipynb"
    (tmp_path / "beside.txt").write_text("here", encoding="utf-8")
    sources = (
        "import os\nsum(range(3))",
        "print(open('beside.txt').read())\nprint(os.environ['OMP_NUM_THREADS'], os.environ['TQDM_DISABLE'])",
        "block = bytearray(200 * 2**20)\nimport time\nfor i in range(0, len(block), 4096):\n    block[i] = 1\ntime.sleep(0.5)",
    )
    write(path, *sources)
    entry = notebooks.refresh(path)
    text = path.read_text(encoding="utf-8")
    notebook = nbformat.reads(text, as_version=4)
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2, 3]
    assert [cell.id for cell in notebook.cells] == ["title", "cell-0", "cell-1", "cell-2"]
    assert notebook.cells[1].outputs[0].data["text/plain"] == "3" and len(notebook.cells[1].outputs) == 1
    assert notebook.cells[2].outputs[0].text == "here\n1 1\n"
    assert notebook.metadata.kernelspec.name == "python3"
    assert entry["made"]["code"] == records.code_digest(notebook)
    for part in entry.values():
        assert part["device"] == "cpu, one thread" and part["versions"]["python"] == platform.python_version()
    measured = entry["measured"]
    assert measured["memory_mib"] > 200 and 0 < measured["cpu_seconds"] < measured["seconds"] + 5
    assert faults(notebook) == [] and dumps(notebook) == text
    assert "made" not in notebooks.refresh(path, write=False)
    notebooks.refresh(path)
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys; print('careful', file=sys.stderr)", "code cell 1 writes to stderr: 'careful'"),
        ("print('/home/someone/course')", "code cell 1 shows a path of this machine: /home/someone/course"),
        ("import sys; print(sys.prefix)", "code cell 1 shows a path of this machine"),
    ],
)
def test_what_is_not_fit_to_be_published_is_not_written(tmp_path, source, words):
    path = tmp_path / "trial.ipynb"
    before = write(path, source)
    with pytest.raises(ValueError, match="the file is left as it was") as error:
        notebooks.refresh(path)
    assert words in str(error.value)
    assert path.read_text(encoding="utf-8") == before and list(tmp_path.iterdir()) == [path]


def test_a_notebook_that_fails_is_not_written(tmp_path):
    path = tmp_path / "trial.ipynb"
    before = write(path, "1 / 0")
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebooks.refresh(path)
    assert path.read_text(encoding="utf-8") == before and list(tmp_path.iterdir()) == [path]


def test_an_output_widget_does_not_stop_the_execution(tmp_path):
    # nbclient alone waits for ever in a few of a hundred such cells.
    write(tmp_path / "trial.ipynb", *["import ipywidgets\nwith ipywidgets.Output():\n    print(1)"] * 5)
    notebooks.execute(nbformat.read(tmp_path / "trial.ipynb", as_version=4), tmp_path)


def test_normalising_keeps_the_author_and_drops_the_run():
    picture = {"image/png": "aGk=", "text/plain": "a picture of it", WIDGET: {"model_id": "1"}}
    outputs = [
        {"output_type": "display_data", "data": picture, "metadata": {"image/png": {"alt": "a picture of it"}}},
        {"output_type": "display_data", "data": {WIDGET: {"model_id": "2"}}, "metadata": {}},
    ]
    cell = new_code_cell("x", id="a", execution_count=1, outputs=[nbformat.from_dict(output) for output in outputs])
    cell.metadata = nbformat.from_dict({"tags": ["kept"], "execution": {"iopub.execute_input": "now"}, "colab": {}})
    metadata = {
        "widgets": {"state": {}},
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "version": "3.11.7"},
    }
    before = new_notebook(cells=[cell], metadata=metadata)
    after = normalise(before)
    assert after.metadata == {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
    }
    assert after.cells[0].metadata == {"tags": ["kept"]} and after.cells[0].id == "a"
    assert set(after.cells[0].outputs[0].data) == {"image/png", "text/plain"}
    assert after.cells[0].outputs[0].metadata["image/png"]["alt"] == "a picture of it"
    # Without a picture beside it, the live view is all there is.
    assert WIDGET in after.cells[0].outputs[1].data
    assert WIDGET in before.cells[0].outputs[0].data, "the original is left alone"
    assert normalise(after) == after


def test_a_notebook_without_cell_ids_is_refused():
    old = nbformat.from_dict({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": []})
    with pytest.raises(ValueError, match=r"4\.4 has no cell ids"):
        dumps(old)


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("/home/me/x.py", True),
        ("in (/Users/me/x)", True),
        ("C:\\Users\\me", True),
        ("/tmp/a", True),
        ("https://example.org/home/page", False),
        ("https://github.com/a/b", False),
        ("notebooks/home/x", False),
        ("~/data/set", False),
        ("a ratio of 3/4", False),
        ("p(x)/p(y)", False),
    ],
)
def test_paths_of_machines_are_told_from_other_text(text, is_path):
    output = nbformat.from_dict({"output_type": "stream", "name": "stdout", "text": text})
    notebook = new_notebook(cells=[new_code_cell("x", execution_count=1, outputs=[output])])
    assert bool(faults(notebook)) == is_path


def test_a_change_of_text_needs_no_execution(tmp_path, monkeypatch, capsys):
    path = tmp_path / "trial.ipynb"
    write(path, "1 / 0")
    for said in ("trial.ipynb: put into the normalised form\n", ""):
        monkeypatch.setattr("sys.argv", ["tools.notebooks", "--form", str(path)])
        assert notebooks.main() == 0 and capsys.readouterr().out == said
        text = path.read_text(encoding="utf-8")
        assert dumps(nbformat.reads(text, as_version=4)) == text and '"execution_count": null' in text
