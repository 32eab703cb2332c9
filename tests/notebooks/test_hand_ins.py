"""Every kind of hand-in gets what a fair grader says, in the sandbox; nothing that it starts or writes is left behind."""

import importlib
from pathlib import Path

import psutil
import pytest

from tests.notebooks import hand_ins
from tests.repository.files import NOTEBOOKS, ROOT
from tools.grade_class import Worker
from tools.handed_in import handed_in_files
from tools.sandbox.host import missing

WHY = missing()


@pytest.mark.skipif(bool(WHY), reason=WHY or "there is a sandbox")
@pytest.mark.parametrize("material", [hand_ins.CONVOLUTION, hand_ins.BUILDING], ids=lambda material: material.module)
def test_every_kind_of_hand_in_gets_what_it_is_worth(material, tmp_path):
    (path,) = (path for path in NOTEBOOKS if path.name.startswith(material.notebook))
    book = hand_ins.shortened(path, material.names)
    exercise = getattr(importlib.import_module(f"course_lib.exercises.{material.module}"), material.names[0])
    expected = hand_ins.write(book, material, exercise, tmp_path, ROOT)
    if material is hand_ins.CONVOLUTION:  # they take seconds, and the notebook makes no difference to them
        for kind in ("endless", "flood", "fork", "memory"):
            (tmp_path / "hostile" / f"{kind}.ipynb").unlink()
            del expected[f"hostile/{kind}.ipynb"]
    worker = Worker(book, {"seconds": 5}, unsafe=False)
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
    assert not [process for process in psutil.Process().children(recursive=True) if "inside" in str(process.cmdline())]
