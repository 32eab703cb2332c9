"""Pictures do not depend on the reader's settings, and a reader's words are words, in any language."""

import ast

import matplotlib
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from course_lib.viz import course_style, curves, image_grid, plain, png
from course_lib.viz.style import OTHER_FONTS
from tests.repository.files import ROOT, name_of


@pytest.mark.parametrize("path", sorted(ROOT.glob("course_lib/**/*.py")), ids=name_of)
def test_every_function_that_draws_has_the_style(path):
    functions = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    drawing = [node for node in functions if node.returns and {"Figure", "Picture"} & names_in(node.returns)]
    lacking = [node.name for node in drawing if "course_style" not in names_in(*node.decorator_list)]
    assert [name for name in lacking if not name.startswith("_")] == []


def names_in(*nodes):
    return {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}


WORDS = [
    "$5_{",
    "$a$ and $b$",
    "_hidden",
    "100 % \\alpha",
    "{x}",
    "\\",
    "<b>",
    "हिन्दी",
    "שלום",
    "ไทย",
    "猫",
    "한국어",
    "ñ e\u0301",
]


@pytest.mark.filterwarnings("ignore:Glyph", "ignore:Matplotlib currently does not support")
@pytest.mark.parametrize("style", [{}, {"text.usetex": True}, {"font.family": ["no such font"]}, {"axes.unicode_minus": False}])
def test_any_word_is_drawn_letter_by_letter(style):
    with matplotlib.rc_context(style):
        series = {word: [1.0, 2.0] for word in WORDS}
        figure = curves([1, 2], series, "step", "loss", references={"$_{": 1.5})
        assert png(figure)
        shown = [text.get_text().replace(r"\$", "$").strip() for text in figure.axes[0].get_legend().get_texts()]
        assert shown == WORDS
        labels = WORDS[:2]
        assert png(image_grid(torch.rand(4, 1, 4, 4), WORDS[:4], columns=2, row_labels=labels, column_labels=labels))


def test_a_word_with_signs_of_markup_is_no_formula():
    def width(text, **options):
        figure = Figure()
        return figure.text(0, 0, text, **options).get_window_extent(FigureCanvasAgg(figure).get_renderer()).width

    for word in WORDS[:2]:
        assert width(plain(word)) == width(word, parse_math=False)


def test_a_font_that_a_machine_has_for_other_letters_comes_after_the_courses_own():
    first, *others = course_style(lambda: matplotlib.rcParams["font.family"])()
    installed = {font.name for font in matplotlib.font_manager.fontManager.ttflist}
    assert (
        first == "sans-serif" and set(others) == {name for name in OTHER_FONTS.replace("\n", " ").strip().split(", ")} & installed
    )
