"""The pictures of chapter 0 change with what they are given; the explorer follows its sliders."""

import pytest
import torch

from course_lib.data import RANGES, TYPEFACES, load, make_factors
from course_lib.start import figures
from course_lib.start.explorers import PAPERS, explore_glyphs, glyph_strip, render_glyph
from course_lib.viz import png


def test_factor_strips_show_every_continuous_factor():
    axes = figures.factor_strips(steps=3).axes
    assert [axis.get_ylabel() for axis in axes[::3]] == list(RANGES["glyphs"])
    for row in range(len(RANGES["glyphs"])):
        first, last = (axes[3 * row + column].images[0].get_array() for column in (0, 2))
        assert (first != last).any(), axes[3 * row].get_ylabel()


def test_typeface_table_marks_the_held_out_ones():
    axes = [axis for axis in figures.typeface_table().axes if axis.get_visible()]
    assert len(axes) == len(TYPEFACES)
    thick = sum(axis.spines["left"].get_linewidth() > 1 for axis in axes)
    assert thick == sum(face.held_out for face in TYPEFACES)


def test_two_directions_draws_both():
    images = load("glyphs", "test").images[:3]
    figure = figures.two_directions(images[0], torch.eye(10)[3], [str(n) for n in range(10)], [("7", image) for image in images])
    assert "y$ = 7" in figure.axes[2].texts[0].get_text()
    assert figure.axes[1].patches[3].get_width() == 1
    names = [chr(ord("a") + n) for n in range(10)]
    axis = figures.two_directions(images[0], torch.eye(10)[3], names, [("d", image) for image in images]).axes[1]
    assert [label.get_text() for label in axis.get_yticklabels()] == names
    assert axis.get_yticks().tolist() == list(range(10))


def test_describe_writes_every_factor():
    text = figures.describe(make_factors("glyphs-color", digit=5, typeface="STIX"))
    assert "digit: 5" in text
    assert "typeface: STIX" in text
    assert "neighbour_gap: 2, 2" in text


@pytest.mark.parametrize("paper", list(PAPERS))
def test_explorer_follows_its_controls(paper):
    explorer = explore_glyphs()
    explorer.controls["paper"].value = paper
    before = explorer.image.value
    for name, value in (("digit", 7), ("angle", 40), ("typeface", 3), ("height", 12), ("shear", 0.4), ("x", 22), ("y", 8)):
        explorer.controls[name].value = value
        assert explorer.error.value == ""
        assert explorer.image.value != before, name
        before = explorer.image.value
    assert before == png(render_glyph(**{name: control.value for name, control in explorer.controls.items()}))


def test_explorer_shows_texture_and_neighbours():
    explorer = explore_glyphs()
    explorer.controls["paper"].value = "yellow on blue"
    seen = [explorer.image.value]
    for name, value in (("texture", 1.0), ("texture", 0.0), ("neighbours", False)):
        explorer.controls[name].value = value
        seen.append(explorer.image.value)
    assert len(set(seen)) == 4
    pictures = [
        render_glyph(paper="yellow on blue", digit=4, typeface=8, **changed).axes[0].images[0].get_array()
        for changed in ({}, {"texture": 0.6}, {"neighbours": True})
    ]
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[0] != pictures[2]).any()


def test_glyph_strip_shows_different_images():
    pictures = [axis.images[0].get_array() for axis in glyph_strip().axes]
    assert len(pictures) == 6
    for i, picture in enumerate(pictures):
        assert all(picture.shape != other.shape or (picture != other).any() for other in pictures[:i])
