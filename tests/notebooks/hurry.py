"""What makes a notebook hurry: everything is done, and little of it is learned. nbval does the whole.

HURRY and SKETCHES are code to run after the set-up cell.
"""

import re

ON_THE_PAGE = ((re.compile(r"(?mi)^(steps) = \d+"), r"\1 = 60"), (re.compile(r"(?m)^EPOCHS = .*"), "EPOCHS = 1"))


def hurried(source: str) -> str:
    """A cell with fewer steps, where its loop stands on the page."""
    for pattern, less in ON_THE_PAGE:
        source = pattern.sub(less, source)
    return source


HURRY = """
import copy
import functools
import itertools

import course_lib.gan.mistakes
import course_lib.vae.mistakes
from course_lib import classification, gan, vae, viz
from course_lib.exercises import drawing_gan


def short_epochs(fit):
    @functools.wraps(fit)
    def fit_less(model, batches, *arguments, **settings):
        few = copy.copy(batches)
        few.images = batches.images[: 3 * batches.batch_size]
        few.targets = None if batches.targets is None else batches.targets[: len(few.images)]
        settings["epochs"] = min(settings["epochs"], 2)  # a set of few images is gone through often
        return fit(model, few, *arguments, **settings)

    return fit_less


def few_steps(fit, most):
    @functools.wraps(fit)
    def fit_less(*arguments, steps, **settings):
        return fit(*arguments, steps=min(steps, most), **settings)

    return fit_less


classification.fit_classifier = short_epochs(classification.fit_classifier)
gan.fit_gan = few_steps(gan.fit_gan, most=40)
drawing_gan.forever = few_steps(drawing_gan.forever, most=40)
gan.mistakes.play = few_steps(gan.mistakes.play, most=110)  # in one of them the generator waits for 100 steps
vae.fit_vae = short_epochs(vae.fit_vae)
vae.mistakes.learn = few_steps(vae.mistakes.learn, most=40)
whole_animation = viz.show_animation
viz.show_animation = lambda figures, *rest, **more: whole_animation(itertools.islice(figures, 2), *rest, **more)
"""
# Pictures of a fifth of the pixels along each side, with nothing moved to make room.
SKETCHES = """
import sys

drawing, style = sys.modules["course_lib.viz.show"], sys.modules["course_lib.viz.style"]
drawing.png = functools.partial(drawing.png, dpi=40)
style.Figure = lambda figsize, layout, whole=style.Figure: whole(figsize=figsize)
"""
