"""Which versions are installed, and which the course asks for."""

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import course_lib


def checkout() -> Path | None:
    """The folder of the checkout that course_lib is imported from; None where it was installed."""
    folder = Path(course_lib.__file__).resolve().parent.parent
    project = folder / "pyproject.toml"
    return folder if project.is_file() and 'name = "course_lib"' in project.read_text(encoding="utf-8") else None


def installed_version(name: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def direct_requirements(extra: str = "") -> dict[str, Requirement]:
    """What course_lib requires itself on this machine, by normalised name.

    Args:
        extra: "" for what the package needs to run; "lab" or "test" for what that extra adds.
    """
    requirements = [Requirement(text) for text in importlib.metadata.requires("course_lib") or ()]
    needed = [r for r in requirements if (r.marker.evaluate({"extra": extra}) if r.marker else not extra)]
    return {canonicalize_name(r.name): r for r in needed}
