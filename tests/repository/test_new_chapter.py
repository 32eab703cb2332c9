"""`make new-chapter` in a copy of the course: what it makes passes the tests of its room and those
of the repository.
"""

import os
import shutil
import subprocess
import sys

import pytest

from tests.repository.files import ROOT
from tools import new_chapter

FOLDERS = ("course_lib", "tests", "tools", "benchmarks", "notebooks")


@pytest.mark.parametrize("name", ["", "Flows", "2d", "a-b", "a b", "../a", "gan", "repository"])
def test_a_name_that_is_no_new_room_is_refused(name):
    with pytest.raises(ValueError, match=r"NAME is '"):
        new_chapter.make(name)


def test_a_new_chapter_passes_the_tests(tmp_path):
    copy = tmp_path / "course"
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in (ROOT / "pyproject.toml", *ROOT.glob("*.md")):
        shutil.copy2(file, copy)
    paths = os.pathsep.join([str(copy), os.environ.get("PYTHONPATH", "")])
    options = {"cwd": copy, "env": {**os.environ, "PYTHONPATH": paths}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-m", "tools.new_chapter", "flows"], **options)
    assert done.returncode == 0, done.stderr
    (notebook,) = (copy / "notebooks").glob("*_flows.ipynb")
    made = ["course_lib/flows", "tests/flows", f"notebooks/{notebook.name}", "tests/repository/test_architecture.py"]
    for tool in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = subprocess.run([sys.executable, "-m", *tool, *made], **options)
        assert done.returncode == 0, done.stdout
    # The cases that are about the new room, and those of the whole table and of the records.
    cases = ["-q", "-p", "no:cacheprovider", "-k", "flows or every_room or names_no_notebook", "tests/flows", "tests/repository"]
    done = subprocess.run([sys.executable, "-m", "pytest", *cases], **options)
    assert done.returncode == 0, done.stdout
    assert f"notebooks/{notebook.name}" in (copy / "README.md").read_text(encoding="utf-8")
