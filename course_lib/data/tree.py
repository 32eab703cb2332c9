"""What lies in a folder and below it, apart from what operating systems and tools leave there."""

import os
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

# What systems and tools leave, in lower case. It is passed over, as is what begins with a dot.
LEFT_BY_SYSTEMS = {"__macosx", "__pycache__", "@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found"}
LEFT_BY_SYSTEMS |= {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder and what was seen in it, in the order of names.

    Attributes:
        path: the folder.
        folders: its subfolders, by their names in Unicode's normal form.
        images: its files with a suffix of images.
        others: its other files, broken links among them.
    """

    path: Path
    folders: dict[str, "Folder"]
    images: list[Path]
    others: list[Path]

    def below(self) -> Iterator["Folder"]:
        """This folder and all below it."""
        yield self
        for folder in self.folders.values():
            yield from folder.below()

    def all_images(self) -> list[Path]:
        """The image files here and below, in the order of their names, on every system the same."""
        files = [file for folder in self.below() for file in folder.images]
        return sorted(files, key=lambda file: normal(str(file)).split(os.sep))

    def drawn(self) -> str:
        """The first folders below with the number of their images, a line for each."""
        seen = list(self.below())[1:]
        lines = [f"  {folder.path.relative_to(self.path)}/  {len(folder.images)} images" for folder in seen[:8]]
        return "\n".join(lines + ["  ..."] * (len(seen) > 8))


def normal(name: str) -> str:
    """A name in Unicode's form NFC: systems write the same letter as one sign, or as two."""
    return unicodedata.normalize("NFC", name)


def walk(path: Path, suffixes: Collection[str]) -> Folder:
    """The folder as it lies on the disk.

    suffixes: of images, in lower case. Links are followed, unless they lead back up. Raises
    FileNotFoundError where there is no such folder, ValueError for one that may not be read, or two
    whose names are one in Unicode's normal form.
    """
    top = _on_disk(path)
    if not top.is_dir():
        raise FileNotFoundError(f"there is no folder {path}")
    seen: dict[Path, Folder] = {}
    for root, folders, files in os.walk(top, onerror=_refuse, followlinks=True):
        here = Path(root)
        folders[:] = sorted((name for name in folders if _is_seen(name) and not _leads_back(here / name)), key=normal)
        seen[here] = Folder(here, {}, [], [])
        for name in filter(_is_seen, sorted(files)):
            image = os.path.splitext(name)[1].lower() in suffixes and os.path.isfile(os.path.join(root, name))
            (seen[here].images if image else seen[here].others).append(here / name)
        beside = seen[here.parent].folders if here != top else {}
        if normal(here.name) in beside:
            raise ValueError(f"{here.parent} has two folders that are both called {here.name}: join them, or rename one")
        beside[normal(here.name)] = seen[here]
    return seen[top]


def _is_seen(name: str) -> bool:
    return not name.startswith(".") and name.casefold() not in LEFT_BY_SYSTEMS


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in."""
    return folder.is_symlink() and folder.resolve() in {above.resolve() for above in folder.parents}


def _refuse(error: OSError) -> NoReturn:
    raise ValueError(f"{error.filename} cannot be read ({error.strerror}): allow it, or take it away") from error


def _on_disk(path: Path) -> Path:
    """The path as the disk spells it: its names may be there in another of Unicode's forms."""
    if path.exists() or path == path.parent:
        return path
    above = _on_disk(path.parent)
    same = [entry for entry in above.iterdir() if normal(entry.name) == normal(path.name)] if above.is_dir() else []
    return (same or [above / path.name])[0]
