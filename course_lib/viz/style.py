"""One look for all figures: a palette that colour-blind readers can use, and text that stays readable when shrunk."""

import matplotlib
from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design (2008), from dark to light; tell lines apart by marker or dash as well.
COLOURS = {
    "black": "#000000",
    "blue": "#0072B2",
    "vermilion": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "yellow": "#F0E442",
}
LINES = [COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "black")]
MARKERS = "osD^vX"
DASHES = ("-", "--", ":", "-.")
GREY_MAP = "gray"  # images
SIZE_MAP = "cividis"  # numbers from small to large
SIGN_MAP = "PuOr_r"  # numbers around zero: orange is positive, purple is negative

_SETTINGS = {
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=LINES),
    "image.interpolation": "nearest",  # a pixel is a square
    "legend.frameon": False,
}


def new_figure(rows=1, columns=1, size=(8, 3), **arguments):
    """A figure of `size` inches and its axes, an array [rows, columns] (also for 1 x 1), in the course's style.

    It belongs to no global state: nothing shows it twice and nothing has to close it. arguments: as `Figure.subplots`.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(rows, columns, squeeze=False, **arguments)
    return figure, axes
