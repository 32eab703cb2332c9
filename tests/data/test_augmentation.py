"""Augmentation moves, mirrors, brightens and cuts as it says, each image for itself, the same on
every device.
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import MAY_FLIP, SETS, Augment, brightness, cutout, random_flip, random_shift

PAPER = {"shift": 4, "cutout": 16, "brightness": 0.5}  # of a GAN on 32 x 32 images


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@given(pixels=st.integers(0, 3), channels=st.sampled_from([1, 3]), seed=st.integers(0, 99), data=st.data())
def test_a_shift_moves_each_image_as_a_whole_by_its_own_offset(pixels, channels, seed, data):
    # Larger than the shift: of what is moved out of sight nothing could be told.
    height, width = (data.draw(st.integers(5, 9)) for _ in range(2))
    x = torch.rand(5, channels, height, width, generator=rng(seed)) + 0.1
    shifted = random_shift(x, pixels, rng(seed))
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
    frequency = random_shift(x, 1, rng()).mean(dim=(0, 1))
    expected = torch.zeros(5, 5)
    expected[1:4, 1:4] = 1 / 9
    # Five standard deviations of a frequency 1/9 over 9000 images.
    assert (frequency - expected).abs().max() < 5 * (8 / 81 / 9000) ** 0.5


def test_half_of_the_images_are_mirrored():
    x = torch.rand(2000, 2, 3, 4, generator=rng())
    flipped = random_flip(x, rng(1))
    mirrored = (flipped == x.flip(3)).flatten(1).all(dim=1)
    same = (flipped == x).flatten(1).all(dim=1)
    assert (mirrored ^ same).all() and abs(mirrored.float().mean() - 0.5) < 5 * 0.5 / 2000**0.5


def test_cutout_clears_one_square_and_keeps_the_rest():
    x = torch.ones(3000, 2, 8, 6)
    y = cutout(x, 3, rng())
    holes = y == 0
    assert (y[~holes] == 1).all() and torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(dim=2).sum(dim=1), holes[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(holes[:, 0].sum(dim=(1, 2)), rows * columns), "what is cleared is a rectangle"
    assert rows.max() == columns.max() == 3 and rows.min() < 3, "part of it may lie outside"
    assert holes.any(dim=0).all(), "it can be anywhere"
    assert torch.equal(cutout(x, 0, rng()), x)


def test_brightness_adds_one_number_to_each_image():
    x = torch.rand(4000, 3, 2, 2, generator=rng(), dtype=torch.float64)
    change = brightness(x, 0.5, rng()) - x
    assert torch.allclose(change, change[:, :1, :1, :1].expand_as(change), atol=1e-12)
    change = change[:, 0, 0, 0]
    assert change.abs().max() <= 0.5 and change.min() < -0.49 and change.max() > 0.49
    assert abs(change.mean()) < 5 * (1 / 12 / 4000) ** 0.5
    assert torch.equal(brightness(x, 0, rng()), x)


@pytest.mark.parametrize(("function", "amount"), [(brightness, (0.5,)), (random_shift, (2,)), (random_flip, ()), (cutout, (2,))])
def test_gradients_pass_through(function, amount):
    """A GAN changes generated images too, and learns through the change."""
    x = (torch.rand(3, 2, 5, 4, generator=rng(), dtype=torch.float64) + 0.1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: function(x, *amount, rng(1)), x)
    seen = function(torch.ones_like(x), *amount, rng(1)) != 0
    (gradient,) = torch.autograd.grad(function(x, *amount, rng(1)).sum(), x)
    assert gradient.sum() == seen.sum(), "every pixel that is still seen carries its gradient back, and no other"


@pytest.mark.parametrize("changes", [{"shift": 2, "flip": True, "cutout": 3}, PAPER])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_shape_layout_type_and_the_batch_itself_are_kept(channels, layout, changes, device):
    x = (torch.rand(4, channels, 32, 32, generator=rng()) * 2 - 1).to(device).contiguous(memory_format=layout)
    before = x.clone()
    change = Augment(**changes)
    y = change(x)
    assert torch.equal(x, before) and y.shape == x.shape and y.dtype == x.dtype and y.device == x.device
    assert y.stride() == x.stride() and y.is_contiguous(memory_format=layout)
    torch.testing.assert_close(y.cpu(), Augment(**changes)(before.cpu()), atol=1e-6, rtol=0)  # one seed on every device
    assert not torch.equal(change(x), y), "the next batch is changed differently"
    assert Augment(**changes)(x.bfloat16()).dtype == torch.bfloat16


def test_each_part_can_be_switched_off():
    x = torch.rand(5, 1, 8, 8, generator=rng()) + 0.1
    assert Augment()(x) is x
    for name, amount, function in (("brightness", 0.5, brightness), ("shift", 2, random_shift), ("cutout", 3, cutout)):
        change = Augment(**{name: amount}, rng=rng(4))
        assert torch.equal(change(x), function(x, amount, rng(4))), name
    assert torch.equal(Augment(flip=True, rng=rng(4))(x), random_flip(x, rng(4)))


def test_without_a_generator_runs_repeat_and_the_global_one_is_left_alone():
    x, before = torch.rand(5, 1, 8, 8, generator=rng()), torch.get_rng_state()
    assert torch.equal(Augment(**PAPER)(x), Augment(**PAPER)(x))
    assert torch.equal(torch.get_rng_state(), before)


def test_bad_amounts_are_named():
    for name in ("shift", "cutout"):
        with pytest.raises(ValueError, match=f"{name} is -1"):
            Augment(**{name: -1})
        with pytest.raises(TypeError, match=rf"{name} is 0\.5"):
            Augment(**{name: 0.5})
    for value in (-0.1, math.nan):
        with pytest.raises(ValueError, match=f"brightness is {value}"):
            Augment(brightness=value)


def test_digits_are_not_mirrored():
    assert set(MAY_FLIP) <= set(SETS) and not {"glyphs", "glyphs-color", "mnist"} & set(MAY_FLIP)
