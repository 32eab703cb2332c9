"""Figures carry text, are the same twice, and explorers redraw when a control moves."""

import base64
import math

import ipywidgets as widgets
import numpy as np
import pytest
import torch
from PIL import Image

from course_lib.viz import (
    DASHES,
    GREY_MAP,
    LINES,
    MARKERS,
    SIGN_MAP,
    Explorer,
    LiveFigure,
    curves,
    draw_image,
    draw_references,
    image_grid,
    live,
    mosaic,
    new_figure,
    png,
    running_mean,
    show,
    slider,
)


def bar(height=1.0):
    """A small figure."""
    figure, axes = new_figure(size=(2, 1))
    axes[0, 0].bar([0], [height])
    axes[0, 0].set_ylim(0, 3)
    return figure


def test_png_is_the_same_twice_and_an_image(tmp_path):
    assert png(bar()) == png(bar())
    (tmp_path / "bar.png").write_bytes(png(bar(), dpi=50))
    with Image.open(tmp_path / "bar.png") as image:
        assert image.size == (100, 50)


def test_png_keeps_colours_that_a_palette_would_lose(tmp_path):
    """Few colours travel in a palette; a picture with many keeps them all."""
    ramp = torch.linspace(0, 1, 64)
    rainbow = torch.stack([ramp.expand(64, 64), ramp[:, None].expand(64, 64), ramp.flip(0).expand(64, 64)])
    modes = []
    for image in (torch.rand(64, 64, generator=torch.Generator().manual_seed(0)), rainbow):
        (tmp_path / "image.png").write_bytes(png(image_grid([image], inches=3)))
        with Image.open(tmp_path / "image.png") as opened:
            modes.append(opened.mode)
    assert modes == ["P", "RGB"]


def test_show_needs_a_text_alternative_and_carries_it(monkeypatch):
    shown = []
    module = __import__("sys").modules["course_lib.viz.show"]
    monkeypatch.setattr(module, "display", lambda bundle, **options: shown.append((bundle, options)))
    show(bar(), alt="One bar.")
    (bundle, options) = shown[0]
    assert bundle["text/plain"] == "One bar."
    assert bundle["image/png"].startswith(b"\x89PNG")
    assert options["metadata"]["image/png"]["alt"] == "One bar."
    with pytest.raises(ValueError, match="alt must say"):
        show(bar(), alt=" ")


def test_image_grid_lays_out_rows():
    figure = image_grid(torch.rand(7, 3, 5, 5), titles=[str(n) for n in range(7)], columns=4)
    axes = figure.axes
    assert [axis.get_visible() for axis in axes] == [True] * 7 + [False]
    assert [axis.get_title() for axis in axes[:7]] == [str(n) for n in range(7)]
    assert axes[0].images[0].get_array().shape == (5, 5, 3)
    with pytest.raises(ValueError, match="images is empty"):
        image_grid([])


def test_draw_image_scales_by_type_and_sign():
    _, axes = new_figure(1, 3)
    draw_image(axes[0, 0], torch.zeros(1, 4, 4, dtype=torch.uint8))
    draw_image(axes[0, 1], torch.full((4, 4), 0.5, dtype=torch.bfloat16))
    draw_image(axes[0, 2], torch.tensor([[-3.0, 1.0]]), signed=True)
    limits = [axis.images[0].get_clim() for axis in axes[0]]
    assert limits == [(0, 255), (0, 1), (-3, 3)]
    assert [axis.images[0].cmap.name for axis in axes[0]] == [GREY_MAP, GREY_MAP, SIGN_MAP]
    with pytest.raises(ValueError, match=r"an image must be \[H, W\]"):
        draw_image(axes[0, 0], torch.zeros(2, 4, 4))


def test_an_image_keeps_rows_columns_and_colours():
    _, axes = new_figure(1, 3)
    colours = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    for axis, image in zip(axes[0], (colours, colours[0], (colours * 255).to(torch.uint8)), strict=True):
        draw_image(axis, image)
        expected = image.permute(1, 2, 0) if image.dim() == 3 else image
        assert np.array_equal(axis.images[0].get_array(), expected.numpy())
        assert axis.images[0].origin == "upper"


