"""What kernels make of images."""

from collections.abc import Mapping, Sequence

import torch

from course_lib.convolution.figures.cells import Picture, draw_kernel, draw_response
from course_lib.viz import LINES, course_style, draw_image, new_figure


@course_style
def photograph_and_edges(image: torch.Tensor, response: torch.Tensor) -> Picture:
    """A grey photograph [H, W] and what an edge detector made of it."""
    figure, axes = new_figure(1, 2, size=(8, 4.0))
    draw_image(axes[0, 0], image, f"image, {image.shape[0]} × {image.shape[1]}")
    strong = response.abs().flatten().quantile(0.99).item()
    draw_image(axes[0, 1], response, f"output, {response.shape[0]} × {response.shape[1]}", signed=True, limits=(-strong, strong))
    alt = (
        "A portrait, and beside it the response of a kernel that compares right with left: upright outlines in orange where it "
        "gets brighter to the right and purple where it gets darker, white where nothing changes."
    )
    return figure, alt


@course_style
def colour(image: torch.Tensor, response: torch.Tensor) -> Picture:
    """A colour photograph [3, H, W] and the response [OH, OW] of a kernel with three channels."""
    figure, axes = new_figure(1, 2, size=(8, 4.0))
    draw_image(axes[0, 0], image, "image, 3 channels")
    draw_image(axes[0, 1], response, "output, 1 channel", signed=True)
    alt = (
        "A portrait in colour, and beside it the response of a kernel that compares red with green and blue: the face is orange, "
        "the blue background purple, and the white cap, the grey hair and the black jacket are nearly white."
    )
    return figure, alt


@course_style
def gallery(responses: Mapping[str, tuple[torch.Tensor, torch.Tensor]], columns: int = 4) -> Picture:
    """What kernels make of one image: each kernel, and its response below it.

    responses: name -> (kernel [KH, KW], response [OH, OW] of an image in [0, 1]).
    """
    rows = -(-len(responses) // columns)
    figure, axes = new_figure(2 * rows, columns, size=(8, 3.2 * rows), height_ratios=[1.1, 2] * rows)
    for axis in axes.flat:
        axis.axis("off")
    for number, (name, (kernel, response)) in enumerate(responses.items()):
        row, column = 2 * (number // columns), number % columns
        axes[row, column].axis("on")
        axes[row + 1, column].axis("on")
        draw_kernel(axes[row, column], kernel, name)
        draw_response(axes[row + 1, column], response, kernel)
    alt = f"A portrait filtered by {len(responses)} kernels, each drawn above its response: {', '.join(responses)}."
    return figure, alt


@course_style
def letters(images: torch.Tensor, maps: torch.Tensor, threshold: float) -> Picture:
    """Letters [N, 1, H, W], their maps [N, 2, H, W] of two diagonals, and what each is called."""
    labels = ("letter", "falling\ndiagonal", "rising\ndiagonal")
    figure, axes = new_figure(3, len(images), size=(8, 5.4))
    for column, score in enumerate(maps.amax(dim=(2, 3)).sum(dim=1).tolist()):
        draw_image(axes[0, column], images[column], f"score {score:.0f}: {'X' if score > threshold else 'O'}")
        for row in (0, 1):
            draw_image(axes[row + 1, column], maps[column, row], signed=True, limits=(-5, 5))
    for row, label in enumerate(labels):
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    alt = (
        "Letters X and O in the upper row, below them the maps of the falling and of the rising diagonal detector. For each X "
        "both maps have a dark orange line along a diagonal; for each O they have none."
    )
    return figure, alt


@course_style
def rings(widths: Sequence[int], scores: Sequence[float], images: Sequence[torch.Tensor], threshold: float) -> Picture:
    """The X score of rings over their width, and some of the rings."""
    figure = new_figure(size=(8, 3.6))[0]
    figure.clear()
    grid = figure.add_gridspec(2, len(images), height_ratios=[2.1, 1])
    axis = figure.add_subplot(grid[0, :])
    called = [score > threshold for score in scores]
    axis.vlines(widths, 0, scores, color="0.8", lw=1)
    for wrong, marker, label in ((False, "o", "rightly called O"), (True, "X", "called X")):
        chosen = [(w, s) for w, s, x in zip(widths, scores, called, strict=True) if x is wrong]
        axis.plot(*zip(*chosen, strict=True), marker, color=LINES[1 if wrong else 0], markersize=8 if wrong else 6, label=label)
    axis.axhline(threshold, color="0.4", linestyle=":", lw=1)
    axis.text(widths[0] - 2, threshold, "threshold", fontsize=8.5, va="bottom", color="0.35")
    axis.set(xlabel="width of the ring in pixels", ylabel="X score", ylim=(0, 11), xticks=list(widths)[::2])
    axis.legend(fontsize=8.5, loc="upper left", ncols=2, bbox_to_anchor=(0, 1.18))
    for column, image in enumerate(images):
        draw_image(figure.add_subplot(grid[1, column]), image, f"{image.shape[-1]} pixels")
    alt = (
        "The X score of rings drawn one pixel thick, over their width. Most stay below the threshold; some, scattered over the "
        "larger widths, jump above it and are called X, while many of their neighbours are not. Below, some of the rings."
    )
    return figure, alt


@course_style
def broken_equivariance(differences: Mapping[str, torch.Tensor]) -> Picture:
    """How far two responses differ after they were moved onto each other: setting -> [OH, OW]."""
    figure, axes = new_figure(1, len(differences), size=(8, 2.4))
    for axis, (name, difference) in zip(axes[0], differences.items(), strict=True):
        wrong = int((difference > 1e-6).sum())
        draw_image(axis, difference, f"{name}\n{wrong:,} of {difference.numel():,} differ", signed=True, limits=(-0.3, 0.3))
        axis.title.set_fontsize(9)
    alt = (
        "Maps of the difference between two responses that should agree, white for none. Without padding: white. With padding 1: "
        "white but for a frame one pixel wide. With stride 2 and an even shift: white. With stride 2 and an odd shift: orange "
        "nearly everywhere."
    )
    return figure, alt


@course_style
def edges_of(images: torch.Tensor, edges: torch.Tensor, titles: Sequence[str]) -> Picture:
    """Images [N, 1, H, W] with their responses [N, 2, H, W] to the two Sobel kernels below them."""
    figure, axes = new_figure(3, len(images), size=(8, 0.3 + 3 * 7.2 / max(len(images), 4)))
    for column, title in enumerate(titles):
        draw_image(axes[0, column], images[column], title)
        for row in (0, 1):
            draw_image(axes[row + 1, column], edges[column, row], signed=True, limits=(-3, 3))
    for row, label in enumerate(("image", "left to\nright", "top to\nbottom")):
        axes[row, 0].set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    alt = (
        "One image of each class; below it the response of the Sobel kernel that compares right with left, which marks upright "
        "strokes, and of the one that compares below with above, which marks level ones."
    )
    return figure, alt


@course_style
def noisy(images: torch.Tensor, titles: Sequence[str]) -> Picture:
    """Some letters of the open task."""
    figure, axes = new_figure(2, len(images) // 2, size=(8, 2.1))
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        draw_image(axis, image, title)
        axis.title.set_fontsize(9)
    alt = "Letters X and O of many sizes, tilted, squeezed and under strong noise, so that some can hardly be told apart."
    return figure, alt
