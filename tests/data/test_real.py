"""The published sets, on small files in their formats: splits, checks and downloads that fail."""

import gzip
import hashlib
import os
import pickle
import socket
import stat
import struct
import threading
import time
import urllib.request

import numpy as np
import pytest
import torch
from torchvision import datasets

from course_lib.data import available, load
from course_lib.data import download as download_module
from course_lib.data import real as real_module

TRAIN, TEST = 36, 5


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format."""
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def fake_idx_files() -> dict[str, bytes]:
    """Files like MNIST's: image i has the value i, its top right corner is bright, label i % 10."""
    files = {}
    for part, N in (("train", TRAIN), ("t10k", TEST)):
        number = np.arange(N, dtype=np.uint8)
        images = np.broadcast_to(number[:, None, None], (N, 28, 28)).copy()
        images[:, 0, 27] = 200
        files[f"{part}-images-idx3-ubyte"] = idx(images)
        files[f"{part}-labels-idx1-ubyte"] = idx(number % 10)
    return files


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def write(folder, files: dict[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


@pytest.fixture(params=["mnist", "fashion-mnist"])
def fake(request, monkeypatch):
    """A set whose checksums are those of the small files: its name, its folder, its files."""
    files = fake_idx_files()
    monkeypatch.setitem(real_module.IDX_MD5, request.param, {name: md5(data) for name, data in files.items()})
    return request.param, real_module.PUBLISHED[request.param].folder, files


@pytest.fixture
def fake_cifar(monkeypatch):
    """CIFAR-10's files: five batches of four images that hold their number, and the test set."""

    class OldDtype:  # what a NumPy of 2009 pickled: integers for align and copy
        def __reduce__(self):
            return np.dtype, ("u1", 0, 1)

    files = {}
    for i, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        data = np.broadcast_to(np.arange(4 * i, 4 * i + 4, dtype=np.uint8)[:, None], (4, 3072)).copy()
        data[:, :1024] += 100  # the red plane
        data[:, 2048 + 5 * 32 + 30] = 250  # one pixel of the blue plane: row 5, column 30
        files[name] = pickle.dumps({"data": data, "labels": [i] * 4, "dtype": OldDtype()}, protocol=2)
    files["batches.meta"] = pickle.dumps({"label_names": [f"class {i}" for i in range(10)]})
    lists = [[name, md5(data)] for name, data in files.items()]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", lists[:5])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", lists[5:6])
    monkeypatch.setattr(datasets.CIFAR10, "meta", dict(filename="batches.meta", key="label_names", md5=lists[6][1]))
    return files


def test_splits_of_idx_sets(fake, tmp_path):
    name, folder, files = fake
    write(tmp_path / folder, files)
    loaded = {split: load(name, split, tmp_path, download=False) for split in ("train", "validation", "test", "train+validation")}
    values = {split: images.images[:, 0, 5, 7].tolist() for split, images in loaded.items()}
    assert values["train+validation"] == list(range(TRAIN))
    assert values["validation"] == [11, 23, 35]
    assert values["train"] == [i for i in range(TRAIN) if i not in (11, 23, 35)]
    assert values["test"] == list(range(TEST))
    for split, images in loaded.items():
        assert images.images.dtype == torch.uint8
        assert images.images.shape[1:] == (1, 28, 28)
        assert (images.images[:, 0, 0, 27] == 200).all()
        assert images.images[:, 0, 27, 0].tolist() == values[split]  # not turned over
        assert images.labels.dtype == torch.int64
        assert images.labels.tolist() == [value % 10 for value in values[split]]
        assert images.classes == (list("0123456789") if name == "mnist" else datasets.FashionMNIST.classes)
        assert images.factors is images.masks is None
    resized = load(name, "train", tmp_path, size=32).images
    assert resized.shape == (33, 1, 32, 32)
    assert resized[:, 0, 16, 16].tolist() == values["train"]  # a flat image stays flat


def test_splits_of_cifar10(fake_cifar, tmp_path):
    write(tmp_path / "cifar-10-batches-py", fake_cifar)
    train, test = load("cifar10", "train+validation", tmp_path), load("cifar10", "test", tmp_path)
    assert train.images.shape == (20, 3, 32, 32)
    assert train.images[:, 2, 31, 0].tolist() == list(range(20))
    assert train.images[:, 0, 0, 31].tolist() == list(range(100, 120))
    assert train.images[:, 1, 0, 31].tolist() == list(range(20))
    assert (train.images[:, 2, 5, 30] == 250).all()
    assert train.images[:, 2, 30, 5].tolist() == list(range(20))
    assert train.labels.tolist() == [i // 4 for i in range(20)]
    assert test.labels.tolist() == [5] * 4
    assert train.classes[3] == "class 3"
    assert load("cifar10", "validation", tmp_path).images[:, 2, 0, 0].tolist() == [9, 19]


def test_another_default_device_changes_no_published_set(fake, tmp_path):
    name, folder, files = fake
    write(tmp_path / folder, files)
    expected = load(name, "train", tmp_path, size=16)
    try:
        torch.set_default_device("meta")
        found = load(name, "train", tmp_path, size=16)
    finally:
        torch.set_default_device(None)
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.labels, expected.labels)


def test_a_damaged_file_is_named(fake, tmp_path):
    name, folder, files = fake
    for file, data in files.items():
        for damaged in (data[:-1], b"", b"\x1f\x8b" + data[2:], data[:-1] + b"\xff"):
            write(tmp_path / folder, files | {file: damaged})
            with pytest.raises(RuntimeError, match=f"{file} is damaged .*: delete it to download it again"):
                load(name, "test", tmp_path)


def test_a_damaged_file_of_cifar10_is_named(fake_cifar, tmp_path):
    write(tmp_path / "cifar-10-batches-py", fake_cifar | {"data_batch_3": fake_cifar["data_batch_3"][:-7]})
    with pytest.raises(RuntimeError, match=r"data_batch_3 is damaged"):
        load("cifar10", "test", tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "cifar10"])
