"""Show a figure in a notebook as one output: a PNG and, for readers who cannot see it, a sentence that says what is on it."""

import io

from IPython.display import display


def png(figure, dpi=100):
    """The figure as PNG bytes, the same bytes for the same figure (no date, no version inside)."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    return buffer.getvalue()


def show(figure, alt, dpi=100):
    """Display a matplotlib figure with its text alternative `alt`, which says in a sentence what the picture shows.

    The alternative is the output's text form (a screen reader, a terminal or a diff reads it) and the image's alt attribute.
    """
    if not alt or not alt.strip():
        raise ValueError("alt must say in a sentence what the picture shows: some readers have only that")
    bundle = {"image/png": png(figure, dpi), "text/plain": alt}
    display(bundle, raw=True, metadata={"image/png": {"alt": alt}})
