"""The data root: the folder that holds the real data sets."""

import os
from pathlib import Path

import course_lib

_chosen: Path | None = None


def set_data_root(path: str | os.PathLike | None) -> None:
    """Choose the data root for the rest of the session; None takes the choice back. ValueError if it can be no folder."""
    global _chosen
    _chosen = None if path is None else _folder(path, "the data root")


def _folder(path: str | os.PathLike, what: str) -> Path:
    """An absolute path that is a folder or can become one."""
    way_out = "give the full path of a folder"
    try:
        folder = Path(path).expanduser().absolute()
    except RuntimeError:  # ~name
        raise ValueError(f"{what} is {str(path)!r}, in the home folder of a user that is not known here: {way_out}") from None
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{what} is {str(path)!r}, which is a file: {way_out}")
    return folder


def data_root() -> Path:
    """The folder where the real sets are looked for and downloaded to. It need not exist: only a download creates it.

    The first of these that is there: the folder given to `set_data_root`; the environment variable COURSE_DATA; ``data/`` of
    the checkout, when the package is imported from one; else ``course_lib`` in the user's cache (XDG_CACHE_HOME, by default
    ``~/.cache``), as torch.hub does, so that an installed package never writes beside its own code. The path is absolute.

    Raises:
        ValueError: COURSE_DATA is a file, or in the home folder of nobody.
    """
    if _chosen is not None:
        return _chosen
    if os.environ.get("COURSE_DATA"):
        return _folder(os.environ["COURSE_DATA"], "the environment variable COURSE_DATA")
    checkout = Path(course_lib.__file__).resolve().parent.parent
    project = checkout / "pyproject.toml"
    if project.is_file() and 'name = "course_lib"' in project.read_text(encoding="utf-8"):
        return checkout / "data"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser().absolute() / "course_lib"
