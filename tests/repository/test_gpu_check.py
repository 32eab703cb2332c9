"""`make gpu-check` in its short form on a CPU: that it runs, and that what hangs costs one part."""

import json
import sys

import pytest

from tools import gpu_check


def test_its_short_form_runs_on_a_cpu(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    assert gpu_check.main(["--short", "--out", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert [row["part"] for row in report["parts"]] == ["speed", "unit"]
    rows = report["speed"]["loops"]["rows"]
    assert len(rows) == 3 * 4 and all(row["images_per_second"] > 0 and 0 < row["share_of_peak"] < 1 for row in rows)
    table = (tmp_path / "gpu.md").read_text(encoding="utf-8")
    assert table.count("| fit_gan |") == 4 and "not right" not in table


def test_a_part_that_hangs_is_ended_with_all_that_it_started(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    row = gpu_check.run_part("hangs", ["sh", "-c", "echo begun; sleep 60 & sleep 60"], 0.3, tmp_path)
    assert row["status"] == "its time was over" and row["last"] == "begun" and row["seconds"] < 10


def test_a_part_that_fails_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cpu")
    row = gpu_check.run_part(
        "fails", [sys.executable, "-c", "print('FAILED tests/x.py::test_y'); raise SystemExit(3)"], 30, tmp_path
    )
    assert row["status"] == 3 and row["failed"] == ["FAILED tests/x.py::test_y"]
    assert "| fails | not right (3): FAILED" in gpu_check.table({"made": "today", "device": "cpu", "parts": [row]})


@pytest.mark.parametrize("short", [True, False])
def test_every_part_has_a_limit_and_all_together_ten_minutes(short, tmp_path):
    found = list(gpu_check.parts(tmp_path, short))
    names = {name for name, *_ in found}
    assert len(names) == len(found)
    alone = sum(seconds for *_, seconds, timed in found if timed)
    # On 16 cores the others run eight at a time, so two after each other.
    assert alone + 2 * max(seconds for *_, seconds, timed in found if not timed) <= 600
    assert short or {"machine", "resuming", "glyphs", "speed", "command", "unit"} <= names
