"""The data root: the folder that holds the real data sets."""

import os
from pathlib import Path

import course_lib

_chosen: Path | None = None


def set_data_root(path: str | os.PathLike | None) -> None:
    """Choose the data root for the rest of the session; None takes the choice back."""
    global _chosen
    _chosen = None if path is None else Path(path).expanduser()


def data_root() -> Path:
    """The folder where the real sets are looked for and downloaded to. It need not exist: only a download creates it.

    The first of these that is there: the folder given to `set_data_root`; the environment variable COURSE_DATA; ``data/`` of
    the checkout, when the package is imported from one; else ``course_lib`` in the user's cache (XDG_CACHE_HOME, by default
    ``~/.cache``), as torch.hub does, so that an installed package never writes beside its own code.
    """
    if _chosen is not None:
        return _chosen
    if os.environ.get("COURSE_DATA"):
        return Path(os.environ["COURSE_DATA"]).expanduser()
    checkout = Path(course_lib.__file__).resolve().parent.parent
    project = checkout / "pyproject.toml"
    if project.is_file() and 'name = "course_lib"' in project.read_text(encoding="utf-8"):
        return checkout / "data"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "course_lib"
