"""Which versions are installed, and which the course asks for."""

import importlib.metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

import course_lib


def checkout() -> Path | None:
    """The folder of the checkout that course_lib is imported from; None where it was installed without one (Colab)."""
    folder = Path(course_lib.__file__).resolve().parent.parent
    return folder if (folder / "pyproject.toml").is_file() else None


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
    needed = {r for r in requirements if r.marker is None or r.marker.evaluate({"extra": ""})}
    if extra:
        needed = {r for r in requirements if r.marker is not None and r.marker.evaluate({"extra": extra})} - needed
    return {canonicalize_name(r.name): r for r in sorted(needed, key=lambda r: r.name)}


def read_lock(path: Path) -> dict[str, str]:
    """The exact versions in a constraints file that hold on this machine, by normalised name.

    Raises:
        ValueError: a line is not of the form `name==version ; marker`.
    """
    versions = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:
            requirement = Requirement(text)
            (specifier,) = requirement.specifier
            if specifier.operator != "==":
                raise ValueError
        except (InvalidRequirement, ValueError):
            raise ValueError(f"{path.name}, line {number}: {text!r} is not `name==version ; marker`; run make lock") from None
        if requirement.marker is None or requirement.marker.evaluate():
            versions[canonicalize_name(requirement.name)] = specifier.version
    return versions
