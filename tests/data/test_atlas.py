"""The atlas is the one that was drawn, and drawing it again gives nearly the same."""

import hashlib
from importlib import resources
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

from course_lib.data import TYPEFACES
from course_lib.data.typefaces import GLYPH_HEIGHT, TILE_SIZE, glyph_widths, load_atlas
from tools.draw_atlas import draw_typeface

# Every embedded image is cut from this file: whoever changes it changes all results of the course.
SHA256 = "d458e91e4605caaf06fd44529a7c9b6abb3cdbb2f11ea11dad5bc27cc41ae57f"


def tiles() -> torch.Tensor:
    """The tiles [typefaces, 10, TILE_SIZE, TILE_SIZE]."""
    return load_atlas().view(len(TYPEFACES), TILE_SIZE, 10, TILE_SIZE).transpose(1, 2)


def test_the_file_is_the_one_that_was_drawn():
    data = resources.files("course_lib.data").joinpath("atlas.png").read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256
    assert len(data) < 300_000


@pytest.mark.parametrize("index", [0, 9, 14, 18, 23, 25])
def test_drawing_it_again_gives_nearly_the_same(index):
    if not Path(
        matplotlib.get_data_path(), "fonts", "ttf", TYPEFACES[index].file
    ).exists():  # older versions of matplotlib lack one of them
        pytest.skip(f"this matplotlib has no {TYPEFACES[index].file}")
    again = draw_typeface(TYPEFACES[index]).astype(float)
    shipped = load_atlas()[index * TILE_SIZE : (index + 1) * TILE_SIZE].numpy().astype(float)
    difference = np.abs(again - shipped)
    assert difference.mean() < 0.5
    assert difference.max() < 64  # an edge may lie a quarter of a pixel elsewhere, a stroke may not


def test_every_digit_has_the_same_height_and_an_empty_border():
    inked_rows = (tiles() > 0).any(dim=3)  # [typefaces, 10, TILE_SIZE]
    margin = (TILE_SIZE - GLYPH_HEIGHT) // 2
    assert not inked_rows[..., :margin].any()
    assert not inked_rows[..., -margin:].any()
    assert inked_rows[..., margin].all()
    assert inked_rows[..., -margin - 1].all()
    inked_columns = (tiles() > 0).any(dim=2)
    assert not inked_columns[..., :2].any()
    assert not inked_columns[..., -2:].any()


def test_widths_are_those_of_the_ink():
    widths = glyph_widths()
    for typeface, digit in ((0, 1), (3, 4), (24, 0)):
        columns = np.flatnonzero((tiles()[typeface, digit].numpy() >= 128).any(axis=0))
        assert widths[typeface, digit].item() * GLYPH_HEIGHT == columns[-1] - columns[0] + 1


def test_no_two_typefaces_look_the_same():
    flat = tiles().flatten(1).double()
    distance = torch.cdist(flat, flat) / flat.shape[1] ** 0.5  # root of the mean squared difference in grey levels
    distance.fill_diagonal_(torch.inf)
    assert distance.min() > 10


def test_whole_families_are_held_out():
    held_out = {face.file for face in TYPEFACES if face.held_out and face.zero == 0x30}
    seen = {face.file for face in TYPEFACES if not face.held_out}
    assert held_out and not held_out & seen
    assert len({face.name for face in TYPEFACES}) == len(TYPEFACES) == 26
    assert sum(face.held_out for face in TYPEFACES) == 7
