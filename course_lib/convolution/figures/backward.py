"""The backward pass: stamps, the pixels that a weight meets, patches as columns, mistakes."""

from collections.abc import Sequence

import torch
from matplotlib.patches import Rectangle

from course_lib.convolution.figures.cells import Picture, draw_lines, draw_numbers, frame
from course_lib.convolution.transposed import conv_transpose2d
from course_lib.viz import ROLES, course_style, draw_arrow, draw_cells, draw_image, new_diagram, new_figure


@course_style
def stamps(g: torch.Tensor, w: torch.Tensor) -> Picture:
    """The backward pass in one dimension: three outputs stamp their gradient times the kernel.

    g: [3], w: [K].
    """
    L, K = len(g) + len(w) - 1, len(w)
    figure, axis = new_diagram(8, 3.3, xlim=(0, 17), ylim=(0, 7))
    left, total = 11.2, torch.zeros(L)
    axis.text(1.5, 6.5, "gradient $g$", color=ROLES["gradient"], ha="center")
    axis.text(5.5, 6.5, "kernel $w$", color=ROLES["weight"], ha="center")
    axis.text(left + L / 2, 6.5, "what the inputs receive", ha="center")
    for k, y in enumerate((5.0, 3.6, 2.2)):
        row = torch.full((L,), torch.nan)
        row[k : k + K] = g[k] * w
        total += row.nan_to_num()
        draw_cells(axis, g[k : k + 1].tolist(), 1, y, "gradient", filled=True)
        axis.text(3, y + 0.5, "times", ha="center", va="center", fontsize=9)
        draw_cells(axis, w.tolist(), 4, y, "weight", filled=True)
        said = "stamped at 0" if k == 0 else f"moved by {k}"
        draw_arrow(axis, (7.3, y + 0.5), (left - 0.3, y + 0.5), "gradient", said)
        for n in range(L):
            inside = k <= n < k + K
            place = (left + n, y)
            axis.add_patch(Rectangle(place, 1, 1, facecolor=ROLES["gradient"], alpha=0.22 if inside else 0, lw=0))
            axis.add_patch(Rectangle(place, 1, 1, fill=False, edgecolor="0.75", lw=0.9))
            if inside:
                axis.text(left + n + 0.5, y + 0.5, f"{row[n]:g}", ha="center", va="center")
    axis.plot([left - 0.1, left + L + 0.1], [1.85, 1.85], color=ROLES["ink"], lw=1.2)
    said = "what arrives is added: the gradient of the input"
    axis.text(left - 0.4, 1.0, said, color=ROLES["gradient"], ha="right", va="center")
    draw_cells(axis, total.tolist(), left, 0.5, "gradient", filled=True)
    alt = (
        f"The gradients {_listed(g)} of three outputs, each times the kernel {_listed(w)}, are laid onto five inputs, "
        f"each one place further right. Added up, the inputs receive {_listed(total)}."
    )
    return figure, alt


def _listed(numbers: torch.Tensor) -> str:
    return ", ".join(f"{number:g}" for number in numbers.tolist())


@course_style
def met_pixels(size: int = 7, kernel: int = 3, stride: int = 2) -> Picture:
    """The pixels of a square image that three weights of a square kernel meet."""
    figure, axes = new_figure(1, 3, size=(8, 2.9))
    count = (size - kernel) // stride + 1
    for axis, (kh, kw) in zip(axes[0], ((0, 0), (0, 1), (2, 2)), strict=True):
        draw_image(axis, torch.ones(size, size))
        draw_lines(axis, torch.ones(size, size))
        axis.set_title(f"weight ({kh}, {kw}) meets x[{kh}::{stride}, {kw}::{stride}]", fontsize=9.5)
        for i in range(count):
            for j in range(count):
                row, column = stride * i + kh, stride * j + kw
                frame(axis, row, column, 1, 1, edgecolor=ROLES["weight"], facecolor=ROLES["data"], fill=True, lw=2.2)
                axis.text(column, row, f"$g_{{{i}{j}}}$", ha="center", va="center", color="white", fontsize=9.5)
    alt = (
        f"A {size} x {size} image three times. With stride {stride} each weight of a {kernel} x {kernel} kernel meets "
        f"{count} x {count} pixels, {stride} apart, beginning at the weight's own place; each shows the output it counts for."
    )
    return figure, alt


