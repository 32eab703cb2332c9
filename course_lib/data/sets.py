"""One way to every set: its name and its split."""

import os
from pathlib import Path

from course_lib.data.factors import GLYPH_SPLITS, is_private
from course_lib.data.folders import folder_set
from course_lib.data.glyphs import glyph_set
from course_lib.data.image_set import ImageSet
from course_lib.data.real import PUBLISHED, is_present, published_set
from course_lib.data.root import data_root
from course_lib.runtime.checks import check_choice, check_count

SETS = ("glyphs", "glyphs-color", *PUBLISHED)
"""The names that `load` knows, beside ``folder:PATH`` and ``private:WORD``."""

SPLITS = ("train", "validation", "test", "train+validation")
"""The splits that every set has. The embedded ones also have "unseen-fonts"."""


def load(
    name: str,
    split: str,
    root: str | os.PathLike | None = None,
    download: bool = True,
    *,
    size: int | None = None,
) -> ImageSet:
    """Load a set of labelled images into memory.

    ``load("glyphs", "train")`` needs no network and no files. "train", "validation" and "test"
    share no image in any set, and "train+validation" is all there is to learn from once every
    choice has been made.

    Args:
        name: one of `SETS`; "folder:PATH" for a folder with one subfolder of image files for each
            class; or "private:WORD" for digits like those of "glyphs-color" that nobody has seen.
            The word, which only the teacher of a class knows, draws every factor, and chooses which
            typefaces are held out for "unseen-fonts": two or three designs, never the same as in
            the public sets. It protects against choices that were tuned to the public test images, and
            not against a `learn` that draws images of all typefaces by `sample_factors`: so let
            students hand in code that you train, never weights, and read the best of it.
        split: one of `SPLITS`; for the embedded sets also "unseen-fonts", typefaces that no other
            split has.
        root: the folder that holds the published sets, `data_root()` by default. Only a download
            writes to it. (The images of a large folder are kept in ``folders/`` of `data_root()`,
            so that they are decoded once.)
        download: whether a published set that is missing may be downloaded.
        size: height and width of the images in pixels. By default their own; 32 for the embedded
            sets and folders.

    Returns:
        An `ImageSet`: images uint8 [N, C, H, W], labels int64 [N], classes, and factors and masks
        where they are known.

    Raises:
        ValueError: no such set or split, or a folder that is not laid out as it should be.
        FileNotFoundError: the set is not there and was not, or could not be, downloaded.
        RuntimeError: a file of the set is damaged.
        TypeError: size is no whole number.
    """
    private, folder = is_private(name), name.removeprefix("folder:")
    embedded = private or name in ("glyphs", "glyphs-color")
    if folder in ("", name) and not private:  # no folder
        check_choice("the name of a set", name, (*SETS, "folder:PATH", "private:WORD"))
    check_choice(f"the split of {name}", split, (*GLYPH_SPLITS, "train+validation") if embedded else SPLITS)
    if size is not None:
        size = check_count("size", size, "an image has at least one pixel")
    if embedded:
        return glyph_set(name, split, size)
    if folder != name:
        return folder_set(Path(os.path.expanduser(folder)), split, size)
    return published_set(name, split, data_root() if root is None else Path(os.path.expanduser(root)), download, size)


def available(root: str | os.PathLike | None = None) -> dict[str, bool]:
    """Which of `SETS` can be loaded without a download."""
    root = data_root() if root is None else Path(os.path.expanduser(root))
    return {name: name not in PUBLISHED or is_present(name, root) for name in SETS}
