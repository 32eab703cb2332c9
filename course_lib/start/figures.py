"""The pictures of chapter 0: what each factor of an embedded image does, and two directions."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from course_lib.data import FACTORS, RANGES, TYPEFACES, make_factors, render
from course_lib.viz import COLOURS, draw_image, new_figure


def factor_strips(steps: int = 7, digit: int = 4, typeface: str = "DejaVu Serif") -> Figure:
    """A row for each continuous factor of `glyphs`: one digit, as it goes through its range."""
    ranges = RANGES["glyphs"]
    figure, axes = new_figure(len(ranges), steps, size=(7, 1.12 * len(ranges)))
    for row, (factor, (low, high)) in zip(axes, ranges.items(), strict=True):
        values = torch.linspace(low, high, steps, dtype=torch.float32, device="cpu")
        images, _ = render(make_factors("glyphs", digit=digit, typeface=typeface, **{factor: values}))
        for axis, image, value in zip(row, images, values.tolist(), strict=True):
            draw_image(axis, image)
            axis.set_title(f"{round(value, 3) + 0.0:g}", fontsize=8)
        row[0].set_ylabel(factor)
    return figure


def typeface_table(digits: Sequence[int] = (0, 1, 2, 4, 7), columns: int = 5) -> Figure:
    """Every typeface with some of its digits; at the end, framed, those that are held out."""
    faces = sorted(range(len(TYPEFACES)), key=lambda number: TYPEFACES[number].held_out)
    rows = -(-len(faces) // columns)
    figure, axes = new_figure(rows, columns, size=(9, 0.82 * rows))
    for axis in axes.flat[len(faces) :]:
        axis.set_visible(False)
    for axis, face in zip(axes.flat, faces, strict=False):
        images, _ = render(make_factors(digit=digits, typeface=face, height=26.0))
        strip = torch.cat([image[0, 2:-2, 6:-6] for image in images], dim=1)  # narrow margins, digits side by side
        draw_image(axis, strip)
        axis.set_title(TYPEFACES[face].name, fontsize=8)
        if TYPEFACES[face].held_out:
            for side in axis.spines.values():
                side.set(color=COLOURS["vermilion"], linewidth=2.5)
    return figure


def two_directions(
    image: torch.Tensor, probabilities: torch.Tensor, classes: Sequence[str], samples: list[tuple[str, torch.Tensor]]
) -> Figure:
    """Left: one image and p(y|x), from image to label.

    Right: a label and images drawn from p(x|y), from label to image.

    image: [1, H, W], probabilities: [K], samples: list of (class, image).
    """
    figure, axes = new_figure(1, 4, size=(9, 2.7), width_ratios=[1, 1.5, 1, 2.2])
    draw_image(axes[0, 0], image, "an image $x$")
    axes[0, 1].barh(range(len(classes)), torch.as_tensor(probabilities).tolist(), color=COLOURS["blue"])
    axes[0, 1].set(
        yticks=range(len(classes)), yticklabels=classes, xlim=(0, 1), xlabel="probability", title="$p(y\\,|\\,x)$: recognising"
    )
    axes[0, 1].invert_yaxis()
    axes[0, 2].axis("off")
    wanted = samples[0][0]
    axes[0, 2].text(0.5, 0.5, f"$y$ = {wanted}", ha="center", va="center", fontsize=16)
    axes[0, 2].add_patch(
        FancyArrowPatch(
            (0.75, 0.5), (1.15, 0.5), arrowstyle="->", mutation_scale=18, transform=axes[0, 2].transAxes, clip_on=False
        )
    )
    axes[0, 3].axis("off")
    axes[0, 3].set_title("$p(x\\,|\\,y)$: generating")
    for number, (_, sample) in enumerate(samples[:6]):
        row, column = divmod(number, 3)
        inset = axes[0, 3].inset_axes((column / 3 + 0.01, 0.5 - row * 0.5, 0.31, 0.47))
        draw_image(inset, sample)
    return figure


def describe(factors: dict[str, torch.Tensor]) -> str:
    """The factors of one image as lines of text."""
    lines = []
    for name in FACTORS:
        if name in factors:
            values = [round(value, 2) for value in factors[name][0].reshape(-1).tolist()]
            text = TYPEFACES[int(values[0])].name if name == "typeface" else ", ".join(f"{value:g}" for value in values)
            lines.append(f"{name}: {text}")
    return "\n".join(lines)


def image_with_factors(factors: dict[str, torch.Tensor], size: int = 64) -> Figure:
    """One image from its factors (a dict with one row), large, with its mask and the factors."""
    images, masks = render(factors, size=size)
    figure, axes = new_figure(1, 3, size=(8, 3), width_ratios=[1, 1, 1.1])
    draw_image(axes[0, 0], images[0], "image")
    draw_image(axes[0, 1], masks[0], "mask of the digit")
    axes[0, 2].axis("off")
    axes[0, 2].text(0, 0.5, describe(factors), va="center", fontsize=8, transform=axes[0, 2].transAxes)
    return figure
