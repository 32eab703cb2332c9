"""Your own images: a folder with one subfolder of image files for each class."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from course_lib.data.image_set import ImageSet

SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
"""What the name of an image file ends with; other files in the folder are passed over."""

DEFAULT_SIZE = 32

GREY_MODES = {"1", "L", "LA"}

TENTHS = ("train",) * 8 + ("validation", "test")
"""The splits of the images of a class in turn, where the folder has none of its own."""

Listing = list[tuple[Path, int, str]]  # files in order, each with its class and split


def folder_set(path: Path, split: str, size: int | None = None) -> ImageSet:
    """Images of any size from class folders, cropped to the central square and resized to `size`.

    With subfolders ``train`` and ``test`` in it (and ``validation``, if you like), each of these
    holds the class folders of its split; without ``validation``, every tenth image of each class in
    ``train`` is validation. Otherwise `path` itself holds the class folders, and of every ten
    images of a class, in the order of their names, the ninth is validation and the tenth test.
    Upper and lower case of these three names do not matter, and "val" or "valid" is validation too.
    Whatever is hidden (its name begins with a dot) is passed over. The images are grey if all files
    of the folder are, and in colour otherwise; transparency is put on white. The order is shuffled,
    and the same each time: the first hundred images are some of each class.

    Args:
        path: the folder.
        split: "train", "validation", "test", or "train+validation".
        size: height and width of the images, 32 by default.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is not laid out like this, a file cannot be read as an image, or a class has
            no image in the split.
    """
    size = DEFAULT_SIZE if size is None else size
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {path}")
    classes, listing = _divide(path)
    files = [(file, label) for file, label, part in listing if part in split.split("+")]
    present = {label for _, label in files}
    for label, name in enumerate(classes):
        if label not in present:
            raise ValueError(
                f"{path} has no image of class {name!r} for the split {split!r}: "
                "each class needs at least ten images to be divided, or one in a folder of that split"
            )
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    files = [files[place] for place in order]
    mode = "L" if all(_is_grey(file) for file, _, _ in listing) else "RGB"
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        arrays = list(pool.map(lambda entry: _read(entry[0], mode, size), files))
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([label for _, label in files], dtype=torch.int64, device="cpu")
    return ImageSet(images, labels, classes, name=f"folder:{path}", split=split)


def folder_classes(path: Path) -> list[str]:
    """The classes of a folder, in the order of their labels, without reading an image."""
    return _divide(path)[0]


def _divide(path: Path) -> tuple[list[str], Listing]:
    """The classes of a folder, and its files with their splits."""
    folders = {name.lower(): path / name for name in _folder_names(path)}
    train, test = folders.get("train"), folders.get("test")
    validation = folders.get("validation") or folders.get("valid") or folders.get("val")
    if train is None and test is None:
        return _folder_names(path), _list(path, _folder_names(path), TENTHS)
    if train is None or test is None:
        missing, other = ("test", "train") if test is None else ("train", "test")
        raise ValueError(f"{path} has a subfolder {other} and no {missing}: it needs both, or class folders only")
    known = [folder.name for folder in (train, test, validation) if folder is not None]
    others = [name for name in _folder_names(path) if name not in known]
    if others:
        raise ValueError(f"{path} has a subfolder {others[0]!r} beside {', '.join(known)}: move it into one of them, or away")
    classes = _folder_names(train)
    listing = _list(train, classes, ("train",) if validation else ("train",) * 9 + ("validation",))
    if validation:
        listing += _list(validation, classes, ("validation",))
    return classes, listing + _list(test, classes, ("test",))


def _folder_names(path: Path) -> list[str]:
    """The subfolders of a path that are not hidden, in order."""
    names = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise ValueError(f"{path} has no subfolders: it needs one for each class, with that class's images in it")
    return names


def _list(path: Path, classes: list[str], splits: tuple[str, ...]) -> Listing:
    """All image files under the class folders of a path, in the order of their names.

    splits: those of the files of a class, in turn.
    """
    unknown = sorted(set(_folder_names(path)) - set(classes))
    if unknown:
        raise ValueError(f"{path} has a class {unknown[0]!r} that the training images lack: they have {', '.join(classes)}")
    listing: Listing = []
    for label, name in enumerate(classes):
        folder = path / name
        found = [file for file in sorted(folder.rglob("*")) if _is_listed(file, folder)]
        if folder.is_dir() and not found:
            known = ", ".join(sorted(SUFFIXES))
            raise ValueError(f"{folder} has no image files (known are {known}): put some into it, or take the folder away")
        listing += [(file, label, splits[place % len(splits)]) for place, file in enumerate(found)]
    return listing


def _is_listed(file: Path, folder: Path) -> bool:
    """Whether a path below a class folder is an image file.

    What begins with a dot is the system's notes on other files.
    """
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and not hidden and file.is_file()


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """An open image file. Whatever goes wrong with it becomes a ValueError that names it."""
    try:
        with Image.open(file) as image:
            yield image
    except Exception as error:  # what Pillow raises depends on the kind of damage
        raise ValueError(f"{file} cannot be read as an image ({error}): repair it, convert it or take it away") from error


def _is_grey(file: Path) -> bool:
    with _opened(file) as image:
        return image.mode in GREY_MODES


def _read(file: Path, mode: str, size: int) -> np.ndarray:
    """One image, uint8 [size, size, C]: upright, cropped to its central square, resized."""
    with _opened(file) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"more than 8 bits for a colour, mode {image.mode}")
        image = ImageOps.exif_transpose(image)
        if "A" in image.getbands() or "transparency" in image.info:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = ImageOps.fit(image.convert(mode), (size, size), Image.Resampling.BICUBIC)
    return np.asarray(image).reshape(size, size, -1)
