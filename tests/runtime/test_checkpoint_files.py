"""Nothing of a file is executed, damage is found wherever it is, and what could not be loaded is
not saved.
"""

import collections
import io
import pathlib
import pickle
import random
import sys

import numpy as np
import pytest
import torch

from course_lib.runtime import checkpoints, load_checkpoint, save_checkpoint
from tests.runtime.files import network, same


class Trap:
    """Executes something where it is unpickled."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('executed')",))


def torch_file(value, **options):
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "contents",
    [
        pickle.dumps(Trap()),
        torch_file(Trap()),
        torch_file({"weights": {}, "config": Trap(), "metrics": {}, "training": None, "versions": {}}),
        torch_file({"weights": Trap()}, _use_new_zipfile_serialization=False),
    ],
)
def test_nothing_of_a_file_is_executed(tmp_path, contents):
    (tmp_path / "a.pt").write_bytes(contents)
    with pytest.raises(ValueError, match=r"a\.pt is damaged, or not written by save_checkpoint"):
        load_checkpoint(tmp_path / "a.pt")


@pytest.mark.parametrize(
    "contents",
    [b"", b"PK", b"a text", torch_file([1]), torch_file({"weights": {}}), torch_file(network().state_dict())],
)
def test_what_is_no_checkpoint_is_named(tmp_path, contents):
    (tmp_path / "a.pt").write_bytes(contents)
    with pytest.raises(ValueError, match=r"a\.pt is damaged, or not written by save_checkpoint: save or download it again"):
        load_checkpoint(tmp_path / "a.pt")
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint .*missing"):
        load_checkpoint(tmp_path / "missing")


def damaged(contents, places):
    """The contents with one byte changed, once for each place."""
    for place, change in places:
        yield place, contents[:place] + bytes([contents[place] ^ change]) + contents[place + 1 :]


def test_no_flipped_byte_changes_what_is_loaded(tmp_path):
    """Wherever a byte is wrong, there is an error or the values are the same as before.

    Tried are 300 places all over a file, and each byte of the zip file's directory, which has no
    checksum, in two ways.
    """
    small, large = tmp_path / "small.pt", tmp_path / "large.pt"
    save_checkpoint(small, {"w": torch.arange(1.0, 9)}, config={"a": 1})
    model = network()
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 1, 3, 3)).sum().backward()
    optimizer.step()
    save_checkpoint(large, model, metrics={"accuracy": 0.5}, training=optimizer.state_dict())
    chance = random.Random(0)
    directory = range(small.read_bytes().index(b"PK\x01\x02"), small.stat().st_size)
    each = [(place, change) for place in directory for change in (0x10, 0xFF)]
    some = [(chance.randrange(large.stat().st_size), chance.randrange(1, 256)) for _ in range(300)]
    for path, places in ((small, each), (large, some)):
        expected, noticed = vars(load_checkpoint(path)), 0
        for place, contents in damaged(path.read_bytes(), places):
            (tmp_path / "damaged").write_bytes(contents)
            try:
                found = vars(load_checkpoint(tmp_path / "damaged"))
            except ValueError:
                noticed += 1
            else:
                assert same(found, expected), f"byte {place} of {path.name}"
        assert noticed > len(places) / 4, "the rest is padding, dates and what else no one reads"


def test_a_tensor_that_is_taken_for_a_folder_is_noticed(tmp_path):
    """PyTorch reads zeros where this bit of the zip file's directory is wrong, which has no
    checksum.
    """
    path = tmp_path / "a.pt"
    save_checkpoint(path, {"w": torch.arange(1.0, 9)})
    contents = path.read_bytes()
    place = contents.rindex(b"data/0") - len(path.stem) - 9  # the attributes end eight bytes before the name
    (tmp_path / "damaged").write_bytes(contents[: place + 1] + b"\x10" + contents[place + 2 :])
    with pytest.raises(ValueError, match="damaged"):
        load_checkpoint(tmp_path / "damaged")


def test_a_file_that_ends_early_is_noticed(tmp_path):
    path = tmp_path / "a.pt"
    save_checkpoint(path, network())
    contents = path.read_bytes()
    for size in (len(contents) - 1, len(contents) - 100, len(contents) // 2, 1):
        path.write_bytes(contents[:size])
        with pytest.raises(ValueError, match="damaged"):
            load_checkpoint(path)


def test_an_interruption_or_an_error_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    save_checkpoint(path, network())
    before = path.read_bytes()

    def broken(error):
        def save(contents, file):
            pathlib.Path(file).write_bytes(b"half a file")
            raise error

        return save

    for error in (KeyboardInterrupt, OSError("no space left on the disk"), RuntimeError("out of memory")):
        monkeypatch.setattr(checkpoints.torch, "save", broken(error))
        with pytest.raises(type(error) if isinstance(error, Exception) else error):
            save_checkpoint(path, {"other": torch.zeros(1)})
        monkeypatch.undo()
        assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    monkeypatch.setattr(checkpoints.os, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(path, {"other": torch.zeros(1)})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


class Plain:
    """A class that can be pickled, and of which a file must not make an object."""


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Plain(), "Plain"),
        (np.float64(0.5), "numpy"),
        (np.zeros(2), "numpy"),
        (pathlib.Path("a"), "Path"),
        (range(3), "range"),
        (torch.Generator(), "Generator"),
        (collections.deque([1]), "deque"),
        (lambda: 0, "lambda"),
        (sys, "module"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_could_not_be_loaded_is_refused_when_it_is_saved(tmp_path, value, kind):
    path = tmp_path / "a.pt"
    save_checkpoint(path, network())
    before = path.read_bytes()
    for part in ("config", "metrics", "training"):
        with pytest.raises(TypeError, match=rf"a\.pt was not saved: a checkpoint holds tensors, .*{kind}") as caught:
            save_checkpoint(path, network(), **{part: {"deep": [1, {"inside": value}]}})
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
