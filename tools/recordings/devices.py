"""The comparisons of notebook 12, over three seeds each, on grey digits."""

import torch
import torch.nn.functional as F

from course_lib import data
from course_lib.classification import CNN, evaluate
from course_lib.data import Batches, ImageSet

SEEDS, IMAGES, SEEN = 3, 4096, 16_384
Numbers = tuple[dict, dict]


def images() -> tuple[ImageSet, ImageSet]:
    """To learn from, and to validate on."""
    return data.load("glyphs", "train").subset(slice(0, IMAGES)), data.load("glyphs", "validation").subset(slice(0, 1000))


def end_loss(train: ImageSet, validation: ImageSet, seed: int, size: int, lr: float, part: int = 0) -> float | None:
    """The validation loss after `SEEN` images in batches of `size`, by plain gradient descent; None where it diverged.

    part: so many images are normalised together; 0: no batch normalisation. The gradient is that of the whole batch.
    """
    torch.manual_seed(seed)
    model = CNN(1, 32, 10, widths=(8, 16), hidden=32, stride=2, batch_norm=bool(part)).set_statistics(train.images)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    batches = Batches(train, batch_size=size, drop_last=True, rng=torch.Generator().manual_seed(seed), channels_last=True)
    for _ in range(SEEN // IMAGES):
        for x, y in batches:
            logits = torch.cat([model(images) for images in x.split(part or size)])
            loss = F.cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    if not loss.isfinite():
        return None
    return round(evaluate(model.eval(), validation).loss, 4)


def batch_sizes() -> Numbers:
    """Four batch sizes, each at seven learning rates, over the same images."""
    rates = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
    train, validation = images()
    losses = {
        size: [[end_loss(train, validation, seed, size, lr) for lr in rates] for seed in range(SEEDS)]
        for size in (16, 64, 256, 1024)
    }
    return {"rates": rates, "losses": losses, "seen": SEEN}, {}


def normalised_slices() -> Numbers:
    """Batches of 64 that are normalised in slices of several sizes, at one learning rate."""
    train, validation = images()
    losses = {part: [end_loss(train, validation, seed, 64, 0.1, part) for seed in range(SEEDS)] for part in (2, 4, 8, 16, 32, 64)}
    return {"losses": losses, "seen": SEEN, "lr": 0.1}, {}


RECIPES = {"devices-batch": batch_sizes, "devices-slices": normalised_slices}
