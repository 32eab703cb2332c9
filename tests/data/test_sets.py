"""The one way to every set, the data root, and what PyTorch makes of a set."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from course_lib.data import (
    SETS,
    SPLITS,
    Batches,
    ImageSet,
    available,
    data_root,
    load,
    make_factors,
    render,
    root,
    sample_factors,
)
from course_lib.data import glyphs as glyphs_module
from course_lib.data.typefaces import glyph_widths
from course_lib.runtime import versions


@pytest.fixture(scope="module")
def small() -> ImageSet:
    return load("glyphs-color", "validation", size=8)


def test_unknown_names_and_splits_list_the_known_ones():
    for name in ("mnst", "folder:", ""):
        known = "choose from glyphs, .*cifar10, folder:PATH, private:WORD$"
        with pytest.raises(ValueError, match=rf"the name of a set is '{name}': {known}"):
            load(name, "train")
    for name in SETS:
        known = "train, validation, test, " + ("unseen-fonts, " if "glyphs" in name else "") + r"train\+validation"
        with pytest.raises(ValueError, match=rf"^the split of {name} is 'dev': choose from {known}$"):
            load(name, "dev", download=False)
    with pytest.raises(ValueError, match="the split of mnist is 'unseen-fonts'"):
        load("mnist", "unseen-fonts")
    with pytest.raises(ValueError, match="size is 0"):
        load("glyphs", "train", size=0)
    for size in (8.5, True, "8"):
        with pytest.raises(TypeError, match=f"size is {size!r}: it must be a whole number"):
            load("glyphs", "train", size=size)
        with pytest.raises(TypeError, match=f"size is {size!r}: it must be a whole number"):
            render(make_factors(), size)


def test_splits_mean_the_same_everywhere():
    assert SPLITS == ("train", "validation", "test", "train+validation")
    assert SETS == ("glyphs", "glyphs-color", "mnist", "fashion-mnist", "cifar10")


def test_a_data_loader_reads_a_set(small):
    x, y = next(iter(DataLoader(small, batch_size=16)))
    assert torch.equal(x, small.images[:16])
    assert torch.equal(y, small.labels[:16])


def test_pixels_are_the_images_between_zero_and_one(small):
    assert torch.equal(small.pixels(), small.images.float() / 255)
    rows = torch.tensor([7, 3, 3])
    chosen = small.pixels(rows)
    assert chosen.dtype == torch.float32 and torch.equal(chosen, small.images[rows] / 255)
    assert torch.equal(small.pixels(slice(2, 5)), small.pixels()[2:5])
    assert torch.equal(small.pixels(small.labels == 4), small.pixels()[small.labels == 4])
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    assert ImageSet(images, torch.zeros(3, dtype=torch.int64), ["a"]).pixels().flatten().tolist() == pytest.approx([0, 0.2, 1])
    chosen.fill_(7)
    assert not torch.equal(small.pixels(rows), chosen), "they are a copy"


def drawn():
    """Something of everything that makes tensors of its own."""
    made = make_factors("glyphs-color", digit=[1, 2], angle=3.5, neighbour_digit=(3, -1))
    sampled = sample_factors("glyphs-color", "train", range(50))
    grey = load("glyphs", "validation", size=8)
    x, y = next(iter(Batches(grey, batch_size=9)))
    return [*made.values(), *render(made), *sampled.values(), *render(sampled), grey.images, grey.labels, x, y]


@pytest.mark.parametrize(
    ("change", "value", "back"),
    [(torch.set_default_dtype, torch.float64, torch.float32), (torch.set_default_device, "meta", None)],
)
def test_a_changed_default_changes_nothing(change, value, back):
    expected = drawn()
    glyph_widths.cache_clear()  # as if nothing had been drawn before
    glyphs_module._device_atlas.cache_clear()
    try:
        change(value)
        found = drawn()
    finally:
        change(back)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == b.dtype
        assert torch.equal(a, b)


def test_a_set_knows_its_size_and_shows_it(small):
    assert len(small) == 4000
    assert repr(small) == "glyphs-color (validation): 4,000 images of 3 x 8 x 8, 10 classes, with factors and masks"
    assert repr(ImageSet(torch.zeros(2, 1, 3, 4, dtype=torch.uint8), torch.zeros(2), ["a"], name="x", split="test")) == (
        "x (test): 2 images of 1 x 3 x 4, 1 classes"
    )
    with pytest.raises(IndexError):
        small[4000]
    with pytest.raises(TypeError, match="a set is indexed by one integer"):
        small[:3]


@pytest.fixture
def no_choice(monkeypatch):
    """The environment does not choose the data root."""
    monkeypatch.delenv("COURSE_DATA", raising=False)


def test_the_data_root_is_chosen_in_order(no_choice, monkeypatch, tmp_path):
    checkout = data_root()
    assert checkout.name == "data"
    assert (checkout.parent / "pyproject.toml").is_file()
    # Installed: no pyproject.toml beside the package, or that of another project.
    installed = tmp_path / "site-packages" / "course_lib" / "__init__.py"
    monkeypatch.setattr(versions.course_lib, "__file__", str(installed))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert data_root() == tmp_path / "cache" / "course_lib"
    installed.parent.mkdir(parents=True)
    (installed.parent.parent / "pyproject.toml").write_text('name = "another"')
    assert data_root() == tmp_path / "cache" / "course_lib"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root() == tmp_path / ".cache" / "course_lib"
    monkeypatch.setenv("COURSE_DATA", "~/from environment")
    assert data_root() == tmp_path / "from environment"
    assert not (tmp_path / "from environment").exists()  # asking makes nothing
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_DATA", "here")
    assert data_root() == tmp_path / "here"
    monkeypatch.setenv("COURSE_DATA", "")
    assert data_root() == tmp_path / ".cache" / "course_lib"


def test_what_is_available(own_root):
    assert available() == available(str(own_root)) == {name: "glyphs" in name for name in SETS}
    (own_root / "MNIST" / "raw").mkdir(parents=True)
    for file in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte"):
        (own_root / "MNIST" / "raw" / file).touch()
    assert not available()["mnist"]  # one file is missing
    (own_root / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").touch()
    assert available()["mnist"]
    assert available() == available(str(own_root))


def test_the_embedded_sets_need_neither_torchvision_nor_matplotlib():
    code = (
        "import sys; from course_lib.data import load; load('glyphs', 'validation', size=8); "
        "print(sorted({'matplotlib', 'torchvision'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_subset_keeps_all_that_is_known_of_its_images():
    full = load("glyphs-color", "validation", size=8)
    rows = torch.tensor([5, 3, 700])
    part = full.subset(rows)
    assert torch.equal(part.images, full.images[rows]) and part.labels.tolist() == full.labels[rows].tolist()
    assert torch.equal(part.masks, full.masks[rows]) and part.classes == full.classes and part.split == "validation"
    assert all(torch.equal(values, full.factors[name][rows]) for name, values in part.factors.items())
    assert len(full.subset(full.labels == 4)) == (full.labels == 4).sum()
    with pytest.raises(TypeError, match=r"rows is 3: it must be a slice.*slice\(3, 4\)"):
        full.subset(3)
    plain = ImageSet(full.images, full.labels, full.classes)
    assert plain.subset(slice(0, 7)).factors is None and len(plain.subset(slice(0, 7))) == 7


def test_a_sample_is_random_repeatable_and_without_repetition():
    full = load("glyphs", "validation", size=8)
    first, second = (full.sample(1000, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first.images, second.images) and len(first.labels.unique()) == 10
    everything = full.sample(10**6)
    assert len(everything) == len(full)
    assert torch.equal(everything.factors["angle"].sort().values, full.factors["angle"].sort().values)
    with pytest.raises(ValueError, match="count is 0"):
        full.sample(0)


def test_a_user_without_a_home_has_a_data_root(no_choice, monkeypatch):
    monkeypatch.setattr(root, "checkout", lambda: None)
    monkeypatch.setattr(os.path, "expanduser", str)  # it leaves "~" where nobody knows the user
    assert data_root() == Path(tempfile.gettempdir()) / ".cache" / "course_lib"
