"""The judges: trained classifiers that say what a generated image shows, and in whose features
images are compared.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.classification import ResNet, evaluate
from course_lib.data import MAY_FLIP, load
from course_lib.pretrained.kept import keep, load_kept, prepare, trained

SIZE = 32  # height and width of the images that a judge looks at, in pixels
# By the number of channels; found on the validation sets. Epochs over train+validation, shifts in
# pixels. The first convolution halves the image, which makes all that follows four times cheaper:
# on a CPU more epochs are worth more than a finer grid (CIFAR-10 (JPEG), validation, one seed: 86 %
# against 83 % in less time).
RECIPES = {
    1: "classification --size 32 --widths 16,32,64 --shift 1 --epochs 8 --lr 0.2 --label-smoothing 0.1",
    3: "classification --size 32 --widths 32,64,128 --shift 3 --epochs 24 --lr 0.2 --label-smoothing 0.1",
}


class Judge(nn.Module):
    """A trained classifier in evaluation mode whose weights do not change, for images of any size.

    Images of another size than 32 x 32 are resized (bilinear, antialiased) first. Gradients flow
    through it to the images.

    Attributes:
        classes: the names of the classes.
        metrics: what was measured when it was trained: "test_accuracy" and more.
        feature_count: how many numbers `features` returns for an image.
    """

    def __init__(self, model: ResNet, classes: list[str], metrics: dict) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        self.classes, self.metrics, self.feature_count = classes, metrics, model.head.in_features
        self.train()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> logits [N, classes]. Raises ValueError for pixels out of
        range, or NaN.
        """
        return self.model(self._resized(x))

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> what the last layer sees of them, [N, feature_count]."""
        return self.model.features(self._resized(x))

    def train(self, mode: bool = True) -> "Judge":
        """Evaluation mode, whatever is asked: a judge must not depend on what else is in the batch."""
        return super().train(False)

    def _resized(self, x: torch.Tensor) -> torch.Tensor:
        if not ((x >= -0.01) & (x <= 1.01)).all():  # written so that NaN is refused as well
            lie = f"these lie between {x.min().item():.3g} and {x.max().item():.3g}"
            raise ValueError(f"a judge takes images between 0 and 1, and {lie}: (x + 1) / 2 or x / 255 brings them there")
        if x.dim() != 4 or x.shape[2:] == (SIZE, SIZE):
            return x  # what is no batch of images is refused by the model, with reasons
        return F.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True)


def load_judge(name: str, *, device: torch.device | str | None = None) -> Judge:
    """The judge of a set: the one that `train_judge` left under the data root, or else the
    package's.

    device: `pick_device()` by default. Raises FileNotFoundError where there is none, or where
    the classes or images of a folder have changed since; the message says how to train it.
    """
    model, checkpoint = load_kept("judge", name, ResNet, device)
    return Judge(model, checkpoint.config["classes"], checkpoint.metrics)


def train_judge(name: str, *, seed: int = 0, path: str | Path | None = None, device: torch.device | str | None = None) -> Judge:
    """Train the judge of a set on train+validation, measure it once on the test set, and keep it
    for `load_judge`.

    Args:
        name: a set as in `data.load`.
        seed: of the weights, the order of the images and their augmentation.
        path: the file to write; by default where `load_judge` looks under the data root.
        device: `pick_device()` by default.
    """
    test = load(name, "test", size=SIZE)
    recipe = RECIPES[test.images.shape[1]] + (" --flip" if name in MAY_FLIP else "")
    path, options = prepare("judge", name, path, recipe, seed=seed, device=device)
    model, run, images = trained(options)
    result = evaluate(model, test)
    metrics = {
        "test_accuracy": result.accuracy,
        "interval": [*result.interval],
        "test_loss": result.loss,
        "seconds": run.seconds,
    }
    keep(path, model, {"model": model.config, "seed": seed, "training": recipe}, images, metrics)
    return Judge(model, images.classes, metrics)
