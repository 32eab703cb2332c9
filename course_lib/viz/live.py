"""A picture that is drawn again while something runs, and that stays behind when it is done."""

import base64
from collections.abc import Callable
from typing import Any

from IPython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure

from course_lib.viz.show import described, page_width, png


class LiveFigure:
    """Call it with a value to draw its picture in the place of the one before; the last one stays.

    draw: value -> matplotlib figure. alt: what the picture shows, in a sentence. Outside a notebook
    it does nothing.
    """

    def __init__(self, draw: Callable[[Any], Figure], alt: str) -> None:
        if not alt.strip():
            raise ValueError("alt must say in a sentence what the picture shows: some readers have only that")
        self.draw, self.alt, self._handle = draw, alt, None

    def __call__(self, value: Any) -> None:
        """Draw the value's picture."""
        if get_ipython() is None:
            return
        figure = self.draw(value)
        bundle = {"image/png": base64.b64encode(png(figure)).decode(), "text/plain": self.alt}
        metadata = described(page_width(figure), self.alt)
        if self._handle is None:
            self._handle = display(bundle, raw=True, metadata=metadata, display_id=True)
        else:
            self._handle.update(bundle, raw=True, metadata=metadata)
