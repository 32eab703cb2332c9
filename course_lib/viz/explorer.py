"""Explorers: sliders beside a picture.

Built from core widgets only, so that JupyterLab and Colab both show them.

The picture is an image widget and not an output area: output areas hang programs that execute
notebooks. What is shown carries a PNG as well, for readers without a running kernel: the first
picture, with the controls drawn above it.
"""

import base64
import html
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
from IPython.display import display
from matplotlib.figure import Figure

from course_lib.viz.controls import draw_controls
from course_lib.viz.show import DPI, described, page_width, png, png_of_all


def slider(description: str, low: float, high: float, value: float, step: float = 1) -> widgets.Widget:
    """A slider of whole numbers, or of floats where step is one.

    It reports where it is let go: a picture takes a while.
    """
    kind = widgets.FloatSlider if isinstance(step, float) else widgets.IntSlider
    return kind(value=value, min=low, max=high, step=step, description=description, continuous_update=False)


class Explorer:
    """Controls and the picture that `render` draws from their values.

    render: a function of the controls' values, by keyword, that returns a matplotlib figure.
    controls: dict of widgets with a `value`, by argument name. layout: the widgets as they are to
    stand above the picture, by default the controls one under the other. alt: what can be explored,
    in a sentence. The first picture is drawn at once, so a mistake fails the cell; a later one is
    shown in red under the picture.
    """

    def __init__(
        self,
        render: Callable[..., Figure],
        controls: Mapping[str, Any],
        alt: str,
        layout: Sequence[widgets.Widget] | None = None,
    ) -> None:
        self.render, self.controls, self.alt = render, controls, alt
        self.image = widgets.Image(format="png", layout=widgets.Layout(align_self="flex-start", max_width="100%"))
        self.error = widgets.HTML()
        self.draw()
        for control in controls.values():
            control.observe(self._changed, names="value")
        self.layout = list(layout or controls.values())
        self.box = widgets.VBox([*self.layout, self.image, self.error])

    def draw(self) -> None:
        """Draw the picture for the present values."""
        self.figure = self.render(**{name: control.value for name, control in self.controls.items()})
        self.image.value = png(self.figure)
        self.image.layout.width = f"{self.figure.get_figwidth() * DPI:.0f}px"

    def _changed(self, _: object) -> None:
        try:
            self.draw()
            self.error.value = ""
        except Exception as error:  # whatever went wrong belongs on the page, beside the control that caused it
            message = html.escape(f"{type(error).__name__}: {error}")
            self.error.value = f'<span style="color: #D55E00">{message}</span>'

    def show(self) -> None:
        """Display the explorer: live where a kernel runs, a picture elsewhere."""
        if "google.colab" in sys.modules:  # Colab chooses among several forms by rules of its own: give it the widget alone
            display(self.box)
            return
        still = [draw_controls(self.layout), self.figure]
        view = {"model_id": self.box.model_id, "version_major": 2, "version_minor": 0}
        bundle = {
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(png_of_all(still)).decode(),
            "text/plain": self.alt,
        }
        display(bundle, raw=True, metadata=described(max(map(page_width, still)), self.alt))
