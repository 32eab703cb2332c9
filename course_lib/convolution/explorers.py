"""The explorers of chapters 1 and 2: a convolution and a transposed one, chosen by the reader."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_lib.convolution.figures import draw_counts, draw_numbers, frame
from course_lib.convolution.im2col import conv2d_im2col
from course_lib.convolution.kernels import classical_kernels
from course_lib.convolution.sizes import conv_transpose_output_size
from course_lib.convolution.transposed import conv_transpose2d
from course_lib.viz import ROLES, Explorer, course_style, draw_image, new_figure, slider

EDITED = "(your own)"  # what the list of kernels says of one that was typed


def parse_kernel(text: str) -> torch.Tensor:
    """A kernel [KH, KW] from text: one row of numbers on each line.

    Raises ValueError that names the line at fault.
    """
    # The sign that is replaced is a minus, copied from a page.
    lines = [line for line in text.replace("\u2212", "-").splitlines() if line.strip()]
    rows: list[list[float]] = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append([float(word) for word in line.split()])
        except ValueError:
            raise ValueError(f"line {number} of the kernel must be numbers with spaces between, got {line!r}") from None
        if len(rows[-1]) != len(rows[0]):
            raise ValueError(f"line {number} of the kernel has {len(rows[-1])} numbers, but line 1 has {len(rows[0])}")
    if not rows:
        raise ValueError("the kernel is empty: write one row of numbers on each line, such as 1 0 -1")
    return torch.tensor(rows)


def write_kernel(kernel: torch.Tensor) -> str:
    """The text that `parse_kernel` reads back, with at most four digits."""
    return "\n".join(" ".join(f"{number:.4g}" for number in row) for row in kernel.tolist())


@course_style
def render_position(
    image: torch.Tensor, kernel: torch.Tensor, stride: int = 1, padding: int = 0, dilation: int = 1, row: int = 0, column: int = 0
) -> Figure:
    """The padded image with the taps of one position framed, their products and sum, the output.

    image: [H, W] in [0, 1]; kernel: [KH, KW]; row, column: of the output, cut to its last where
    they are too large. Raises ValueError where the kernel does not fit.
    """
    x, weight = image[None, None], kernel[None, None]
    response = conv2d_im2col(x, weight, stride=stride, padding=padding, dilation=dilation)[0, 0]
    (H, W), (KH, KW), (OH, OW) = image.shape, kernel.shape, response.shape
    row, column = min(row, OH - 1), min(column, OW - 1)
    padded = F.pad(image, [padding] * 4)
    top, left = row * stride, column * stride
    patch = padded[top : top + dilation * (KH - 1) + 1 : dilation, left : left + dilation * (KW - 1) + 1 : dilation]
    products = patch * kernel
    figure, axes = new_figure(1, 3, size=(8, 3.5), width_ratios=[4, 3, 4])
    draw_image(axes[0, 0], padded, f"input {H} × {W}, padding {padding}")
    for k in range(KH):
        for j in range(KW):
            frame(axes[0, 0], top + k * dilation, left + j * dilation, 1, 1, lw=1.5)
    limit = max(products.abs().max().item(), 0.01)
    if max(KH, KW) <= 5:
        draw_numbers(axes[0, 1], products.round(decimals=2), "products", limit=limit, fontsize=9 if KW <= 3 else 7)
    else:
        draw_image(axes[0, 1], products, "products", signed=True, limits=(-limit, limit))
    total = f"{response[row, column].item():.3g}".replace("-", "\u2212")
    axes[0, 1].set_xlabel(f"sum = {total}", fontsize=11, fontweight="bold", color=ROLES["data"])
    signed = abs(kernel.sum().item()) < 1e-3
    strong = max(response.abs().flatten().quantile(0.995).item(), 1e-6)
    title = f"output {OH} × {OW}, position ({row}, {column})"
    draw_image(axes[0, 2], response, title, signed=signed, limits=(-strong, strong) if signed else (0, max(strong, 1)))
    frame(axes[0, 2], row, column, 1, 1)
    formula = rf"$OH = \lfloor ({H} + 2\cdot{padding} - {dilation}\cdot({KH} - 1) - 1)\,/\,{stride} \rfloor + 1 = {OH}$"
    figure.suptitle(f"stride {stride}, padding {padding}, dilation {dilation}:   {formula}", fontsize=10)
    return figure


def explore_convolution(images: Mapping[str, torch.Tensor]) -> Explorer:
    """Edit the kernel, choose stride, padding and dilation, step through the positions.

    images: name -> [H, W] in [0, 1].
    """
    kernels = classical_kernels()
    preset = widgets.Dropdown(options=[*kernels, EDITED], value="Sobel, horizontal", description="start from")
    text = write_kernel(kernels[preset.value])
    area = {"description": "kernel", "continuous_update": False, "rows": 5, "layout": widgets.Layout(width="260px")}
    controls = {
        "picture": widgets.Dropdown(options=list(images), description="image"),
        "kernel": widgets.Textarea(value=text, **area),
        "stride": slider("stride", 1, 4, 1),
        "padding": slider("padding", 0, 8, 0),
        "dilation": slider("dilation", 1, 4, 1),
        "row": slider("row", 0, 63, 4),
        "column": slider("column", 0, 63, 4),
    }

    def render(picture: str, kernel: str, **settings: int) -> Figure:
        return render_position(images[picture], parse_kernel(kernel), **settings)

    def start_from(change: dict[str, Any]) -> None:
        if change["new"] != EDITED:
            controls["kernel"].value = write_kernel(kernels[change["new"]])

    def edit(change: dict[str, Any]) -> None:  # so that the same kernel can be chosen again
        if preset.value != EDITED and change["new"] != write_kernel(kernels[preset.value]):
            preset.value = EDITED

    preset.observe(start_from, names="value")
    controls["kernel"].observe(edit, names="value")
    left = widgets.VBox([controls["picture"], preset, controls["kernel"]])
    right = widgets.VBox([controls[name] for name in ("stride", "padding", "dilation", "row", "column")])
    alt = (
        "Explorer: an image with the taps of one position framed, their products and sum, and the output; the kernel can be "
        "edited, and stride, padding, dilation and position can be chosen."
    )
    return Explorer(render, controls, alt, layout=[widgets.HBox([left, right])])


@course_style
def render_stamps(kernel: int = 3, stride: int = 2, padding: int = 0) -> Figure:
    """How many stamps meet, and what random positive weights make of a constant image."""
    size = conv_transpose_output_size(4, kernel, stride, padding)
    figure, axes = new_figure(1, 2, size=(8, 3.6))
    draw_counts(axes[0, 0], kernel, stride, padding)
    axes[0, 0].set_title(f"how many stamps meet\n(4 − 1) · {stride} − 2 · {padding} + {kernel} = {size} pixels")
    weight = torch.rand(1, 1, kernel, kernel, generator=torch.Generator().manual_seed(3))
    large = conv_transpose2d(torch.ones(1, 1, 12, 12), weight, stride=stride, padding=padding)[0, 0]
    title = "a constant image of 12 × 12,\nstamped with random weights"
    draw_image(axes[0, 1], large, title, limits=(0, 1.1 * large.max().item()))
    return figure


def explore_stamps() -> Explorer:
    """Kernel size, stride and padding of a transposed convolution, and its checkerboard."""
    controls = {"kernel": slider("kernel", 1, 6, 3), "stride": slider("stride", 1, 4, 2), "padding": slider("padding", 0, 2, 0)}
    alt = (
        "Explorer: sliders for the kernel size, the stride and the padding of a transposed convolution; how many stamps meet at "
        "each output pixel, and a constant image that random weights turn into a checkerboard."
    )
    return Explorer(render_stamps, controls, alt)
