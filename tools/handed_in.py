"""The files that a class hands in, as they come out of Moodle, Canvas or a folder, zip files too: whose each is, which counts."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import nbformat

LARGEST = 50 * 2**20  # bytes of a notebook
MEMBERS = 20_000  # of a zip file
PASSED_OVER = {".ipynb_checkpoints", "__MACOSX", ".DS_Store", "desktop.ini", "Thumbs.db"}
# Moodle: the folder "Name_123456_assignsubmission_file", or the same in front of the file's name.
MOODLE = re.compile(r"(?P<student>.+?)_(?P<id>\d+)_assignsubmission_(file|onlinetext)_?.*")
# Canvas: "name_LATE_123_456_file-1.ipynb": the student's number, the hand-in's, and how often it was handed in again.
CANVAS = re.compile(r"(?P<student>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_\d+_(?P<name>.+?)(-(?P<again>\d+))?\.\w+")


@dataclass(frozen=True)
class HandIn:
    """A file that was handed in.

    Attributes:
        name: its path in the folder; a zip file counts as a folder.
        student, id: as the platform names them; the name without its ending, and "", elsewhere.
        platform: "moodle", "canvas" or "".
        late: whether Canvas marks it so.
        order: the larger, the later.
        path, member: where it lies, and its name in the zip file at that path.
        why: why it cannot be graded; empty where it may be.
    """

    name: str
    student: str
    id: str
    platform: str
    late: bool
    order: tuple
    path: Path
    member: str = ""
    why: str = ""


def handed_in_files(folder: str) -> list[HandIn]:
    """All files in a folder, the folders and the zip files in it, ordered by name; of a student's several the last one counts.

    Raises:
        ValueError: it is no folder, or nothing lies in it.
    """
    if not folder or not Path(folder).is_dir():
        raise ValueError(f"HANDED_IN is {folder!r}: give the folder in which the handed-in notebooks lie")
    found: list[HandIn] = []
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if PASSED_OVER & set(name.split("/")) or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink() or not path.is_file():
            found.append(hand_in(name, path, why="it is a link, and what it leads to is not read: hand in the file itself"))
        elif path.suffix.lower() == ".zip":
            found += from_zip(name, path)
        else:
            found.append(hand_in(name, path, (path.stat().st_mtime,)))
    if not found:
        raise ValueError(f"HANDED_IN is {folder!r}: no file lies there")
    return later_ones(found)


def hand_in(name: str, path: Path, order: tuple = (0,), member: str = "", why: str = "") -> HandIn:
    """A file, and whose it is, by its name and those of the folders around it."""
    student, number, platform, late = re.sub(r"\.\w+$", "", name), "", "", False
    for part in name.split("/"):
        if match := MOODLE.fullmatch(part):
            student, number, platform = match["student"], match["id"], "moodle"
        elif match := CANVAS.fullmatch(part):
            student, number, platform, late = match["student"], match["id"], "canvas", bool(match["late"])
            order = (int(match["again"] or 0), *order)
    ending = Path(name).suffix.lower()
    if not why and ending != ".ipynb":
        what = f"a file that ends in {ending}" if ending else "a file without an ending"
        why = f"it is {what}, and a notebook is asked for: hand in the .ipynb file"
    return HandIn(name, student, number, platform, late, order, path, member, why)


def from_zip(name: str, path: Path) -> list[HandIn]:
    """The files in a zip file."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        return [hand_in(name, path, why=f"it is no zip file that can be read ({type(error).__name__}): hand in again")]
    if len(members) > MEMBERS:
        return [hand_in(name, path, why=f"it holds {len(members):,} files, and {MEMBERS:,} are allowed")]
    found = []
    for info in members:
        inside = f"{name}/{info.filename.lstrip('/')}"
        if not PASSED_OVER & set(inside.split("/")):
            found.append(hand_in(inside, path, (zip_seconds(info),), info.filename))
    return found


def zip_seconds(info: zipfile.ZipInfo) -> float:
    """When a member was changed, as seconds that can be compared with each other."""
    year, month, day, hour, minute, second = info.date_time
    return ((((year * 12 + month) * 31 + day) * 24 + hour) * 60 + minute) * 60.0 + second


def later_ones(found: list[HandIn]) -> list[HandIn]:
    """The files, where those before a student's last notebook say that it counts instead of them."""
    last: dict[tuple[str, str], HandIn] = {}
    for one in found:
        key = one.platform, one.id
        if one.platform and not one.why and (key not in last or one.order >= last[key].order):
            last[key] = one
    listed = []
    for one in found:
        newest = last.get((one.platform, one.id)) if one.platform else None
        if newest and newest is not one and not one.why:
            one = HandIn(**{**vars(one), "why": f"a later file of the same student counts: {newest.name}"})
        listed.append(one)
    return listed


def read(one: HandIn) -> nbformat.NotebookNode:
    """A handed-in notebook of any version.

    Raises:
        ValueError: the file is no notebook.
    """
    try:
        if one.member:
            with zipfile.ZipFile(one.path) as archive, archive.open(one.member) as file:
                data = file.read(LARGEST + 1)
        else:
            with open(one.path, "rb") as file:
                data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise ValueError(f"it has more than {LARGEST / 2**20:.0f} MB: clear its outputs and hand in again")
        book = nbformat.reads(data.decode("utf-8-sig"), as_version=4)
        for cell in book.cells:
            cell.cell_type, cell.source.splitlines(), cell.metadata
    except Exception as error:  # nbformat raises what the broken file happens to cause
        if "MB: clear" in str(error):
            raise
        raise ValueError(f"it is no notebook that can be read ({type(error).__name__}): hand in again") from error
    return book


def title(book: nbformat.NotebookNode) -> str:
    """The first heading of a notebook."""
    texts = [cell.source for cell in book.cells if cell.cell_type == "markdown"]
    headings = [line.lstrip("# ") for text in texts for line in text.splitlines() if line.startswith("#")]
    return headings[0][:80] if headings else "without a heading"
