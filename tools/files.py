"""Where the checkout is, and how its files are replaced."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def write_atomically(path: Path, text: str) -> None:
    """Replaces the file `path` by `text` (UTF-8) in one step: an interruption leaves the old file, never half of the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        # mkstemp makes a file that only its owner can read; a tracked file has the usual rights.
        os.chmod(temporary, path.stat().st_mode if path.exists() else 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
