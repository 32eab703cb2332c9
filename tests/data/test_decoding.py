"""What becomes of image files: formats, metadata, what is left out, and what is kept."""

import io
import os
import struct

import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.data import decoding, load


@pytest.fixture
def folder(tmp_path, own_root):
    """Two class folders of ten images, each with its number as its red value."""
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "p" / name).mkdir(parents=True)
        for i in range(10):
            Image.new("RGB", (8, 8), (10 * label + i, 0, 0)).save(tmp_path / "p" / name / f"{i}.png")
    return tmp_path / "p"


def reds(folder, split="train+validation"):
    """The red values of a split, in ascending order."""
    return sorted(load(f"folder:{folder}", split, size=4).images[:, 0, 0, 0].tolist())


def test_what_pillow_reads_is_read_and_the_rest_is_counted_once(folder, capsys):
    for i in range(3):
        Image.new("RGB", (8, 8), (200, 0, 0)).save(folder / "cat" / f"a ({i}).JFIF", "JPEG")
        (folder / "dog" / f"IMG_{i}.HEIC").write_bytes(b"\0\0\0\x18ftypheic")
    Image.new("RGB", (8, 8), (200, 0, 0)).save(folder / "dog" / "b.jp2")
    (folder / "dog" / "notes.txt").write_text("x")
    (folder / "dog" / "model.h5").write_text("x")
    (folder / "dog" / "README").write_text("x")
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere.png")
    Image.new("RGB", (8, 8)).save(folder / "cover.png")
    assert len(load(f"folder:{folder}", "train")) + len(load(f"folder:{folder}", "validation")) == 22
    said = capsys.readouterr().out
    assert said.count("1 images lie outside the class folders") == 1
    assert said.count("7 files that Pillow does not read are passed over (3 .heic, 1 ") == 1
    for count in ("1 .h5", "1 .txt", "1 without a suffix", "1 .png", "pillow-heif"):
        assert count in said


def test_nothing_is_said_where_nothing_is_left_out(folder, capsys):
    reds(folder)
    assert not "".join(capsys.readouterr())