@course_style
def stamps_2d(g: torch.Tensor, w: torch.Tensor, stride: int = 2) -> Picture:
    """Two stamps in two dimensions and the sum of all of them. g: [2, 2], w: [3, 3]."""
    first, second = torch.zeros_like(g), torch.zeros_like(g)
    first[0, 0], second[0, 1] = g[0, 0], g[0, 1]
    figure, axes = new_figure(1, 5, size=(8, 2.15), width_ratios=[2, 3, 5, 5, 5])
    draw_numbers(axes[0, 0], g, "gradient $g$", tint=torch.ones_like(g))
    draw_numbers(axes[0, 1], w, "kernel $w$", tint=torch.ones_like(w), role="weight")
    titles = ("$g_{00}$ stamps", "$g_{01}$, 2 to the right", "all four, added")
    for axis, gradient, title in zip(axes[0, 2:], (first, second, g), titles, strict=True):
        sent, touched = (
            conv_transpose2d(a[None, None], b[None, None], stride=stride)[0, 0]
            for a, b in ((gradient, w), ((gradient != 0).float(), torch.ones(3, 3)))
        )
        draw_numbers(axis, sent.masked_fill(touched == 0, torch.nan), title, tint=touched, fontsize=8.5)
    for axis in axes[0]:
        axis.title.set_fontsize(9)
    alt = (
        "A 2 x 2 gradient and a 3 x 3 kernel. The first gradient lays the kernel, times itself, onto the upper left 3 x 3 pixels "
        "of a 5 x 5 input, the second two pixels further right. Where the four stamps overlap, the last panel shows their sum."
    )
    return figure, alt


@course_style
def patches_as_columns(image: torch.Tensor, columns: torch.Tensor, chosen: Sequence[int] = (0, 4, 5)) -> Picture:
    """An image [4, 4] with three patches framed, and the same columns of its patches, [4, 9]."""
    figure, axes = new_figure(1, 2, size=(8, 3.1), width_ratios=[4, 9])
    draw_numbers(axes[0, 0], image, "image, and three patches of 2 × 2", tint=torch.zeros_like(image))
    draw_numbers(axes[0, 1], columns, "im2col: each patch is a column", tint=torch.zeros_like(columns))
    axes[0, 1].set_xlabel("output position", fontsize=9)
    for patch, role in zip(chosen, ("data", "gradient", "weight"), strict=True):
        inset = {"data": 0.06, "gradient": 0.06, "weight": 0.11}[role]  # two of the frames overlap
        row, column = patch // 3 + inset, patch % 3 + inset
        frame(axes[0, 0], row, column, 2 - 2 * inset, 2 - 2 * inset, edgecolor=ROLES[role])
        frame(axes[0, 1], inset, patch + inset, 4 - 2 * inset, 1 - 2 * inset, edgecolor=ROLES[role])
    alt = (
        "A 4 x 4 image with the numbers 1 to 16 and three framed patches of 2 x 2 pixels; beside it the 4 x 9 matrix of all "
        "patches, whose framed columns hold the same numbers."
    )
    return figure, alt


@course_style
def sent_back(grids: dict[str, torch.Tensor], right: str) -> Picture:
    """Where one output sends a kernel, by each version: name -> [H, W]; right: the right one."""
    figure, axes = new_figure(1, len(grids), size=(8, 2.45))
    for axis, (name, grid) in zip(axes[0], grids.items(), strict=True):
        role = "weight" if name == right else "gradient"
        draw_numbers(axis, grid.masked_fill(grid == 0, torch.nan), name, tint=grid, role=role, fontsize=8.5)
    alt = (
        "Where one output pixel sends a kernel with the numbers 1 to 9: rightly at rows 3 to 5 and columns 1 to 3; in the same "
        "place but turned by half a turn; one pixel too far down and right; and too far up and left."
    )
    return figure, alt
