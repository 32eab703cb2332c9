"""`python -m course_lib train`: a chapter's model, trained outside a notebook.

    python -m course_lib train classification --data folder:photographs --epochs 20 --out runs/photographs
    torchrun --nproc-per-node=2 -m course_lib train vae --data mnist --epochs 15 --out runs/vae

The folder of ``--out`` gets checkpoint.pt and metrics.json after every epoch (of a GAN every
--watch-every steps), and at the end model.pt, curves.png and samples.png. After a kill the same
command goes on from the checkpoint, exactly, with any number of processes: see `training.devices`.
"""

import argparse
import copy
import functools
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import nn

from course_lib import classification, gan, vae
from course_lib.data import Augment, Batches, ImageSet, load
from course_lib.runtime import load_checkpoint, load_weights, pick_device, save_checkpoint
from course_lib.runtime.device import bfloat16_pays, describe_device
from course_lib.training import Run, World, joined
from course_lib.training.figures import mistake_sheet, run_curves, sample_sheet
from course_lib.viz import png

CLASSIFIERS = {"resnet": "ResNet", "cnn": "CNN", "mlp": "MLP", "linear": "LinearClassifier"}
GAN_LOSSES = ("minimax", "non_saturating", "least_squares", "hinge", "wasserstein")
YES = {"action": "store_true"}

# Options of the command line, as argparse has them: of every chapter; then of each chapter, those
# that go to its model, to its loop, and the others. Where there is no default, the model's own counts.
COMMON: dict[str, dict[str, Any]] = {
    "data": {"required": True, "help": "a set as data.load knows it: glyphs, glyphs-color, mnist, ..., folder:PATH"},
    "out": {"required": True, "type": Path, "help": "the folder that gets checkpoint, model, metrics and figures"},
    "split": {
        "choices": ("train", "train+validation"),
        "default": "train",
        "help": "with train+validation nothing is left to validate on",
    },
    "size": {"type": int, "help": "height and width of the images; by default their own, or 32"},
    "batch_size": {"type": int, "default": 128, "help": "images in a step, of all processes together"},
    "seed": {"type": int, "default": 0, "help": "of the weights, the order and all noise"},
    "device": {"help": "cpu, cuda, ...; by default a GPU where there is one"},
    "bfloat16": {
        "action": argparse.BooleanOptionalAction,
        "help": "by default where it is the faster way: on CPUs with units for it, on GPUs with large batches",
    },
    "compile": {**YES, "help": "takes up to minutes before the first step; pays in long runs on a GPU"},
}
WIDTHS = {"type": lambda text: [int(number) for number in text.split(",")], "help": "channels of the layers, as 32,64,128"}
CONDITIONAL = {"conditional": {**YES, "help": "the networks are told the class"}}
CHAPTERS: dict[str, dict[str, dict[str, dict[str, Any]]]] = {
    "classification": {
        "model": {"widths": WIDTHS},
        "loop": {
            "epochs": {"type": int, "default": 5},
            "lr": {"type": float, "default": 0.1},
            "optimizer": {"choices": ("sgd", "adamw"), "default": "sgd"},
            "weight_decay": {"type": float, "default": 5e-4},
            "label_smoothing": {"type": float, "default": 0.0},
        },
        "other": {
            "network": {"choices": CLASSIFIERS, "default": "resnet"},
            "shift": {"type": int, "default": 0, "help": "move the images by up to so many pixels"},
            "flip": {**YES, "help": "mirror half of the images"},
        },
    },
    "gan": {
        "model": {"widths": WIDTHS, "latent_size": {"type": int, "default": 64}},
        "loop": {
            "steps": {"type": int, "default": 2000},
            "generator_lr": {"type": float, "default": 1e-3},
            "discriminator_lr": {"type": float, "default": 1e-3},
            "average_decay": {"type": float, "default": 0.998},
            "watch_every": {"type": int, "default": 200, "help": "steps between two checkpoints"},
        },
        "other": {
            **CONDITIONAL,
            "loss": {"choices": GAN_LOSSES, "default": "non_saturating"},
            "r1": {"type": float, "default": 0.0, "help": "weight of the penalty on D's gradient at real images"},
            "spectral_norm": YES,
        },
    },
    "vae": {
        "model": {
            "widths": WIDTHS,
            "latent_size": {"type": int},
            "hidden": {"type": int},
            "likelihood": {"help": "bernoulli, gaussian, optimal-gaussian or logistic"},
        },
        "loop": {
            "epochs": {"type": int, "default": 10},
            "lr": {"type": float, "default": 2e-3},
            "binarise": {"default": "none", "help": "none, dynamic or threshold"},
            "beta": {"type": float, "default": 1.0},
            "kl_warm_up": {"type": float, "default": 0.0},
        },
        "other": CONDITIONAL,
    },
}
ELSEWHERE = ("out", "device", "bfloat16", "compile")  # what may differ when a run goes on

