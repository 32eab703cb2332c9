"""Draws the picture of the README, and the road map of notebook 00: `make figures`.

The picture is the animation with which notebook 00 begins; beside it, overview.json records when, on which device and with which
versions it was drawn. The road map has a thumbnail of each notebook, the first picture among its outputs: so execute the
notebooks first, then draw it, then execute notebook 00.
"""

import base64
import io
import re
import textwrap
from pathlib import Path

import nbformat
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from course_lib import pretrained
from course_lib.start import figures
from course_lib.start.figures.directions import MAP_FILE, MAP_WIDTH
from course_lib.viz import ROLES, animation, course_style, png
from tools import records
from tools.files import ROOT

COLUMNS, MARGIN, GAP, ROW, TITLE = 4, 0.08, 0.14, 0.85, 0.36  # inches, of the 8 that the road map is wide
FIRST_GENERATOR, LAST_GENERATOR = 6, 9  # the chapters between generate; they have the colour of what is generated


def first_picture(notebook: nbformat.NotebookNode) -> Image.Image | None:
    """The first picture among a notebook's outputs without its white rim, of an animation its first frame; None without any."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                picture = Image.open(io.BytesIO(base64.b64decode(output["data"]["image/png"]))).convert("RGB")
                return picture.crop(ImageOps.invert(picture).getbbox())
    return None


def chapters(folder: Path) -> list[tuple[int, str, Image.Image | None]]:
    """Number, title and picture of each notebook but the last one, which has answers and references."""
    found = []
    for path in sorted(folder.glob("[0-8]*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        headings = [match for cell in notebook.cells if (match := re.match(r"# +(\d+) +· +(.+)", cell.source))]
        found += [(int(h[1]), re.sub(r" \(\w+\)$", "", h[2]), first_picture(notebook)) for h in headings[:1]]
    return found


@course_style
def road_map(folder: Path = ROOT / "notebooks") -> Figure:
    """A row of four thumbnails under the other, each with its notebook's number and title."""
    found = chapters(folder)
    rows = -(-len(found) // COLUMNS)
    width, height = MAP_WIDTH / 100, rows * (ROW + TITLE + GAP)
    figure = Figure(figsize=(width, height))
    side = (width - 2 * MARGIN - (COLUMNS - 1) * GAP) / COLUMNS
    for place, (number, title, picture) in enumerate(found):
        row, column = divmod(place, COLUMNS)
        left, bottom = MARGIN + column * (side + GAP), height - (row + 1) * (ROW + TITLE + GAP) + GAP / 2
        axis = figure.add_axes((left / width, bottom / height, side / width, ROW / height))
        axis.set(xticks=[], yticks=[], xlim=(0, side), ylim=(0, ROW))
        both = "data" if number < FIRST_GENERATOR else "ink"
        colour = ROLES["generated" if FIRST_GENERATOR <= number <= LAST_GENERATOR else both]
        for spine in axis.spines.values():
            spine.set(visible=True, color=colour, linewidth=1.5)
        if picture is not None:
            scale = min((side - 0.1) / picture.width, (ROW - 0.1) / picture.height)
            across, down = scale * picture.width, scale * picture.height
            small = picture.resize((round(200 * across), round(200 * down)), Image.Resampling.LANCZOS)
            x, y = (side - across) / 2, (ROW - down) / 2
            axis.imshow(small, extent=(x, x + across, y, y + down), aspect="auto", interpolation="antialiased")
            axis.set(xlim=(0, side), ylim=(0, ROW))
        name = textwrap.fill(f"{number} · {title}", 27)
        axis.set_title(name, loc="left", fontsize=8.5, color=colour, fontweight="bold", pad=4)
    return figure


def overview() -> bytes:
    """The animation of notebook 00, by the networks that come with the package."""
    judge = pretrained.load_judge("glyphs", device="cpu")
    frames, _ = figures.hero(judge, pretrained.load_generator("glyphs", device="cpu").generator)
    return animation(frames)


def main() -> None:
    """Writes both pictures, and the record of the first."""
    path = ROOT / "figures" / "overview.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(overview())
    record = records.circumstances("cpu") | {"command": "make figures", "file": records.file_digest(path)}
    records.write(path.with_suffix(".json"), record)
    MAP_FILE.write_bytes(png(road_map()))
    for file in (path, MAP_FILE):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
