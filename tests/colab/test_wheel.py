"""The wheel of a release in the imitation of Colab, where it stands for what the set-up cell installs: `make test-wheel`."""

import os
import shutil
import subprocess
from pathlib import Path

import nbformat
import pytest

import course_lib
from tests.colab.colab import FORK, make_environment, run, variables
from tests.colab.test_notebooks import WHERE, run_alone
from tests.colab.test_setup_cell import files_in
from tests.repository.files import NOTEBOOKS, ROOT, name_of

DIST = os.environ.get("COURSE_WHEEL")
pytestmark = pytest.mark.skipif(not DIST, reason="the wheel has a command of its own: make test-wheel")
# The one needs the embedded data and the road map, the other trained models and recorded runs.
TRIED = [path for path in NOTEBOOKS if path.name[:2] in ("00", "07")]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python that has everything but course_lib, and course_lib from the wheel."""
    python = make_environment(tmp_path_factory.mktemp("colab") / "environment")
    (wheel,) = Path(DIST).glob("*.whl")
    # An editable install of this checkout cannot be imported there, but pip takes it for the same version.
    command = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--force-reinstall", str(wheel)]
    done = subprocess.run(command, env=variables("colab"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return python


def test_the_wheel_is_whole(python, tmp_path):
    done = run(python, "import course_lib; print(course_lib.__version__, course_lib.__file__)", tmp_path, "colab")
    version, file = done.stdout.strip().split(" ", 1)
    assert version == course_lib.__version__ and Path(file).is_relative_to(python.parent.parent)
    assert files_in(Path(file).parent) == files_in(ROOT / "course_lib"), "see package-data in pyproject.toml"


@pytest.mark.parametrize("path", TRIED, ids=name_of)
def test_a_notebook_runs_with_it_alone(path, python, tmp_path):
    folder = tmp_path / "content"
    folder.mkdir()
    shutil.copy2(path, folder)
    book = nbformat.read(folder / path.name, as_version=4)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    code[0].source = FORK.setup_cell()
    book.cells.append(nbformat.v4.new_code_cell(WHERE))
    run_alone(book, python, folder, None, tmp_path)
    assert code[0].outputs == [], "the set-up cell finds the package"
    colab, place = book.cells[-1].outputs[0].text.splitlines()
    assert colab.startswith("True ") and Path(place).is_relative_to(python.parent.parent)
    assert [file.name for file in folder.iterdir()] == [path.name]
