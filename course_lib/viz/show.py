"""Show a figure in a notebook as one output: a PNG, and a sentence for those who cannot see it."""

import io
from collections.abc import Iterable

from IPython.display import display
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageChops, ImageStat

from course_lib.viz.style import course_style

DPI = 100
"""Pixels of the page for an inch of a figure; the file has twice as many, for sharp screens."""


def png(figure: Figure, dpi: int = 2 * DPI) -> bytes:
    """The figure as PNG bytes, the same bytes for the same figure (no date, no version inside).

    Where 256 colours are as good as all of them, the file has a palette and is several times
    smaller: notebooks travel.
    """
    return _compressed(_pixels(figure, dpi))


def png_of_all(figures: Iterable[Figure], dpi: int = 2 * DPI) -> bytes:
    """Figures as one PNG, each under the one before, as wide as the widest."""
    pixels = [_pixels(figure, dpi) for figure in figures]
    sheet = Image.new("RGB", (max(part.width for part in pixels), sum(part.height for part in pixels)), "white")
    top = 0
    for part in pixels:
        sheet.paste(part, (0, top))
        top += part.height
    return _compressed(sheet)


def _compressed(full: Image.Image) -> bytes:
    few = full.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    difference = ImageStat.Stat(ImageChops.difference(full, few.convert("RGB")))  # in levels of 255, for each channel
    smaller = io.BytesIO()
    (few if max(difference.rms) < 2 else full).save(smaller, format="png", optimize=True)
    return smaller.getvalue()


def animation(figures: Iterable[Figure], milliseconds: int = 200, dpi: int = 160) -> bytes:
    """Figures of one size as an animated PNG, which plays wherever a PNG is shown, for ever.

    The first frame stays on for ten times as long: programs that show no animation show it alone,
    so it should be a good still.
    """
    pixels = [_pixels(figure, dpi) for figure in figures]
    # One palette for all frames, made from all of them: only what moves is stored anew.
    width, height = pixels[0].size
    strip = Image.new("RGB", (width, height * len(pixels)))
    for number, frame in enumerate(pixels):
        strip.paste(frame, (0, number * height))
    # Colours as far apart as possible, since few pixels may carry the news; and a white ground.
    palette = strip.quantize(192, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    levels = palette.getpalette() or []
    colours = [levels[start : start + 3] for start in range(0, len(levels), 3)]
    palette.putpalette([level for colour in colours for level in (colour if min(colour) < 240 else (255, 255, 255))])
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in pixels]
    durations = [10 * milliseconds] + [milliseconds] * (len(frames) - 1)
    buffer = io.BytesIO()
    frames[0].save(buffer, format="PNG", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=True)
    # What says that the file moves stands before the palette: some programs read only its beginning.
    data = buffer.getvalue()
    header, place = 33, data.index(b"acTL") - 4  # a chunk has its length before its name
    return data[:header] + data[place : place + 20] + data[header:place] + data[place + 20 :]


def show(figure: Figure, alt: str) -> None:
    """Display a matplotlib figure with its text alternative.

    alt: a sentence that says what the picture shows.

    The alternative is the output's text form (a screen reader, a terminal or a diff reads it) and
    the image's alt attribute.
    """
    show_png(png(figure), alt, page_width(figure))


def show_png(data: bytes, alt: str, width: int) -> None:
    """Display a picture that `png` or `animation` made, `width` pixels of the page wide, with its text
    alternative.
    """
    display({"image/png": data, "text/plain": alt}, raw=True, metadata=described(width, alt))


def show_animation(figures: Iterable[Figure], alt: str, milliseconds: int = 200) -> None:
    """Display figures of one size as an `animation`, with the text alternative `alt`."""
    figures = list(figures)
    show_png(animation(figures, milliseconds), alt, page_width(figures[0]))


def page_width(figure: Figure) -> int:
    """How many pixels of the page a figure is wide; the file has twice as many."""
    return round(figure.get_figwidth() * DPI)


def described(width: int, alt: str) -> dict:
    """The metadata with which a picture is shown `width` pixels wide, with its alternative.

    Raises ValueError where the alternative is empty.
    """
    if not alt or not alt.strip():
        raise ValueError("alt must say in a sentence what the picture shows: some readers have only that")
    return {"image/png": {"width": width, "alt": alt}}


@course_style
def _pixels(figure: Figure, dpi: int) -> Image.Image:
    """What `savefig` would write, drawn once: it draws everything twice, the first time for the layout."""
    before = figure.canvas, figure.dpi, figure.get_facecolor()
    canvas = FigureCanvasAgg(figure)
    figure.set(dpi=dpi, facecolor="white")
    canvas.draw()
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    figure.set(canvas=before[0], dpi=before[1], facecolor=before[2])
    return pixels
