"""The files that a class hands in: which of a folder are looked at, and what each holds."""

import re
from pathlib import Path

import nbformat

# Letters of any language, digits, and the signs that learning platforms put into names. No control characters, which a terminal
# would obey, and no "=" in front, which a table would compute.
USUAL_NAME = re.compile(r"\w[\w .,()+'@-]*")


def handed_in_files(folder: str) -> tuple[list[Path], list[str]]:
    """The notebooks in a folder and the folders in it, ordered by name, and what was passed over, each with the reason.

    Raises:
        ValueError: it is no folder, or no notebook lies in it.
    """
    if not folder or not Path(folder).is_dir():
        raise ValueError(f"HANDED_IN is {folder!r}: give the folder in which the handed-in notebooks lie")
    found, passed_over = [], []
    for path in sorted(Path(folder).rglob("*.ipynb")):
        parts = path.relative_to(folder).parts
        if ".ipynb_checkpoints" in parts:
            continue
        if path.is_symlink() or not path.is_file():
            passed_over.append(f"{'/'.join(parts)!a}: a link or no file")
        elif not all(USUAL_NAME.fullmatch(part) for part in parts):
            passed_over.append(f"{'/'.join(parts)!a}: an unusual name")
        else:
            found.append(path)
    if not found and not passed_over:
        raise ValueError(f"HANDED_IN is {folder!r}: no file there ends in .ipynb")
    return found, passed_over


def read(path: Path) -> nbformat.NotebookNode:
    """A handed-in notebook of any version.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        book = nbformat.read(path, as_version=4)
        for cell in book.cells:
            cell.cell_type, cell.source.splitlines()
    except Exception as error:  # nbformat raises what the broken file happens to cause
        raise ValueError(f"is no notebook ({type(error).__name__})") from error
    return book
