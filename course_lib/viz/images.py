"""Images side by side, with titles: the picture that every chapter needs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.viz.style import GREY_MAP, SIGN_MAP, course_style, new_figure


def to_pixels(image: Any) -> np.ndarray:
    """What imshow takes from an image [C, H, W] or [H, W].

    An array [H, W] for one channel, [H, W, 3] for three; bool becomes 0 and 1.
    """
    image = torch.as_tensor(image).detach().cpu()
    if image.dtype not in (torch.uint8, torch.bool) and not image.is_floating_point():
        raise ValueError(f"an image must be uint8, bool or floats in [0, 1], got {image.dtype}: convert it, e.g. with .float()")
    if image.dim() == 3:
        image = image[0] if image.shape[0] == 1 else image.permute(1, 2, 0)  # [C, H, W] -> [H, W, C]
    if image.dim() not in (2, 3) or (image.dim() == 3 and image.shape[2] != 3):
        raise ValueError(f"an image must be [H, W], [1, H, W] or [3, H, W], got shape {list(image.shape)}")
    return (image if image.dtype in (torch.uint8, torch.float64) else image.float()).numpy()


def draw_image(axis: Axes, image: Any, title: str = "", signed: bool = False, limits: tuple[float, float] | None = None) -> None:
    """Draw one image into an axis: [H, W], [1, H, W] or [3, H, W], uint8, bool or floats in [0, 1].

    signed: numbers around zero, coloured by sign, with white at zero. limits: (low, high) of the
    grey scale; by default 0 and 1 (255 for uint8), and for signed images minus and plus the largest
    finite magnitude. What is no number stays blank.
    """
    pixels = to_pixels(image)
    if signed:
        if pixels.ndim == 3:
            raise ValueError("signed colours one channel by its sign, and this image has three: draw them one by one")
        largest = float(abs(pixels[np.isfinite(pixels)]).max(initial=0)) or 1
        low, high = limits or (-largest, largest)
    else:
        low, high = limits or ((0, 255) if pixels.dtype.kind == "u" else (0, 1))
        pixels = pixels.clip(low, high)
    axis.imshow(pixels, cmap=SIGN_MAP if signed else GREY_MAP, vmin=low, vmax=high)
    axis.set_title(title, parse_math=False)  # a class may be called "$5"
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_color("0.6")


@course_style
def image_grid(
    images: Any,
    titles: Any = None,
    columns: int = 10,
    inches: float = 0.9,
    signed: bool = False,
    limits: tuple[float, float] | None = None,
    row_labels: Sequence[str] | None = None,
    column_labels: Sequence[str] | None = None,
) -> Figure:
    """A figure of images in rows.

    images: a tensor [N, C, H, W] or a list of images as in `draw_image`.

    titles: one for each image (a list, tensor or array), or None. columns: images in a row. inches:
    width of one image. row_labels: what stands to the left of each row; column_labels: what stands
    above each column.
    """
    if hasattr(images, "shape") and len(images.shape) != 4:
        raise ValueError(f"images must be [N, C, H, W] or a list of images, got shape {list(images.shape)}")
    count = len(images)
    if count == 0:
        raise ValueError("there is no image to show: images is empty")
    if columns < 1:
        raise ValueError(f"columns is {columns}: a row holds at least one image")
    columns = min(columns, count)
    rows = -(-count // columns)
    for name, labels, places in (
        ("titles", titles, count),
        ("row_labels", row_labels, rows),
        ("column_labels", column_labels, columns),
    ):
        if labels is not None and len(labels) != places:
            raise ValueError(f"{name} has {len(labels)} entries, and there are {places} places for {count} images")
    if titles is not None:
        titles = [str(title) for title in (titles.tolist() if hasattr(titles, "tolist") else titles)]
    height = inches + (0.28 if titles is not None else 0.06)
    margin = 0.09 * max(len(label) for label in row_labels) + 0.2 if row_labels else 0
    size = (columns * (inches + 0.06) + margin, rows * height + (0.28 if column_labels else 0))
    figure, axes = new_figure(rows, columns, size=size)
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    for number, image in enumerate(images):
        draw_image(axes.flat[number], image, "" if titles is None else titles[number], signed, limits)
        axes.flat[number].title.set_fontsize(9)
    for axis, label in zip(axes[:, 0], row_labels or (), strict=False):
        axis.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9, parse_math=False)
    for axis, label in zip(axes[0], column_labels or (), strict=False):
        axis.set_title(f"{label}\n{axis.get_title()}".strip(), fontsize=9, parse_math=False)
    return figure


def mosaic(images: torch.Tensor, columns: int) -> torch.Tensor:
    """Images [N, C, H, W] in [0, 1] as one image: [C, rows, columns].

    They lie beside and below each other, with a white line between.
    """
    images = images.detach().float().cpu()
    N, C, H, W = images.shape
    sheet = torch.ones(C, -(-N // columns) * (H + 1) - 1, columns * (W + 1) - 1)
    for number, image in enumerate(images):
        top, left = number // columns * (H + 1), number % columns * (W + 1)
        sheet[:, top : top + H, left : left + W] = image
    return sheet
