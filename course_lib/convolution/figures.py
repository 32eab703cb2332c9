"""The pictures of chapter 1. Each function returns a matplotlib figure and shows nothing."""

import itertools
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.convolution.sizes import ReceptiveField
from course_lib.viz import COLOURS, SIGN_MAP, SIZE_MAP, draw_image, new_figure

Box = tuple[int, int, int, int, str]  # a frame: row, column, height, width, name of its colour


def draw_numbers(
    axis: Axes,
    grid: torch.Tensor,
    title: str = "",
    boxes: Sequence[Box] = (),
    colours: torch.Tensor | None = None,
    hidden: torch.Tensor | None = None,
    font_size: float = 9,
) -> None:
    """Draw a matrix [H, W] as squares with their numbers written in.

    boxes: frames around parts of it. colours: numbers [H, W] that shade the squares by sign, by
    default the grid itself. hidden: a bool matrix of squares to leave empty.
    """
    grid = torch.as_tensor(grid).double() + 0.0  # -0 becomes 0
    shade = grid if colours is None else torch.as_tensor(colours).double()
    if hidden is not None:
        shade = shade.masked_fill(hidden, 0)
    limit = 2.2 * max(shade.abs().max().item(), 1e-9)  # pale enough for black numbers
    axis.imshow(shade.numpy(), cmap=SIGN_MAP, vmin=-limit, vmax=limit)
    H, W = grid.shape
    for h in range(H):
        for w in range(W):
            if hidden is None or not hidden[h, w]:
                axis.text(w, h, f"{grid[h, w].item():.3g}", ha="center", va="center", fontsize=font_size)
    axis.set_xticks([x - 0.5 for x in range(1, W)], labels=[])
    axis.set_yticks([y - 0.5 for y in range(1, H)], labels=[])
    axis.tick_params(length=0)
    axis.grid(color="0.75", linewidth=0.7)
    axis.spines[:].set_visible(True)
    axis.set_title(title)
    for row, column, height, width, colour in boxes:
        frame = Rectangle((column - 0.5, row - 0.5), width, height, fill=False, edgecolor=COLOURS[colour], linewidth=2.5)
        axis.add_patch(frame)


def sliding_kernel(
    image: torch.Tensor, kernel: torch.Tensor, output: torch.Tensor, positions: Sequence[tuple[int, int]], stride: int = 1
) -> Figure:
    """A kernel at several positions of an image: patch, products, and the output so far.

    image: [H, W] (already padded), kernel: [KH, KW], output: [OH, OW], positions: list of (oh, ow),
    one row of pictures each.
    """
    (KH, KW), OW = kernel.shape, output.shape[1]
    figure, axes = new_figure(
        len(positions), 4, size=(9, 2.4 * len(positions)), width_ratios=[image.shape[1], KW + 1, KW + 1, OW]
    )
    for row, (oh, ow) in zip(axes, positions, strict=True):
        top, left = oh * stride, ow * stride
        patch = image[top : top + KH, left : left + KW]
        products = patch * kernel
        draw_numbers(row[0], image, f"input, patch at ({top}, {left})", [(top, left, KH, KW, "blue")])
        draw_numbers(row[1], kernel, "kernel")
        draw_numbers(row[2], products, f"patch x kernel\nsum = {products.sum().item():.3g}", [(0, 0, KH, KW, "blue")])
        later = torch.arange(output.numel()).view_as(output) > oh * OW + ow
        draw_numbers(row[3], output, f"output, position ({oh}, {ow})", [(oh, ow, 1, 1, "blue")], hidden=later)
    return figure


def number_grids(
    grids: Sequence[torch.Tensor],
    titles: Sequence[str],
    inches: float = 2.4,
    boxes: Sequence[Sequence[Box]] | None = None,
    font_size: float = 9,
) -> Figure:
    """Matrices with their numbers, side by side. boxes: for each grid, as in `draw_numbers`."""
    width = sum(0.6 + grid.shape[1] for grid in grids)
    tallest = max(grid.shape[0] for grid in grids)
    widest = max(grid.shape[1] for grid in grids)
    figure, axes = new_figure(
        1,
        len(grids),
        size=(inches * width / widest, inches * tallest / widest + 0.5),
        width_ratios=[grid.shape[1] for grid in grids],
    )
    for number, (axis, grid, title) in enumerate(zip(axes[0], grids, titles, strict=True)):
        draw_numbers(axis, grid, title, boxes[number] if boxes else (), font_size=font_size)
    return figure


def matrices(matrices: Sequence[torch.Tensor], titles: Sequence[str], inches: float = 2.6) -> Figure:
    """Matrices side by side as coloured squares, white at zero, each with a scale of its own."""
    tallest = max(matrix.shape[0] / matrix.shape[1] for matrix in matrices)
    figure, axes = new_figure(1, len(matrices), size=(inches * len(matrices), inches * tallest + 0.4))
    for axis, matrix, title in zip(axes[0], matrices, titles, strict=True):
        draw_image(axis, matrix, title, signed=True)
    return figure


