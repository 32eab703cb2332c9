"""What a run of the command leaves: its curves, and samples of what it learned to draw."""

from collections.abc import Callable

import torch
from matplotlib.figure import Figure
from torch import nn

from course_lib.data import ImageSet
from course_lib.training.run import Run
from course_lib.viz import COLOURS, course_style, image_grid, new_figure, running_mean


@course_style
def run_curves(run: Run, window: int = 20) -> Figure:
    """A panel for each recorded value: its running mean over `window` steps, and as points what the
    validation set gave after each epoch.
    """
    names = [name for name in run.steps if name != "learning_rate"]
    figure, axes = new_figure(1, len(names), size=(3.2 * len(names), 2.6))
    for axis, name in zip(axes[0], names, strict=True):
        axis.plot(range(1, run.step + 1), running_mean(run.steps[name], window), color=COLOURS["blue"], label="training")
        points = [(epoch["step"], epoch[f"validation_{name}"]) for epoch in run.epochs if f"validation_{name}" in epoch]
        if points:
            axis.plot(*zip(*points, strict=True), "o", color=COLOURS["vermilion"], markersize=4, label="validation")
        axis.set(title=name.replace("_", " "), xlabel="step")
        axis.grid(color="0.92")
    axes[0, 0].legend(fontsize=8)
    return figure


@course_style
def sample_sheet(draw: Callable[..., torch.Tensor], model: nn.Module, count: int = 60) -> Figure:
    """Images that ``draw(model, count, rng, labels)`` makes of fresh z, a column for each class where
    the model has classes.
    """
    classes: int = model.classes  # type: ignore[assignment]
    labels = torch.arange(count) % classes if classes else None
    images = draw(model, count, torch.Generator().manual_seed(0), labels)
    return image_grid(images, columns=classes if 0 < classes <= 12 else 10)


@course_style
def mistake_sheet(images: ImageSet, probabilities: torch.Tensor, count: int = 30) -> Figure:
    """The images that were taken for another class, surest first, as "class: taken for"; where there
    are fewer than `count`, those that were recognised least surely follow.

    probabilities: [N, K], of the N images.
    """
    confidence, taken = probabilities.max(dim=1)
    rows = torch.where(taken == images.labels, -confidence, confidence).argsort(descending=True)[:count]
    titles = [f"{images.classes[images.labels[n]]}: {images.classes[taken[n]]}" for n in rows]
    return image_grid(images.pixels(rows), titles, columns=10)
