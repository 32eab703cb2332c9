"""Every notebook in JupyterLab, in a real browser: Run All, then each explorer used as a hand would.

The cells run that its explorers need, and little is learned; `make test-browser FULL=1` runs all of them as they are.
nbval runs all of each notebook in every `make test`.
"""

import copy
import os

import nbformat
import pytest

from tests.browser.hands import EXPLORER, Explorer, use
from tests.browser.notebook_page import END, LAST_CELL, NotebookPage
from tests.notebooks.hurry import HURRY, hurried
from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.needed_cells import count_explorers, needed_cells

FULL = os.environ.get("COURSE_BROWSER") == "full"
LIMIT = 3600  # seconds for the cells of a notebook, on a machine that does much else; an error ends the waiting at once


def to_run(path) -> nbformat.NotebookNode:
    """The notebook as it is committed, or in a hurry with the cells that the explorers need; and a cell that marks the end."""
    book = copy.deepcopy(notebook(path))
    if not FULL:
        needed = needed_cells(book)
        book.cells = [cell for place, cell in enumerate(book.cells) if cell.cell_type == "markdown" or place in needed]
        for cell in book.cells:
            cell.source = hurried(cell.source)
        book.cells.insert(0, nbformat.v4.new_code_cell(HURRY))
    book.cells.append(nbformat.v4.new_code_cell(LAST_CELL))
    return book


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_it_runs_to_the_end_and_each_explorer_answers_to_the_hand(path, lab, page):
    book = to_run(path)
    nbformat.write(book, lab.root / path.name)
    opened = NotebookPage(page, lab, path.name, LIMIT)
    # Opened and not yet run, it shows what was committed: every picture, and every formula typeset.
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    opened.pictures_are_shown(sum("image/png" in output.get("data", {}) for output in outputs))
    opened.formulas_are_typeset()

    opened.choose("Edit", "editmenu:clear-all")
    opened.run_all()
    opened.wait_for_text(END)
    opened.nothing_is_wrong()

    explorers = count_explorers(notebook(path))
    opened.wait_for(lambda: page.locator(EXPLORER).count() >= explorers, f"sign of {explorers} explorers")
    assert page.locator(EXPLORER).count() == explorers, "count_explorers does not know how this notebook makes its explorers"
    for place in range(explorers):
        idle = use(Explorer(opened, place))
        assert not idle, f"explorer {place + 1}: no change of the picture by {idle}"
    opened.nothing_is_wrong()
