"""Images side by side, with titles: the picture that every chapter needs."""

import numpy as np
import torch

from course_lib.viz.style import GREY_MAP, SIGN_MAP, new_figure


def to_pixels(image):
    """What imshow takes from [C, H, W] or [H, W]: an array [H, W] for one channel, [H, W, 3] for three; bool becomes 0 and 1."""
    image = torch.as_tensor(image).detach().cpu()
    if image.dtype not in (torch.uint8, torch.bool) and not image.is_floating_point():
        raise ValueError(f"an image must be uint8, bool or floats in [0, 1], got {image.dtype}: convert it, e.g. with .float()")
    if image.dim() == 3:
        image = image[0] if image.shape[0] == 1 else image.permute(1, 2, 0)  # [C, H, W] -> [H, W, C]
    if image.dim() not in (2, 3) or (image.dim() == 3 and image.shape[2] != 3):
        raise ValueError(f"an image must be [H, W], [1, H, W] or [3, H, W], got shape {list(image.shape)}")
    return (image if image.dtype in (torch.uint8, torch.float64) else image.float()).numpy()


def draw_image(axis, image, title="", signed=False, limits=None):
    """Draw one image into an axis: [H, W], [1, H, W] or [3, H, W], uint8, bool or floats in [0, 1].

    signed: numbers around zero, coloured by sign, with white at zero. limits: (low, high) of the grey scale; by default 0 and 1
    (255 for uint8), and for signed images minus and plus the largest finite magnitude. What is no number stays blank.
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
    axis.set_title(title)
    axis.set_xticks([])
    axis.set_yticks([])
    for side in axis.spines.values():
        side.set_visible(True)
        side.set_color("0.6")


def image_grid(images, titles=None, columns=10, inches=0.9, signed=False, limits=None):
    """A figure of images in rows: images is a tensor [N, C, H, W] or a list of images as in `draw_image`.

    titles: one for each image (a list, tensor or array), or None. columns: images in a row. inches: width of one image.
    """
    if hasattr(images, "shape") and len(images.shape) != 4:
        raise ValueError(f"images must be [N, C, H, W] or a list of images, got shape {list(images.shape)}")
    count = len(images)
    if count == 0:
        raise ValueError("there is no image to show: images is empty")
    if columns < 1:
        raise ValueError(f"columns is {columns}: a row holds at least one image")
    if titles is not None:
        titles = titles.tolist() if hasattr(titles, "tolist") else list(titles)
        if len(titles) != count:
            raise ValueError(f"titles must be one for each image: there are {len(titles)} for {count} images")
    columns = min(columns, count)
    rows = -(-count // columns)
    height = inches + (0.28 if titles is not None else 0.06)
    figure, axes = new_figure(rows, columns, size=(columns * (inches + 0.06), rows * height))
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    for number, image in enumerate(images):
        draw_image(axes.flat[number], image, "" if titles is None else str(titles[number]), signed, limits)
        axes.flat[number].title.set_fontsize(9)
    return figure


def mosaic(images, columns):
    """Images [N, C, H, W] in [0, 1] beside and below each other as one image, with a white line between: [C, rows, columns]."""
    images = images.detach().float().cpu()
    N, C, H, W = images.shape
    sheet = torch.ones(C, -(-N // columns) * (H + 1) - 1, columns * (W + 1) - 1)
    for number, image in enumerate(images):
        top, left = number // columns * (H + 1), number % columns * (W + 1)
        sheet[:, top : top + H, left : left + W] = image
    return sheet
