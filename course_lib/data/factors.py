"""The factors of a glyph image: every number that decides what it shows.

A set of N factors is a plain dict of CPU tensors with N rows, keyed as in `FACTORS`. It is either
drawn for given indices of a split (`sample_factors`) or made by hand (`make_factors`), and
`course_lib.data.render` turns it into images.

Lengths are in pixels of a frame of 32 x 32 pixels, whatever the size of the image that is rendered:
x runs to the right and y down from the top left corner of the frame, so (16, 16) is its centre.
"""

import hashlib
import itertools
from collections.abc import Sequence

import torch

from course_lib.data.typefaces import DESIGNS, TYPEFACES
from course_lib.runtime.checks import check_choice

FRAME = 32
"""Side of the frame in which lengths are measured, in pixels."""

FACTORS = {
    "digit": "0 to 9: the class of the image",
    "typeface": "index into TYPEFACES",
    "angle": "rotation in degrees, counter-clockwise",
    "height": "height of the digit before it is turned, in pixels of the frame",
    "shear": "slant: how far the digit leans to the right, as a fraction of its height",
    "x": "centre of the digit's bounding box, in pixels from the left edge of the frame",
    "y": "centre of the digit's bounding box, in pixels from the top edge of the frame",
    "foreground": "colour of the digits [red, green, blue], each 0 to 1",
    "background": "mean colour behind them [red, green, blue], each 0 to 1",
    "texture": "largest deviation of the background from its mean colour, 0 to 1",
    "texture_seed": "integer that picks the pattern of the texture",
    "neighbour_digit": "digits to the [left, right] of the main one on the same line, -1 for none",
    "neighbour_typeface": "their typefaces [left, right]",
    "neighbour_gap": "space between the main digit and its neighbours [left, right], in pixels of the frame",
}
"""Every factor with its meaning and unit.

The sets "glyphs" have the first seven, "glyphs-color" have them all.
"""

RANGES = {
    "glyphs": {"angle": (-15.0, 15.0), "height": (18.0, 24.0), "shear": (-0.15, 0.15), "x": (14.0, 18.0), "y": (14.0, 18.0)},
    "glyphs-color": {
        "angle": (-30.0, 30.0),
        "height": (12.0, 22.0),
        "shear": (-0.2, 0.2),
        "x": (14.0, 18.0),
        "y": (13.0, 19.0),
        "texture": (0.0, 0.5),
        "neighbour_gap": (2.0, 5.0),
    },
}
"""The interval each continuous factor is drawn from, uniformly, in each set."""

MINIMUM_CONTRAST = 0.2
"""Smallest difference in luma between the foreground and the mean background of a drawn image, of
1.
"""

LIGHTER_PROBABILITY = 0.75
"""How often the digits of "glyphs-color" are lighter than the background, where both ways have
room.
"""

NEIGHBOUR_PROBABILITY = 0.7
"""How often each of the two neighbours is there in "glyphs-color"."""

GLYPH_SPLITS = {"train": 20_000, "validation": 4_000, "test": 4_000, "unseen-fonts": 4_000}
"""The splits of the embedded sets and how many images each has."""

_DEFAULTS = {
    "digit": 0,
    "typeface": 0,
    "angle": 0.0,
    "height": 20.0,
    "shear": 0.0,
    "x": 16.0,
    "y": 16.0,
    "foreground": (1.0, 1.0, 1.0),
    "background": (0.0, 0.0, 0.0),
    "texture": 0.0,
    "texture_seed": 0,
    "neighbour_digit": (-1, -1),
    "neighbour_typeface": (0, 0),
    "neighbour_gap": (2.0, 2.0),
}
_GREY = tuple(FACTORS)[:7]
_INTEGER = {"digit", "typeface", "texture_seed", "neighbour_digit", "neighbour_typeface"}
_DOMAINS = {
    "digit": (0, 9),
    "typeface": (0, len(TYPEFACES) - 1),
    "height": (1, 4 * FRAME),
    "foreground": (0, 1),
    "background": (0, 1),
    "texture": (0, 1),
    "neighbour_digit": (-1, 9),
    "neighbour_typeface": (0, len(TYPEFACES) - 1),
}

# Numbers of the random streams: a changed value changes every image that is drawn from it.
_SET_NUMBER = {"glyphs": 1, "glyphs-color": 2}
_SPLIT_NUMBER = {"train": 1, "validation": 2, "test": 3, "unseen-fonts": 4}
_PUBLIC = {place for place, face in enumerate(TYPEFACES) if face.held_out}
# What a private set may hold out: two or three designs of 5 to 10 typefaces, not the public ones.
_HOLDINGS = [
    held
    for designs in [*itertools.combinations(DESIGNS, 2), *itertools.combinations(DESIGNS, 3)]
    if 5 <= len(held := set(itertools.chain(*designs))) <= 10 and held != _PUBLIC
]
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64  # 2^64 / golden ratio, odd, as a signed 64-bit integer


