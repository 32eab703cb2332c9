"""What the explorers of chapter 3 draw: a table of shapes, and pooled images."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from course_lib.layers.shapes import Step
from course_lib.viz import course_style, draw_image, new_figure


@course_style
def shape_table(steps: Sequence[Step]) -> Figure:
    """A trace of `trace_shapes` as a table: shape, weights and cost of each layer, and the sums."""
    rows = [(s.layer, " x ".join(map(str, s.shape)), f"{s.parameters:,}", f"{s.multiply_adds:,}") for s in steps]
    rows.append(("sum", "", f"{sum(s.parameters for s in steps):,}", f"{sum(s.multiply_adds for s in steps):,}"))
    figure, axes = new_figure(size=(8, 0.27 * (len(rows) + 1)))
    axis = axes[0, 0]
    axis.axis("off")
    columns = ["layer", "shape after it", "weights", "multiply-adds"]
    table = axis.table(rows, colLabels=columns, loc="center", colWidths=[0.38, 0.24, 0.18, 0.2], edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    for (row, column), cell in table.get_celld().items():
        cell.get_text().set_ha("left" if column == 0 else "right")
        cell.get_text().set_weight("bold" if row in (0, len(rows)) else "normal")
        cell.set_edgecolor("0.8")
    return figure


@course_style
def pooled_images(image: torch.Tensor, results: Sequence[torch.Tensor], titles: Sequence[str]) -> Figure:
    """An image [H, W] beside its pooled versions, a list of [OH, OW], each with its size."""
    figure, axes = new_figure(1, 1 + len(results), size=(8, 8 / (1 + len(results)) + 0.4))
    for axis, picture, title in zip(axes[0], [image, *results], ["image", *titles], strict=True):
        draw_image(axis, picture, f"{title}\n{picture.shape[0]} x {picture.shape[1]}")
        axis.title.set_fontsize(9)
    return figure
