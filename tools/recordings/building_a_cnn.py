"""Chapter 3: its network after training, what it is worth beside dense layers, and what dropout is, over five seeds."""

import math

import torch

from course_lib import data, layers
from course_lib.layers import figures
from course_lib.layers.sequential import Layer

SEEDS = range(5)
NAMES = {
    2: "conv, 5×5, norm, ReLU",
    3: "pool",
    6: "conv, 3×3, norm, ReLU",
    7: "pool ",
    10: "dense, ReLU",
    12: "dense, softmax",
}


class Dropout(Layer):
    """`layers.dropout`, in training."""

    def __init__(self, p: float, rng: torch.Generator) -> None:
        super().__init__()
        self.p, self.rng = p, rng

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y, self.mask = layers.dropout(x, self.p, training=self.training, rng=self.rng)
        return y

    def backward(self, grad_output: torch.Tensor) -> torch.Tensor:
        return layers.dropout_backward(grad_output, self.mask)


def two_dense_layers(seed: int) -> layers.Sequential:
    """The network of section 4, for 1 x 32 x 32 and ten classes."""
    options = {"rng": torch.Generator().manual_seed(seed)}
    return layers.Sequential(
        layers.Flatten(), layers.Linear(32 * 32, 64, **options), layers.ReLU(), layers.Linear(64, 10, **options)
    )


def network(p: float, seed: int, first_size: float = 0.1) -> layers.Sequential:
    """The network of the chapter, for 1 x 32 x 32 and ten classes; its first kernels start at a tenth of the usual size."""
    options = {"rng": torch.Generator().manual_seed(seed)}
    first = layers.Conv2d(1, 8, 5, padding=2, **options)
    first.parameters["weight"] *= first_size
    return layers.Sequential(
        *(first, layers.BatchNorm(8), layers.ReLU(), layers.MaxPool2d(2)),
        *(layers.Conv2d(8, 16, 3, padding=1, **options), layers.BatchNorm(16), layers.ReLU(), layers.MaxPool2d(2)),
        *(layers.Flatten(), layers.Linear(16 * 8 * 8, 64, **options), layers.ReLU()),
        *(Dropout(p, options["rng"]), layers.Linear(64, 10, **options)),
    )


def train(student: layers.Sequential, images: data.ImageSet, seed: int, steps: int, batch_size: int) -> layers.Sequential:
    """Gradient descent with learning rate 0.1."""
    batches = data.Batches(images, batch_size=batch_size, rng=torch.Generator().manual_seed(seed))
    for _ in range(math.ceil(steps / len(batches))):
        for x, target in batches:
            student.backward(layers.cross_entropy_backward(student(x), target))
            student.step(lr=0.1)
    return student.train(False)


def right(student: layers.Sequential, images: data.ImageSet) -> float:
    """The share of right answers on the first 2,000 images."""
    answers = torch.cat([student(images.pixels(slice(n, n + 500))).argmax(dim=1) for n in range(0, 2000, 500)])
    return (answers == images.labels[:2000]).double().mean().item()


def building_a_cnn() -> tuple[dict, dict]:
    """Numbers: shares of right answers, for each p and for each network; the picture: the trained network."""
    glyphs, test, unseen = (data.load("glyphs", split) for split in ("train", "test", "unseen-fonts"))
    shares: dict[str, dict[str, list[float]]] = {}
    students = {}
    for count, steps, batch_size in ((200, 600, 32), (6400, 400, 64)):
        few, columns = glyphs.subset(slice(0, count)), {}
        for p in (0.0, 0.5):
            students[p] = [train(network(p, seed), few, seed, steps, batch_size) for seed in SEEDS]
            columns[f"{p:g}"] = [round(right(student, unseen), 4) for student in students[p]]
        shares[f"{count:,} training images, {steps} steps"] = columns
    kept = students[0.5][0]
    contest = {
        "two dense layers": [train(two_dense_layers(seed), few, seed, steps, batch_size) for seed in SEEDS],
        "convolutional, usual start": [train(network(0.5, seed, 1.0), few, seed, steps, batch_size) for seed in SEEDS],
        "convolutional, small start": students[0.5],
    }
    networks = {
        name: {part: [round(right(each, images), 4) for each in runs] for part, images in (("test", test), ("unseen", unseen))}
        for name, runs in contest.items()
    }
    x = test.pixels(slice(3, 4))
    stages = {"image": x[0]}
    for number, layer in enumerate(kept.layers):
        x = layer.forward(x)
        if number in NAMES:
            stages[NAMES[number]] = (layers.softmax(x) if number == 12 else x)[0]
    return {"dropout": shares, "networks": networks}, {"network": figures.feature_maps(stages, test.classes)}
