"""Conditional generators that have been trained for longer than a notebook has time."""

from pathlib import Path
from typing import NamedTuple

import torch

from course_lib.data import load
from course_lib.gan import Generator, sample
from course_lib.metrics import feature_statistics, features_of, frechet_distance, variety
from course_lib.pretrained.judge import load_judge
from course_lib.pretrained.kept import keep, load_kept, prepare, trained

SAMPLES = 10_000
NETWORKS = "gan --size 32 --conditional --latent-size 64 --widths 128,64,32 --batch-size 64 --average-decay 0.999"
# Handwriting needs the penalty: without it the discriminator runs away (0.97 against 0.03 after
# 1,500 steps), and after 9,000 steps each digit was one image.
RECIPES = {
    "glyphs": f"{NETWORKS} --steps 14000 --generator-lr 2e-3 --discriminator-lr 2e-3",
    "mnist": f"{NETWORKS} --steps 4000 --generator-lr 1e-3 --discriminator-lr 1e-3 --r1 0.5",
}


class Pretrained(NamedTuple):
    """What `load_generator` returns: a conditional generator, the names of its classes, and what
    was measured of it.
    """

    generator: Generator
    classes: list[str]
    metrics: dict


def load_generator(name: str, *, device: torch.device | str | None = None) -> Pretrained:
    """The conditional generator of a set: it takes z and a label, and its weights do not change.

    It is the one that `train_generator` left under the data root, or else the package's. Its
    metrics are "frechet_distance" (10,000 samples against the test set, in the features of the
    set's judge), "right" (the share of them in which the judge saw the class that was asked for),
    "variety" (the standard deviation of a pixel within a class, divided by that of the test images:
    0 if every digit is always the same), "steps" and "seconds".

    device: `pick_device()` by default. Raises FileNotFoundError where there is none, or where
    the classes or images of a folder have changed since; the message says how to train it.
    """
    G, checkpoint = load_kept("generator", name, Generator, device)
    return Pretrained(G.requires_grad_(False), checkpoint.config["classes"], checkpoint.metrics)


def train_generator(
    name: str, *, seed: int = 0, path: str | Path | None = None, device: torch.device | str | None = None
) -> Pretrained:
    """Train the generator of a set on train+validation, measure it by the set's judge, and keep it
    for `load_generator`.

    What is kept is the moving average of the generator that plays.

    Args:
        name: a set as in `data.load` that has a judge (see `train_judge`).
        seed: of the weights, the order of the images and the noise.
        path: the file to write; by default where `load_generator` looks under the data root.
        device: `pick_device()` by default.
    """
    judge = load_judge(name, device="cpu")
    recipe = RECIPES.get(name, RECIPES["mnist"])
    path, options = prepare("generator", name, path, recipe, seed=seed, device=device)
    test = load(name, "test", size=options.size)
    classes, real = len(test.classes), test.pixels()
    # Before the training, which takes minutes: both refuse a test set that is too small to measure
    # by.
    truth, real_variety = feature_statistics(features_of(judge.features, real)), variety(real, test.labels, classes)
    average, run, images = trained(options)
    labels = torch.arange(SAMPLES) % classes
    fake = sample(average, SAMPLES, torch.Generator().manual_seed(seed + 1), labels)
    metrics = {
        "frechet_distance": frechet_distance(*feature_statistics(features_of(judge.features, fake)), *truth),
        "right": (features_of(judge, fake).argmax(dim=1) == labels).double().mean().item(),
        "variety": variety(fake, labels, classes) / real_variety,
        "steps": run.step,
        "seconds": run.seconds,
    }
    keep(path, average, {"model": average.config, "seed": seed, "training": recipe}, images, metrics)
    return Pretrained(average.eval().requires_grad_(False), images.classes, metrics)
