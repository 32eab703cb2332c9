"""The public names of the package, and the committed list of them: `make public-names`.

A name in the list that the package no longer has must be named in CHANGELOG.md; the command takes it off the list only then.
"""

import ast
import sys
from pathlib import Path

from tools.files import ROOT, write_atomically

LIST = ROOT / "docs" / "public_names.txt"


def rooms() -> list[str]:
    """The rooms of the package."""
    return sorted(path.parent.name for path in ROOT.glob("course_lib/*/__init__.py"))


def names_of(room: str) -> list[str]:
    """What a room offers: the names that its `__init__.py` imports."""
    nodes = ast.walk(ast.parse(Path(ROOT, "course_lib", room, "__init__.py").read_text(encoding="utf-8")))
    return [alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names]


def public_names() -> set[str]:
    """All of them, as room.name."""
    return {f"{room}.{name}" for room in rooms() for name in names_of(room)}


def listed() -> set[str]:
    """The names of the committed list."""
    return set(LIST.read_text(encoding="utf-8").split()) if LIST.is_file() else set()


def vanished(before: set[str], now: set[str], changes: str) -> list[str]:
    """The names that are gone without a word in the list of changes, where each would stand as `room.name`."""
    return sorted(name for name in before - now if f"`{name}`" not in changes)


def main() -> None:
    """Writes the list, unless a name has vanished without a word."""
    gone = vanished(listed(), public_names(), (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    if gone:
        sys.exit(f"make public-names: gone, and not in CHANGELOG.md: {', '.join(f'`{name}`' for name in gone)}")
    write_atomically(LIST, "\n".join(sorted(public_names())) + "\n")
    print(f"{LIST.relative_to(ROOT)}: {len(public_names())} names")


if __name__ == "__main__":
    main()