def mix(bits: torch.Tensor) -> torch.Tensor:
    """The finaliser of SplitMix64, variant 13: a bijection of int64 whose output bits look random.

    Source: Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators (2014).

    Integer multiplication wraps around in two's complement on every device, so the result is the
    same everywhere. The random numbers of the data are hashes of counters and not a generator's
    stream: image i needs no other image before it.
    """
    # >> copies the sign bit; the mask makes it the shift of an unsigned integer.
    bits = (bits ^ ((bits >> 30) & (2**34 - 1))) * (0xBF58476D1CE4E5B9 - 2**64)
    bits = (bits ^ ((bits >> 27) & (2**37 - 1))) * (0x94D049BB133111EB - 2**64)
    return bits ^ ((bits >> 31) & (2**33 - 1))


def hash_uniform(key: torch.Tensor, counter: torch.Tensor | int) -> torch.Tensor:
    """Uniform numbers in [0, 1), float64, a function of (key, counter) alone.

    Both are int64, and broadcast against each other.
    """
    counter = torch.as_tensor(counter, device=key.device)
    bits = mix(mix(key) + (counter + 1) * _GOLDEN)
    return ((bits >> 11) & (2**53 - 1)).double() * 2.0**-53


def is_private(name: str) -> bool:
    """Whether a name is "private:" and a word."""
    return name.startswith("private:") and name.removeprefix("private:").strip() != ""


def _stream(name: str) -> tuple[str, int, set[int]]:
    """The set whose ranges hold, the number of the random stream, and the typefaces held out."""
    if not is_private(name):
        check_choice("the name of an embedded set", name, (*_SET_NUMBER, "private:WORD"))
        return name, _SET_NUMBER[name], _PUBLIC
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big")  # leaves bits for the split
    return "glyphs-color", number, _HOLDINGS[number % len(_HOLDINGS)]


def luma(colour: torch.Tensor) -> torch.Tensor:
    """Brightness of colours [..., 3] as the eye weighs them (ITU-R BT.601): [...], 0 to 1."""
    return colour[..., 0] * 0.299 + colour[..., 1] * 0.587 + colour[..., 2] * 0.114