def jpeg(*entries, order="<"):
    """A JPEG, its upper half white, whose EXIF says that it lies on its side, and these (tag, type, count, bytes)."""
    entries = sorted([(0x0112, 3, 1, struct.pack(order + "HH", 6, 0)), *entries])
    body = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, len(entries))
    body += b"".join(struct.pack(order + "HHI", *entry[:3]) + entry[3] for entry in entries) + bytes(4)
    payload, plain = b"Exif\0\0" + body + struct.pack(order + "ii", -1, 0), io.BytesIO()
    Image.fromarray(np.repeat(np.uint8([255, 0]), 16)[:, None].repeat(32, axis=1)).convert("RGB").save(plain, "JPEG")
    return plain.getvalue()[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + plain.getvalue()[2:]


@pytest.mark.parametrize(
    "entry",
    [
        (0x011A, 10, 1, struct.pack("<I", 8 + 2 + 12 * 2 + 4)),  # a fraction of -1/0
        (0x011A, 3, 2, struct.pack("<HH", 72, 72)),  # two values where one belongs
        (0x010F, 4, 1, struct.pack("<I", 7)),  # a text kept as a number
        (0x0100, 2, 2, b"9\0\0\0"),  # a number kept as text
        (0x010F, 1, 4, b"abcd"),
        (0x8769, 4, 1, struct.pack("<I", 60000)),  # a pointer to nowhere
        (0x8769, 2, 4, b"abcd"),
        (0x8825, 7, 4, b"abcd"),
    ],
)
def test_odd_metadata_cost_neither_the_pixels_nor_the_orientation(folder, entry):
    (folder / "cat" / "9.png").write_bytes(jpeg(entry))
    image = load(f"folder:{folder}", "test", size=32).images.float().mean(dim=1)[0]
    image = image if image[:, 20:].max() > 100 else load(f"folder:{folder}", "test", size=32).images.float().mean(dim=1)[1]
    assert image[:, 20:].min() > 200 and image[:, :12].max() < 50, "turned by a quarter: the white half is on the right"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("orientation", [0, 9, -1, "6", (6, 6), float("nan"), None])
def test_an_orientation_that_is_none_changes_nothing(orientation, monkeypatch):
    image = Image.new("L", (3, 2))
    monkeypatch.setattr(image, "getexif", lambda: {274: orientation})
    assert decoding._upright(image).size == (3, 2)


@pytest.mark.parametrize("error", [struct.error, TypeError, ZeroDivisionError, SyntaxError, OSError])
def test_whatever_metadata_raise_the_pixels_are_read(folder, error, monkeypatch):
    def stumble(*_):
        raise error("a fraction of 1/0")

    before = reds(folder)
    monkeypatch.setattr(Image.Image, "getexif", stumble)
    assert reds(folder) == before


def test_every_orientation_of_a_camera(folder):
    picture = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    for orientation in range(1, 9):
        image = Image.fromarray(picture)
        exif = image.getexif()
        exif[274] = orientation
        file = io.BytesIO()
        image.save(file, "PNG", exif=exif)
        (folder / "x.png").write_bytes(file.getvalue())
        from PIL import ImageOps

        right = np.asarray(ImageOps.exif_transpose(Image.open(folder / "x.png")))
        assert (decoding._read(folder / "x.png", 4)[0] == right).all()


@pytest.fixture
def keeping(monkeypatch):
    """Everything is kept, and the number of images that were decoded is counted."""
    read, counted = decoding._read, []
    monkeypatch.setattr(decoding, "KEEP_AFTER", -1)
    monkeypatch.setattr(decoding, "_read", lambda file, size: counted.append(file) or read(file, size))
    return counted


def test_images_are_decoded_once_for_all_splits(folder, own_root, keeping):
    before = [load(f"folder:{folder}", split, size=4) for split in ("train", "validation", "test")]
    assert len(keeping) == 20
    after = [load(f"folder:{folder}", split, size=4) for split in ("train", "validation", "test")]
    assert len(keeping) == 20 and all(torch.equal(a.images, b.images) for a, b in zip(before, after, strict=True))
    after[0].images.zero_()  # a set is the reader's own
    assert torch.equal(load(f"folder:{folder}", "train", size=4).images, before[0].images)
    load(f"folder:{folder}", "test", size=5)
    assert len(keeping) == 40 and len(list((own_root / "folders").iterdir())) == 2


def other_pixels(file):
    times = file.stat()
    Image.new("RGB", (8, 8), (7, 0, 0)).save(file)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))  # as a backup that is put back


CHANGES = {
    "other pixels, the time put back": lambda folder: other_pixels(folder / "cat" / "0.png"),
    "a file more": lambda folder: Image.new("RGB", (8, 8), (7, 0, 0)).save(folder / "cat" / "00.png"),
    "a file less": lambda folder: (folder / "cat" / "0.png").unlink(),
    "another name": lambda folder: (folder / "cat" / "0.png").rename(folder / "cat" / "99.png"),
    "another class": lambda folder: (folder / "cat" / "0.png").rename(folder / "dog" / "99.png"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_what_is_kept_knows_when_it_is_stale(folder, own_root, keeping, change, monkeypatch):
    reds(folder)
    change(folder)
    found = load(f"folder:{folder}", "train", size=4)
    assert len(list((own_root / "folders").iterdir())) == 1, "nothing stale is left"
    monkeypatch.setattr(decoding, "data_root", lambda: own_root / "another")
    right = load(f"folder:{folder}", "train", size=4)
    assert torch.equal(found.images, right.images) and torch.equal(found.labels, right.labels)


def test_a_damaged_file_of_kept_images_is_made_again(folder, own_root, keeping):
    before = reds(folder)
    kept = next((own_root / "folders").iterdir())
    for contents in (b"", kept.read_bytes()[:150], b"x" * 1000):
        kept.write_bytes(contents)
        assert reds(folder) == before


def test_what_cannot_be_kept_is_decoded_each_time_and_said(folder, own_root, keeping, capsys):
    (own_root / "folders").touch()
    assert reds(folder) == reds(folder) and len(keeping) == 40
    assert capsys.readouterr().out.count("COURSE_DATA") == 1


def test_small_folders_leave_nothing_behind(folder, own_root):
    reds(folder)
    assert not list(own_root.iterdir())
