"""A picture that is drawn again while something runs, and that stays behind when it is done."""

import base64

from IPython import get_ipython
from IPython.display import display

from course_lib.viz.show import png


class LiveFigure:
    """Call it with a value to draw the value's picture in the place of the one before: one output, the last one stays.

    draw: value -> matplotlib figure. alt: what the picture shows, in a sentence. Outside a notebook it does nothing.
    """

    def __init__(self, draw, alt, dpi=100):
        if not alt.strip():
            raise ValueError("alt must say in a sentence what the picture shows: some readers have only that")
        self.draw, self.alt, self.dpi = draw, alt, dpi
        self._handle = None

    def __call__(self, value):
        if get_ipython() is None:
            return
        picture = base64.b64encode(png(self.draw(value), self.dpi)).decode()
        bundle = {"image/png": picture, "text/plain": self.alt}
        metadata = {"image/png": {"alt": self.alt}}
        if self._handle is None:
            self._handle = display(bundle, raw=True, metadata=metadata, display_id=True)
        else:
            self._handle.update(bundle, raw=True, metadata=metadata)
