"""The set-up cell, run as it stands in imitations of Colab, Kaggle and Visual Studio Code: where course_lib is, and where not."""

import sys
from pathlib import Path

import pytest

from tests.colab.colab import BASE, FORK, FULL, LIST, ask, run
from tools.files import ROOT

LESSON = """
import importlib.metadata, pathlib, torch, course_lib
from course_lib import convolution, data
print(pathlib.Path(course_lib.__file__).parent)
print(torch.__version__, torch.__file__)
image_set = data.load("glyphs", "test")
print(tuple(image_set.images.shape[2:]), len(image_set.classes))
print(convolution.conv_output_size(28, 3, stride=2, padding=1))
"""


def files_in(folder: Path) -> set[str]:
    """The files of a package, but for Python's own copies."""
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*.*") if file.suffix != ".pyc" and file.is_file()}


# In make test, test_notebooks.py installs the package in the imitation of Colab.
@pytest.mark.parametrize("place", ["colab", "kaggle"] if FULL else ["kaggle"])
def test_a_place_gets_course_lib_whole_and_nothing_else(place, python, snapshot, tmp_path):
    before = ask(python, LIST)
    first = run(python, FORK.setup_cell() + LESSON, tmp_path, place, snapshot)
    assert first.returncode == 0, first.stdout + first.stderr
    folder, torch_line, images, size = first.stdout.splitlines()[-4:]
    assert Path(folder).is_relative_to(python.parent.parent), "course_lib has to come from the environment of the imitation"
    assert files_in(Path(folder)) == files_in(ROOT / "course_lib"), "see package-data in pyproject.toml"
    torch_version, torch_file = torch_line.split(" ", 1)
    assert torch_version.partition("+")[0] == before["torch"].partition("+")[0]
    assert torch_file == ask(BASE, "import json, torch; print(json.dumps(torch.__file__))")
    after = ask(python, LIST)
    assert after.pop("course_lib")
    before.pop("course_lib", None)  # an editable install of this checkout; there it cannot be imported
    assert after == before
    # The embedded data came with the package: nothing of this checkout was in reach.
    assert images.endswith(" 10") and size == "14"
    assert list(tmp_path.iterdir()) == []
    # Run All for a second time finds it there and installs nothing.
    second = run(python, FORK.setup_cell(), tmp_path, place)
    assert second.returncode == 0 and second.stdout == "", second.stdout + second.stderr


@pytest.mark.parametrize("place", ["colab", "kaggle"])
def test_where_nothing_can_be_fetched_pip_s_words_and_the_way_out_are_shown(place, python, tmp_path):
    done = run(python, FORK.setup_cell() + "\nprint('on')", tmp_path, place, published=tmp_path / "nowhere")
    assert done.returncode != 0
    assert "does not exist" in done.stdout or "not appear to be a git repository" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert "no course_lib" in last and "Settings → Internet on" in last


@pytest.mark.parametrize("folder", ["notebooks", "."], ids=["beside the notebook", "at the root of the workspace"])
def test_in_visual_studio_code_the_kernel_matters(folder, python):
    # The environment of this checkout: nothing is installed and nothing said.
    right = run(sys.executable, FORK.setup_cell() + "\nprint(find_spec('course_lib').origin)", ROOT / folder, "code")
    assert right.returncode == 0, right.stdout + right.stderr
    (line,) = right.stdout.splitlines()
    assert Path(line).parts[-2:] == ("course_lib", "__init__.py") and not Path(line).is_relative_to(python.parent.parent)
    # A Python without PyTorch gets nothing either, and the reader is told which kernel to select.
    before = ask(python, LIST)
    wrong = run(python, "import sys; sys.modules['torch'] = None\n" + FORK.setup_cell(), ROOT / folder, "code")
    assert wrong.returncode != 0 and "select the kernel .venv" in wrong.stdout.splitlines()[-1]
    assert ask(python, LIST) == before


@pytest.mark.skipif(FULL, reason="make test-colab reaches the index of packages, as Colab does")
def test_the_imitation_reaches_no_other_machine(python, tmp_path):
    done = run(python, "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)", tmp_path, "colab")
    assert "the network is refused during tests" in done.stdout


def test_the_cell_is_short():
    lines = FORK.setup_cell().splitlines()
    assert len(lines) <= 9 and max(map(len, lines)) <= 100
