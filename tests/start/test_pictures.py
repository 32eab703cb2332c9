"""The pictures of chapter 0 change with what they are given, and the road map shows the notebooks that there are."""

import base64

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from course_lib import pretrained
from course_lib.data import TYPEFACES, load, make_factors
from course_lib.start import figures, fit_pixels
from course_lib.start.explorers import PAPERS, explore_glyphs, glyph_strip, render_glyph
from course_lib.start.figures.directions import seen
from course_lib.viz import image_grid, png
from tools import readme_figure


def test_first_images_have_a_row_for_each_set():
    figure, alt = figures.first_images({"glyphs": load("glyphs", "test"), "glyphs-color": load("glyphs-color", "test")}, count=3)
    assert len(figure.axes) == 6 and figure.axes[3].get_ylabel() == "glyphs-color" and "first 3 images" in alt
    assert figure.axes[3].images[0].get_array().shape == (32, 32, 3)


def test_typeface_table_marks_the_held_out_ones():
    figure, alt = figures.typeface_table()
    axes = [axis for axis in figure.axes if axis.get_visible()]
    thick = [axis.spines["left"].get_linewidth() > 1 for axis in axes]
    held_out = sum(face.held_out for face in TYPEFACES)
    assert len(axes) == len(TYPEFACES) and thick == [False] * (len(axes) - held_out) + [True] * held_out
    assert f"the last {held_out}" in alt


def test_an_image_is_shown_with_the_ranges_of_its_factors():
    for angle, words in ((10, "10"), (40, "40  outside the data")):
        axis = figures.image_with_factors(make_factors("glyphs", digit=4, typeface=3, angle=float(angle))).axes[1]
        assert axis.texts[0].get_text() == words
    coloured = figures.image_with_factors(make_factors("glyphs-color", digit=4, typeface=3))
    assert "glyphs-color" in coloured.axes[1].get_title(loc="left")


@pytest.mark.parametrize("paper", list(PAPERS))
def test_explorer_follows_its_controls(paper):
    explorer = explore_glyphs()
    explorer.controls["paper"].value = paper
    before = explorer.image.value
    for name, value in (("digit", 7), ("angle", 40), ("typeface", 3), ("height", 12), ("shear", 0.4), ("x", 22), ("y", 10)):
        explorer.controls[name].value = value
        assert explorer.error.value == ""
        assert explorer.image.value != before, name
        before = explorer.image.value
    assert before == png(render_glyph(**{name: control.value for name, control in explorer.controls.items()}))


def test_explorer_shows_texture_and_neighbours():
    pictures = [
        render_glyph(paper="yellow on blue", digit=4, typeface=8, **changed).axes[0].images[0].get_array()
        for changed in ({}, {"texture": 0.6}, {"neighbours": True})
    ]
    assert (pictures[0] != pictures[1]).any()
    assert (pictures[0] != pictures[2]).any()


def test_glyph_strip_shows_different_images():
    figure, alt = glyph_strip()
    pictures = [axis.images[0].get_array() for axis in figure.axes]
    assert len(pictures) == 7 and "seven settings" in alt
    for i, picture in enumerate(pictures):
        assert all(picture.shape != other.shape or (picture != other).any() for other in pictures[:i])


X = torch.rand(50, 6, generator=torch.Generator().manual_seed(0)).round()
Y = torch.arange(50) % 3
NAMES = ["a", "$b", "c"]


def test_theta_forms_with_the_readers_function():
    asked = []

    def fit(x, y, classes):
        asked.append(len(x))
        return fit_pixels(x, y, classes)

    frames, alt = figures.theta_forms(fit, X, Y, NAMES, height=2)
    assert asked == [50, 4, 8, 16, 32, 50] and len(frames) == len(asked) and alt.startswith("Animation: ")
    theta, _ = fit_pixels(X, Y, 3)
    assert [axis.get_title() for axis in frames[0].axes] == NAMES
    assert torch.equal(torch.tensor(frames[0].axes[1].images[0].get_array()), theta[1].view(2, 3))


def test_mistakes_are_wrong_and_sure():
    images, labels = torch.zeros(4, 1, 2, 3), torch.tensor([0, 1, 2, 0])
    p = torch.tensor([[0.95, 0.03, 0.02], [0.97, 0.02, 0.01], [0.5, 0.4, 0.1], [0.01, 0.01, 0.98]])
    figure, _ = figures.mistakes(images, labels, p, NAMES)
    assert [axis.get_title() for axis in figure.axes] == ["said a: 0.970\nit is $b", "said c: 0.980\nit is a"]
    none, _ = figures.mistakes(images[:1], labels[:1], p[:1], NAMES)
    assert len(none.axes) == 1


def test_drawings_stand_below_real_images_with_their_labels():
    figure, alt = figures.drawings(X, X[:5], Y[:5], NAMES, height=2)
    assert [axis.get_title() for axis in figure.axes] == [""] * 5 + ["a", "$b", "c", "a", "$b"]
    assert figure.axes[0].get_ylabel() == "real" and figure.axes[5].get_ylabel() == "drawn" and alt
    assert figure.axes[5].spines["left"].get_edgecolor() != figure.axes[0].spines["left"].get_edgecolor()


def test_the_animation_begins_with_a_digit_that_is_recognised(monkeypatch):
    monkeypatch.setattr("course_lib.start.figures.directions.FRAMES", 3)
    judge = pretrained.load_judge("glyphs", device="cpu")
    frames, alt = figures.hero(judge, pretrained.load_generator("glyphs", device="cpu").generator)
    assert len(frames) == 3 and alt.startswith("Animation ")
    assert torch.equal(judge(torch.cat([seen(frame) for frame in range(3)])).argmax(dim=1), torch.tensor([4, 7, 2]))
    assert all(len(frame.axes) == 7 for frame in frames) and png(frames[0]) != png(frames[1])


def write(folder, name, title, picture=None):
    cells = [new_markdown_cell(f"# {title}"), new_code_cell("show()")]
    if picture is not None:
        cells[1].outputs = [new_output("display_data", {"image/png": base64.b64encode(png(picture)).decode()})]
    nbformat.write(new_notebook(cells=cells), folder / name)


def test_the_road_map_has_the_first_picture_of_each_notebook(tmp_path):
    write(tmp_path, "00_start.ipynb", "0 · Start here", image_grid([torch.rand(4, 4)]))
    write(tmp_path, "06_game.ipynb", "6 · A game (GAN)")
    write(tmp_path, "07_draft.ipynb", "A draft without a number")
    write(tmp_path, "99_answers.ipynb", "99 · Answers")
    axes = readme_figure.road_map(tmp_path).axes
    assert [axis.get_title(loc="left") for axis in axes] == ["0 · Start here", "6 · A game"]
    assert [len(axis.images) for axis in axes] == [1, 0]
    assert axes[0].spines["left"].get_edgecolor() != axes[1].spines["left"].get_edgecolor()


def test_the_road_map_that_is_shown_is_a_picture_with_words():
    data, alt, width = figures.road_map()
    assert data.startswith(b"\x89PNG") and len(alt.split()) > 8 and width == 800
