"""What the tests of the loop share: images, a model with all that is random, a press on Stop."""

import os
import signal

import torch
from torch import nn

from course_lib import data
from course_lib.classification import fit_classifier
from course_lib.data import Augment

FULL = data.load("glyphs", "train", size=16)
IMAGES = data.ImageSet(FULL.images[:64], FULL.labels[:64], FULL.classes)
ROUND = {"epochs": 3, "lr": 0.05, "label_smoothing": 0.1}


def model_with_dropout():
    """All that a run can meet: batch normalisation, and dropout from the global generator."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(392, 10)
    )


def make_batches(device="cpu", **arguments):
    arguments = {"batch_size": 16, "channels_last": True, **arguments}
    return data.Batches(IMAGES, rng=torch.Generator().manual_seed(3), device=device, **arguments)


def fit(model, device="cpu", **changed):
    torch.manual_seed(5)
    return fit_classifier(model, make_batches(device), IMAGES, **{"augment": Augment(shift=1), **ROUND, **changed})


def weights(model):
    return torch.cat([value.detach().cpu().flatten().double() for value in model.state_dict().values()])


class StopAfter(Augment):
    """Shifts by a pixel, and presses the Stop button in a given step."""

    def __init__(self, step):
        super().__init__(shift=1)
        self.left = step

    def __call__(self, x):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return super().__call__(x)