def _contrasting_colours(uniform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Foreground and background [N, 3] from uniform numbers [N, 7], apart in luma."""
    background, colour, coin = uniform[:, :3], uniform[:, 3:6], uniform[:, 6]
    below, luma_colour = luma(background), luma(colour)
    # Lighter or darker than the background by the toss of a coin, unless only one of them has room.
    lighter = torch.where(below > 1 - MINIMUM_CONTRAST, False, (below < MINIMUM_CONTRAST) | (coin < LIGHTER_PROBABILITY))
    # .float(): the result for two numbers has the default type, which a reader may have changed.
    limit = below + torch.where(lighter, MINIMUM_CONTRAST, -MINIMUM_CONTRAST).float()
    towards = lighter.double()  # luma of white or of black
    # Mixing t of white or black into a colour moves its luma in proportion: the smallest t that
    # reaches the limit.
    too_close = torch.where(lighter, luma_colour < limit, luma_colour > limit)
    t = torch.where(too_close, (limit - luma_colour) / (towards - luma_colour), 0.0)
    return colour + (towards - colour.T).T * t[:, None], background


def sample_factors(name: str, split: str, index: torch.Tensor | Sequence[int]) -> dict[str, torch.Tensor]:
    """The factors of images of an embedded set, bit for bit the same in any batch, on any machine.

    Args:
        name: "glyphs", "glyphs-color", or "private:WORD", whose images are like those of
            "glyphs-color": see `load`.
        split: one of GLYPH_SPLITS.
        index: integers [N], the images' numbers, from 0. Numbers past the split's size continue it
            without end.

    Returns:
        A dict of CPU tensors with N rows, keyed as `FACTORS`: float32, or int64 where the factor is
        an integer.
    """
    name, number, held_out = _stream(name)
    check_choice(f"the split of {name}", split, tuple(_SPLIT_NUMBER))
    index = _integers("index", index).reshape(-1)
    if (index < 0).any():
        raise ValueError(f"index is {index.min().item()}: the images are numbered from 0")
    key = mix(torch.tensor(number * 16 + _SPLIT_NUMBER[split], device="cpu")) + index * _GOLDEN

    def uniform(counter: int, columns: int) -> torch.Tensor:  # [N, columns]
        return hash_uniform(key[:, None], counter + torch.arange(columns, device="cpu"))

    def within(factor: str, values: torch.Tensor) -> torch.Tensor:
        low, high = RANGES[name][factor]
        return (low + (high - low) * values).float()

    faces = [place for place in range(len(TYPEFACES)) if (place in held_out) == (split == "unseen-fonts")]
    pool = torch.tensor(faces, device="cpu")
    first = uniform(0, 7)
    factors = {
        "digit": (first[:, 0] * 10).long(),
        "typeface": pool[(first[:, 1] * len(pool)).long()],
        "angle": within("angle", first[:, 2]),
        "height": within("height", first[:, 3]),
        "shear": within("shear", first[:, 4]),
        "x": within("x", first[:, 5]),
        "y": within("y", first[:, 6]),
    }
    if name == "glyphs":
        return factors
    foreground, background = _contrasting_colours(uniform(16, 7))
    present = uniform(32, 2) < NEIGHBOUR_PROBABILITY
    return factors | {
        "foreground": foreground.float(),
        "background": background.float(),
        "texture": within("texture", uniform(24, 1)[:, 0]),
        "texture_seed": (uniform(25, 1)[:, 0] * 2**31).long(),
        "neighbour_digit": torch.where(present, (uniform(34, 2) * 10).long(), -1),
        "neighbour_typeface": pool[(uniform(36, 2) * len(pool)).long()],
        "neighbour_gap": within("neighbour_gap", uniform(38, 2)),
    }


def _integers(name: str, values: object) -> torch.Tensor:
    """Values as int64 on the CPU; ValueError names the first one that is no whole number."""
    values = torch.as_tensor(values, device="cpu")
    if values.is_floating_point() and not bool((values == values.round()).all()):  # also false for NaN
        bad = values[values != values.round()][0].item()
        raise ValueError(f"{name} is {bad:g}: it must be a whole number")
    return values.to(torch.int64)


def make_factors(name: str = "glyphs", **values: object) -> dict[str, torch.Tensor]:
    """Factors made by hand: what is not given is an upright white digit 0 in the middle on black.

    ``render(make_factors(digit=7, angle=[0, 10, 20]))`` draws three images. A typeface may be given
    by its name.

    Args:
        name: "glyphs" (the factors of a grey image) or "glyphs-color" (those of a colour image).
        values: factors by name, as in `FACTORS`: one value for all images, or N of them.

    Returns:
        A dict of CPU tensors with N rows, as `sample_factors` gives; N = 1 when every factor has
        one value.
    """
    check_choice("the name of an embedded set", name, tuple(_SET_NUMBER))
    known = _GREY if name == "glyphs" else tuple(FACTORS)
    for factor in values:
        check_choice(f"a factor of {name}", factor, known)
    names = [face.name for face in TYPEFACES]
    if isinstance(values.get("typeface"), str):
        check_choice("typeface", values["typeface"], names)
        values["typeface"] = names.index(str(values["typeface"]))
    factors = {}
    for factor in known:
        default = torch.tensor(_DEFAULTS[factor], dtype=torch.int64 if factor in _INTEGER else torch.float32, device="cpu")
        value = values.get(factor, default)
        value = _integers(factor, value) if factor in _INTEGER else torch.as_tensor(value, dtype=default.dtype, device="cpu")
        if value.shape[value.dim() - default.dim() :] != default.shape or value.dim() > default.dim() + 1:
            wanted = "a number" if default.dim() == 0 else f"{len(default)} numbers"
            raise ValueError(f"{factor} must be {wanted}, or N times that: its shape is {tuple(value.shape)}")
        factors[factor] = value if value.dim() > default.dim() else value[None]
    rows = max(len(value) for value in factors.values())
    for factor, value in factors.items():
        factors[factor] = value.expand(rows if len(value) == 1 else len(value), *value.shape[1:]).clone()
    check_factors(factors)
    return factors


def check_factors(factors: dict[str, torch.Tensor]) -> None:
    """Raise ValueError for a factor that is missing, of the wrong length or out of its domain."""
    if wrong := set(factors) ^ set(FACTORS if "foreground" in factors else _GREY):
        raise ValueError(f"factors missing or unknown: {', '.join(sorted(wrong))} (make_factors fills in what is not given)")
    for factor, value in factors.items():
        if len(value) != len(factors["digit"]):
            raise ValueError(f"{factor} has {len(value)} rows where digit has {len(factors['digit'])}")
        low, high = _DOMAINS.get(factor, (-(2.0**40), 2.0**40))
        if not bool(((value >= low) & (value <= high)).all()):  # also false for NaN
            bad = value[~((value >= low) & (value <= high))][0].item()
            raise ValueError(f"{factor} is {bad:g}: it must be between {low:g} and {high:g}")
