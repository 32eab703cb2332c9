"""An explorer's controls as a still picture, drawn from the widgets, for pages without a kernel."""

import html
import re
from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from course_lib.viz.style import COLOURS, course_style

# Pixels of the page, as JupyterLab lays controls out.
WIDTH, ROW, LINE, LABEL = 300, 32, 17, 84
EDGE, INK, KNOB = "#b8b8b8", "#333333", COLOURS["blue"]
NOTE = "(a still picture: the controls move where the notebook runs)"


@course_style
def draw_controls(layout: Sequence[widgets.Widget]) -> Figure:
    """The widgets of a layout, one under the other, boxes of them as they stand, with their present values."""
    box = widgets.VBox(list(layout))
    width, height = _size(box)
    width, height = max(width, 400), height + LINE + 6
    figure = Figure(figsize=(width / 100, height / 100))
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(height, 0))
    axis.axis("off")
    _place(axis, box, 0, 0)
    axis.text(8, height - 12, NOTE, fontsize=7.5, color="0.45", va="center", style="italic")
    return figure


def _text_of(control: widgets.Widget) -> list[str]:
    """The lines of a text widget; of HTML the words alone."""
    text = str(control.value)
    if isinstance(control, widgets.HTML):
        text = html.unescape(re.sub(r"<[^>]+>", "", re.sub(r"<br\s*/?>", "\n", text)))
    return text.strip().splitlines() or [""]


def _size(widget: widgets.Widget) -> tuple[float, float]:
    """Width and height of a control, or of a box of them."""
    if isinstance(widget, widgets.Box):
        sizes = [_size(child) for child in widget.children] or [(0.0, 0.0)]
        across, down = zip(*sizes, strict=True)
        return (sum(across), max(down)) if isinstance(widget, widgets.HBox) else (max(across), sum(down))
    wanted = re.fullmatch(r"(\d+)px", str(widget.layout.width))
    width = float(wanted[1]) + 4 if wanted else WIDTH
    if isinstance(widget, widgets.Textarea):
        return width, LINE * max(widget.rows or 2, len(_text_of(widget))) + 14
    if isinstance(widget, widgets.HTML):
        width = max(width, 7.6 * max(map(len, _text_of(widget))) + 16)
        return width, LINE * len(_text_of(widget)) + 10
    return width, ROW


def _place(axis: Axes, widget: widgets.Widget, x: float, y: float) -> None:
    """Draw a control, or a box of them, with its upper left corner at (x, y)."""
    if isinstance(widget, widgets.Box):
        for child in widget.children:
            _place(axis, child, x, y)
            across, down = _size(child)
            x, y = (x + across, y) if isinstance(widget, widgets.HBox) else (x, y + down)
        return
    width, height = _size(widget)
    text: dict[str, Any] = {"fontsize": 9, "color": INK, "va": "center", "parse_math": False}
    middle, left, right = y + height / 2, x + LABEL + 8, x + width - 8
    if isinstance(widget, widgets.HTML):
        axis.text(x + 8, middle, "\n".join(_text_of(widget)), **text)
        return
    if isinstance(widget, widgets.Button):
        _box(axis, x + 4, y + 4, 148, height - 8, face="#eeeeee")
        axis.text(x + 78, middle, widget.description, ha="center", **text)
        return
    if isinstance(widget, widgets.Checkbox):
        _box(axis, left, middle - 7, 14, 14, face=KNOB if widget.value else "white")
        if widget.value:
            axis.plot([left + 3, left + 6, left + 11], [middle, middle + 4, middle - 4], color="white", linewidth=1.8)
        axis.text(left + 21, middle, widget.description, **text)
        return
    axis.text(x + LABEL, middle, _shortened(widget.description, 13), ha="right", **text)
    if isinstance(widget, (widgets.IntSlider, widgets.FloatSlider)):
        end = right - 52
        share = (widget.value - widget.min) / ((widget.max - widget.min) or 1)
        knob = left + 6 + share * (end - left - 12)
        axis.plot([left, end], [middle, middle], color=EDGE, linewidth=3, solid_capstyle="round")
        axis.plot([left, knob], [middle, middle], color=KNOB, linewidth=3, solid_capstyle="round")
        axis.plot(knob, middle, "o", color="white", markeredgecolor=KNOB, markersize=10, markeredgewidth=1.6)
        axis.text(end + 12, middle, format(widget.value, widget.readout_format), **text)
        return
    _box(axis, left, y + 3, right - left, height - 6)
    if isinstance(widget, widgets.Textarea):
        axis.text(left + 7, y + 9, "\n".join(_text_of(widget)), **{**text, "va": "top"}, family="monospace", linespacing=1.25)
        return
    shown = widget.label if isinstance(widget, widgets.Dropdown) else _text_of(widget)[0]
    axis.text(left + 7, middle, _shortened(str(shown), 25), **text)
    if isinstance(widget, widgets.Dropdown):
        axis.plot([right - 17, right - 12, right - 7], [middle - 2, middle + 3, middle - 2], color=INK, linewidth=1.4)


def _box(axis: Axes, x: float, y: float, width: float, height: float, face: str = "white") -> None:
    shape = "round,pad=0,rounding_size=2.5"
    axis.add_patch(FancyBboxPatch((x, y), width, height, boxstyle=shape, facecolor=face, edgecolor=EDGE, linewidth=1))


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
