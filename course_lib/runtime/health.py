"""The health report: what this machine has, and what to do about what is missing."""

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from packaging.version import Version

from course_lib.runtime.device import bfloat16_works, describe_device, pick_device, processor
from course_lib.runtime.versions import checkout, direct_requirements, installed_version

UNTESTED_PYTHON = "3.14"


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


def python() -> Finding:
    """The version of Python, against the versions that the course is tested with."""
    value = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    newer = Version(platform.python_version()) >= Version(UNTESTED_PYTHON)
    return Finding("Python", value, f"the course is tested with versions below {UNTESTED_PYTHON}" if newer else "")


def packages() -> list[Finding]:
    """Each package that the course needs, JupyterLab's in a checkout included: there, and new enough."""
    root, findings = checkout(), []
    for name, requirement in {**direct_requirements(), **(direct_requirements("lab") if root else {})}.items():
        version = installed_version(name)
        # -B: make leaves an environment alone as long as the list of packages is the same.
        install = "run make -B environment" if root else f"pip install -U {name}"
        fits = version is not None and requirement.specifier.contains(version, prereleases=True)
        value = f"{version} ({requirement.specifier})" if version else "missing"
        findings.append(Finding(name, value, "" if fits else install, needed=not fits))
    return findings


def device() -> list[Finding]:
    """The device that `pick_device` takes, whether bfloat16 works there, and the threads."""
    try:
        chosen = pick_device()
    except ValueError as error:
        return [Finding("device", "none", str(error), needed=True)]
    works = bfloat16_works(chosen)
    threads, cores = torch.get_num_threads(), os.cpu_count() or 1
    busy = "" if threads <= cores else f"more than the {cores} cores; set OMP_NUM_THREADS={cores}"
    return [
        Finding("device", describe_device(chosen)),
        Finding("processor", processor()),
        Finding("bfloat16", "works" if works else "does not work here", "" if works else "float32 is used; nothing to do"),
        Finding("threads", f"{threads} of {cores} cores", busy),
    ]


def data_sets(root: Path, available: dict[str, bool]) -> list[Finding]:
    """The data root and the sets in it.

    Args:
        root: the folder of the real data sets.
        available: by name of the set, whether its files are there.
    """
    findings = [Finding("data root", shorten(root))]
    for name, present in available.items():
        advice = "" if present else "downloaded when a notebook first asks for it"
        findings.append(Finding(f"data set {name}", "present" if present else "not there", advice))
    return findings


def widgets() -> Finding:
    """Whether sliders will render: Python's and JupyterLab's halves of ipywidgets must fit."""
    version, partner = installed_version("ipywidgets"), installed_version("jupyterlab-widgets")
    if "google.colab" in sys.modules:
        return Finding("widgets", f"ipywidgets {version}; Colab draws them itself")
    if version is None or partner is None:
        missing = f"{'ipywidgets' if version is None else 'jupyterlab_widgets'} is missing"
        return Finding("widgets", missing, "run make -B environment, or pip install -U ipywidgets", needed=True)
    value = f"ipywidgets {version} with jupyterlab_widgets {partner}"
    # ipywidgets 7 talks to jupyterlab_widgets 1, ipywidgets 8 to jupyterlab_widgets 3.
    partner_major = {7: 1, 8: 3}.get(Version(version).major)
    if partner_major is not None and Version(partner).major != partner_major:
        return Finding("widgets", value, "these do not belong together; pip install -U ipywidgets jupyterlab_widgets")
    return Finding("widgets", value)


def shorten(path: Path) -> str:
    """A path as the reader knows it: from the checkout or the home folder, elsewhere in full."""
    root, home = checkout(), Path(os.path.expanduser("~"))  # never an error, also where nobody is at home
    if root and path.is_relative_to(root):
        return f"{path.relative_to(root).as_posix()}/ in the checkout"
    return f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
