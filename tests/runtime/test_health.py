"""The health report: true about this environment, and clear about what is missing."""

import subprocess
import sys

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
    assert by_subject(health.device())["threads"].advice == "set OMP_NUM_THREADS=2"


def test_a_notebook_prints_one_line_or_what_is_wrong(monkeypatch):
    assert health.summary().startswith("Ready: Python ") and "\n" not in health.summary()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 10_000)
    monkeypatch.setattr(health, "UNTESTED_PYTHON", "3.0")
    wrong = health.summary().splitlines()
    assert [line.split()[:2] for line in wrong] == [["NOTE", "Python"], ["NOTE", "threads"]]
    monkeypatch.setenv("COURSE_DEVICE", "cuda:77")
    assert any(line.startswith("FIX   device") for line in health.summary().splitlines())


@pytest.mark.parametrize(
    ("python_half", "lab_half", "words"),
    [
        ("8.1.9", None, "FIX   widgets                ipywidgets 8.1.9 with jupyterlab-widgets (missing): pip install -U"),
        (None, "3.0.17", "ipywidgets (missing) with"),
        ("8.1.9", "1.1.11", "NOTE  widgets                ipywidgets 8.1.9 with jupyterlab-widgets 1.1.11: pip install -U"),
        ("7.7.1", "3.0.17", "NOTE"),
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
    assert not health.python().needed and "3.15" in health.python().advice


def test_without_assertions_the_checks_on_the_pages_would_say_nothing():
    for flags in (["-O"], []):
        code = "from course_lib.runtime import health; print(health.python())"
        said = subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout
        assert (said.startswith("FIX") and "PYTHONOPTIMIZE" in said) == bool(flags), said
