"""Your own images: a folder with one subfolder of image files for each class."""

import re
from collections import Counter
from pathlib import Path

import torch

from course_lib.data.decoding import decoded, say_once, suffixes
from course_lib.data.image_set import ImageSet
from course_lib.data.tree import Folder, walk

DEFAULT_SIZE = 32

# The splits of the images of a class in turn, where the folder has none of its own.
TENTHS = ("train",) * 8 + ("validation", "test")

# What the folder of a split is called, in any case, also with "set", "data" or "images" after it.
SPLIT_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test"}
SPLIT_NAMES |= dict.fromkeys(("validation", "valid", "val", "dev"), "validation")

# Folders with the images of any class, or with what belongs to these images, in lower case.
NO_CLASSES = {
    "image",
    "images",
    "img",
    "imgs",
    "picture",
    "pictures",
    "photo",
    "photos",
    "jpg",
    "jpeg",
    "jpegimages",
    "png",
    "data",
}
NO_CLASSES |= {"mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations"}

Listing = list[tuple[Path, int, str]]  # files in order, each with its class and split


def folder_set(path: Path, split: str, size: int | None = None) -> ImageSet:
    """Images of any size from class folders, cropped to the central square and resized to `size`.

    With subfolders ``train`` and ``test`` in it (and ``validation``, if you like), each of these
    holds the class folders of its split; without ``validation``, every tenth image of each class in
    ``train`` is validation. Otherwise `path` itself holds the class folders, and of every ten
    images of a class, in the order of their names, the ninth is validation and the tenth test.
    The splits may have any name of `SPLIT_NAMES`, and all this may lie in one folder more, as
    archives unpack. What is hidden (its name begins with a dot) or left by an operating system is
    passed over. So are files that Pillow does not read; these are counted in a line that is
    printed. The images are grey if all files of the folder are, and in colour otherwise;
    transparency is put on white. The order is shuffled, and the same each time: the first hundred
    images are some of each class.

    The images of all splits are decoded at once, and kept under the data root where that takes
    long: see `decoded`.

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
    top, classes, listing = _divide(path)
    rows = [row for row, (_, _, part) in enumerate(listing) if part in split.split("+")]
    present = {listing[row][1] for row in rows}
    for label, name in enumerate(classes):
        if label not in present:
            raise ValueError(
                f"{path} has no image of class {name!r} for the split {split!r}: "
                "each class needs at least ten images to be divided, or one in a folder of that split"
            )
    _say_what_is_left_out(path, top, len(listing))
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    rows = [rows[place] for place in order]
    images = torch.from_numpy(decoded(top.path, [file for file, _, _ in listing], size)[rows])
    labels = torch.tensor([listing[row][1] for row in rows], dtype=torch.int64, device="cpu")
    return ImageSet(images, labels, classes, name=f"folder:{path}", split=split)


def _divide(path: Path) -> tuple[Folder, list[str], Listing]:
    """The folder as it was found, its classes, and its files with their splits."""
    found = walk(path, suffixes())
    top = _unwrapped(found)
    parts = {part: folder for folder in top.folders.values() if (part := _split_of(folder))}
    if not parts:
        folders = _class_folders(top)
        return found, list(folders), _list(top, folders, list(folders), TENTHS)
    known = " and ".join(folder.path.name for folder in parts.values())
    for needed in ("train", "test"):
        if needed not in parts:
            raise ValueError(f"{path} has a subfolder {known} and no {needed}: it needs train and test, or class folders only")
    others = [name for name, folder in top.folders.items() if folder not in parts.values()]
    if others:
        raise ValueError(f"{path} has a subfolder {others[0]!r} beside {known}: move it into one of them, or away")
    parts = {part: _unwrapped(folder) for part, folder in parts.items()}
    classes = list(_class_folders(parts["train"]))
    listing: Listing = []
    for part in ("train", "validation", "test"):
        if part in parts:
            turns = ("train",) * 9 + ("validation",) if part == "train" and "validation" not in parts else (part,)
            listing += _list(parts[part], _class_folders(parts[part]), classes, turns)
    return found, classes, listing


def _split_of(folder: Folder) -> str | None:
    """The split that a folder's name stands for, if it does."""
    word = re.sub(r"[\W_]", "", folder.path.name.casefold())
    return SPLIT_NAMES.get(re.sub("(set|data|images)$", "", word))


def _unwrapped(folder: Folder) -> Folder:
    """The folder itself, or the one in it that an archive unpacks to: with subfolders, and alone."""
    inner = next(iter(folder.folders.values()), folder)
    alone = len(folder.folders) == 1 and not folder.images
    if alone and inner.folders and not inner.images and _split_of(inner) in (None, _split_of(folder)):
        return _unwrapped(inner)
    return folder


def _class_folders(top: Folder) -> dict[str, Folder]:
    """The subfolders of a folder, by name, where these can be nothing but its classes.

    They are none where the only one lies beside images or has folders of its own, where images lie
    a level deeper in all of them, and where their names are those of `NO_CLASSES`.
    """
    folders, words = top.folders, NO_CLASSES.intersection(map(str.casefold, top.folders))
    if not folders:
        raise ValueError(f"{top.path} has no subfolders: it needs one for each class, with that class's images in it")
    inner = [(name, *below) for name, folder in folders.items() for below in folder.folders.items()]
    deeper = any(name.casefold() not in {word.casefold(), *NO_CLASSES} or not below.images for word, name, below in inner)
    deeper = deeper and not any(folder.images for folder in folders.values())
    if deeper or len(words) > 1 or (len(folders) == 1 and (words or top.images or inner)):
        raise ValueError(
            f"it is not clear which folders of {top.path} are its classes:\n{top.drawn()}\nIt needs a subfolder for each class, "
            "with that class's images in it, or train and test with these: move or rename folders, or name the one to read"
        )
    return folders


def _list(top: Folder, folders: dict[str, Folder], classes: list[str], splits: tuple[str, ...]) -> Listing:
    """All image files under class folders, in the order of their names.

    splits: those of the files of a class, in turn.
    """
    unknown = sorted(set(folders) - set(classes))
    if unknown:
        raise ValueError(f"{top.path} has a class {unknown[0]!r} that the training images lack: they have {', '.join(classes)}")
    listing: Listing = []
    for label, name in enumerate(classes):
        found = folders[name].all_images() if name in folders else []
        if name in folders and not found:
            known = ", ".join(sorted(suffixes()))
            raise ValueError(
                f"{folders[name].path} has no image files (known are {known}): put some into it, or take the folder away"
            )
        listing += [(file, label, splits[place % len(splits)]) for place, file in enumerate(found)]
    return listing


def _say_what_is_left_out(path: Path, top: Folder, listed: int) -> None:
    """Print, once, how many files of a folder are no part of its set, by suffix, and the way out."""
    loose = sum(len(folder.images) for folder in top.below()) - listed
    if loose:
        say_once(f"{path}: {loose} images lie outside the class folders and are passed over.")
    left_out = Counter(file.suffix.lower() or "without a suffix" for folder in top.below() for file in folder.others)
    counts = ", ".join(f"{count} {suffix}" for suffix, count in left_out.most_common())
    if counts:
        say_once(
            f"{path}: {left_out.total()} files that Pillow does not read are passed over ({counts}). Convert the images among "
            "them to .jpg or .png; for .heic, pip install pillow-heif and pillow_heif.register_heif_opener() will do."
        )
