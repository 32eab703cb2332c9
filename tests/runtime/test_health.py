"""The health report: true about this environment, and clear about what is missing."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement

import course_lib
from course_lib.runtime import health, versions
from tools.files import ROOT


def by_subject(findings) -> dict:
    return {finding.subject: finding for finding in findings}


def test_the_command_reports_on_this_environment_and_succeeds():
    done = subprocess.run([sys.executable, "-m", "course_lib"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    first, *lines, last = done.stdout.splitlines()
    assert first == f"course_lib {course_lib.__version__}"
    assert last == "Everything that the course needs is there."
    assert all(line[:4] in ("OK  ", "NOTE") for line in lines)
    torch_line = next(line for line in lines if line[6:].startswith("torch "))
    assert torch.__version__.partition("+")[0] in torch_line
    assert any(line.startswith("OK    data set glyphs") for line in lines)
    assert any(line.startswith("OK    processor") for line in lines)


def test_the_command_fails_and_says_what_to_do_when_something_is_missing(monkeypatch, capsys):
    from course_lib import __main__ as command

    installed = versions.installed_version
    monkeypatch.setattr(health, "installed_version", lambda name: None if name == "pillow" else installed(name))
    assert command.main() == 1
    output = capsys.readouterr().out
    (line,) = [line for line in output.splitlines() if line.startswith("FIX")]
    assert line.split() == ["FIX", "pillow", "missing:", "run", "make", "-B", "environment"]
    assert output.endswith("To fix before you start: 1 (lines FIX).\n")


@pytest.fixture
def small_world(monkeypatch, tmp_path):
    """A checkout, one requirement, and a version to choose."""
    monkeypatch.setattr(health, "checkout", lambda: tmp_path)
    monkeypatch.setattr(health, "direct_requirements", lambda extra="": {} if extra else {"thing": Requirement("thing>=1.5")})

    def installed(version):
        monkeypatch.setattr(health, "installed_version", lambda name: version)
        (finding,) = health.packages()
        return finding

    return installed


@pytest.mark.parametrize(
    ("version", "state", "words"),
    [
        ("1.5", "OK", ">=1.5"),
        ("2.0+cpu", "OK", ">=1.5"),
        ("1.4", "FIX", "1.4 (>=1.5): run make -B environment"),
        (None, "FIX", "run make -B environment"),
    ],
)
def test_a_version_is_judged_by_the_bound(small_world, version, state, words):
    finding = small_world(version)
    assert str(finding).startswith(state) and words in str(finding)
    assert finding.needed == (state == "FIX")


def test_without_a_checkout_the_lower_bounds_are_what_counts(monkeypatch):
    monkeypatch.setattr(health, "checkout", lambda: None)
    findings = by_subject(health.packages())
    assert "torch" in findings and "jupyterlab" not in findings
    assert all(not finding.needed for finding in findings.values())
    assert str(versions.direct_requirements()["torch"].specifier) in findings["torch"].value


@pytest.mark.parametrize("version", ["1.4", None])
def test_without_a_checkout_the_advice_names_the_package(small_world, monkeypatch, version):
    monkeypatch.setattr(health, "checkout", lambda: None)
    assert small_world(version).advice == "pip install -U thing"


def test_a_device_that_is_not_there_is_a_finding_and_no_crash(monkeypatch):
    monkeypatch.setenv("COURSE_DEVICE", "cuda:77")
    (finding,) = health.device()
    assert finding.needed and "cuda:77" in finding.advice


def test_too_many_threads_are_noticed(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 64)
    monkeypatch.setattr(health.os, "cpu_count", lambda: 2)
    assert by_subject(health.device())["threads"].advice == "more than the 2 cores; set OMP_NUM_THREADS=2"


def test_data_sets_that_are_not_there_are_no_fault():
    findings = by_subject(health.data_sets(ROOT / "data", {"mnist": False, "cifar10": True}))
    assert findings["data root"].value == "data/ in the checkout"
    assert not findings["data set mnist"].needed and findings["data set mnist"].advice
    assert str(findings["data set cifar10"]).startswith("OK")


def test_paths_are_given_as_the_reader_knows_them(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert health.shorten(tmp_path / "cache" / "course") == "~/cache/course"
    assert health.shorten(Path(tmp_path.anchor, "elsewhere")) == str(Path(tmp_path.anchor, "elsewhere"))


@pytest.mark.parametrize(
    ("python_half", "lab_half", "words"),
    [
        ("8.1.9", None, "jupyterlab_widgets is missing"),
        (None, "3.0.17", "ipywidgets is missing"),
        ("8.1.9", "1.1.11", "do not belong together"),
        ("7.7.1", "3.0.17", "do not belong together"),
    ],
)
def test_widgets_need_two_halves_that_belong_together(monkeypatch, python_half, lab_half, words):
    halves = {"ipywidgets": python_half, "jupyterlab-widgets": lab_half}
    monkeypatch.setattr(health, "installed_version", halves.get)
    assert words in str(health.widgets())


def test_widgets_in_colab_need_no_jupyterlab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", object())
    monkeypatch.setattr(health, "installed_version", {"ipywidgets": "7.7.1"}.get)
    assert not health.widgets().advice


def test_a_python_newer_than_the_tested_ones_is_noted(monkeypatch):
    monkeypatch.setattr(health.platform, "python_version", lambda: "3.15.0")
    assert not health.python().needed and "3.14" in health.python().advice


def test_a_user_without_a_home_gets_a_report(monkeypatch, tmp_path):
    monkeypatch.setattr(health.os.path, "expanduser", lambda path: path)  # what it does where nothing is known
    assert health.shorten(tmp_path / "cache") == str(tmp_path / "cache")
