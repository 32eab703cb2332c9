"""Small networks, batches and an augmentation for the tests of the loop and of its steps."""

import torch

from course_lib import data
from course_lib.gan import (
    Discriminator,
    Generator,
)

FULL = data.load("glyphs", "train", size=16)
IMAGES = data.ImageSet(FULL.images[:64], FULL.labels[:64], FULL.classes)


def networks(device="cpu", classes=0, **options):
    torch.manual_seed(0)
    G = Generator(1, 16, 8, widths=(16, 8), classes=classes)
    D = Discriminator(1, 16, widths=(8, 16), classes=classes, **{"batch_norm": False, **options})
    return G.to(device), D.to(device)


def make_batches(device="cpu"):
    rng = torch.Generator().manual_seed(3)
    return data.Batches(IMAGES, batch_size=16, rng=rng, device=device, channels_last=True)


def augmentation(kind=data.Augment):
    """The paper's, for images of 16 x 16 between -1 and 1."""
    return kind(shift=2, cutout=8, brightness=0.5)


def state(*modules):
    return torch.cat([value.detach().cpu().flatten().double() for module in modules for value in module.state_dict().values()])
