"""MNIST, Fashion-MNIST and CIFAR-10 through torchvision: downloads, checksums, layout on disk."""

import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F

from course_lib.data.download import download_into, unreachable
from course_lib.data.image_set import ImageSet


class Published(NamedTuple):
    """Where a published set lies under the data root, and how its training images are divided.

    Every `validation_step`-th image of the published training set is validation: 5,000 images of
    each set.
    """

    torchvision_name: str
    folder: str
    validation_step: int


PUBLISHED = {
    "mnist": Published("MNIST", "MNIST/raw", 12),
    "fashion-mnist": Published("FashionMNIST", "FashionMNIST/raw", 12),
    "cifar10": Published("CIFAR10", "cifar-10-batches-py", 10),
}

# torchvision checks the packed files of MNIST and Fashion-MNIST when it downloads them; these are
# the MD5 sums of the unpacked files, which are what is kept and read. CIFAR-10's are torchvision's
# own.
IDX_MD5 = {
    "mnist": {
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
    "fashion-mnist": {
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
}
CIFAR10_FILES = (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta")


def published_files(name: str) -> list[str]:
    """Names of the files that a published set consists of, in its folder."""
    return list(CIFAR10_FILES if name == "cifar10" else IDX_MD5[name])


def is_present(name: str, root: Path) -> bool:
    """Whether all files of a published set are there. They are checked when they are read."""
    return all((root / PUBLISHED[name].folder / file).is_file() for file in published_files(name))


def check_files(name: str, root: Path) -> None:
    """Raise a RuntimeError that names the first file of a published set that is damaged.

    All of them must be there.
    """
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity

    if name == "cifar10":
        checksums = dict([*CIFAR10.train_list, *CIFAR10.test_list, (CIFAR10.meta["filename"], CIFAR10.meta["md5"])])
    else:
        checksums = IDX_MD5[name]
    for file in published_files(name):
        path = root / PUBLISHED[name].folder / file
        if not check_integrity(path, checksums[file]):
            raise RuntimeError(f"{path} is damaged ({path.stat().st_size:,} bytes): delete it to download it again")


def obtain(name: str, root: Path, download: bool) -> None:
    """Make sure that a published set lies whole under the root.

    Raises:
        FileNotFoundError: it is not there and was not, or could not be, downloaded.
        RuntimeError: a file is damaged.
    """
    if not is_present(name, root):
        folder = root / PUBLISHED[name].folder
        files = ", ".join(published_files(name))
        ways_out = (
            f"put the unpacked files {files} into {folder} by hand, set the environment variable COURSE_DATA to another folder, "
            "or use 'glyphs', which needs no files"
        )
        if not download:
            raise FileNotFoundError(f"{name} is not in {root} and download is False: {ways_out}")
        reason = _download(name, root)
        if reason is not None:
            raise FileNotFoundError(f"{name} is not in {root} and could not be downloaded ({reason}): {ways_out}")
    check_files(name, root)


def _download(name: str, root: Path) -> str | None:
    """Download a published set; the reason in one line if that fails."""
    from torchvision import datasets

    published = PUBLISHED[name]
    dataset = getattr(datasets, published.torchvision_name)
    urls = [dataset.url] if name == "cifar10" else [mirror + dataset.resources[0][0] for mirror in dataset.mirrors]
    reason = unreachable(urls)
    if reason is not None:
        return f"no network: {reason}"

    try:
        download_into(root, published.folder, published_files(name), lambda folder: _open(name, folder, download=True))
    except (OSError, RuntimeError, EOFError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    return None


def _open(name: str, root: Path, *, train: bool = True, download: bool = False) -> Any:
    """torchvision's data set of that name."""
    from torchvision import datasets

    with warnings.catch_warnings():
        # NumPy 2.4.0 to 2.4.4 warn of what CIFAR-10's old pickles hold (numpy pull request 31177);
        # it is harmless.
        warnings.filterwarnings("ignore", message=".*align should be passed")
        return getattr(datasets, PUBLISHED[name].torchvision_name)(root, train=train, download=download)


def published_set(name: str, split: str, root: Path, download: bool, size: int | None = None) -> ImageSet:
    """A published set: its images as they are, or resized to `size`, and its labels.

    Args:
        name: "mnist", "fashion-mnist" or "cifar10".
        split: "train" and "validation" divide the published training set; "train+validation" is the
            whole of it in its own order; "test" is the published test set.
        root: the data root. It is only written to when the set is not there.
        download: whether it may be downloaded.
        size: height and width to resize the images to (bilinear, antialiased).
    """
    obtain(name, root, download)
    published = PUBLISHED[name]
    dataset = _open(name, root, train=split != "test")
    labels = torch.as_tensor(dataset.targets, dtype=torch.int64, device="cpu")
    images = torch.as_tensor(dataset.data, device="cpu")
    # MNIST's images have the shape [N, H, W], CIFAR-10's [N, H, W, C].
    images = images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2).contiguous()
    if split in ("train", "validation"):
        index = torch.arange(len(images), device="cpu")
        chosen = (index % published.validation_step == published.validation_step - 1) == (split == "validation")
        images, labels = images[chosen], labels[chosen]
    classes = [title.partition(" - ")[0] for title in dataset.classes]  # MNIST's are "0 - zero", "1 - one", ...
    return ImageSet(resize(images, size), labels, classes, name=name, split=split)


def resize(images: torch.Tensor, size: int | None) -> torch.Tensor:
    """Images uint8 [N, C, H, W] -> [N, C, size, size], bilinear and antialiased."""
    if size is None or images.shape[2:] == (size, size):
        return images
    # In pieces: the interpolation works in wider types than uint8.
    pieces = [F.interpolate(piece, (size, size), mode="bilinear", antialias=True) for piece in images.split(1000)]
    return torch.cat(pieces)