def test_one_number_that_is_none_does_not_spoil_the_scale():
    _, axes = new_figure(1, 2)
    image = torch.tensor([[float("nan"), -2.0], [1.0, float("inf")]])
    draw_image(axes[0, 0], image, signed=True)
    assert axes[0, 0].images[0].get_clim() == (-2, 2)
    draw_image(axes[0, 1], torch.tensor([[3, 200]], dtype=torch.uint8), signed=True)
    assert axes[0, 1].images[0].get_clim() == (-200, 200)


def test_types_of_images():
    _, axes = new_figure()
    draw_image(axes[0, 0], torch.tensor([[True, False]]))
    assert axes[0, 0].images[0].get_array().tolist() == [[1, 0]]
    for dtype in (torch.int64, torch.int8):
        with pytest.raises(ValueError, match=f"an image must be uint8, bool or floats in .*, got {dtype}"):
            draw_image(axes[0, 0], torch.ones(2, 2, dtype=dtype))
    with pytest.raises(ValueError, match="this image has three"):
        draw_image(axes[0, 0], torch.zeros(3, 2, 2), signed=True)


def test_image_grid_names_what_is_wrong():
    images = torch.rand(3, 1, 5, 5)
    with pytest.raises(ValueError, match=r"images must be \[N, C, H, W\] or a list of images, got shape \[3, 5, 5\]"):
        image_grid(images[:, 0])
    with pytest.raises(ValueError, match="there are 2 for 3 images"):
        image_grid(images, titles=["a", "b"])
    with pytest.raises(ValueError, match="columns is 0"):
        image_grid(images, columns=0)
    for titles in (torch.tensor([4, 5, 6]), np.array([4, 5, 6]), [4, 5, 6]):
        assert [axis.get_title() for axis in image_grid(list(images), titles).axes] == ["4", "5", "6"]


def test_a_readers_settings_do_not_change_the_picture():
    import matplotlib

    expected = png(bar())
    with matplotlib.rc_context({"savefig.bbox": "tight", "savefig.pad_inches": 2, "savefig.transparent": True}):
        assert png(bar()) == expected


def test_explorer_redraws_and_shows_errors():
    def render(height, name):
        if height == 3:
            raise ValueError("3 is < too high")
        return bar(height)

    controls = {
        "height": widgets.IntSlider(value=1, min=0, max=3),
        "name": widgets.Dropdown(options=["a", "b"]),
    }
    explorer = Explorer(render, controls, alt="A bar with a height.", layout=[widgets.HBox(list(controls.values()))])
    assert [type(widget).__name__ for widget in explorer.box.children] == ["HBox", "Image", "HTML"]
    first = explorer.image.value
    assert first == png(bar(1), dpi=90)
    controls["height"].value = 2
    assert explorer.image.value == png(bar(2), dpi=90)
    controls["height"].value = 3  # the picture stays, the message appears, escaped
    assert explorer.image.value == png(bar(2), dpi=90)
    assert "ValueError: 3 is &lt; too high" in explorer.error.value
    controls["height"].value = 1
    assert explorer.error.value == ""
    assert explorer.image.value == first
    with pytest.raises(ValueError, match="too high"):  # the first picture fails loudly
        Explorer(render, {"height": widgets.IntSlider(value=3, max=3), "name": controls["name"]}, alt="A bar.")