def test_what_is_missing_is_said_with_its_place(name, tmp_path, monkeypatch):
    def no_network(*arguments, **options):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    root = tmp_path / "new"
    start = time.monotonic()
    for download, reason in ((True, "could not be downloaded .no network: .*name resolution"), (False, "download is False")):
        with pytest.raises(FileNotFoundError, match=reason) as caught:
            load(name, "train", root, download)
        message = str(caught.value)
        assert "\n" not in message
        assert str(root / real_module.PUBLISHED[name].folder) in message
        assert all(file in message for file in real_module.published_files(name))
        assert "'glyphs', which needs no files" in message
    assert time.monotonic() - start < 3
    assert not root.exists()  # nothing was made for nothing


def test_a_network_that_hangs_is_given_up(tmp_path, monkeypatch):
    over = threading.Event()

    def hang(*arguments, **options):
        over.wait(20)
        raise socket.gaierror(-3, "at last")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(download_module, "TIMEOUT", 0.3)
    start = time.monotonic()
    with pytest.raises(FileNotFoundError, match=r"no network: no answer within 0\.3 s"):
        load("mnist", "train", tmp_path)
    assert time.monotonic() - start < 3
    over.set()


@pytest.fixture
def server(fake, monkeypatch):
    """A mirror of the small files for torchvision's downloads; a list of what was asked for."""
    name, _, files = fake
    packed = {f"{file}.gz": gzip.compress(data) for file, data in files.items()}
    dataset = getattr(datasets, real_module.PUBLISHED[name].torchvision_name)
    monkeypatch.setattr(dataset, "mirrors", ["https://mirror.test/"])
    monkeypatch.setattr(dataset, "resources", [(file, md5(data)) for file, data in packed.items()])
    asked: list[str] = []

    class Response:
        def __init__(self, url: str):
            self.url, self.data, self.place = url, packed[url.rpartition("/")[2]], 0
            self.length = len(self.data)

        def read(self, size: int) -> bytes:
            self.place += size
            return self.data[self.place - size : self.place]

        def close(self): ...

        def __enter__(self):
            return self

        def __exit__(self, *error): ...

    def urlopen(request, timeout=None):
        asked.append(request.full_url)
        return Response(request.full_url)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    return asked


