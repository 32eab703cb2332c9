"""Figures are shown with their text, the same twice, and explorers redraw when a control moves."""

import base64
import io
import sys

import ipywidgets as widgets
import matplotlib
import pytest
import torch
from PIL import Image

from course_lib.viz import (
    Explorer,
    LiveFigure,
    animation,
    course_style,
    curves,
    image_grid,
    live,
    new_figure,
    page_width,
    png,
    show,
    show_animation,
    show_png,
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


def test_the_pixels_are_those_of_savefig_and_the_figure_stays_as_it_was():
    figure = curves([1, 2], {"a": [1.0, 2.0]}, "step", "loss", title="a title")
    figure.set(facecolor="pink")
    before = figure.canvas, figure.dpi
    saved = io.BytesIO()
    course_style(figure.savefig)(saved, dpi=130, facecolor="white")
    pixels = sys.modules["course_lib.viz.show"]._pixels(figure, dpi=130)
    with Image.open(saved) as expected:
        assert pixels.tobytes() == expected.convert("RGB").tobytes()
    assert (figure.canvas, figure.dpi) == before
    assert figure.get_facecolor() == matplotlib.colors.to_rgba("pink")


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
    assert first == png(bar(1))
    controls["height"].value = 2
    assert explorer.image.value == png(bar(2))
    controls["height"].value = 3  # the picture stays, the message appears, escaped
    assert explorer.image.value == png(bar(2))
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


def test_a_slider_reports_where_it_is_let_go():
    whole, fraction = slider("stride", 1, 4, 2), slider("angle", -90, 90, 0, 5.0)
    assert type(whole.value) is int and type(fraction.value) is float
    assert (whole.min, whole.max, whole.step, whole.description) == (1, 4, 1, "stride")
    assert (fraction.min, fraction.max, fraction.step) == (-90, 90, 5)
    assert not whole.continuous_update and not fraction.continuous_update


def test_a_picture_has_twice_the_pixels_of_the_size_at_which_it_is_shown(monkeypatch):
    shown = []
    monkeypatch.setattr(
        sys.modules["course_lib.viz.show"], "display", lambda bundle, raw, metadata: shown.append((bundle, metadata))
    )
    show(bar(), "A bar of height one.")
    ((bundle, metadata),) = shown
    with Image.open(io.BytesIO(bundle["image/png"])) as image:
        assert image.width == 2 * metadata["image/png"]["width"] == 400


def test_an_animation_is_a_png_with_a_frame_for_each_figure(monkeypatch):
    shown = []
    monkeypatch.setattr(
        sys.modules["course_lib.viz.show"], "display", lambda bundle, raw, metadata: shown.append((bundle, metadata))
    )
    show_animation((bar(height) for height in (2.0, 0.5, 1.0)), "A bar that falls and rises.", milliseconds=50)
    ((bundle, metadata),) = shown
    assert metadata["image/png"]["alt"] == bundle["text/plain"] == "A bar that falls and rises."
    with Image.open(io.BytesIO(bundle["image/png"])) as image:
        assert image.format == "PNG" and image.n_frames == 3 and image.info["loop"] == 0
        assert image.info["duration"] == 500, "the first frame stays for longer"
        image.seek(1)
        assert image.info["duration"] == 50
    assert bundle["image/png"] == animation((bar(height) for height in (2.0, 0.5, 1.0)), milliseconds=50)


@pytest.mark.parametrize(
    "style", [{"axes.facecolor": "black", "text.color": "white", "axes.labelcolor": "white"}, {"text.usetex": True}]
)
def test_a_readers_style_reaches_no_picture(style):
    expected = png(curves([1, 2], {"a": [1.0, 2.0]}, "step", "loss", title="a title"))
    with matplotlib.rc_context(style):
        assert png(curves([1, 2], {"a": [1.0, 2.0]}, "step", "loss", title="a title")) == expected
        assert all(matplotlib.rcParams[name] == value for name, value in style.items()), "and it is theirs afterwards"


def test_the_style_holds_inside_a_decorated_function_only():
    @course_style
    def legend_frame():
        return matplotlib.rcParams["legend.frameon"]

    with matplotlib.rc_context({"legend.frameon": True}):
        assert legend_frame() is False and matplotlib.rcParams["legend.frameon"] is True


def test_a_picture_that_was_made_before_is_shown_as_wide_as_it_is_told(monkeypatch):
    shown = []
    monkeypatch.setattr(
        sys.modules["course_lib.viz.show"], "display", lambda bundle, raw, metadata: shown.append((bundle, metadata))
    )
    data = png(bar())
    show_png(data, "A bar of height one.", page_width(bar()))
    ((bundle, metadata),) = shown
    assert bundle == {"image/png": data, "text/plain": "A bar of height one."}
    assert metadata["image/png"] == {"width": 200, "alt": "A bar of height one."}


def test_the_ground_of_an_animation_is_white():
    with Image.open(io.BytesIO(animation([image_grid(torch.rand(4, 3, 9, 9)) for _ in range(3)]))) as image:
        assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
