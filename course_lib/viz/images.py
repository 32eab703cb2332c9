"""Images side by side, with titles: the picture that every chapter needs."""

import torch

from course_lib.viz.style import GREY_MAP, SIGN_MAP, new_figure


def to_pixels(image):
    """What imshow takes from [C, H, W] or [H, W]: an array [H, W] for one channel, [H, W, 3] for three."""
    image = torch.as_tensor(image).detach().cpu()
    if image.dim() == 3:
        image = image[0] if image.shape[0] == 1 else image.permute(1, 2, 0)  # [C, H, W] -> [H, W, C]
    if image.dim() not in (2, 3) or (image.dim() == 3 and image.shape[2] != 3):
        raise ValueError(f"an image must be [H, W], [1, H, W] or [3, H, W], got shape {list(image.shape)}")
    return (image.float() if image.dtype == torch.bfloat16 else image).numpy()


def draw_image(axis, image, title="", signed=False, limits=None):
    """Draw one image into an axis: [H, W], [1, H, W] or [3, H, W], uint8 or floats in [0, 1].

    signed: numbers around zero, coloured by sign, with white at zero. limits: (low, high) of the grey scale; by default 0 and 1
    (255 for uint8), and for signed images minus and plus the largest magnitude.
    """
    pixels = to_pixels(image)
    if signed:
        low, high = limits or (-(abs(pixels).max() or 1), abs(pixels).max() or 1)
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

    titles: one for each image, or None. columns: images in a row. inches: width of one image.
    """
    count = len(images)
    if count == 0:
        raise ValueError("there is no image to show: images is empty")
    columns = min(columns, count)
    rows = -(-count // columns)
    height = inches + (0.28 if titles else 0.06)
    figure, axes = new_figure(rows, columns, size=(columns * (inches + 0.06), rows * height))
    for axis in axes.flat[count:]:
        axis.set_visible(False)
    for number, image in enumerate(images):
        draw_image(axes.flat[number], image, titles[number] if titles else "", signed, limits)
        axes.flat[number].title.set_fontsize(9)
    return figure
