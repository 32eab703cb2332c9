"""Trained models and where they lie: some come with the package, those that a reader trained lie under the data root."""

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from course_lib.data.root import data_root
from course_lib.runtime import Checkpoint, load_checkpoint


def trained_path(kind: str, name: str) -> Path:
    """Where a model of a kind, for example "judges", that was trained for a set lies, under the data root.

    name: a set as in `load`. Folders are told apart by their full path.
    """
    if name.startswith("folder:"):
        folder = Path(name.removeprefix("folder:")).expanduser().resolve()
        name = f"folder-{folder.name}-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    return data_root() / kind / f"{name}.safetensors"


def load_packaged(folder: Traversable, name: str) -> Checkpoint | None:
    """The checkpoint of a set in a folder of the package, from `importlib.resources.files`; None where there is none."""
    packaged = folder.joinpath(f"{name}.safetensors")
    if not packaged.is_file():
        return None
    with resources.as_file(packaged) as path:
        return load_checkpoint(path)


def load_trained(kind: str, name: str, folder: Traversable) -> Checkpoint | None:
    """The checkpoint that a reader trained, or else the package's, as `load_packaged`; None where there is neither."""
    path = trained_path(kind, name)
    return load_checkpoint(path) if path.is_file() else load_packaged(folder, name)
