"""The embedded sets: images of digits, drawn from their factors by sampling the atlas."""

import functools
import math

import torch
import torch.nn.functional as F

from course_lib.data.factors import FRAME, GLYPH_SPLITS, check_factors, hash_uniform, is_private, sample_factors
from course_lib.data.image_set import ImageSet
from course_lib.data.typefaces import GLYPH_HEIGHT, TILE_SIZE, TYPEFACES, glyph_widths, load_atlas
from course_lib.runtime.checks import check_count

SUPERSAMPLING = 2
"""Samples along each side of a pixel; their mean is the pixel."""

CHUNK = 128  # images rendered at once: bounds the memory to about 20 MB, near enough to the processor's cache

# One atlas pixel in the coordinates of grid_sample, which run from -1 to 1 across the whole atlas.
PIXEL_X = 2 / (10 * TILE_SIZE)
PIXEL_Y = 2 / (len(TYPEFACES) * TILE_SIZE)


def render(
    factors: dict[str, torch.Tensor], size: int = FRAME, device: torch.device | str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the images that the factors describe, one for each row.

    Each sample point of an image is mapped back into the atlas (an affine map) and read there with
    bilinear interpolation. The result of one row does not depend on the other rows. Float32
    arithmetic differs in its last digits between devices, which can move a grey level by one of 255
    where it is rounded.

    Args:
        factors: from `sample_factors` or `make_factors`, N rows; grey images without colour
            factors, else colour images.
        size: height and width of the images in pixels. The frame of 32 x 32 is scaled to it.
        device: where to draw and to leave the images; the CPU by default.

    Returns:
        images uint8 [N, 1 or 3, size, size], and masks uint8 [N, 1, size, size]: how much of each
        pixel the main digit covers, 0 to 255. A grey image is white on black, so it is its own mask
        (the same tensor).

    Raises:
        ValueError: a factor is missing or out of its domain, or size is below 1.
        TypeError: size is no whole number.
    """
    check_factors(factors)
    size = check_count("size", size, "an image has at least one pixel")
    device = torch.device("cpu" if device is None else device)
    colour = "foreground" in factors
    N = len(factors["digit"])
    masks = torch.empty(N, 1, size, size, dtype=torch.uint8, device=device)
    images = torch.empty(N, 3, size, size, dtype=torch.uint8, device=device) if colour else masks
    chunk = max(1, CHUNK * FRAME**2 // size**2)
    for start in range(0, N, chunk):
        rows = slice(start, start + chunk)
        part = {name: value[rows] for name, value in factors.items()}
        u, v = _glyph_coordinates(part, size, device)
        ink = _coverage(u, v, *_main_tile(part, device))
        masks[rows] = _to_uint8(ink)
        if colour:
            ink = (ink + _coverage(u, v, *_neighbour_tiles(part, u))).clamp_(max=1)
            paper = (_column(part["background"], device) + _texture(part, size, device)).clamp_(0, 1)
            images[rows] = _to_uint8(paper + ink * (_column(part["foreground"], device) - paper))
    return images, masks


def _column(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """[n] or [n, C] -> float32 [n, C or 1, 1, 1] on the device, to broadcast against images.

    Rounded to float32 on the CPU.
    """
    return values.float().reshape(len(values), -1, 1, 1).to(device)


def _to_uint8(values: torch.Tensor) -> torch.Tensor:
    return (values * 255).round_().to(torch.uint8)


def _glyph_coordinates(factors: dict, size: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Where the samples lie from the main digit's centre: u to its right, v down, for grid_sample.

    Two tensors [n, 1, S, S] with S = SUPERSAMPLING * size. The digit is slanted, then turned, then
    moved; this is the inverse.
    """
    S = SUPERSAMPLING * size
    # Angles and coefficients in float64 on the CPU: float32 sines differ between devices.
    angle = factors["angle"].double() * (math.pi / 180)
    sine, cosine, shear = angle.sin(), angle.cos(), factors["shear"].double()
    x, y = factors["x"].double(), factors["y"].double()
    scale = GLYPH_HEIGHT / factors["height"].double()  # atlas pixels for one pixel of the frame
    v_x, v_y = sine * scale, cosine * scale
    u_x, u_y = cosine * scale + shear * v_x, -sine * scale + shear * v_y
    position = ((torch.arange(S, dtype=torch.float64, device="cpu") + 0.5) * (FRAME / S)).float().to(device)

    def affine(along_x: torch.Tensor, along_y: torch.Tensor) -> torch.Tensor:
        offset = -(along_x * x + along_y * y)
        row = _column(along_x, device) * position  # [n, 1, 1, S]
        column = _column(along_y, device) * position[:, None] + _column(offset, device)  # [n, 1, S, 1]
        return row + column

    return affine(u_x * PIXEL_X, u_y * PIXEL_X), affine(v_x * PIXEL_Y, v_y * PIXEL_Y)


def _main_tile(factors: dict, device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Column and row of the main digit's tile, and its place on the line, each [n, 1, 1, 1]."""
    column, row = _column(factors["digit"], device), _column(factors["typeface"], device)
    return column, row, torch.zeros_like(column)


def _neighbour_tiles(factors: dict, u: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Column and row of the tile beside the main digit that each sample sees, and its centre.

    Each [n, 1, S, S].

    To the left of the main digit's centre only the left neighbour can be seen and to the right only
    the right one, so that one reading of the atlas serves both.
    """
    digit, typeface = factors["neighbour_digit"], factors["neighbour_typeface"]  # [n, 2]
    widths = GLYPH_HEIGHT * glyph_widths()
    main_width = widths[factors["typeface"], factors["digit"]][:, None]
    gap = factors["neighbour_gap"].double() * (GLYPH_HEIGHT / factors["height"].double())[:, None]
    distance = main_width / 2 + gap + widths[typeface, digit.clamp(min=0)] / 2
    # A neighbour that is not there is put out of sight.
    centre = torch.where(digit >= 0, PIXEL_X * distance * torch.tensor([-1, 1], device="cpu"), 1e3)
    left = u < 0

    def side(values: torch.Tensor) -> torch.Tensor:
        return torch.where(left, _column(values[:, 0], u.device), _column(values[:, 1], u.device))

    return side(digit.clamp(min=0)), side(typeface), side(centre)


@functools.cache
def _device_atlas(device: torch.device) -> torch.Tensor:
    """The atlas as float32 [1, 1, rows, columns] in [0, 1] on the device."""
    return load_atlas().to(device)[None, None].float() / 255


def _coverage(u: torch.Tensor, v: torch.Tensor, column: torch.Tensor, row: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """How much of each pixel is covered by the digit of a tile, [n, 1, size, size] in [0, 1].

    centre: the u of the tile's centre.
    """
    atlas = _device_atlas(u.device)
    n, _, S, _ = u.shape
    # Outside its tile a sample reads the tile's border, which is empty.
    border = (TILE_SIZE - 1) / 2
    grid = torch.empty(n, 1, S, S, 2, dtype=torch.float32, device=u.device)
    grid[..., 0] = (u - centre).clamp_(-border * PIXEL_X, border * PIXEL_X).add_((column + 0.5) * (TILE_SIZE * PIXEL_X) - 1)
    grid[..., 1] = v.clamp(-border * PIXEL_Y, border * PIXEL_Y).add_((row + 0.5) * (TILE_SIZE * PIXEL_Y) - 1)
    # All images read the same atlas: they are stacked into one tall grid.
    samples = F.grid_sample(atlas, grid.view(1, n * S, S, 2), padding_mode="zeros", align_corners=False)
    return F.avg_pool2d(samples.view(n, 1, S, S), SUPERSAMPLING)


def _texture(factors: dict, size: int, device: torch.device) -> torch.Tensor:
    """Smooth noise [n, 3, size, size], at most `texture` from 0: coloured and fine grey blotches.

    Random values on a lattice, interpolated between its points (value noise).
    """
    seed = factors["texture_seed"].to(device)[:, None]

    def lattice(first: int, channels: int, points: int) -> torch.Tensor:
        counters = first + torch.arange(channels * points * points, device=device)
        values = (2 * hash_uniform(seed, counters) - 1).float().view(-1, channels, points, points)
        return F.interpolate(values, size=(size, size), mode="bilinear", align_corners=True)

    return (0.4 * lattice(0, 3, 5) + 0.3 * lattice(1000, 1, 13) + 0.3 * lattice(2000, 1, 33)) * _column(
        factors["texture"], device
    )


def glyph_set(name: str, split: str, size: int | None = None) -> ImageSet:
    """An embedded set, drawn when it is asked for, with its factors and masks.

    Args:
        name: "glyphs", "glyphs-color" or "private:WORD". The set does not know the word, and is
            called "private": it lands in no output and in no file.
        split: "train", "validation", "test", "unseen-fonts", or "train+validation": those two one
            after the other.
        size: height and width of the images, 32 by default.
    """
    parts = [sample_factors(name, part, torch.arange(GLYPH_SPLITS[part], device="cpu")) for part in split.split("+")]
    factors = {factor: torch.cat([part[factor] for part in parts]) for factor in parts[0]}
    images, masks = render(factors, FRAME if size is None else size)
    classes = [str(digit) for digit in range(10)]
    name = "private" if is_private(name) else name
    return ImageSet(images, factors["digit"], classes, factors=factors, masks=masks, name=name, split=split)
