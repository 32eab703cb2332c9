"""Where trained models lie, and what the recipes share: `prepare`, `trained`, measure, `keep`.

A recipe is a line of `python -m course_lib train`: typed, it trains the same weights.
"""

import argparse
import hashlib
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from course_lib.data import ImageSet, data_root, load
from course_lib.data.tree import normal
from course_lib.runtime import Checkpoint, load_checkpoint, load_weights, pick_device, save_checkpoint
from course_lib.training import Run

WEIGHTS = Path(__file__).parent / "weights"  # what comes with the package, as KINDs/NAME.pt
Model = TypeVar("Model", bound=nn.Module)


def kept_path(kind: str, name: str) -> Path:
    """Where a reader's model of a kind ("judge", "generator", "vae") for a set lies, under the data
    root.

    name: a set as in `data.load`. Folders are told apart by their full path, private sets by a
    digest: the word stands in no file name.
    """
    if name.startswith("private:"):
        name = f"private-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
    if name.startswith("folder:"):
        folder = Path(os.path.expanduser(name.removeprefix("folder:"))).resolve()
        name = f"folder-{normal(folder.name)[:40]}-{hashlib.sha256(os.fsencode(normal(str(folder)))).hexdigest()[:12]}"
    return data_root() / f"{kind}s" / f"{name}.pt"


def load_kept(kind: str, name: str, build: Callable[..., Model], device: torch.device | str | None) -> tuple[Model, Checkpoint]:
    """The model that a reader trained for a set, or else the package's, in evaluation mode, with
    all that is known of it.

    Raises FileNotFoundError where there is neither, or where the classes or images of a folder are
    no longer those that its model learned from.
    """
    own, packaged = kept_path(kind, name), WEIGHTS / f"{kind}s" / f"{name}.pt"
    train = f"course_lib.pretrained.train_{kind}({name!r})"
    if not own.is_file() and not packaged.is_file():
        raise FileNotFoundError(f"no {kind} for {name!r} is in {own.parent}: {train} trains one (minutes on a CPU)")
    checkpoint = load_checkpoint(own if own.is_file() else packaged)
    if name.startswith("folder:"):
        known = checkpoint.config["data"]
        images, classes = load(name, "train+validation", size=known.get("size")), checkpoint.config["classes"]
        if images.classes != classes or _digest(images) != known["digest"]:
            now = f"the classes {', '.join(images.classes)} and {len(images):,} images to learn from"
            before = f"other ones, {', '.join(classes)} and {known['images']:,}"
            raise FileNotFoundError(f"{name} has {now}, and its {kind} learned from {before}: {train} trains it again")
    model = build(**checkpoint.config["model"])
    load_weights(model, checkpoint.weights, f"the {kind} of {name}")
    return model.eval().to(pick_device(device)).to(memory_format=torch.channels_last), checkpoint


def prepare(
    kind: str, name: str, path: str | Path | None, recipe: str, *, seed: int, device: torch.device | str | None
) -> tuple[Path, argparse.Namespace]:
    """What a recipe begins with: the file to write, and the options of the command that trains the
    same weights, which is printed.

    recipe: the chapter and the options that are this model's own. Raises OSError where the folder
    of a path that was given cannot be made: before the training, which takes minutes.
    """
    from course_lib import train  # it draws

    if path is not None:
        path = Path(os.path.expanduser(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            way_out = "choose another path, or another folder with the environment variable COURSE_DATA"
            raise OSError(f"there is no {path.parent}, and it cannot be made ({error.strerror}): {way_out}") from None
    line = [*recipe.split(), "--data", name, "--split", "train+validation", "--seed", str(seed), "--no-bfloat16"]
    line += [] if device is None else ["--device", str(device)]
    line += ["--out", f"runs/{kind}-{kept_path(kind, name).stem}"]
    print("python -m course_lib train", shlex.join(line), flush=True)
    return path or kept_path(kind, name), train.parse(line)


def trained(options: argparse.Namespace) -> tuple[Any, Run, ImageSet]:
    """The model that the command trains, its run, and the images that it learned from; nothing is
    written.

    Raises KeyboardInterrupt if the training was stopped: nobody should find half a model later.
    """
    from course_lib import train

    images, models, fit, _ = train.prepare(options, pick_device(options.device))
    run = fit()
    if run.stopped:
        raise KeyboardInterrupt(f"the training was stopped after {run.step} steps; nothing was saved")
    return models["model"], run, images


def keep(path: Path, model: nn.Module | Mapping[str, torch.Tensor], config: Mapping, images: ImageSet, metrics: Mapping) -> None:
    """Save a model with its classes, and with the name, the number, the size and a digest of the
    images that it learned from. Where that cannot be written, print so: the model can be used.
    """
    data = {"name": images.name, "images": len(images), "size": images.images.shape[-1], "digest": _digest(images)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, model, config={**config, "classes": images.classes, "data": data}, metrics=metrics)
    except (OSError, RuntimeError) as error:
        way_out = "the environment variable COURSE_DATA names another folder"
        print(f"The model can be used, but not kept in {path} ({' '.join(str(error).split())}): {way_out}.")


def _digest(images: ImageSet) -> str:
    digest = hashlib.sha256(images.images.numpy().data)
    digest.update(images.labels.numpy().data)
    return digest.hexdigest()