Validation = ImageSet | None  # None: nothing is validated
# What is saved, with the model of the chapter as "model"; the loop, which takes the batches; samples.
Plan = tuple[dict[str, nn.Module], Callable[..., Run], Callable[[], Figure]]


def train_classifier(
    options: argparse.Namespace, images: ImageSet, validation: Validation, model: Mapping, loop: Mapping
) -> Plan:
    """Chapter 4's classifiers, and their surest mistakes: in the validation set if there is one."""
    build, evaluate = getattr(classification, CLASSIFIERS[options.network]), classification.evaluate
    classifier = build(*images.images.shape[1:3], len(images.classes), **model).set_statistics(images.images)
    augment = Augment(shift=options.shift, flip=options.flip, rng=torch.Generator().manual_seed(options.seed))
    fit = functools.partial(classification.fit_classifier, classifier, validation=validation, augment=augment, **loop)
    shown = validation or images
    return {"model": classifier}, fit, lambda: mistake_sheet(shown, evaluate(classifier, shown).probabilities)


def train_adversaries(options: argparse.Namespace, images: ImageSet, _: Validation, model: Mapping, loop: Mapping) -> Plan:
    """Chapter 7's generator and discriminator; the model that is kept is the generator's average."""
    shape, classes, r1 = images.images.shape[1:3], len(images.classes) if options.conditional else 0, options.r1
    G = gan.Generator(*shape, classes=classes, **model)
    normal: dict[str, Any] = {"spectral_norm": options.spectral_norm, "batch_norm": False if r1 else None}
    normal |= {"widths": model["widths"][::-1]} if "widths" in model else {}
    D = gan.Discriminator(*shape, classes=classes, **normal)
    settings: dict[str, Any] = {**loop, "average": copy.deepcopy(G), "loss": getattr(gan, options.loss)}
    settings["penalty"] = (lambda D, real, _: r1 * gan.r1_penalty(D, real)) if r1 else None
    fit = functools.partial(gan.fit_gan, G, D, rng=torch.Generator().manual_seed(options.seed), **settings)
    return {"model": settings["average"], "G": G, "D": D}, fit, lambda: sample_sheet(gan.sample, settings["average"])


def train_autoencoder(
    options: argparse.Namespace, images: ImageSet, validation: Validation, model: Mapping, loop: Mapping
) -> Plan:
    """Chapter 9's VAE."""
    classes = len(images.classes) if options.conditional else 0
    autoencoder = vae.VAE(*images.images.shape[1:3], classes=classes, **model)
    rng = torch.Generator().manual_seed(options.seed)
    fit = functools.partial(vae.fit_vae, autoencoder, validation=validation, rng=rng, **loop)
    return {"model": autoencoder}, fit, lambda: sample_sheet(vae.sample, autoencoder)


PLANS = {"classification": train_classifier, "gan": train_adversaries, "vae": train_autoencoder}


