"""The set-up cell, run as it stands: in an imitation of Colab, in a checkout, and where course_lib is missing.

Colab is imitated by a new environment that sees this one's PyTorch but not course_lib, with google.colab loaded, in an empty
folder. The cell installs from its own, unchanged address; git is told to fetch that address from a snapshot of the working tree.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
import torch

from tools.address import rewrite
from tools.files import ROOT
from tools.setup_cell import PLACEHOLDER_ACCOUNT, SETUP_CELL, Address

IMITATION = Path(__file__).parent / "colab_imitation"
FORK = Address("https://github.com/an-instructor/see-and-generate", "autumn")
MESSAGE = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "-q", "-m", "snapshot"]


def python_of(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / "bin" / "python"


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Path:
    """A new environment that finds what is installed here, pip and PyTorch included, but not course_lib."""
    folder = tmp_path_factory.mktemp("colab") / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    here = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    # A .pth file adds folders to the search path without reading the .pth files in them; the one that makes course_lib
    # importable here, an editable install, therefore has no effect there.
    (packages / "elsewhere.pth").write_text("\n".join(sorted(here)) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory) -> Path:
    """A repository with the files of this working tree, moved to the address of a fork, as its instructor would publish it."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("not a git checkout: there is nothing to take a snapshot of")
    folder = tmp_path_factory.mktemp("snapshot")
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    rewrite(folder, FORK)
    for command in (["git", "init", "-q", "-b", FORK.branch], ["git", "add", "-A", "-f"], MESSAGE):
        subprocess.run(command, cwd=folder, check=True)
    return folder


def run(python: Path, code: str, folder: Path, colab: bool, published: Path | None = None) -> subprocess.CompletedProcess:
    """Runs code with `python` in `folder`, without a network; the fork's address leads to the repository `published`."""
    variables = {key: os.environ[key] for key in ("PATH", "HOME", "TMPDIR", "LANG") if key in os.environ}
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    # Building needs setuptools, which is taken from this environment instead of an index.
    variables |= {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "false", "PIP_CONFIG_FILE": os.devnull}
    variables |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONWARNINGS": "ignore::DeprecationWarning"}
    if colab:
        variables["PYTHONPATH"] = str(IMITATION)
    if published:
        variables |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf"}
        variables["GIT_CONFIG_VALUE_0"] = FORK.repository
    return subprocess.run([str(python), "-c", code], cwd=folder, env=variables, capture_output=True, text=True)


LESSON = """
import importlib.metadata, pathlib, torch, course_lib
from course_lib import convolution, data
print(pathlib.Path(course_lib.__file__).parent)
print(torch.__version__, torch.__file__)
image_set = data.load("glyphs", "test")
print(tuple(image_set.images.shape[2:]), len(image_set.classes))
print(convolution.conv_output_size(28, 3, stride=2, padding=1))
"""


def test_colab_gets_course_lib_and_keeps_its_torch(environment, snapshot, tmp_path):
    first = run(python_of(environment), FORK.setup_cell() + LESSON, tmp_path, colab=True, published=snapshot)
    assert first.returncode == 0, first.stdout + first.stderr
    installed, version, folder, torch_line, images, size = first.stdout.splitlines()
    assert installed == f"Installed course_lib alone; PyTorch is as it was: torch {metadata.version('torch')}"
    assert version.startswith("course_lib ")
    assert Path(folder).is_relative_to(environment), "course_lib has to come from the environment of the imitation"
    assert torch_line == f"{torch.__version__} {torch.__file__}"
    # The embedded data came with the package: nothing of this checkout was in reach.
    assert images.endswith(" 10") and size == "14"
    assert list(tmp_path.iterdir()) == []
    # Run All for a second time finds it there and installs nothing.
    second = run(python_of(environment), FORK.setup_cell(), tmp_path, colab=True)
    assert second.stdout == version + "\n", second.stderr


@pytest.fixture
def bare(tmp_path) -> Path:
    """An environment without course_lib."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return python_of(tmp_path / "bare")


def last_line(done: subprocess.CompletedProcess) -> str:
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_elsewhere_a_missing_course_lib_is_an_error_that_says_what_to_do(bare, tmp_path):
    error = last_line(run(bare, FORK.setup_cell(), tmp_path, colab=False))
    assert error.startswith("AssertionError: no course_lib here: make lab, or pip install")
    assert f"pip install git+{FORK.repository}@{FORK.branch}" in error


def test_in_colab_an_address_that_was_never_set_is_an_error_that_says_so(bare, tmp_path):
    placeholder = Address(f"https://github.com/{PLACEHOLDER_ACCOUNT}/see-and-generate", "main")
    error = last_line(run(bare, placeholder.setup_cell(), tmp_path, colab=True))
    assert error.startswith("AssertionError: this notebook has no address: make address, publish it")


def test_in_colab_an_address_that_leads_nowhere_shows_what_pip_said(environment, tmp_path):
    nowhere = tmp_path / "nowhere"
    done = run(python_of(environment), REINSTALL + FORK.setup_cell(), tmp_path, colab=True, published=nowhere)
    assert done.returncode != 0
    assert f"AssertionError: pip could not install git+{FORK.repository}@{FORK.branch}" in done.stderr
    assert "does not exist" in done.stderr or "not appear to be a git repository" in done.stderr


# Makes the cell look for a package that is not there, whether or not an earlier test has installed course_lib.
REINSTALL = "import importlib.util\nimportlib.util.find_spec = lambda name: None\n"


def test_the_cell_is_short():
    assert len(SETUP_CELL.splitlines()) <= 15