def draw_response(axis: Axes, response: torch.Tensor, kernel: torch.Tensor, title: str = "") -> None:
    """Draw what a kernel [KH, KW] made of an image, [OH, OW].

    It is drawn as an image, or by sign where a constant image gives zero.
    """
    signed = abs(kernel.sum().item()) < 1e-3
    # Not the largest: a few extreme pixels would leave the rest pale.
    strong = max(response.abs().flatten().quantile(0.99).item(), 1e-6)
    draw_image(axis, response, title, signed=signed, limits=(-strong, strong) if signed else (0, 1))


def kernel_gallery(
    image: torch.Tensor, kernels: Mapping[str, torch.Tensor], responses: Sequence[torch.Tensor], columns: int = 4
) -> Figure:
    """Responses of an image to several kernels, each with its kernel drawn in the corner.

    image: [H, W], kernels: dict of names and matrices, responses: list of [OH, OW] in the same
    order.
    """
    rows = -(-len(kernels) // columns)
    figure, axes = new_figure(rows, columns, size=(8, 2.3 * rows))
    for axis in axes.flat[len(kernels) :]:
        axis.set_visible(False)
    for axis, (name, kernel), response in zip(axes.flat, kernels.items(), responses, strict=False):
        draw_response(axis, response, kernel, name)
        inset = axis.inset_axes((0.66, 0.0, 0.34, 0.34))
        draw_image(inset, kernel, signed=True)
    return figure


def image_rows(
    rows: Sequence[Sequence[torch.Tensor] | torch.Tensor],
    labels: Sequence[str],
    titles: Sequence[str],
    signed: Mapping[str, float] | None = None,
    inches: float = 1.5,
) -> Figure:
    """Rows of images with a label at the left and a title on top.

    rows: a list of lists of images. signed: for the labels of rows that are drawn by sign, the
    largest magnitude of their scale.
    """
    figure, axes = new_figure(len(rows), len(rows[0]), size=(inches * len(rows[0]) + 0.4, inches * len(rows) + 0.2))
    for r, (row, label) in enumerate(zip(rows, labels, strict=True)):
        limit = (signed or {}).get(label)
        for c, image in enumerate(row):
            limits = None if limit is None else (-limit, limit)
            draw_image(axes[r, c], image, titles[c] if r == 0 else "", signed=limit is not None, limits=limits)
        axes[r, 0].set_ylabel(label)
    return figure


def patches_to_columns(image: torch.Tensor, columns: torch.Tensor, kernel_size: tuple[int, int], chosen: Sequence[int]) -> Figure:
    """An image [H, W] and its im2col matrix [KH * KW, OH * OW], with the same patches framed."""
    names = ("blue", "vermilion", "green")
    KH, KW = kernel_size
    OW = image.shape[1] - KW + 1
    frames = [(p // OW, p % OW, KH, KW, name) for p, name in zip(chosen, names, strict=False)]
    stripes = [(0, p, KH * KW, 1, name) for p, name in zip(chosen, names, strict=False)]
    figure, axes = new_figure(1, 2, size=(8, 3.6), width_ratios=[image.shape[1], columns.shape[1] + 1])
    draw_numbers(axes[0, 0], image, "image", frames)
    draw_numbers(axes[0, 1], columns, "im2col: one patch in each column", stripes)
    axes[0, 1].set_xlabel("output position")
    axes[0, 1].set_ylabel("position in the kernel")
    return figure


def receptive_fields(
    gradients: Mapping[str, torch.Tensor], fields: Sequence[ReceptiveField], position: Mapping[str, int]
) -> Figure:
    """Measured |gradient| of one output pixel over the input, and the square that is predicted.

    gradients: dict of names and matrices [H, W]; fields: their `ReceptiveField`s; position: the
    output pixel's index, both axes.
    """
    figure, axes = new_figure(1, len(gradients), size=(8, 8 / len(gradients) + 0.5))
    for axis, (name, gradient), field in zip(axes[0], gradients.items(), fields, strict=True):
        axis.imshow((gradient / gradient.max()).numpy(), cmap=SIZE_MAP, vmin=0, vmax=1)
        corner = field.start + position[name] * field.jump - field.size / 2
        axis.add_patch(
            Rectangle((corner, corner), field.size, field.size, fill=False, edgecolor=COLOURS["vermilion"], linewidth=2)
        )
        axis.set_title(f"{name}\npredicted {field.size} x {field.size}")
        axis.set_xticks([])
        axis.set_yticks([])
    return figure


def loss_curves(histories: Mapping[str, Sequence[float]], floor: float = 1e-12, size: tuple[float, float] = (7.6, 3.2)) -> Figure:
    """Losses against the step, one line for each entry of a dict of lists.

    Below `floor` a loss counts as zero and is cut off.
    """
    figure, axes = new_figure(size=size)
    axis = axes[0, 0]
    for (label, losses), style in zip(
        histories.items(), itertools.cycle(("-", "--", "-.", ":", (0, (6, 1, 1, 1)))), strict=False
    ):
        axis.plot(losses, linestyle=style, label=label)
    axis.set(xlabel="step", ylabel="mean squared error", yscale="log")
    axis.set_ylim(bottom=floor)
    # Beside the lines: they may be anywhere.
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure
