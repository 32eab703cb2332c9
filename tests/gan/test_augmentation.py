"""Differentiable augmentation: what it does, that gradients pass as they should, and that it draws the same everywhere."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import DifferentiableAugment, brightness, cutout, translation


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def pictures(count=5, channels=2, height=8, width=8, seed=0):
    return torch.rand(count, channels, height, width, generator=generator(seed), dtype=torch.float64) + 0.1


@given(channels=st.sampled_from([1, 3]), height=st.integers(6, 10), width=st.integers(6, 10), seed=st.integers(0, 99))
def test_a_translation_moves_each_image_as_a_whole(channels, height, width, seed):
    x = pictures(6, channels, height, width)
    moved = translation(x, 0.25, generator(seed))
    down, right = round(height / 4), round(width / 4)
    for image, around in zip(moved, F.pad(x, (right, right, down, down)), strict=True):
        places = [
            (i, j)
            for i in range(2 * down + 1)
            for j in range(2 * right + 1)
            if torch.equal(around[:, i : i + height, j : j + width], image)
        ]
        assert len(places) == 1, "each image is one crop of itself with zeros around it"


def test_all_offsets_come_up_equally_often():
    x = torch.zeros(9000, 1, 8, 8)
    x[:, :, 4, 4] = 1
    frequency = translation(x, 0.125, generator()).mean(dim=(0, 1))
    expected = torch.zeros(8, 8)
    expected[3:6, 3:6] = 1 / 9
    # Five standard deviations of a frequency 1/9 over 9000 images.
    assert (frequency - expected).abs().max() < 5 * (8 / 81 / 9000) ** 0.5


def test_cutout_clears_one_rectangle_and_keeps_the_rest():
    x = torch.ones(3000, 2, 8, 6)
    y = cutout(x, 0.5, generator())
    holes = y == 0
    assert (y[~holes] == 1).all() and torch.equal(holes[:, 0], holes[:, 1])
    rows, columns = holes[:, 0].any(dim=2).sum(dim=1), holes[:, 0].any(dim=1).sum(dim=1)
    assert torch.equal(holes[:, 0].sum(dim=(1, 2)), rows * columns), "what is cleared is a rectangle"
    assert rows.max() == 4 and columns.max() == 3 and rows.min() < 4, "part of it may lie outside"
    assert holes.any(dim=0).all(), "it can be anywhere"


def test_brightness_adds_one_number_to_each_image():
    x = pictures(4000, 3, 2, 2)
    change = brightness(x, 0.5, generator()) - x
    assert torch.allclose(change, change[:, :1, :1, :1].expand_as(change), atol=1e-12)
    change = change[:, 0, 0, 0]
    assert change.abs().max() <= 0.5 and change.min() < -0.49 and change.max() > 0.49
    assert abs(change.mean()) < 5 * (1 / 12 / 4000) ** 0.5


@pytest.mark.parametrize("change", [(brightness, 0.5), (translation, 0.25), (cutout, 0.5)], ids=lambda c: c[0].__name__)
def test_gradients_pass_through(change):
    function, amount = change
    x = pictures(3, 2, 5, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: function(x, amount, generator(1)), x)
    seen = function(torch.ones_like(x), amount, generator(1)) != 0
    (gradient,) = torch.autograd.grad(function(x, amount, generator(1)).sum(), x)
    assert gradient.sum() == seen.sum(), "every pixel that is still seen carries its gradient back, and no other"


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_shape_layout_type_and_the_batch_itself_are_kept(channels, layout, device):
    x = (torch.rand(4, channels, 8, 8, generator=generator()) * 2 - 1).to(device).contiguous(memory_format=layout)
    before = x.clone()
    change = DifferentiableAugment()
    y = change(x)
    assert torch.equal(x, before) and y.shape == x.shape and y.dtype == x.dtype and y.device == x.device
    assert y.is_contiguous(memory_format=layout)
    torch.testing.assert_close(y.cpu(), DifferentiableAugment()(before.cpu()), atol=1e-6, rtol=0)
    assert not torch.equal(change(x), y), "the next batch is changed differently"
    assert translation(x.bfloat16(), 0.25).dtype == torch.bfloat16


def test_each_part_can_be_switched_off():
    x = pictures()
    assert DifferentiableAugment(brightness=0, translation=0, cutout=0)(x) is x
    only = {"brightness": 0, "translation": 0, "cutout": 0}
    for name, function in (("brightness", brightness), ("translation", translation), ("cutout", cutout)):
        change = DifferentiableAugment(**{**only, name: 0.5}, generator=generator(4))
        assert torch.equal(change(x), function(x, 0.5, generator(4)))
        assert torch.equal(function(x, 0, generator()), x)


def test_bad_amounts_are_named():
    x = pictures()
    with pytest.raises(ValueError, match=r"amount is -0\.1: the largest change cannot be negative"):
        brightness(x, -0.1)
    for function in (translation, cutout):
        for share in (-0.1, 1.5):
            with pytest.raises(ValueError, match=f"share is {share}: it is a share of the image's side"):
                function(x, share)
