"""The typefaces of the embedded digits, and the atlas: a picture of every digit in each typeface.

The atlas is drawn once, by ``tools/draw_atlas.py``, from the fonts that matplotlib bundles, and
ships with the package: every machine then starts from the same pixels, whatever font libraries it
has. The fonts and their licences: ``FONTS.md``.
"""

import functools
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

GLYPH_HEIGHT = 64
"""Height of every digit in the atlas, in atlas pixels: the ink's bounding box is exactly this high.
"""

TILE_SIZE = 80
"""Side of the square tile that holds one digit, its bounding box centred; at least 8 empty pixels
above and below.
"""


class Typeface(NamedTuple):
    """A typeface: its name, font file (of matplotlib's ``fonts/ttf``), and code of its digit 0."""

    name: str
    file: str
    zero: int
    held_out: bool = False


ASCII, DOUBLE_STRUCK, SANS, SANS_BOLD, MONOSPACE = 0x30, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6

# Held out (the split "unseen-fonts"): the whole Computer Modern family and the double-struck
# digits, so that an unseen typeface is another design and not another weight of one that was seen.
TYPEFACES = (
    Typeface("DejaVu Sans", "DejaVuSans.ttf", ASCII),
    Typeface("DejaVu Sans Bold", "DejaVuSans-Bold.ttf", ASCII),
    Typeface("DejaVu Sans Oblique", "DejaVuSans-Oblique.ttf", ASCII),
    Typeface("DejaVu Sans Bold Oblique", "DejaVuSans-BoldOblique.ttf", ASCII),
    Typeface("DejaVu Sans Mono", "DejaVuSansMono.ttf", ASCII),
    Typeface("DejaVu Sans Mono Bold", "DejaVuSansMono-Bold.ttf", ASCII),
    Typeface("DejaVu Sans Mono Oblique", "DejaVuSansMono-Oblique.ttf", ASCII),
    Typeface("DejaVu Sans Mono Bold Oblique", "DejaVuSansMono-BoldOblique.ttf", ASCII),
    Typeface("DejaVu Serif", "DejaVuSerif.ttf", ASCII),
    Typeface("DejaVu Serif Bold", "DejaVuSerif-Bold.ttf", ASCII),
    Typeface("DejaVu Serif Italic", "DejaVuSerif-Italic.ttf", ASCII),
    Typeface("DejaVu Serif Bold Italic", "DejaVuSerif-BoldItalic.ttf", ASCII),
    Typeface("STIX", "STIXGeneral.ttf", ASCII),
    Typeface("STIX Bold", "STIXGeneralBol.ttf", ASCII),
    Typeface("STIX Italic", "STIXGeneralItalic.ttf", ASCII),
    Typeface("STIX Bold Italic", "STIXGeneralBolIta.ttf", ASCII),
    Typeface("STIX Sans", "STIXGeneral.ttf", SANS),
    Typeface("STIX Sans Bold", "STIXGeneral.ttf", SANS_BOLD),
    Typeface("STIX Monospace", "STIXGeneral.ttf", MONOSPACE),
    Typeface("Computer Modern Roman", "cmr10.ttf", ASCII, held_out=True),
    Typeface("Computer Modern Bold", "cmb10.ttf", ASCII, held_out=True),
    Typeface("Computer Modern Sans", "cmss10.ttf", ASCII, held_out=True),
    Typeface("Computer Modern Typewriter", "cmtt10.ttf", ASCII, held_out=True),
    Typeface("Computer Modern Italic", "cmti10.ttf", ASCII, held_out=True),
    Typeface("Computer Modern Old-Style", "cmmi10.ttf", ASCII, held_out=True),
    Typeface("STIX Double-Struck", "STIXGeneral.ttf", DOUBLE_STRUCK, held_out=True),
)

DESIGNS = (range(8), range(8, 12), range(12, 16), range(16, 18), range(18, 19), range(19, 25), range(25, 26))
"""Which typefaces are one design, as places in `TYPEFACES`: the weights, slants and widths of one."""


@functools.cache
def load_atlas() -> torch.Tensor:
    """The atlas, uint8 [typefaces * TILE_SIZE, 10 * TILE_SIZE] on the CPU.

    One row of tiles for each typeface; 255 is ink.

    The tensor is shared by all callers; do not change it in place.
    """
    with resources.files("course_lib.data").joinpath("atlas.png").open("rb") as file, Image.open(file) as image:
        return torch.from_numpy(np.array(image))


@functools.cache
def glyph_widths() -> torch.Tensor:
    """Width of each digit's ink over its height, float64 [typefaces, 10], to one atlas pixel."""
    tiles = load_atlas().view(len(TYPEFACES), TILE_SIZE, 10, TILE_SIZE)
    inked_columns = (tiles >= 128).any(dim=1)  # [typefaces, 10, TILE_SIZE]
    column = torch.arange(TILE_SIZE, device="cpu")
    last = torch.where(inked_columns, column, -1).amax(dim=-1)
    first = torch.where(inked_columns, column, TILE_SIZE).amin(dim=-1)
    return (last - first + 1).double() / GLYPH_HEIGHT