def prepare(
    options: argparse.Namespace, device: torch.device
) -> tuple[ImageSet, dict[str, nn.Module], Callable[..., Run], Callable]:
    """What was asked for, before its first step: the images to learn from, the networks with the
    model of the chapter as "model", the loop, which takes `resume` and `watch`, and what draws
    samples. The recipes of `pretrained` begin here too.
    """
    images = load(options.data, options.split, size=options.size)
    validation = load(options.data, "validation", size=options.size) if options.split == "train" else None
    torch.manual_seed(options.seed)
    given = {name: value for name, value in vars(options).items() if value is not None}
    own = [{name: given[name] for name in CHAPTERS[options.chapter][part] if name in given} for part in ("model", "loop")]
    models, fit, samples = PLANS[options.chapter](options, images, validation, *own)
    batch_size, rng = min(options.batch_size, len(images)), torch.Generator().manual_seed(options.seed)
    batches = Batches(images, batch_size=batch_size, drop_last=True, rng=rng, device=device, channels_last=True)
    bfloat16 = bfloat16_pays(device, batch_size) if options.bfloat16 is None else options.bfloat16
    return images, models, functools.partial(fit, batches, bfloat16=bfloat16, compile=options.compile), samples


def train(options: argparse.Namespace, device: torch.device) -> Run:
    """Train what was asked for, or go on with it. The first process alone writes."""
    world, path = World(), options.out / "checkpoint.pt"
    asked = {name: value for name, value in vars(options).items() if name not in ELSEWHERE}
    options.out.mkdir(parents=True, exist_ok=True)
    images, models, fit, samples = prepare(options, device)
    resume, together = None, nn.ModuleDict(models)
    if path.is_file():
        checkpoint = load_checkpoint(path)
        for name in asked:
            if checkpoint.config.get(name) != asked[name]:
                before = f"{checkpoint.config.get(name)!r} in the run of {path}"
                way_out = "give the same options to go on, or another --out to begin anew"
                raise ValueError(f"--{name.replace('_', '-')} is {asked[name]!r}, and {before}: {way_out}")
        load_weights(together, checkpoint.weights, str(path))
        resume = Run.from_state_dict(checkpoint.training)

    def keep(run: Run) -> None:
        if world.rank == 0:
            last = (
                {name: values[-1] for name, values in run.steps.items()}
                | (run.epochs[-1] if run.epochs else {})
                | {"step": run.step}
            )
            where = {"device": describe_device(device), "processes": world.size, "torch": str(torch.__version__)}
            save_checkpoint(path, together, config=asked, metrics=last, training=run.state_dict())
            _write(
                options.out / "metrics.json",
                json.dumps({**last, **where, "options": asked, "epochs": run.epochs}, indent=1).encode(),
            )
            print(", ".join(f"{name} {value:.4g}" for name, value in last.items()), flush=True)

    run = fit(resume=resume, watch=keep)
    keep(run)
    if world.rank == 0:
        config = {"model": models["model"].config, "classes": images.classes, "options": asked}
        save_checkpoint(options.out / "model.pt", models["model"], config=config)
        _write(options.out / "curves.png", png(run_curves(run)))
        _write(options.out / "samples.png", png(samples()))
    return run


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The options of a command line, without its "train"."""
    parser = argparse.ArgumentParser(prog="python -m course_lib train", description=__doc__.split("\n")[0])
    chapters = parser.add_subparsers(dest="chapter", required=True)
    for chapter, parts in CHAPTERS.items():
        of_chapter = chapters.add_parser(chapter, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        for name, settings in {**COMMON, **parts["model"], **parts["loop"], **parts["other"]}.items():
            of_chapter.add_argument(f"--{name.replace('_', '-')}", **settings)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> int:
    """Read the command line, train, and return the exit status. What the reader can mend is one line."""
    options = parse(arguments)
    again = f"The same command goes on from the last checkpoint in {options.out}, if there is one."
    try:
        with joined(pick_device(options.device)) as device:
            run = train(options, device)
    except (ValueError, OSError, ArithmeticError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "WORLD_SIZE" not in os.environ:
            raise  # of several processes, this is how one learns that another has ended
        print(f"error: {error}\n{again}", file=sys.stderr)
        return 1
    if run.stopped:
        print(f"Stopped after {run.step} steps. {again}")
    return 0


def _write(path: Path, contents: bytes) -> None:
    """All of it or nothing: there is never half a file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_bytes(contents)
    os.replace(temporary, path)
