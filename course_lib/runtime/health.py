"""The health report: what this machine has, and what to do about what is missing."""

import os
import platform
import sys
from dataclasses import dataclass

import torch
from packaging.version import Version

from course_lib.runtime.device import bfloat16_works, describe_device, pick_device, processor
from course_lib.runtime.versions import checkout, direct_requirements, installed_version

UNTESTED_PYTHON = "3.15"


@dataclass(frozen=True)
class Finding:
    """One line of the report.

    Attributes:
        subject: what was looked at.
        value: what was found.
        advice: what to do; empty if nothing is wrong.
        needed: whether the course cannot run until that is done.
    """

    subject: str
    value: str
    advice: str = ""
    needed: bool = False

    def __str__(self) -> str:
        state = "OK  " if not self.advice else "FIX " if self.needed else "NOTE"
        return f"{state}  {self.subject:<22} {self.value}" + (f": {self.advice}" if self.advice else "")


def findings() -> list[Finding]:
    """All that can be found out about this machine without the data."""
    return [python(), *packages(), *device(), widgets()]


def summary() -> str:
    """One line where nothing is wrong; otherwise what is, a line for each finding with advice."""
    wrong = [str(finding) for finding in findings() if finding.advice]
    if wrong:
        return "\n".join(wrong)
    return f"Ready: Python {platform.python_version()}, PyTorch {torch.__version__}, on {describe_device(pick_device())}."


def python() -> Finding:
    """The version of Python, against those that the course is tested with, and whether it checks assertions."""
    value = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.flags.optimize:
        way_out = "unset PYTHONOPTIMIZE, leave out -O, and start the kernel again"
        return Finding(
            "Python", f"{value}, without assertions", f"the checks on the pages would not be made: {way_out}", needed=True
        )
    newer = Version(platform.python_version()) >= Version(UNTESTED_PYTHON)
    return Finding("Python", value, f"the course is tested with versions below {UNTESTED_PYTHON}" if newer else "")


def packages() -> list[Finding]:
    """Each package that the course needs, JupyterLab's in a checkout included: there, and new enough."""
    root, found = checkout(), []
    for name, requirement in {**direct_requirements(), **(direct_requirements("lab") if root else {})}.items():
        version = installed_version(name)
        fits = version is not None and requirement.specifier.contains(version, prereleases=True)
        # -B: make leaves an environment alone as long as the list of packages is the same.
        advice = "" if fits else "run make -B environment" if root else f"pip install -U {name}"
        found.append(Finding(name, f"{version} ({requirement.specifier})" if version else "missing", advice, needed=not fits))
    return found


def device() -> list[Finding]:
    """The device that `pick_device` takes, the processor, whether bfloat16 works, and the threads."""
    try:
        chosen = pick_device()
    except ValueError as error:
        return [Finding("device", "none", str(error), needed=True)]
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    return [
        Finding("device", describe_device(chosen)),
        Finding("processor", processor()),
        Finding("bfloat16", "works" if bfloat16_works(chosen) else "does not work here; float32 is used"),
        Finding("threads", f"{threads} of {cores} cores", f"set OMP_NUM_THREADS={cores}" if threads > cores else ""),
    ]


def widgets() -> Finding:
    """Whether sliders will render: Python's and JupyterLab's halves of ipywidgets must fit."""
    halves = {name: installed_version(name) for name in ("ipywidgets", "jupyterlab-widgets")}
    value = " with ".join(f"{name} {version or '(missing)'}" for name, version in halves.items())
    majors = [Version(version).major for version in halves.values() if version]
    # ipywidgets 7 talks to jupyterlab_widgets 1, ipywidgets 8 to jupyterlab_widgets 3; Colab draws them itself.
    fits = "google.colab" in sys.modules or majors in ([7, 1], [8, 3])
    return Finding("widgets", value, "" if fits else f"pip install -U {' '.join(halves)}", needed=len(majors) < 2 and not fits)
