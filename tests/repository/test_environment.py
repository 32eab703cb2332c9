"""One list of dependencies: pyproject.toml, constraints.txt, environment.yml and what Colab has stay in step."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

import course_lib
from tests.repository.files import ROOT, SOURCES, imports, name_of
from tools.environment import describe

TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
RUN_TIME = [Requirement(text) for text in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(text) for text in texts] for name, texts in PROJECT["optional-dependencies"].items()}
DIRECT = [*RUN_TIME, *(requirement for extra in EXTRAS.values() for requirement in extra)]
COLAB = json.loads((ROOT / "tests" / "repository" / "colab_packages.json").read_text(encoding="utf-8"))
# Where the name to import is not the name to install.
MODULES = {"django-static-mathjax": "mathjax", "ipython": "IPython", "pillow": "PIL", "pyyaml": "yaml", "pytest-xdist": "xdist"}
# Prescribed for the course; the rest was added because a well-kept library does better than own code.
PRESCRIBED = ["torch", "torchvision", "jupyterlab", "matplotlib", "ipywidgets", "nbval", "pytest"]


def lock() -> dict[str, list[Requirement]]:
    """The lines of constraints.txt by normalised name: several where platforms or versions of Python need different ones."""
    pins: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return pins


def module_of(requirement: Requirement) -> str:
    """The name under which a package is imported."""
    return MODULES.get(requirement.name, requirement.name.replace("-", "_"))


@pytest.mark.parametrize("python", ["3.11.0", "3.11.9", "3.12.1", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_each_direct_dependency_is_pinned_within_its_bounds(requirement, platform, python):
    place = {"sys_platform": platform, "python_full_version": python, "python_version": python.rpartition(".")[0]}
    place |= {"platform_system": {"linux": "Linux", "darwin": "Darwin"}[platform], "os_name": "posix"}
    pins = [pin for pin in lock().get(canonicalize_name(requirement.name), []) if not pin.marker or pin.marker.evaluate(place)]
    assert len(pins) == 1, f"run make lock: {len(pins)} versions of {requirement.name}"
    (specifier,) = pins[0].specifier
    assert specifier.operator == "==" and requirement.specifier.contains(specifier.version), "run make lock"


def test_the_lock_names_no_address_and_says_how_it_was_made():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "make lock" in text.splitlines()[1]
    assert "://" not in text and " @ " not in text


@pytest.mark.parametrize("requirement", DIRECT, ids=lambda requirement: requirement.name)
def test_each_direct_dependency_has_a_lower_bound_no_cap_and_a_reason(requirement):
    assert [specifier.operator for specifier in requirement.specifier] == [">="]
    line = next(line for line in TEXT.splitlines() if line.strip().startswith(f'"{requirement}"'))
    assert len(line.partition("#")[2].split()) >= 3, "say in a comment beside it what it is for"


def test_the_prescribed_packages_are_there():
    assert set(PRESCRIBED) <= {requirement.name for requirement in DIRECT}


def test_the_package_requires_only_what_colab_has_in_versions_not_above_it():
    for requirement in RUN_TIME:
        assert requirement.name in COLAB["packages"], f"{requirement.name} is not in Colab; see ECOSYSTEM"
        version = COLAB["packages"][requirement.name]
        if version is not None:
            assert requirement.specifier.contains(version), f"Colab's {requirement.name} {version} would be too old"
    assert SpecifierSet(PROJECT["requires-python"]).contains(COLAB["python"])


@pytest.mark.parametrize("requirement", RUN_TIME, ids=lambda requirement: requirement.name)
def test_each_run_time_dependency_is_imported_by_the_package(requirement):
    modules = {
        module.split(".")[0] for path in SOURCES if path.is_relative_to(ROOT / "course_lib") for module, _ in imports(path)
    }
    assert module_of(requirement) in modules, "remove it from the list, or use it"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_whatever_is_imported_is_declared(path):
    # The package must run with its run-time dependencies alone; tests and tools may use all.
    declared = {module_of(r) for r in (RUN_TIME if path.is_relative_to(ROOT / "course_lib") else DIRECT)}
    # These come with nbclient, which is declared.
    declared |= {"jupyter_client", "jupyter_core"}
    own = {"course_lib", "tests", "tools", "benchmarks", "__future__", "sitecustomize"}
    foreign = {module.split(".")[0] for module, _ in imports(path)} - set(sys.stdlib_module_names) - own
    if path.is_relative_to(ROOT / "tests" / "colab" / "imitation"):
        foreign.discard("google")
    assert foreign <= declared


def test_conda_gets_the_same_environment_from_the_same_list():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert set(environment) == {"name", "channels", "dependencies"}
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, pip, rest = environment["dependencies"]
    assert pip == "pip" and set(rest) == {"pip"}
    assert python.startswith("python=") and SpecifierSet(PROJECT["requires-python"]).contains(python.removeprefix("python="))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (extras,) = set(re.findall(r'-e "(\.\[lab,[a-z,]+\])"', makefile))
    assert rest["pip"] == ["-c constraints.txt", f"-e {extras}"]
    assert set(extras.strip(".[]").split(",")) <= set(EXTRAS)


def test_the_version_is_the_same_everywhere():
    # setuptools reads it from the package.
    assert PROJECT["dynamic"] == ["version"] and "course_lib.__version__" in TEXT
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[([0-9][^\]]*)\]", changes, flags=re.MULTILINE)
    assert released and Version(released[0]) == Version(course_lib.__version__)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == course_lib.__version__


def test_recipes_use_only_what_make_3_81_knows():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    # Newer than macOS' make: one shell for a recipe, another recipe prefix, shell assignment, file functions, grouped targets.
    for newer in (".ONESHELL", ".RECIPEPREFIX", "!=", "$(file ", "&:", "::="):
        assert newer not in makefile, newer


def make_says(folder) -> str:
    """What `make environment` would do in a folder."""
    command, alone = ["make", "-n", "environment"], {**os.environ, "MAKEFLAGS": ""}
    return subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
@pytest.mark.parametrize(
    ("file", "old", "new", "installs"),
    [
        ("pyproject.toml", 'branch = "main"', 'branch = "autumn"', False),
        ("pyproject.toml", "line-length = 130", "line-length = 120", False),
        ("pyproject.toml", "# every figure", "# each figure", False),
        ("constraints.txt", "# for Python", "# For Python", False),
        ("pyproject.toml", '"pytest>=8"', '"pytest>=8.1"', True),
        ("pyproject.toml", '"tqdm>=4.66", ', '"tqdm>=4.67", ', True),
        ("constraints.txt", "\ntorch==", "\ntorch>=", True),
    ],
)
def test_the_environment_is_installed_again_when_its_list_has_changed_and_only_then(tmp_path, file, old, new, installs):
    course, moved = tmp_path / "a course", tmp_path / "moved"
    for name in ("Makefile", "pyproject.toml", "constraints.txt", "tools/environment.py"):
        (course / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, course / name)
    (course / ".venv" / "bin").mkdir(parents=True)
    (course / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert "pip install" in make_says(course), "there is no environment yet"
    (course / ".venv" / ".course-installed").write_text(describe(course) + "\n", encoding="utf-8")
    assert "pip install" not in make_says(course)
    text = (course / file).read_text(encoding="utf-8")
    assert old in text
    (course / file).write_text(text.replace(old, new), encoding="utf-8")
    assert ("pip install" in make_says(course)) == installs
    (course / file).write_text(text, encoding="utf-8")
    assert "pip install" not in make_says(course), "the files are newer, and their lists as before"
    course.rename(moved)
    assert "pip install" in make_says(moved), "a checkout that has moved is noticed"
