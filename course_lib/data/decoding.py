"""Image files as pixels: upright, square, of one size, and kept for the next time."""

import contextlib
import functools
import hashlib
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from PIL import __version__ as pillow_version
from tqdm import tqdm

import course_lib
from course_lib.data.root import data_root

GREY_MODES = {"1", "L", "LA"}

# Formats that Pillow knows by name, and reads nowhere, or through other programs.
UNREADABLE = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}

# What brings an image upright, by the orientation (tag 274) in its EXIF data.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Seconds of decoding from which on the images are kept: small folders leave no files behind.
KEEP_AFTER = 1.0


def suffixes() -> set[str]:
    """What the names of files end with that Pillow reads here, with the plug-ins that are loaded."""
    known = Image.registered_extensions().items()
    return {suffix for suffix, name in known if name in Image.OPEN and name not in UNREADABLE}


@functools.cache
def say_once(text: str) -> None:
    """Print a line, once in a session: a set is loaded several times, split by split."""
    print(text)


def decoded(top: Path, files: list[Path], size: int) -> np.ndarray:
    """Image files as uint8 [N, C, size, size]: C = 1 if all are grey, 3 otherwise.

    Where that takes more than `KEEP_AFTER` seconds the result is kept under the data root, in
    ``folders/``, and read from there until a file is added, taken away or changed, by its name,
    size and times. What cannot be kept is decoded each time, and a line says so.

    top: the folder they come from, of which one result is kept for each size. Raises ValueError
    for a file that cannot be read as an image.
    """
    digest = hashlib.sha256(f"{course_lib.__version__} {pillow_version}".encode())
    for file in files:
        now = file.stat()
        digest.update(os.fsencode(file) + f"\0{now.st_size} {now.st_mtime_ns} {now.st_ctime_ns}\0".encode())
    place = f"{hashlib.sha256(os.fsencode(top.resolve())).hexdigest()[:12]}-{size}"
    kept = data_root() / "folders" / f"{place}-{digest.hexdigest()[:16]}.npy"
    if kept.is_file():
        with contextlib.suppress(OSError, ValueError, EOFError):  # a damaged one is made again
            return np.load(kept, mmap_mode="r")
    begin = time.perf_counter()
    images = _decode(files, size)
    if time.perf_counter() - begin > KEEP_AFTER:
        _keep(kept, images, place)
    return images


def _decode(files: list[Path], size: int) -> np.ndarray:
    images, grey = np.empty((len(files), 3, size, size), np.uint8), True
    quiet = {"unit": " images", "leave": False, "delay": 1, "file": sys.stdout, "ncols": 80}
    with ThreadPoolExecutor() as pool:  # Pillow decodes outside the interpreter's lock
        read = pool.map(lambda file: _read(file, size), files)
        for row, pixels in enumerate(tqdm(read, "reading", len(files), **quiet)):
            images[row] = pixels  # of grey ones the three channels are alike
            grey = grey and len(pixels) == 1
    return images[:, :1].copy() if grey else images


def _keep(kept: Path, images: np.ndarray, place: str) -> None:
    """Write the images in place of those that were kept of the folder before, all or nothing."""
    temporary = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.save(file, images)
        os.replace(temporary, kept)
        for stale in set(kept.parent.glob(f"{place}-*")) - {kept}:
            stale.unlink()
    except OSError as error:
        say_once(
            f"The images of the folder cannot be kept in {kept.parent} ({error.strerror}) and will be decoded each time; "
            "the environment variable COURSE_DATA names another place."
        )


def _read(file: Path, size: int) -> np.ndarray:
    """One image, uint8 [C, size, size], C = 1 for a grey one: upright, its central square, resized.

    Whatever goes wrong becomes a ValueError that names the file.
    """
    try:
        with Image.open(file) as opened:
            if opened.mode.startswith(("I", "F")):
                raise ValueError(f"more than 8 bits for a colour, mode {opened.mode}")
            mode, image = "L" if opened.mode in GREY_MODES else "RGB", _upright(opened)
            if "A" in image.getbands() or "transparency" in image.info:
                image = image.convert("RGBA")
                image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
            image = ImageOps.fit(image.convert(mode), (size, size), Image.Resampling.BICUBIC)
    except Exception as error:  # what Pillow raises depends on the kind of damage
        raise ValueError(f"{file} cannot be read as an image ({error}): repair it, convert it or take it away") from error
    return np.asarray(image).reshape(size, size, -1).transpose(2, 0, 1)


def _upright(image: Image.Image) -> Image.Image:
    """The image as the camera was held, where its metadata say how: they decide no more than that."""
    try:
        turn = TURNS.get(image.getexif().get(274, 1))
    except Exception:  # what Pillow raises depends on what a camera or a program left there
        turn = None
    return image if turn is None else image.transpose(turn)
