"""The judges: trained classifiers that later chapters ask what a generated image shows, and in whose features they measure.

A judge is a `ResNet` on 32 x 32 pixels. Those of "glyphs" and "mnist" are part of the package; one for any other set is trained
by `train_judge` and kept under the data root.
"""

import os
from importlib import resources
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.classification.augmentation import MAY_FLIP, Augment
from course_lib.classification.evaluation import evaluate
from course_lib.classification.models import ResNet
from course_lib.classification.training import fit_classifier
from course_lib.data import Batches, load
from course_lib.data.trained import load_trained, trained_path
from course_lib.runtime import load_weights, pick_device, save_checkpoint

SIZE = 32
"""Height and width of the images that a judge looks at, in pixels."""

# The first convolution halves the image, which makes all that follows four times cheaper: on a CPU more epochs are worth more
# than a finer grid (CIFAR-10 (JPEG), validation, one seed: 86 % against 83 % in less time).
GREY = {"widths": (16, 32, 64), "stem_stride": 2}
COLOUR = {"widths": (32, 64, 128), "stem_stride": 2}
# Found on the validation sets. Epochs over train+validation; shifts in pixels.
GREY_TRAINING = {"epochs": 8, "shift": 1}
COLOUR_TRAINING = {"epochs": 24, "shift": 3}
LEARNING = {"lr": 0.2, "label_smoothing": 0.1}


class Judge(nn.Module):
    """A trained classifier in evaluation mode whose weights do not change, for images of any size.

    Images of another size than 32 x 32 are resized (bilinear, antialiased) first. Gradients flow through it to the images.

    Attributes:
        classes: the names of the classes.
        metrics: what was measured when it was trained: "test_accuracy" and more.
        feature_count: how many numbers `features` returns for an image.
    """

    def __init__(self, model: ResNet, classes: list[str], metrics: dict) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.classes, self.metrics, self.feature_count = classes, metrics, model.head.in_features
        self.eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> logits [N, classes]."""
        return self.model(self._resized(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> what the last layer sees of them, [N, feature_count]."""
        return self.model.features(self._resized(x))

    def train(self, mode: bool = True) -> "Judge":
        """Stays in evaluation mode whatever is asked: a judge must not depend on what else is in the batch."""
        return super().train(False)

    def _resized(self, x: torch.Tensor) -> torch.Tensor:
        if x.dim() != 4 or not x.is_floating_point():
            return x  # what is no batch of images is refused by the model, with reasons
        low, high = (float(value) for value in torch.aminmax(x.detach())) if x.numel() else (0.0, 1.0)
        if low < -0.01 or high > 1.01:
            way_out = "bring them there first, for example with (x + 1) / 2 or x / 255"
            raise ValueError(f"a judge takes images between 0 and 1, and these lie between {low:.3g} and {high:.3g}: {way_out}")
        if x.shape[2:] == (SIZE, SIZE):
            return x
        return F.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True)


def load_judge(name: str, *, device: torch.device | str | None = None) -> Judge:
    """The judge of a set: the one that `train_judge` left under the data root, or else, for "glyphs" and "mnist", the package's.

    device: `pick_device()` by default. Raises FileNotFoundError where there is none; the message says how to train it.
    """
    device = pick_device() if device is None else torch.device(device)
    checkpoint = load_trained("judges", name, resources.files("course_lib.classification").joinpath("judges"))
    if checkpoint is None:
        train, path = f"course_lib.classification.train_judge({name!r}) trains one", trained_path("judges", name)
        raise FileNotFoundError(f"there is no judge for {name!r}: {train} (minutes on a CPU) and keeps it in {path}")
    model = ResNet(**checkpoint.config["model"])
    load_weights(model, checkpoint.weights, f"the judge of {name}")
    return Judge(model, checkpoint.config["classes"], checkpoint.metrics).to(device, memory_format=torch.channels_last)


def train_judge(
    name: str, *, seed: int = 0, path: str | os.PathLike | None = None, device: torch.device | str | None = None
) -> Judge:
    """Train the judge of a set on train+validation, measure it once on the test set, and keep it for `load_judge`.

    Args:
        name: a set as in `data.load`.
        seed: of the weights, the order of the images and their augmentation.
        path: the file to write; by default where `load_judge` looks under the data root.
        device: `pick_device()` by default.
    """
    device = pick_device() if device is None else torch.device(device)
    path = trained_path("judges", name) if path is None else Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)  # minutes of training must not end in a folder that cannot be made
    images, test = load(name, "train+validation", size=SIZE), load(name, "test", size=SIZE)
    grey = images.images.shape[1] == 1
    training = GREY_TRAINING if grey else COLOUR_TRAINING
    torch.manual_seed(seed)
    model = ResNet(images.images.shape[1], SIZE, len(images.classes), **(GREY if grey else COLOUR))
    model.set_statistics(images.images)
    batches = Batches(
        images,
        batch_size=min(128, len(images)),
        drop_last=True,
        generator=torch.Generator().manual_seed(seed),
        device=device,
        channels_last=True,
    )
    generator = torch.Generator().manual_seed(seed)
    augment = Augment(shift=training["shift"], flip=name in MAY_FLIP, generator=generator)
    run = fit_classifier(model, batches, epochs=training["epochs"], augment=augment, **LEARNING)
    if run.stopped:
        raise KeyboardInterrupt(f"the training of the judge was stopped after {run.step} steps; nothing was saved")
    result = evaluate(model, test)
    low, high = result.interval
    metrics = {"test_accuracy": result.accuracy, "interval": [low, high], "test_loss": result.loss, "seconds": run.seconds}
    config = {"model": model.config, "classes": images.classes, "data": name, "seed": seed, "training": {**training, **LEARNING}}
    save_checkpoint(path, model, config=config, metrics=metrics)
    return Judge(model, images.classes, metrics)
