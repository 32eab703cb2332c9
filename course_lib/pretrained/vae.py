"""Variational autoencoders that have been trained for longer than a notebook has time."""

from pathlib import Path

import torch

from course_lib.data import load
from course_lib.pretrained.kept import keep, load_kept, prepare, trained
from course_lib.vae import VAE, evaluate_vae

RECIPES = {
    "glyphs": "vae --size 32 --latent-size 16 --widths 16,32 --hidden 128 --epochs 30 --lr 3e-3",
    "mnist": "vae --size 28 --latent-size 32 --widths 16,32 --hidden 256 --epochs 100 --lr 3e-3 --binarise dynamic",
    # Any other set: colours have no Bernoulli distribution.
    "other": "vae --size 32 --latent-size 64 --widths 32,64,128 --hidden 256 --likelihood optimal-gaussian --epochs 20 --lr 2e-3",
}
SAMPLES = 100  # K of the importance-weighted bound that is measured on the test set


def load_vae(name: str, *, device: torch.device | str | None = None) -> VAE:
    """The VAE of a set, in evaluation mode: the one that `train_vae` left under the data root, or
    else the package's.

    ``model.metrics`` says what was measured of it: "test_elbo" and more.

    device: `pick_device()` by default. Raises FileNotFoundError where there is none, or where
    the classes or images of a folder have changed since; the message says how to train it.
    """
    model, checkpoint = load_kept("vae", name, VAE, device)
    model.metrics = checkpoint.metrics
    return model


def train_vae(name: str, *, seed: int = 0, path: str | Path | None = None, device: torch.device | str | None = None) -> VAE:
    """Train the VAE of a set on train+validation, measure it once on the test set, and keep it for
    `load_vae`.

    The weights are rounded to float16 before they are measured and saved: half the bytes, and a
    difference in the bound that is far below its spread over seeds.

    Args:
        name: a set as in `data.load`.
        seed: of the weights, the order of the images and the noise.
        path: the file to write; by default where `load_vae` looks under the data root.
        device: `pick_device()` by default.
    """
    recipe = RECIPES.get(name, RECIPES["other"])
    path, options = prepare("vae", name, path, recipe, seed=seed, device=device)
    test = load(name, "test", size=options.size)
    model, _, images = trained(options)
    rounded = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    model.load_state_dict(rounded)
    result = evaluate_vae(model, test, samples=SAMPLES, binarise=options.binarise)
    model.metrics = {
        "test_elbo": result.elbo,
        "test_reconstruction": result.reconstruction,
        "test_kl": result.kl,
        "test_bound": result.bound,
        "samples": SAMPLES,
        "binarise": options.binarise,
    }
    keep(path, rounded, {"model": model.config, "seed": seed, "training": recipe}, images, model.metrics)
    return model
