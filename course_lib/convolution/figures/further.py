"""A convolution as a matrix, by frequency, and the pixels that an output sees."""

from collections.abc import Sequence

import torch
from matplotlib.patches import Rectangle

from course_lib.convolution.figures.cells import Picture
from course_lib.convolution.kernels import classical_kernels
from course_lib.convolution.sizes import ReceptiveField
from course_lib.viz import ROLES, SIGN_MAP, SIZE_MAP, course_style, draw_image, new_figure


@course_style
def matrix_and_transpose(matrix: torch.Tensor) -> Picture:
    """The sparse matrix of a strided convolution and its transpose, white at zero."""
    figure, axes = new_figure(1, 2, size=(8, 3.2), width_ratios=[3.2, 1])
    largest = matrix.abs().max().item()
    for axis, values, title in (
        (axes[0, 0], matrix, "$M$: 36 pixels to 9 outputs"),
        (axes[0, 1], matrix.T, "its transpose: 9 to 36"),
    ):
        axis.imshow(values.numpy(), cmap=SIGN_MAP, vmin=-largest, vmax=largest)
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, fontsize=9.5)
        axis.spines[:].set_visible(True)
    alt = (
        "A sparse matrix of 9 rows and 36 columns, with the kernel's weights in short runs that move right from row to row, and "
        "the same matrix with rows and columns exchanged."
    )
    return figure, alt


@course_style
def gains() -> Picture:
    """How much of each frequency eight classical kernels let through, zero in the middle."""
    kernels = classical_kernels()
    figure, axes = new_figure(2, 4, size=(8, 4.4))
    for axis, (name, kernel) in zip(axes.flat, kernels.items(), strict=True):
        spread = torch.zeros(64, 64)
        spread[: kernel.shape[0], : kernel.shape[1]] = kernel
        gain = torch.fft.fftshift(torch.fft.fft2(spread).abs())
        draw_image(axis, gain / gain.max(), name)
    alt = (
        "The gain of eight kernels by frequency, zero in the middle: blurs are bright in the middle, edge detectors dark there, "
        "and the Sobel kernels bright on two sides of it."
    )
    return figure, alt


@course_style
def receptive_fields(gradients: dict[str, torch.Tensor], fields: Sequence[ReceptiveField]) -> Picture:
    """The gradient of one output pixel over the input: name -> [H, W].

    It is cut to the predicted square and two pixels around it; fields: one for each gradient.
    """
    figure, axes = new_figure(1, len(gradients), size=(8, 3.25))
    for axis, (name, gradient), field in zip(axes[0], gradients.items(), fields, strict=True):
        rows = (gradient != 0).any(dim=1).nonzero()
        centre, half = int(rows.min() + rows.max()) // 2, field.size // 2
        part = gradient[centre - half - 2 : centre + half + 3, centre - half - 2 : centre + half + 3]
        axis.imshow((part / part.max()).numpy(), cmap=SIZE_MAP, vmin=0, vmax=1)
        axis.add_patch(Rectangle((1.5, 1.5), field.size, field.size, fill=False, edgecolor=ROLES["gradient"], lw=2))
        axis.set_title(f"{name}\npredicted {field.size} x {field.size}", fontsize=9.5)
        axis.set(xticks=[], yticks=[])
    alt = (
        "The gradient of one output pixel over the input for three stacks of layers, each filling the square that the recursion "
        "predicts: bright in the middle and fading outwards for five plain layers, flatter with strides and with dilation."
    )
    return figure, alt
