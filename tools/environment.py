"""What the environment in .venv was made of. The Makefile keeps it in a file there, and installs
again where it has changed.
"""

import hashlib
import json
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def describe(root: Path = ROOT) -> str:
    """The folder of the checkout, and a digest of its lists of dependencies;
    comments do not count.
    """
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    names = ("requires-python", "dependencies", "optional-dependencies")
    lists = [settings["build-system"], *(settings["project"][name] for name in names)]
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    lists.append([line for line in lines if not line.startswith("#")])
    return f"{root} {hashlib.sha256(json.dumps(lists).encode()).hexdigest()[:16]}"


if __name__ == "__main__":
    print(describe())
