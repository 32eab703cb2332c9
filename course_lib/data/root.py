"""The data root: the folder that holds the real data sets."""

import os
import tempfile
from pathlib import Path

from course_lib.runtime.versions import checkout


def data_root() -> Path:
    """The folder where the real sets are looked for and downloaded to.

    It need not exist: only a download creates it.

    The first of these that is there: the environment variable COURSE_DATA; ``data/`` of the
    checkout, when the package is imported from one; else ``course_lib`` in the user's cache
    (XDG_CACHE_HOME, by default ``~/.cache``), as torch.hub does, so that an installed package never
    writes beside its own code. The path is absolute. For a user without a home it lies in the
    system's folder for temporary files.
    """
    root, cache = checkout(), os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    default = f"{cache}/course_lib" if root is None else root / "data"
    path = os.path.expanduser(os.environ.get("COURSE_DATA") or default)
    return Path(path.replace("~", tempfile.gettempdir(), 1) if path.startswith("~/") else path).absolute()
