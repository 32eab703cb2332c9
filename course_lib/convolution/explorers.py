"""The interactive picture of chapter 1: the reader chooses the kernel and its arguments."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.convolution.figures import draw_response
from course_lib.convolution.im2col import conv2d_im2col
from course_lib.convolution.kernels import classical_kernels
from course_lib.convolution.sizes import conv_output_size
from course_lib.viz import Explorer, draw_image, new_figure, slider


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


def draw_convolution(
    input_axis: Axes,
    output_axis: Axes,
    image: torch.Tensor,
    kernel: torch.Tensor,
    stride: int,
    padding: int,
    dilation: int,
) -> None:
    """Draw an image and its response, with their sizes."""
    weight = kernel[None, None]
    y = conv2d_im2col(image[None, None], weight, stride=stride, padding=padding, dilation=dilation)[0, 0]
    draw_image(input_axis, image, f"input {image.shape[0]} x {image.shape[1]}")
    height, width = conv_output_size(image.shape, kernel.shape, stride, padding, dilation)
    draw_response(output_axis, y, kernel, f"output {height} x {width}")


def render_convolution(image: torch.Tensor, kernel: torch.Tensor, stride: int = 1, padding: int = 0, dilation: int = 1) -> Figure:
    """The explorer's picture: input, kernel, output and the formula of the size.

    image: [H, W] in [0, 1], kernel: [KH, KW].
    """
    figure, axes = new_figure(1, 3, size=(8, 3.4), width_ratios=[4, 1.6, 4])
    draw_convolution(axes[0, 0], axes[0, 2], image, kernel, stride, padding, dilation)
    draw_image(axes[0, 1], kernel, f"kernel\n{kernel.shape[0]} x {kernel.shape[1]}", signed=True)
    H, KH = image.shape[0], kernel.shape[0]
    OH = conv_output_size(H, KH, stride, padding, dilation)
    formula = rf"$OH = \lfloor ({H} + 2\cdot{padding} - {dilation}\cdot({KH} - 1) - 1)\,/\,{stride} \rfloor + 1 = {OH}$"
    figure.suptitle(formula, fontsize=11)
    return figure


def explore_convolution(images: Mapping[str, torch.Tensor]) -> Explorer:
    """The explorer: edit the kernel, choose stride, padding and dilation, pick an image.

    images: dict of names and [H, W].
    """
    kernels = classical_kernels()
    preset = widgets.Dropdown(options=list(kernels), value="Sobel, horizontal", description="start from")
    controls = {
        "picture": widgets.Dropdown(options=list(images), description="image"),
        "kernel": widgets.Textarea(
            value=write_kernel(kernels[preset.value]),
            description="kernel",
            continuous_update=False,
            rows=5,
            layout=widgets.Layout(width="260px"),
        ),
        "stride": slider("stride", 1, 4, 1),
        "padding": slider("padding", 0, 8, 1),
        "dilation": slider("dilation", 1, 4, 1),
    }

    def render(picture: str, kernel: str, stride: int, padding: int, dilation: int) -> Figure:
        return render_convolution(images[picture], parse_kernel(kernel), stride, padding, dilation)

    def start_from(change: dict[str, Any]) -> None:
        controls["kernel"].value = write_kernel(kernels[change["new"]])

    preset.observe(start_from, names="value")
    left = widgets.VBox([controls["picture"], preset, controls["kernel"]])
    right = widgets.VBox([controls[name] for name in ("stride", "padding", "dilation")])
    alt = "Explorer: an image, an editable kernel with stride, padding and dilation, the response, and the output-size formula."
    return Explorer(render, controls, alt, layout=[widgets.HBox([left, right])])


def convolution_strip(image: torch.Tensor) -> Figure:
    """What the explorer shows at four settings, for readers without a kernel: image [H, W]."""
    kernels = classical_kernels()
    settings = (
        ("Sobel, horizontal", {"stride": 1, "padding": 1, "dilation": 1}),
        ("Sobel, horizontal", {"stride": 4, "padding": 1, "dilation": 1}),
        ("Sobel, horizontal", {"stride": 1, "padding": 4, "dilation": 4}),
        ("Gaussian blur", {"stride": 1, "padding": 0, "dilation": 4}),
    )
    figure, axes = new_figure(1, 1 + len(settings), size=(9, 2.6))
    for axis, (name, arguments) in zip(axes[0, 1:], settings, strict=True):
        draw_convolution(axes[0, 0], axis, image, kernels[name], **arguments)
        numbers = ", ".join(f"{key} {value}" for key, value in arguments.items() if value != (key != "padding"))
        axis.set_title(f"{name}\n{numbers}\n{axis.get_title()}", fontsize=9)
    return figure
