"""Pictures of the data: first images, typefaces, and one image with its factors."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.data import RANGES, TYPEFACES, ImageSet, make_factors, render
from course_lib.viz import COLOURS, ROLES, course_style, draw_image, image_grid, new_figure

Picture = tuple[Figure, str]
"""A figure and its alternative text: `show(*picture)`."""

LIMITS = {"angle": (-90, 90), "height": (8, 30), "shear": (-0.6, 0.6), "x": (4, 28), "y": (4, 28)}
"""How far the explorer's sliders reach."""


@course_style
def first_images(sets: Mapping[str, ImageSet], count: int = 8) -> Picture:
    """A row with the first images of each set."""
    images = [image for found in sets.values() for image in found.images[:count]]
    titles = [found.classes[y] for found in sets.values() for y in found.labels[:count]]
    alt = f"The first {count} images, with their labels, of the sets {' and '.join(sets)}."
    return image_grid(images, titles, columns=count, inches=0.78, row_labels=list(sets)), alt


@course_style
def typeface_table(digits: Sequence[int] = (1, 2, 4, 7), columns: int = 7) -> Picture:
    """Every typeface with some of its digits; at the end, framed, those that are held out."""
    faces = sorted(range(len(TYPEFACES)), key=lambda number: TYPEFACES[number].held_out)
    rows = -(-len(faces) // columns)
    figure, axes = new_figure(rows, columns, size=(8, 0.62 * rows))
    for axis in axes.flat[len(faces) :]:
        axis.set_visible(False)
    for axis, face in zip(axes.flat, faces, strict=False):
        images, _ = render(make_factors(digit=digits, typeface=face, height=26.0))
        draw_image(axis, torch.cat([image[0, 2:-2, 6:-6] for image in images], dim=1))  # narrow margins, digits side by side
        if TYPEFACES[face].held_out:
            for side in axis.spines.values():
                side.set(color=COLOURS["vermilion"], linewidth=2.5)
    held_out = sum(face.held_out for face in TYPEFACES)
    alt = (
        f"The digits {', '.join(map(str, digits))} in each of {len(faces)} typefaces; the last {held_out}, framed, are held out."
    )
    return figure, alt


@course_style
def image_with_factors(factors: dict[str, torch.Tensor]) -> Figure:
    """One image from its factors (a dict with one row), and where they lie in the ranges of the data."""
    images, masks = render(factors)
    name = "glyphs-color" if "texture" in factors else "glyphs"
    figure, axes = new_figure(1, 2, size=(8, 2.9), width_ratios=[1, 1.7])
    draw_image(axes[0, 0], images[0])
    axes[0, 0].contour(masks[0].float().reshape(masks.shape[-2:]), levels=[0.5], colors=COLOURS["vermilion"], linewidths=1.2)
    axes[0, 0].set_xlabel("32 x 32 pixels; outlined: the digit's mask", fontsize=8.5)
    axis = axes[0, 1]
    for row, (factor, (left, right)) in enumerate(LIMITS.items()):
        value, (low, high) = factors[factor][0].item(), RANGES[name][factor]
        share = lambda number, left=left, right=right: (number - left) / (right - left)  # noqa: E731
        axis.plot([0, 1], [row, row], color="0.85", linewidth=2)
        axis.plot([share(low), share(high)], [row, row], color=ROLES["data"], linewidth=9, alpha=0.3, solid_capstyle="butt")
        inside = low <= value <= high
        axis.plot(share(value), row, "o", color=ROLES["data"] if inside else COLOURS["vermilion"], markersize=9)
        axis.text(1.04, row, f"{round(value, 2):g}" + ("" if inside else "  outside the data"), va="center", fontsize=9)
    axis.set(xlim=(-0.02, 1.5), ylim=(4.6, -0.8), yticks=range(len(LIMITS)), yticklabels=list(LIMITS), xticks=[])
    axis.set_title(f"shaded: the ranges from which {name} is drawn", loc="left", fontsize=9)
    axis.tick_params(length=0)
    for side in axis.spines.values():
        side.set_visible(False)
    return figure
