"""Draw course_lib/data/atlas.png: the digits 0-9 of every typeface in course_lib.data.typefaces.

Usage: python tools/draw_atlas.py [FILE]

Each digit is taken from its font as an outline (unhinted, so that the result hardly depends on the version of FreeType),
scaled until its bounding box is exactly GLYPH_HEIGHT pixels high, centred in its tile by that box, filled at OVERSAMPLING times
the resolution and averaged down. A change of the file changes every embedded image: tests/data holds its checksum.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D, IdentityTransform
from PIL import Image

from course_lib.data.typefaces import GLYPH_HEIGHT, TILE_SIZE, TYPEFACES, Typeface

OVERSAMPLING = 8


def draw_typeface(typeface: Typeface) -> np.ndarray:
    """The ten digits of one typeface side by side: uint8 [TILE_SIZE, 10 * TILE_SIZE], 255 is ink."""
    tile = TILE_SIZE * OVERSAMPLING
    figure = Figure(figsize=(10 * tile / 100, tile / 100), dpi=100, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    font = FontProperties(fname=Path(get_data_path(), "fonts", "ttf", typeface.file))
    for digit in range(10):
        outline = TextPath((0, 0), chr(typeface.zero + digit), size=GLYPH_HEIGHT, prop=font)
        box = outline.get_extents()
        scale = GLYPH_HEIGHT * OVERSAMPLING / box.height
        if box.width * scale > tile:
            raise ValueError(
                f"digit {digit} of {typeface.name} is wider than a tile: {box.width / box.height:.2f} times its height"
            )
        to_tile = (
            Affine2D()
            .translate(-(box.x0 + box.x1) / 2, -(box.y0 + box.y1) / 2)
            .scale(scale)
            .translate((digit + 0.5) * tile, 0.5 * tile)
        )
        figure.add_artist(
            PathPatch(to_tile.transform_path(outline), transform=IdentityTransform(), facecolor="white", linewidth=0)
        )
    canvas.draw()
    large = np.asarray(canvas.buffer_rgba())[:, :, 0].astype(np.float64)
    rows, columns = large.shape
    small = large.reshape(rows // OVERSAMPLING, OVERSAMPLING, columns // OVERSAMPLING, OVERSAMPLING).mean(axis=(1, 3))
    return np.rint(small).astype(np.uint8)


def main() -> None:
    """Draw every typeface and write the atlas."""
    default = Path(__file__).parent.parent / "course_lib" / "data" / "atlas.png"
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else default
    atlas = np.concatenate([draw_typeface(typeface) for typeface in TYPEFACES])
    Image.fromarray(atlas).save(path, optimize=True)
    print(f"{path}: {len(TYPEFACES)} typefaces, {atlas.shape[1]} x {atlas.shape[0]} pixels, {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
