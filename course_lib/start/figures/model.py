"""Pictures of naive Bayes: what it has learned, its mistakes, and its drawings."""

from collections.abc import Callable, Sequence

import torch
from matplotlib.figure import Figure

from course_lib.start.figures.images import Picture
from course_lib.viz import ROLES, course_style, image_grid


@course_style
def theta_forms(fit: Callable, x: torch.Tensor, y: torch.Tensor, classes: Sequence[str], height: int) -> tuple[list[Figure], str]:
    """Animation: theta of up to ten classes after more and more images, as `fit` learns it.

    fit: (x, y, classes) -> theta [classes, D], log p(y). The first frame shows what all images give.
    """
    counts = sorted({min(round(4 * 2**step), len(x)) for step in range(13)})
    frames = []
    for count in [len(x), *counts]:
        theta, _ = fit(x[:count], y[:count], len(classes))
        shown = list(theta[:10].float().unflatten(1, (height, -1)))
        figure = image_grid(shown, list(classes[:10]), columns=5, inches=1.15)
        figure.suptitle(f"after {count:,} images", fontsize=10)
        frames.append(figure)
    alt = "Animation: for each class the probability that a pixel is white, first blots of a few images, then soft averages."
    return frames, alt


@course_style
def mistakes(images: torch.Tensor, labels: torch.Tensor, p: torch.Tensor, classes: Sequence[str], count: int = 10) -> Picture:
    """The first mistakes in which the model is surer than 0.9 of a wrong class; fewer where there are fewer.

    images: [N, C, H, W], labels [N], p: p(y|x) [N, K].
    """
    sure, said = p.max(dim=1)
    places = ((said != labels) & (sure > 0.9)).nonzero()[:count, 0].tolist() or [int(sure.argmin())]
    titles = [f"said {classes[int(said[place])]}: {sure[place]:.3f}\nit is {classes[int(labels[place])]}" for place in places]
    figure = image_grid(images[places], titles, columns=5, inches=1.4)
    return figure, "Test images that the model takes for another class, each with what it said, how sure it was, and what it is."


@course_style
def drawings(real: torch.Tensor, drawn: torch.Tensor, labels: torch.Tensor, classes: Sequence[str], height: int) -> Picture:
    """Above, images of 0 and 1 as the model sees them; below, what it drew, with the labels that it drew first.

    real, drawn: [N, D] of 0 and 1; labels: [N] of the drawn ones.
    """
    count = min(8, len(real), len(drawn))
    images = [image.float().reshape(height, -1) for rows in (real, drawn) for image in rows[:count]]
    titles = [*[""] * count, *(classes[label] for label in labels[:count].tolist())]
    figure = image_grid(images, titles, columns=count, inches=0.82, row_labels=["real", "drawn"])
    for axis in figure.axes[count : 2 * count]:
        for side in axis.spines.values():
            side.set(color=ROLES["generated"], linewidth=2)
    return figure, "Above, real images in black and white. Below, images that the model drew: clouds of dots in rough shapes."
