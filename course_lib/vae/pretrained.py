"""Trained models that come with the package, so that the explorers have something to explore from the first minute on.

Those of "glyphs" and "mnist" are part of the package; one for any other set is trained by `train_vae` and kept under the data
root.
"""

import os
from importlib import resources
from pathlib import Path

import torch

from course_lib.data import Batches, load
from course_lib.data.trained import load_trained, trained_path
from course_lib.runtime import load_weights, pick_device, save_checkpoint
from course_lib.vae.evaluation import evaluate_vae
from course_lib.vae.models import VAE
from course_lib.vae.training import fit_vae

# Epochs over train+validation.
RECIPES = {
    "glyphs": {
        "model": {"latent_size": 16, "size": 32, "widths": (16, 32), "hidden": 128},
        "training": {"epochs": 30, "lr": 3e-3, "binarise": "none"},
    },
    "mnist": {
        "model": {"latent_size": 32, "size": 28, "widths": (16, 32), "hidden": 256},
        "training": {"epochs": 100, "lr": 3e-3, "binarise": "dynamic"},
    },
}
# Any other set: colours have no Bernoulli distribution.
OTHER = {
    "model": {"latent_size": 64, "size": 32, "widths": (32, 64, 128), "hidden": 256, "likelihood": "optimal-gaussian"},
    "training": {"epochs": 20, "lr": 2e-3, "binarise": "none"},
}
SAMPLES = 100
"""K of the importance-weighted bound that is measured on the test set."""


def load_vae(name: str, *, device: torch.device | str | None = None) -> VAE:
    """The trained VAE of a set, in evaluation mode: the one that `train_vae` left under the data root, or else, for "glyphs" and
    "mnist", the package's. ``model.metrics`` says what was measured of it.

    device: `pick_device()` by default. Raises FileNotFoundError where there is none; the message says how to train it.
    """
    device = pick_device() if device is None else torch.device(device)
    checkpoint = load_trained("vaes", name, resources.files("course_lib.vae").joinpath("trained"))
    if checkpoint is None:
        train, path = f"course_lib.vae.train_vae({name!r}) trains one", trained_path("vaes", name)
        raise FileNotFoundError(f"there is no VAE for {name!r}: {train} (minutes on a CPU) and keeps it in {path}")
    model = VAE(**checkpoint.config["model"])
    load_weights(model, checkpoint.weights, f"the VAE of {name}")
    model.metrics = checkpoint.metrics
    return model.to(device, memory_format=torch.channels_last).eval()


def train_vae(
    name: str, *, seed: int = 0, path: str | os.PathLike | None = None, device: torch.device | str | None = None
) -> VAE:
    """Train the VAE of a set on train+validation, measure it once on the test set, and keep it for `load_vae`.

    The weights are rounded to float16 before they are measured and saved: half the bytes, and a difference in the bound that is
    far below its spread over seeds.

    Args:
        name: a set as in `data.load`.
        seed: of the weights, the order of the images and the noise.
        path: the file to write; by default where `load_vae` looks under the data root.
        device: `pick_device()` by default.
    """
    device = pick_device() if device is None else torch.device(device)
    path = trained_path("vaes", name) if path is None else Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)  # minutes of training must not end in a folder that cannot be made
    recipe = RECIPES.get(name, OTHER)
    size, binarise = recipe["model"]["size"], recipe["training"]["binarise"]
    images, test = load(name, "train+validation", size=size), load(name, "test", size=size)
    torch.manual_seed(seed)
    model = VAE(channels=images.images.shape[1], **recipe["model"])
    batches = Batches(
        images,
        batch_size=min(128, len(images)),
        drop_last=True,
        generator=torch.Generator().manual_seed(seed),
        device=device,
        channels_last=True,
    )
    run = fit_vae(model, batches, noise=torch.Generator().manual_seed(seed), **recipe["training"])
    if run.stopped:
        raise KeyboardInterrupt(f"the training of the VAE was stopped after {run.step} steps; nothing was saved")
    rounded = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    model.load_state_dict(rounded)
    result = evaluate_vae(model, test, samples=SAMPLES, binarise=binarise)
    model.metrics = {
        "test_elbo": result.elbo,
        "test_reconstruction": result.reconstruction,
        "test_kl": result.kl,
        "test_bound": result.bound,
        "samples": SAMPLES,
        "binarise": binarise,
    }
    config = {"model": model.config, "data": name, "seed": seed, "training": recipe["training"]}
    save_checkpoint(path, rounded, config=config, metrics=model.metrics)
    return model
