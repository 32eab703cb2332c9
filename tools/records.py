"""What is recorded beside the figures and the notebooks: when, on which device and with which versions they were made."""

import datetime
import hashlib
import json
import platform
from importlib import metadata
from pathlib import Path

import nbformat

from tools.files import ROOT, write_atomically
from tools.setup_cell import SETUP_START

NOTEBOOKS = ROOT / "notebooks" / "record.json"
PACKAGES = ("course_lib", "torch", "torchvision", "numpy", "matplotlib")


def circumstances(device: str) -> dict:
    """The date, the device as it was named to the program, the system, and the versions of what draws and computes."""
    versions = {"python": platform.python_version(), **{name: metadata.version(name) for name in PACKAGES}}
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return {"date": date, "device": device, "system": f"{platform.system()} {platform.machine()}", "versions": versions}


def read(path: Path) -> dict:
    """The record in a JSON file; empty where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(path: Path, record: dict) -> None:
    """Replaces a record, in the form in which it is committed: sorted, so that a difference shows what changed."""
    write_atomically(path, json.dumps(record, indent=2, sort_keys=True) + "\n")


def file_digest(path: Path) -> str:
    """A short name of the contents of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def code_digest(notebook: nbformat.NotebookNode) -> str:
    """A short name of the code of a notebook: texts may change, and the address move, without making its outputs old."""
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    sources = [source for source in cells if not source.startswith(SETUP_START)]
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()[:16]
