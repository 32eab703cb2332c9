"""Your own images: a folder with one subfolder of image files for each class."""

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

Listing = list[tuple[Path, int]]  # files in order, each with its class


def folder_set(path: Path, split: str, size: int | None = None) -> ImageSet:
    """Images of any size from class folders, cropped to the central square and resized to `size`.

    With subfolders ``train`` and ``test`` in it (and ``validation``, if you like), each of these holds the class folders of its
    split; without ``validation``, every tenth image of each class in ``train`` is validation. Otherwise `path` itself holds the
    class folders, and of every ten images of a class, in the order of their names, the ninth is validation and the tenth test.
    Upper and lower case of these three names do not matter, and "val" or "valid" is validation too. Whatever is hidden (its
    name begins with a dot) is passed over. The images are grey if all files of the folder are, and in colour otherwise;
    transparency is put on white. The order is shuffled, and the same each time: the first hundred images are some of each class.

    Args:
        path: the folder.
        split: "train", "validation", "test", or "train+validation".
        size: height and width of the images, 32 by default.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it is not laid out like this, a file cannot be read as an image, or a class has no image in the split.
    """
    size = DEFAULT_SIZE if size is None else size
    if not path.is_dir():
        raise FileNotFoundError(f"there is no folder {path}")
    classes, splits = _divide(path)
    files = splits[split]
    present = {label for _, label in files}
    for label, name in enumerate(classes):
        if label not in present:
            raise ValueError(
                f"{path} has no image of class {name!r} for the split {split!r}: "
                "each class needs at least ten images to be divided, or one in a folder of that split"
            )
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    files = [files[place] for place in order]
    mode = "L" if all(_is_grey(file) for listing in splits.values() for file, _ in listing) else "RGB"
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        arrays = list(pool.map(lambda entry: _read(entry[0], mode, size), files))
    images = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()
    labels = torch.tensor([label for _, label in files], dtype=torch.int64, device="cpu")
    return ImageSet(images, labels, classes, name=f"folder:{path}", split=split)


def _divide(path: Path) -> tuple[list[str], dict[str, Listing]]:
    """The classes of a folder and the files of every split."""
    folders = {name.lower(): path / name for name in _folder_names(path)}
    train, test = folders.get("train"), folders.get("test")
    validation = folders.get("validation") or folders.get("valid") or folders.get("val")
    if (train is None) != (test is None):
        missing, other = ("test", "train") if test is None else ("train", "test")
        raise ValueError(f"{path} has a subfolder {other} and no {missing}: it needs both, or class folders only")
    if train is None:
        classes = _folder_names(path)
        files = _list(path, classes)
        splits = {
            "train": _every_tenth(files, set(range(8))),
            "validation": _every_tenth(files, {8}),
            "test": _every_tenth(files, {9}),
            "train+validation": _every_tenth(files, set(range(9))),
        }
        return classes, splits
    known = [folder.name for folder in (train, test, validation) if folder is not None]
    others = [name for name in _folder_names(path) if name not in known]
    if others:
        raise ValueError(f"{path} has a subfolder {others[0]!r} beside {', '.join(known)}: move it into one of them, or away")
    classes = _folder_names(train)
    files = _list(train, classes)
    splits = {"test": _list(test, classes)}
    if validation is not None:
        held_out = _list(validation, classes)
        splits |= {"train": files, "validation": held_out, "train+validation": files + held_out}
    else:
        splits |= {"train": _every_tenth(files, set(range(9))), "validation": _every_tenth(files, {9})}
        splits["train+validation"] = files
    return classes, splits


def _folder_names(path: Path) -> list[str]:
    """The subfolders of a path that are not hidden, in order."""
    names = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not names:
        raise ValueError(f"{path} has no subfolders: it needs one for each class, with that class's images in it")
    return names


def _list(path: Path, classes: list[str]) -> Listing:
    """All image files under the class folders of a path, class by class in the order of their names."""
    unknown = sorted(set(_folder_names(path)) - set(classes))
    if unknown:
        raise ValueError(f"{path} has a class {unknown[0]!r} that the training images lack: they have {', '.join(classes)}")
    listing = []
    for label, name in enumerate(classes):
        folder = path / name
        found = [file for file in sorted(folder.rglob("*")) if _is_listed(file, folder)]
        if folder.is_dir() and not found:
            known = ", ".join(sorted(SUFFIXES))
            raise ValueError(f"{folder} has no image files (known are {known}): put some into it, or take the folder away")
        listing += [(file, label) for file in found]
    return listing


def _is_listed(file: Path, folder: Path) -> bool:
    """Whether a path below a class folder is an image file. What begins with a dot is the system's notes on other files."""
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return file.suffix.lower() in SUFFIXES and not hidden and file.is_file()


def _every_tenth(files: Listing, places: set[int]) -> Listing:
    """The files whose place within their class, modulo ten, is one of the places."""
    seen: dict[int, int] = {}
    chosen = []
    for file, label in files:
        place = seen.get(label, 0)
        seen[label] = place + 1
        if place % 10 in places:
            chosen.append((file, label))
    return chosen


def _open(file: Path) -> Image.Image:
    try:
        return Image.open(file)
    except Image.DecompressionBombError as error:
        raise ValueError(f"{file} has more pixels than Pillow opens safely: scale it down or take it away") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{file} cannot be read as an image: repair it or take it away") from error


def _is_grey(file: Path) -> bool:
    with _open(file) as image:
        return image.mode in GREY_MODES


def _read(file: Path, mode: str, size: int) -> np.ndarray:
    """One image as uint8 [size, size, C]: turned as the camera was held, cropped to its central square, resized."""
    with _open(file) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"{file} has more than 8 bits for a colour (mode {image.mode}): convert it to 8 bits")
        try:
            image = ImageOps.exif_transpose(image)
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = ImageOps.fit(image.convert(mode), (size, size), Image.Resampling.BICUBIC)
        except (OSError, ValueError, SyntaxError) as error:  # Pillow decodes here, so this is where a short file shows
            raise ValueError(f"{file} cannot be read as an image: repair it or take it away") from error
    return np.asarray(image).reshape(size, size, -1)
