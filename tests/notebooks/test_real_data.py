"""The one word changed: notebooks that choose their data by name also run on real images."""

import copy

import pytest

from course_lib import data
from tests.repository.files import NOTEBOOKS, name_of, notebook
from tools.notebooks import execute

CHOICE = 'DATASET = "glyphs"'
CHOOSING = [path for path in NOTEBOOKS if any(CHOICE in cell.source for cell in notebook(path).cells)]


@pytest.mark.parametrize("path", CHOOSING, ids=name_of)
def test_it_runs_on_mnist(path):
    if not data.available()["mnist"]:
        pytest.skip("MNIST is not in the data root")
    real = copy.deepcopy(notebook(path))
    changed = [cell for cell in real.cells if cell.cell_type == "code" and CHOICE in cell.source]
    assert len(changed) == 1 and changed[0].source.count(CHOICE) == 1, "the data set is chosen in one place"
    changed[0].source = changed[0].source.replace(CHOICE, 'DATASET = "mnist"')
    execute(real, path.parent)
