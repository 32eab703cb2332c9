"""Show a figure in a notebook as one output: a PNG and, for readers who cannot see it, a sentence that says what is on it."""

import io

import matplotlib
from IPython.display import display
from PIL import Image, ImageChops, ImageStat

# A reader's own settings of savefig (a tight bounding box, say) would change the size of every picture.
_SAVING = {name: value for name, value in matplotlib.rcParamsDefault.items() if name.startswith("savefig.")}


def png(figure, dpi=100):
    """The figure as PNG bytes, the same bytes for the same figure (no date, no version inside).

    Where 256 colours are as good as all of them, the file has a palette and is several times smaller: notebooks travel.
    """
    buffer = io.BytesIO()
    with matplotlib.rc_context(_SAVING):
        figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    full = Image.open(buffer).convert("RGB")
    few = full.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    difference = ImageStat.Stat(ImageChops.difference(full, few.convert("RGB")))  # in levels of 255, for each channel
    smaller = io.BytesIO()
    (few if max(difference.rms) < 2 else full).save(smaller, format="png", optimize=True)
    return smaller.getvalue()


def show(figure, alt, dpi=100):
    """Display a matplotlib figure with its text alternative `alt`, which says in a sentence what the picture shows.

    The alternative is the output's text form (a screen reader, a terminal or a diff reads it) and the image's alt attribute.
    """
    if not alt or not alt.strip():
        raise ValueError("alt must say in a sentence what the picture shows: some readers have only that")
    bundle = {"image/png": png(figure, dpi), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})