@pytest.mark.parametrize("in_colab", [False, True])
def test_explorer_is_shown_as_one_bundle_or_as_a_widget_in_colab(monkeypatch, in_colab):
    import sys
    import types

    shown = []
    monkeypatch.setattr(sys.modules["course_lib.viz.explorer"], "display", lambda *items, **options: shown.append(items))
    if in_colab:
        monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    explorer = Explorer(lambda: bar(), {}, alt="A bar.")
    explorer.show()
    ((content,),) = shown
    if in_colab:
        assert content is explorer.box
    else:
        assert content["text/plain"] == "A bar."
        assert content["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.box.model_id


def test_a_live_figure_takes_the_place_of_the_one_before(monkeypatch):
    shown, updates = [], []

    class Handle:
        def update(self, bundle, **arguments):
            updates.append((bundle, arguments))

    def display(bundle, **arguments):
        shown.append((bundle, arguments))
        return Handle()

    monkeypatch.setattr(live, "display", display)
    picture = LiveFigure(lambda value: pytest.fail("drawn for nobody"), alt="A line that rises.")
    picture(1)
    monkeypatch.setattr(live, "get_ipython", lambda: "a shell")

    def draw(value):
        figure, axes = new_figure()
        axes[0, 0].plot([0, value])
        return figure

    picture = LiveFigure(draw, alt="A line that rises.")
    for value in (1, 2, 3):
        picture(value)
    assert len(shown) == 1 and shown[0][1]["display_id"] is True and len(updates) == 2
    bundles = [shown[0][0], *(bundle for bundle, _ in updates)]
    assert [bundle["text/plain"] for bundle in bundles] == ["A line that rises."] * 3
    assert len({bundle["image/png"] for bundle in bundles}) == 3
    assert base64.b64decode(bundles[2]["image/png"]) == png(draw(3))
    assert updates[0][1]["metadata"]["image/png"]["alt"] == "A line that rises."
    with pytest.raises(ValueError, match="alt must say"):
        LiveFigure(draw, alt=" ")


def test_curves_have_the_median_as_line_and_all_seeds_in_the_band():
    rows = torch.tensor([[1.0, 5], [2, 4], [9, 3]])
    axis = curves([10, 100], {"a": rows, "b": rows[0]}, "x", "y", log_x=True, references={"level": 2}).axes[0]
    assert list(axis.lines[0].get_ydata()) == [2, 4] and list(axis.lines[1].get_ydata()) == [1, 5]
    assert axis.lines[2].get_ydata()[0] == 2 and axis.get_xscale() == "log"
    (band,) = axis.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == 1 and corners[:, 1].max() == 9
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "100"]
    styles = {(line.get_color(), line.get_linestyle()) for line in axis.lines[:2]}
    assert len(styles) == 2
    gap = curves([1, 2, 3], {"a": [math.nan, 1.0, 100.0]}, "x", "y", log_y=True, title="a race").axes[0]
    assert math.isnan(gap.lines[0].get_ydata()[0]) and gap.get_title() == "a race"
    assert gap.get_yscale() == "log" and 0.1 < gap.get_ylim()[0] <= 1 and 100 <= gap.get_ylim()[1] < 1000


def test_references_are_levels_with_their_names():
    _, axes = new_figure()
    draw_references(axes[0, 0], {"guessing": 0.1})
    assert list(axes[0, 0].lines[0].get_ydata()) == [0.1, 0.1] and axes[0, 0].texts[0].get_text() == "guessing"
    draw_references(axes[0, 0], None)
    assert len(axes[0, 0].lines) == 1


def test_a_mosaic_keeps_the_places():
    images = torch.rand(3, 1, 2, 2)
    sheet = mosaic(images, 2)
    assert sheet.shape == (1, 5, 5) and (sheet[0, 2] == 1).all() and (sheet[0, :, 2] == 1).all()
    for number, (top, left) in enumerate(((0, 0), (0, 3), (3, 0))):
        torch.testing.assert_close(sheet[:, top : top + 2, left : left + 2], images[number])
    assert (sheet[:, 3:, 3:] == 1).all(), "no image is left for the last place"
    assert mosaic(torch.rand(2, 3, 4, 5, requires_grad=True), 1).shape == (3, 9, 5)


def test_a_running_mean_is_over_the_last_values_that_there_are():
    assert running_mean([1.0, 2, 3, 4], 2) == pytest.approx([1, 1.5, 2.5, 3.5])
    assert running_mean([1.0, 2, 3], 10) == pytest.approx([1, 1.5, 2])
    assert running_mean([1e9, 1.0], 1) == [1e9, 1.0], "summed in double precision"


def test_a_slider_reports_where_it_is_let_go():
    whole, fraction = slider("stride", 1, 4, 2), slider("angle", -90, 90, 0, 5.0)
    assert type(whole.value) is int and type(fraction.value) is float
    assert (whole.min, whole.max, whole.step, whole.description) == (1, 4, 1, "stride")
    assert (fraction.min, fraction.max, fraction.step) == (-90, 90, 5)
    assert not whole.continuous_update and not fraction.continuous_update


def test_lines_are_told_apart_without_their_colours():
    assert len(MARKERS) == len(LINES), "a marker for each colour"
    lines = curves([1, 2], {str(n): [n, n] for n in range(len(LINES))}, "x", "y").axes[0].lines
    assert {line.get_marker() for line in lines} == set(MARKERS) and {line.get_linestyle() for line in lines} == set(DASHES)
