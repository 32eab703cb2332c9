"""One look for all figures.

A palette that colour-blind readers can use, and text that stays readable when shrunk.
"""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.rcsetup import cycler

# Okabe and Ito, Color Universal Design (2008), from dark to light; tell lines apart by marker or
# dash as well.
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
COUNT_MAP = "Oranges"  # counts on a light ground
SIGN_MAP = "PuOr_r"  # numbers around zero: orange is positive, purple is negative

# For letters that matplotlib's own font lacks: the first of these that a machine has and that has the
# letter. Windows, macOS, Linux.
OTHER_FONTS = """
Microsoft YaHei, Yu Gothic, Malgun Gothic, Nirmala UI, Leelawadee UI, Segoe UI, Ebrima, Segoe UI Symbol,
PingFang SC, Hiragino Sans, Hiragino Sans GB, Heiti TC, Apple SD Gothic Neo, Arial Unicode MS, Kohinoor Devanagari,
Noto Sans CJK SC, Noto Sans CJK JP, Noto Sans CJK KR, Noto Sans SC, Noto Sans JP, Noto Sans KR, WenQuanYi Zen Hei,
WenQuanYi Micro Hei, Droid Sans Fallback, Noto Sans Devanagari, Noto Sans Bengali, Noto Sans Tamil, Noto Sans Telugu,
Noto Sans Thai, Noto Sans Ethiopic, Noto Sans Arabic, Noto Sans Hebrew, FreeSans, Unifont, Noto Emoji, Symbola
"""
_INSTALLED = {font.name for font in fontManager.ttflist}

_SETTINGS: Any = {
    "font.family": ["sans-serif", *(name for name in OTHER_FONTS.replace("\n", " ").strip().split(", ") if name in _INSTALLED)],
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=LINES),
    "image.interpolation": "nearest",  # a pixel is a square
    "legend.frameon": False,
}
# Over matplotlib's own defaults: a reader's style (a dark ground, LaTeX, a tight box) reaches no
# picture of the course.
_DEFAULTS: Any = {
    name: value for name, value in matplotlib.rcParamsDefault.items() if "backend" not in name and "date" not in name
}

course_style = matplotlib.rc_context({**_DEFAULTS, **_SETTINGS})
"""The decorator of every function that draws: inside it the course's style holds, and the reader's
own is back afterwards.
"""


def plain(name: object) -> str:
    """A reader's word as matplotlib draws it letter by letter: "$" begins no formula, and in a legend
    "_" in front hides nothing.
    """
    text = str(name).replace("$", r"\$")
    return f" {text}" if text.startswith("_") else text


@course_style
def new_figure(
    rows: int = 1, columns: int = 1, size: tuple[float, float] = (8, 3), **arguments: Any
) -> tuple[Figure, np.ndarray]:
    """A figure of `size` inches and its axes, an array [rows, columns], in the course's style.

    It belongs to no global state: nothing shows it twice and nothing has to close it. arguments: as
    `Figure.subplots`.
    """
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **arguments)