def test_a_download_puts_whole_files_in_place(fake, server, tmp_path):
    name, folder, files = fake
    root = tmp_path / "data root"
    assert not available(root)[name]
    assert len(load(name, "test", root)) == TEST
    assert available(root)[name]
    assert sorted(path.name for path in root.iterdir()) == [folder.partition("/")[0]]  # no temporary folder is left
    assert {path.name: path.read_bytes() for path in (root / folder).iterdir()} == files
    assert socket.getdefaulttimeout() is None
    downloads = len(server)
    load(name, "train", root)
    assert len(server) == downloads  # nothing is asked for again


def test_an_interrupted_download_leaves_nothing(fake, server, tmp_path, monkeypatch):
    name, *_ = fake
    urlopen, root = urllib.request.urlopen, tmp_path / "data"

    def interrupt(request, timeout=None):
        # The third file: two are there already, and it has begun.
        if "t10k-images" in request.full_url:
            begun = [path.name for path in root.rglob("*ubyte")]
            assert len(begun) == 2
            raise KeyboardInterrupt
        return urlopen(request, timeout)

    monkeypatch.setattr(urllib.request, "urlopen", interrupt)
    with pytest.raises(KeyboardInterrupt):
        load(name, "train", root)
    assert list(root.iterdir()) == []
    assert socket.getdefaulttimeout() is None
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    assert len(load(name, "test", root)) == TEST  # and the next attempt succeeds


def test_a_download_that_arrives_damaged_is_not_kept(fake, server, tmp_path, monkeypatch):
    name, *_ = fake
    dataset = getattr(datasets, real_module.PUBLISHED[name].torchvision_name)
    monkeypatch.setattr(dataset, "resources", [(file, "0" * 32) for file, _ in dataset.resources])
    with pytest.raises(FileNotFoundError, match=r"could not be downloaded .*corrupted"):
        load(name, "train", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_of_two_downloads_at_once_both_end_with_whole_files(fake, server, tmp_path, monkeypatch):
    name, folder, files = fake
    urlopen = urllib.request.urlopen

    def while_another_finishes(request, timeout=None):
        if "t10k-labels" in request.full_url:
            monkeypatch.setattr(urllib.request, "urlopen", urlopen)
            assert len(load(name, "test", tmp_path)) == TEST  # the other process: from its beginning to its end
        return urlopen(request, timeout)

    monkeypatch.setattr(urllib.request, "urlopen", while_another_finishes)
    assert len(load(name, "test", tmp_path)) == TEST
    assert len([url for url in server if "train-images" in url]) >= 2  # both did download
    assert {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} == files
    assert [path.name for path in tmp_path.iterdir()] == [folder.partition("/")[0]]


def test_a_read_only_root_is_read(fake, tmp_path, monkeypatch):
    name, folder, files = fake
    write(tmp_path / folder, files)
    before = sorted(tmp_path.rglob("*"))
    for path in (*before, tmp_path):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    # An administrator may write everywhere: forbid it to him as well.
    for function in ("mkdir", "makedirs", "replace", "rename", "remove"):
        monkeypatch.setattr(os, function, lambda *arguments, **options: pytest.fail("wrote to a read-only root"))
    assert len(load(name, "train", tmp_path)) == 33
    monkeypatch.undo()
    tmp_path.chmod(0o755)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_root_that_cannot_be_written_to_is_said(fake, server, tmp_path):
    name, *_ = fake
    blocked = tmp_path / "file"
    blocked.write_text("a file where the root should be")
    with pytest.raises(FileNotFoundError, match=r"could not be downloaded .*file.*by hand"):
        load(name, "train", blocked)
