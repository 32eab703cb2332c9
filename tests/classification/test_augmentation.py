"""Augmentation moves, mirrors and cuts as it says, each image for itself, and draws the same on every device."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.classification import MAY_FLIP, Augment, cutout, random_flip, random_shift
from course_lib.data import SETS


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@given(pixels=st.integers(0, 3), channels=st.sampled_from([1, 3]), seed=st.integers(0, 99), data=st.data())
def test_a_shift_moves_each_image_by_its_own_offset(pixels, channels, seed, data):
    # Larger than the shift: of what is moved out of sight nothing could be told.
    height, width = (data.draw(st.integers(5, 9)) for _ in range(2))
    x = torch.rand(5, channels, height, width, generator=generator(seed)) + 0.1
    shifted = random_shift(x, pixels, generator(seed))
    padded = torch.nn.functional.pad(x, (pixels,) * 4)
    for image, around in zip(shifted, padded, strict=True):
        places = [
            (i, j)
            for i in range(2 * pixels + 1)
            for j in range(2 * pixels + 1)
            if torch.equal(around[:, i : i + height, j : j + width], image)
        ]
        assert len(places) == 1, "each image is one crop of itself with zeros around it"


def test_all_offsets_come_up_equally_often():
    x = torch.zeros(9000, 1, 5, 5)
    x[:, :, 2, 2] = 1
    frequency = random_shift(x, 1, generator()).mean(dim=(0, 1))
    expected = torch.zeros(5, 5)
    expected[1:4, 1:4] = 1 / 9
    # Five standard deviations of a frequency 1/9 over 9000 images.
    assert (frequency - expected).abs().max() < 5 * (8 / 81 / 9000) ** 0.5


def test_half_of_the_images_are_mirrored():
    x = torch.rand(2000, 2, 3, 4, generator=generator())
    flipped = random_flip(x, generator(1))
    mirrored = (flipped == x.flip(3)).flatten(1).all(dim=1)
    same = (flipped == x).flatten(1).all(dim=1)
    assert (mirrored ^ same).all() and abs(mirrored.float().mean() - 0.5) < 5 * 0.5 / 2000**0.5


def test_cutout_clears_one_square_and_keeps_the_rest():
    x = torch.ones(3000, 2, 8, 6)
    holes = cutout(x, 3, generator()) == 0
    assert torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(dim=2).sum(dim=1), holes[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(holes[:, 0].sum(dim=(1, 2)), rows * columns), "what is cleared is a rectangle"
    assert rows.max() == columns.max() == 3 and rows.min() < 3, "part of it may lie outside"
    assert holes.any(dim=0).all(), "it can be anywhere"
    assert torch.equal(cutout(x, 0, generator()), x)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_shape_layout_type_and_the_batch_itself_are_kept(channels, layout, device):
    x = torch.rand(4, channels, 8, 8, generator=generator()).to(device).contiguous(memory_format=layout)
    before = x.clone()
    change = Augment(shift=2, flip=True, cutout=3)
    y = change(x)
    assert torch.equal(x, before) and y.shape == x.shape and y.dtype == x.dtype and y.device == x.device
    assert y.is_contiguous(memory_format=layout)
    again = Augment(shift=2, flip=True, cutout=3)(before.cpu())
    assert torch.equal(y.cpu(), again), "one seed, one result, on every device"
    assert not torch.equal(change(x), y), "the next batch is changed differently"


def test_nothing_asked_nothing_changed():
    x = torch.rand(2, 1, 4, 4)
    assert Augment()(x) is x


def test_bad_amounts_are_named():
    x = torch.rand(2, 1, 4, 4)
    with pytest.raises(ValueError, match="pixels is -1"):
        random_shift(x, -1)
    with pytest.raises(ValueError, match="side is -2"):
        cutout(x, -2)
    with pytest.raises(ValueError, match="shift is -1"):
        Augment(shift=-1)


def test_digits_are_not_mirrored():
    assert set(MAY_FLIP) <= set(SETS) and not {"glyphs", "glyphs-color", "mnist"} & set(MAY_FLIP)
