"""Rendering: against a slow renderer written from the definition, and as a function of one row of
factors alone.
"""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import TYPEFACES, load, make_factors, render, sample_factors
from course_lib.data import glyphs as glyphs_module
from course_lib.data.factors import hash_uniform
from course_lib.data.typefaces import GLYPH_HEIGHT, TILE_SIZE, glyph_widths, load_atlas

ATLAS = load_atlas().numpy() / 255.0


def atlas_at(typeface: int, digit: int, across: float, down: float) -> float:
    """The ink at a point of a tile, in atlas pixels from its centre, interpolated between the
    centres of four pixels.
    """
    x, y = across + TILE_SIZE / 2 - 0.5, down + TILE_SIZE / 2 - 0.5
    left, top = math.floor(x), math.floor(y)
    total = 0.0
    for column, weight_x in ((left, left + 1 - x), (left + 1, x - left)):
        for row, weight_y in ((top, top + 1 - y), (top + 1, y - top)):
            if 0 <= column < TILE_SIZE and 0 <= row < TILE_SIZE:
                total += weight_x * weight_y * ATLAS[typeface * TILE_SIZE + row, digit * TILE_SIZE + column]
    return total


def slow_render(factors: dict, size: int) -> tuple[np.ndarray, np.ndarray]:
    """One image, sample by sample, in float64: main digit and all ink, each [size, size] in [0, 1].

    A digit is slanted, turned counter-clockwise, scaled and moved: point = centre + height * turn @
    slant @ (u, v).
    """
    one = {name: value[0].tolist() for name, value in factors.items()}
    angle = math.radians(one["angle"])
    slant = np.array([[1, -one["shear"]], [0, 1]])  # v points down, so what is above leans to the right
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    to_glyph = np.linalg.inv(one["height"] / GLYPH_HEIGHT * turn @ slant)
    widths = glyph_widths() * GLYPH_HEIGHT
    places = [(one["typeface"], one["digit"], 0.0)]
    for side, sign in enumerate((-1, 1)):
        digit, typeface = one.get("neighbour_digit", (-1, -1))[side], one.get("neighbour_typeface", (0, 0))[side]
        if digit >= 0:
            gap = one["neighbour_gap"][side] * GLYPH_HEIGHT / one["height"]
            half_widths = (widths[one["typeface"], one["digit"]] + widths[typeface, digit]).item() / 2
            places.append((typeface, digit, sign * (half_widths + gap)))
    main, ink = np.zeros((size, size)), np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            for sample in range(4):
                point = np.array([column + 0.25 + 0.5 * (sample % 2), row + 0.25 + 0.5 * (sample // 2)]) * 32 / size
                u, v = to_glyph @ (point - (one["x"], one["y"]))
                covered = [atlas_at(typeface, digit, u - centre, v) for typeface, digit, centre in places]
                main[row, column] += covered[0] / 4
                ink[row, column] += min(sum(covered), 1.0) / 4
    return main, ink


@given(
    angle=st.floats(-180, 180),
    height=st.floats(8, 30),
    shear=st.floats(-0.5, 0.5),
    x=st.floats(4, 28),
    y=st.floats(4, 28),
    digit=st.integers(0, 9),
    typeface=st.integers(0, len(TYPEFACES) - 1),
    size=st.sampled_from([5, 12]),
)
def test_grey_images_are_those_of_the_slow_renderer(size, **values):
    factors = make_factors(**values)
    images, masks = render(factors, size)
    expected, _ = slow_render(factors, size)
    assert images.dtype == torch.uint8
    assert images.shape == (1, 1, size, size)
    assert torch.equal(images, masks)
    assert np.abs(images[0, 0].numpy() - 255 * expected).max() < 0.51  # rounding, and float32


@pytest.mark.parametrize("index", range(4))
def test_colour_images_are_those_of_the_slow_renderer(index):
    factors = sample_factors("glyphs-color", "train", [index]) | {"texture": torch.zeros(1)}
    images, masks = render(factors)
    main, ink = slow_render(factors, 32)
    foreground, background = (factors[name].double().numpy()[0][:, None, None] for name in ("foreground", "background"))
    assert np.abs(masks[0, 0].numpy() - 255 * main).max() < 0.51
    assert np.abs(images[0].numpy() - 255 * (background + ink * (foreground - background))).max() < 0.51


@pytest.mark.parametrize("name", ["glyphs", "glyphs-color"])
def test_an_image_is_the_same_in_any_batch(name, device):
    # 300 images are more than two chunks, and 7 is odd: the image meets other places in vectors and
    # threads.
    images, masks = render(sample_factors(name, "test", torch.arange(300)), device=device)
    for index in ([17], [299, 17, 0, 130], range(7, 14)):
        some_images, some_masks = render(sample_factors(name, "test", index), device=device)
        assert torch.equal(some_images, images[list(index)])
        assert torch.equal(some_masks, masks[list(index)])


@pytest.mark.parametrize("name", ["glyphs", "glyphs-color"])
def test_devices_agree_to_one_grey_level(name, device):
    if device.type == "cpu":
        pytest.skip("needs another device (COURSE_DEVICE); the slow renderer above is in float64 and stands in for one")
    factors = sample_factors(name, "test", torch.arange(500))
    for here, there in zip(render(factors), render(factors, device=device), strict=True):
        assert (here.int() - there.cpu().int()).abs().max() <= 1


def projections(images: torch.Tensor) -> torch.Tensor:
    """Four sums over all pixels with weights between -1 and 1 that look random, over the root of
    the number of pixels.
    """
    weights = 2 * hash_uniform(torch.arange(4)[:, None], torch.arange(images.numel())) - 1
    return weights @ images.flatten().double() / images.numel() ** 0.5


@pytest.mark.parametrize(
    ("name", "of_images", "of_masks"),
    [
        ("glyphs", [40.59, 19.18, -93.11, -1.22], [40.59, 19.18, -93.11, -1.22]),
        ("glyphs-color", [-52.36, -8.92, 82.32, 84.34], [-35.64, -21.0, -83.68, 25.22]),
    ],
)
def test_the_first_images_never_change(name, of_images, of_masks):
    # No checksum: on another processor a grey level may be rounded to its neighbour. If that
    # happened to one pixel in twenty, the sums would move by about 0.1; pixels in other places, or
    # other channels, move them by tens.
    for found, expected in zip(render(sample_factors(name, "train", range(64))), (of_images, of_masks), strict=True):
        assert (projections(found) - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1


def test_the_chunks_leave_no_seam(monkeypatch):
    factors = sample_factors("glyphs-color", "train", torch.arange(50))
    whole = render(factors)
    monkeypatch.setattr(glyphs_module, "CHUNK", 7)
    for a, b in zip(whole, render(factors), strict=True):
        assert torch.equal(a, b)


def test_masks_lie_where_the_factors_say():
    factors = sample_factors("glyphs-color", "train", torch.arange(2000))
    _, masks = render(factors)
    weight = masks[:, 0].double()
    pixel = torch.arange(32) + 0.5
    mass = weight.sum(dim=(1, 2))
    x, y = (weight.sum(1) * pixel).sum(1) / mass, (weight.sum(2) * pixel).sum(1) / mass
    # The box's centre is given; a digit's centre of mass lies off it by what its tile says.
    tiles = load_atlas().view(len(TYPEFACES), TILE_SIZE, 10, TILE_SIZE).transpose(1, 2)
    tile = tiles[factors["typeface"], factors["digit"]].double()
    place = torch.arange(TILE_SIZE) + 0.5 - TILE_SIZE / 2
    tile_mass = tile.sum(dim=(1, 2))
    scale = factors["height"] / GLYPH_HEIGHT
    u, v = scale * (tile.sum(1) * place).sum(1) / tile_mass, scale * (tile.sum(2) * place).sum(1) / tile_mass
    u = u - factors["shear"] * v
    angle = factors["angle"].double().deg2rad()
    border = masks.clone()
    border[..., 1:-1, 1:-1] = 0
    inside = border.amax(dim=(1, 2, 3)) == 0  # wholly in the image
    assert inside.double().mean() > 0.9
    # Four samples a pixel place thin strokes to a fraction of a pixel.
    for off in (x - (factors["x"] + angle.cos() * u + angle.sin() * v), y - (factors["y"] - angle.sin() * u + angle.cos() * v)):
        assert off[inside].abs().max() < 0.4
        assert off[inside].abs().mean() < 0.04
        assert off[inside].mean().abs() < 0.005


@pytest.mark.parametrize(("name", "least"), [("glyphs", 0.97), ("glyphs-color", 0.93)])
def test_hardly_any_ink_falls_outside_the_image(name, least):
    factors = sample_factors(name, "train", torch.arange(2000))
    _, masks = render(factors)
    tiles = load_atlas().view(len(TYPEFACES), TILE_SIZE, 10, TILE_SIZE).transpose(1, 2)
    ink = tiles[factors["typeface"], factors["digit"]].double().sum(dim=(1, 2)) * (factors["height"] / GLYPH_HEIGHT) ** 2
    share = masks.double().sum(dim=(1, 2, 3)) / ink
    assert share.min() > least
    assert share.max() < 1.04  # four samples measure the area of a thin stroke to a few percent


@pytest.mark.parametrize("height", [12.0, 17.0, 24.0])
def test_height_is_the_height_of_the_ink(height):
    _, masks = render(make_factors(digit=range(10), height=height, typeface=1))
    rows = (masks[:, 0].amax(dim=2) > 127).sum(dim=1)
    assert ((rows - height).abs() <= 1).all()


@pytest.mark.parametrize("size", [16, 64])
def test_another_size_shows_the_same_scene(size):
    factors = sample_factors("glyphs-color", "train", torch.arange(20))
    images, masks = render(factors, size)
    assert images.shape == (20, 3, size, size)
    reference = render(factors)[0].float()
    shrunk = torch.nn.functional.interpolate(images.float(), 16, mode="area")
    assert (shrunk - torch.nn.functional.interpolate(reference, 16, mode="area")).abs().mean() < 8
    assert masks.shape == (20, 1, size, size)


def test_texture_stays_within_its_bound():
    factors = make_factors("glyphs-color", background=(0.5, 0.5, 0.5), texture=0.2, texture_seed=list(range(50)), x=-100)
    images, masks = render(factors)
    deviation = images.float() / 255 - 0.5
    assert masks.max() == 0
    assert deviation.abs().amax(dim=(1, 2, 3)).min() > 0.1
    assert deviation.abs().max() <= 0.2 + 1 / 255
    assert deviation.std() > 0.03
    assert not torch.equal(images[0], images[1])


def test_neighbours_are_seen_and_are_not_in_the_mask():
    alone = make_factors("glyphs-color", digit=4)
    between = make_factors("glyphs-color", digit=4, neighbour_digit=(8, 8))
    (image, mask), (crowded, same_mask) = render(alone), render(between)
    assert torch.equal(mask, same_mask)
    assert torch.equal(image[:, :1], mask)
    extra = crowded.int() - image.int()
    assert extra[..., :6].max() > 200
    assert extra[..., -6:].max() > 200
    assert extra[..., 11:21].abs().max() == 0


def test_one_word_loads_a_set():
    for name, channels in (("glyphs", 1), ("glyphs-color", 3)):
        images = load(name, "unseen-fonts")
        assert images.images.shape == (4000, channels, 32, 32)
        assert images.masks.shape == (4000, 1, 32, 32)
        assert torch.equal(images.labels, images.factors["digit"])
        assert images.labels.dtype == torch.int64
        assert images.classes == list("0123456789")
        assert all(TYPEFACES[i].held_out for i in images.factors["typeface"].unique())
    both = load("glyphs", "train+validation", size=8)
    assert repr(both) == "glyphs (train+validation): 24,000 images of 1 x 8 x 8, 10 classes, with factors and masks"
    assert torch.equal(both.images[20_000:], load("glyphs", "validation", size=8).images)
    assert len(both.factors["angle"]) == 24_000


def test_sizes_below_one_are_refused():
    with pytest.raises(ValueError, match="size is 0: an image has at least one pixel"):
        render(make_factors(), size=0)
    with pytest.raises(ValueError, match="digit is 11"):
        render(make_factors() | {"digit": torch.tensor([11])})
