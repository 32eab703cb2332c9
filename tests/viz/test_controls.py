"""The still picture of an explorer shows each control with its value."""

import base64
import io
import sys

import ipywidgets as widgets
import pytest
from PIL import Image, ImageChops

from course_lib.viz import Explorer, new_figure, png, slider
from course_lib.viz.controls import draw_controls
from course_lib.viz.show import png_of_all


def words(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def knob(figure):
    """Where the knob of the only slider is."""
    return figure.axes[0].lines[2].get_xdata()[0]


def test_a_slider_has_a_track_a_knob_and_its_value():
    low, middle, high = (draw_controls([slider("stride", 1, 5, value)]) for value in (1, 3, 5))
    assert knob(low) < knob(middle) < knob(high)
    assert knob(middle) == pytest.approx((knob(low) + knob(high)) / 2)
    assert words(high)[:2] == ["stride", "5"]
    assert "0.30" in words(draw_controls([slider("texture", 0, 1, 0.3, 0.1)]))
    assert png(draw_controls([slider("only one", 2, 2, 2)]))


def test_other_controls_show_what_they_hold():
    controls = [
        widgets.Dropdown(options=[("the first", 1), ("the $second", 2)], value=2, description="choice"),
        widgets.Textarea(value="-1 0 1\n-2 0 2", description="kernel", rows=4),
        widgets.HTML("A &lt; <code>B</code><br>and more"),
        widgets.Button(description="press"),
        widgets.Text(value="a word", description="a very long description"),
        widgets.Checkbox(value=True, description="neighbours"),
    ]
    shown = words(draw_controls(controls))
    for text in ("choice", "the $second", "-1 0 1\n-2 0 2", "A < B\nand more", "press", "a word", "a very long …", "neighbours"):
        assert text in shown
    ticked, empty = (draw_controls([widgets.Checkbox(value=value, description="on")]) for value in (True, False))
    assert len(ticked.axes[0].lines) == len(empty.axes[0].lines) + 1


def test_boxes_stand_as_they_do_on_the_page():
    a, b, c = (slider(name, 0, 1, 0) for name in "abc")
    figure = draw_controls([widgets.HBox([widgets.VBox([a, b]), c])])
    place = {text.get_text(): text.get_position() for text in figure.axes[0].texts}
    assert place["a"][0] == place["b"][0] < place["c"][0]
    assert place["a"][1] == place["c"][1] < place["b"][1], "heights are counted from the top"
    assert figure.get_figwidth() == 6


def test_what_an_explorer_leaves_on_a_page_is_its_controls_over_its_picture(monkeypatch):
    shown = []
    module = sys.modules["course_lib.viz.explorer"]
    monkeypatch.setattr(module, "display", lambda bundle, **options: shown.append((bundle, options)))
    controls = {"height": slider("height", 0, 3, 1)}
    explorer = Explorer(lambda height: new_figure(size=(5, 1))[0], controls, alt="Explorer: a height.")
    controls["height"].value = 2
    explorer.show()
    ((bundle, options),) = shown
    data = base64.b64decode(bundle["image/png"])
    assert data == png_of_all([draw_controls([controls["height"]]), explorer.figure])
    with Image.open(io.BytesIO(data)) as picture, Image.open(io.BytesIO(explorer.image.value)) as alone:
        assert picture.width == 2 * options["metadata"]["image/png"]["width"] == 1000
        assert picture.height > alone.height, "the controls are above"
        below = picture.convert("RGB").crop((0, picture.height - alone.height, *picture.size))
        largest = max(high for _, high in ImageChops.difference(below, alone.convert("RGB")).getextrema())
        assert largest < 8, "the same picture, with a palette of its own"
