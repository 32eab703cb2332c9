"""A whole network: its feature maps to scale, and where its weights and its work lie."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from course_lib.convolution.figures.cells import Picture
from course_lib.viz import GREY_MAP, ROLES, course_style, draw_arrow, new_diagram, new_figure


def _tiles(axis: Axes, x: float, maps: torch.Tensor, side: float) -> float:
    """Maps [C, H, W] as tiles in up to four rows, each as bright as it can be; returns where they end."""
    rows = min(4, len(maps))
    step = 1.06 * side
    strong = maps.flatten(1).quantile(0.995, dim=1).clamp(min=1e-6)
    for c, values in enumerate(maps):
        left, low = x + step * (c // rows), step * (rows / 2 - 1 - c % rows)
        place = (left, left + side, low, low + side)
        axis.imshow((values / strong[c]).numpy(), cmap=GREY_MAP, vmin=0, vmax=1, extent=place)
        axis.add_patch(Rectangle((left, low), side, side, fill=False, edgecolor=ROLES["data"], lw=0.8))
    return x + step * -(-len(maps) // rows)


def _column(axis: Axes, x: float, values: torch.Tensor, height: float, labels: Sequence[str] = ()) -> float:
    """Numbers [F] as a column of cells, dark for large; returns where it ends."""
    side = height / len(values)
    for number, value in enumerate((values / values.abs().max().clamp(min=1e-9)).tolist()):
        low = height / 2 - (number + 1) * side
        axis.add_patch(Rectangle((x, low), 0.75, side, facecolor=ROLES["data"], alpha=max(value, 0.0), lw=0))
        axis.add_patch(Rectangle((x, low), 0.75, side, fill=False, edgecolor=ROLES["data"], lw=0.6))
        if labels:
            axis.text(x + 1.0, low + side / 2, labels[number], va="center", fontsize=8, parse_math=False)
    return x + 0.75


@course_style
def feature_maps(stages: Mapping[str, torch.Tensor], classes: Sequence[str]) -> Picture:
    """A network with what it makes of one image, to scale.

    stages: layer -> what it gives, [C, H, W] or [F], the image first and the probabilities last.
    """
    figure, axis = new_diagram(8, 3.35)
    x, largest = 0.0, max(maps.shape[-1] for maps in stages.values() if maps.dim() == 3)
    last = [*stages][-1]
    for number, (name, maps) in enumerate(stages.items()):
        if number:
            draw_arrow(axis, (x + 0.15, 0), (x + 1.75, 0), "ink")
            axis.text(x + 0.95, 0.2, name.strip().replace(", ", "\n"), ha="center", va="bottom", fontsize=8.5)
            x += 2.0
        if maps.dim() == 3:
            side = 2.0 * maps.shape[-1] / largest
            colour = len(maps) == 3
            if colour:
                axis.imshow(maps.permute(1, 2, 0).numpy(), extent=(x, x + side, -side / 2, side / 2))
            end = x + side if colour else _tiles(axis, x, maps.float(), side)
            said = f"{maps.shape[1]}×{maps.shape[2]}×{maps.shape[0]}"
        else:
            few = list(classes) if name == last and len(maps) <= 12 else ()
            end = _column(axis, x, maps.float(), min(8.0, 0.52 * len(maps)), few)
            said = f"{len(maps)}"
        axis.text((x + end) / 2, -4.75, said, ha="center", va="top", fontsize=9, color=ROLES["data"])
        x = end
    axis.set(xlim=(-0.2, x + 1.0 + 0.22 * max(map(len, classes))), ylim=(-5.3, 4.4))
    shapes = ", ".join("x".join(map(str, maps.shape)) for maps in stages.values())
    alt = (
        f"A convolutional network from left to right, with the shapes {shapes}. Each tensor is drawn as tiles to "
        "scale: the maps of the first layer show edges and areas of the image, later ones are smaller and coarser, and a "
        "column of classes ends it."
    )
    return figure, alt


@course_style
def weights_and_work(plan: Sequence[tuple], steps: Sequence[tuple]) -> Picture:
    """Two rows of bars.

    plan: the layers, ("conv", 8, 5, 2) and so on; steps: (shape after it, weights, multiply-adds) of each.
    """
    figure, axes = new_figure(2, 1, size=(8, 3.3), sharex=True)
    parts = (("weights", 1, ROLES["weight"]), ("multiply-adds per image", 2, ROLES["faint"]))
    for axis, (label, place, colour) in zip(axes[:, 0], parts, strict=True):
        values = [step[place] for step in steps]
        bars = axis.bar(range(len(steps)), values, 0.6, color=colour)
        for bar, value in zip(bars, values, strict=True):
            if value:
                share = value / sum(values)
                said_there = f"{value:,}\n{share:.0%}" if share >= 0.01 else f"{value:,}\n< 1%"
                axis.annotate(said_there, (bar.get_x() + 0.3, value), (0, 2), textcoords="offset points", ha="center", fontsize=8)
        axis.set(ylabel=label.replace(" per image", "\nper image"), yticks=[], ylim=(0, 1.45 * max(*values, 1)))
        axis.yaxis.label.set_color(colour if colour != ROLES["faint"] else ROLES["ink"])
    said = [word + (f" {numbers[1]}×{numbers[1]}" if word == "conv" else "") for word, *numbers in plan]
    names = [f"{name}\n{'×'.join(map(str, (*shape[1:], shape[0])))}" for name, (shape, *_) in zip(said, steps, strict=True)]
    axes[1, 0].set_xticks(range(len(steps)), names, fontsize=8.5)
    columns = [[step[place] for step in steps] for place in (1, 2)]
    most = [said[values.index(max(values))] for values in columns]
    alt = (
        f"Bars for {len(steps)} layers. Above, the weights, of which most lie in {most[0]}; below, the multiply-adds for one "
        f"image, of which most are done in {most[1]}."
    )
    return figure, alt
