"""Every kind of hand-in gets what a fair grader says, in the sandbox; nothing that it starts or writes is left behind."""

import importlib
import os
from pathlib import Path

import psutil
import pytest

from tests.notebooks import hand_ins
from tests.repository.files import NOTEBOOKS, ROOT
from tools.grade_class import Worker
from tools.handed_in import handed_in_files
from tools.sandbox.host import missing

WHY = missing()
A_FEW = {"plain/right.ipynb", "plain/wrong.ipynb", "honest/helper_in_another_cell.ipynb", "hostile/hard_coded.ipynb"}


@pytest.mark.skipif(bool(WHY), reason=WHY or "there is a sandbox")
@pytest.mark.parametrize("material", [hand_ins.CONVOLUTION, hand_ins.BUILDING], ids=lambda material: material.module)
def test_every_kind_of_hand_in_gets_what_it_is_worth(material, tmp_path):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(material.notebook))
    book = hand_ins.shortened(path, material.names)
    exercise = getattr(importlib.import_module(f"course_lib.exercises.{material.module}"), material.names[0])
    expected = hand_ins.write(book, material, exercise, tmp_path, ROOT)
    if not os.environ.get("COURSE_CLASS"):  # `make test-class` sends all of them
        for name in [name for name in expected if name not in A_FEW]:
            del expected[name]
        for path in sorted(tmp_path.rglob("*.*")):
            if path.relative_to(tmp_path).as_posix() not in A_FEW:
                path.unlink()
    before = set(psutil.Process().children(recursive=True))
    worker = Worker(book, {"seconds": 3}, unsafe=False)
    with worker.boxes:
        found = {one.name: worker.grade(one) for one in handed_in_files(str(tmp_path))}
    assert found.keys() == expected.keys()
    for name, expect in expected.items():
        row = found[name]
        if expect == hand_ins.SAYS_WHY:
            assert row.why and not row.results, name
        elif isinstance(expect, int):
            assert row.points == expect, f"{name}: {row}"
    left = [process for process in psutil.process_iter(["cmdline"]) if process.info["cmdline"] == ["sleep", "977"]]
    assert not left and not (Path.home() / "WRITTEN-BY-A-HAND-IN").exists()
    assert set(psutil.Process().children(recursive=True)) <= before
