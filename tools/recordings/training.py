"""The comparisons of notebook 04, each over several seeds.

They train on colour digits, or on grey ones where they say so. A curve or a dot of the notebook is one of the runs made here.
"""

import functools
import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn

from course_lib import data
from course_lib.blocks import ResidualBlock
from course_lib.classification import ResNet, evaluate, fit_classifier
from course_lib.data import Augment, Batches, ImageSet
from course_lib.exercises import training as exercises
from course_lib.training import DivergenceError, Run, learning_rate, set_rate

SEEDS = 3
Numbers = tuple[dict, dict]


@functools.cache
def images(split: str = "train") -> ImageSet:
    """The colour digits of a split."""
    return data.load("glyphs-color", split)


@functools.cache
def grey(split: str = "train") -> ImageSet:
    """The grey digits of a split, which are learned sooner."""
    return data.load("glyphs", split)


def network(seed: int, batch_norm: bool = True, channels: int = 3) -> nn.Module:
    """The network of the notebook's first classifier."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for before, after, size in ((channels, 16, 5), (16, 32, 3), (32, 64, 3)):
        layers += [nn.Conv2d(before, after, size, padding=size // 2), nn.BatchNorm2d(after) if batch_norm else nn.Identity()]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(Standardise(), *layers, nn.Flatten(), nn.Linear(1024, 10))


class Standardise(nn.Module):
    """Images in [0, 1] -> about mean 0 and variance 1."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x -> the same, shifted and scaled."""
        return (x - 0.5) / 0.25


def fit(model: nn.Module, few: ImageSet, seed: int, **settings: object) -> Run:
    """Train as the notebook does, in batches of 50 whose order the seed decides; no decay unless asked for."""
    batches = Batches(few, batch_size=50, drop_last=True, rng=torch.Generator().manual_seed(seed), channels_last=True)
    return fit_classifier(model, batches, **{"weight_decay": 0.0, "schedule": "constant", **settings})  # type: ignore[arg-type]


def end_loss(model: nn.Module, few: ImageSet, seed: int, last: int = 20, **settings: object) -> float | None:
    """The mean loss of the last steps; None where it became infinite."""
    try:
        losses = fit(model, few, seed, **settings).steps["loss"][-last:]
    except DivergenceError:
        return None
    return round(sum(losses) / len(losses), 4)


def optimizers() -> Numbers:
    """Three optimizers, each at six learning rates, over 80 steps on grey digits."""
    few, rates = grey().subset(slice(0, 2000)), [0.001, 0.003, 0.01, 0.03, 0.1, 0.3]
    methods: dict[str, dict] = {"SGD": {"momentum": 0.0}, "momentum 0.9": {"momentum": 0.9}, "Adam": {"optimizer": "adamw"}}
    losses = {
        name: [
            [end_loss(network(seed, channels=1), few, seed, epochs=2, lr=lr, **options) for lr in rates] for seed in range(SEEDS)
        ]
        for name, options in methods.items()
    }
    return {"rates": rates, "losses": losses, "steps": 80}, {}


def normalisation() -> Numbers:
    """Plain SGD with and without batch normalisation, at six learning rates, over 80 steps on grey digits."""
    few, rates, losses = grey().subset(slice(0, 2000)), [0.003, 0.01, 0.03, 0.1, 0.3, 1.0], {}
    for name, batch_norm in (("without batch normalisation", False), ("with batch normalisation", True)):
        losses[name] = [
            [end_loss(network(seed, batch_norm, 1), few, seed, epochs=2, lr=lr, momentum=0.0) for lr in rates]
            for seed in range(SEEDS)
        ]
    return {"rates": rates, "losses": losses, "steps": 80}, {}


def start(module: nn.Module, gain: float) -> None:
    """Weights with mean 0 and variance gain / fan-in, biases 0; use it with model.apply."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.normal_(module.weight, 0.0, math.sqrt(gain / module.weight[0].numel()))
        nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def plain_network(seed: int, layers: int = 12) -> nn.Module:
    """Convolutions and ReLUs, one after the other, without normalisation and without shortcuts."""
    torch.manual_seed(seed)
    body: list[nn.Module] = [nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(4)]
    for _ in range(layers - 2):
        body += [nn.Conv2d(16, 16, 3, padding=1), nn.ReLU()]
    return nn.Sequential(Standardise(), *body, nn.Flatten(), nn.Linear(16 * 64, 10))


def initialisation() -> Numbers:
    """Twelve bare layers, and the notebook's network, from four sizes of the first weights; grey digits."""
    starts: dict[str, float | None] = {"PyTorch's default": None, "v = 1 / n": 1.0, "v = 2 / n (He)": 2.0, "v = 4 / n": 4.0}
    found: dict[str, dict[str, list]] = {"deep": {}, "shallow": {}}
    few = grey().subset(slice(0, 2000))
    for kind, build, epochs in (
        ("deep", plain_network, 4),
        ("shallow", functools.partial(network, channels=1), 2),
    ):
        for name, gain in starts.items():
            found[kind][name] = []
            for seed in range(SEEDS):
                model = build(seed)
                if gain is not None:
                    model.apply(functools.partial(start, gain=gain))
                try:
                    losses = fit(model, few, seed, epochs=epochs, lr=0.001, optimizer="adamw").steps["loss"]
                except DivergenceError as error:
                    losses = error.run.steps["loss"]
                means = [sum(losses[i : i + 10]) / 10 for i in range(0, len(losses) - 9, 10)]
                found[kind][name].append([round(mean, 4) if math.isfinite(mean) else None for mean in means])
    return {"every": 10, **found}, {}


def depth() -> Numbers:
    """Networks of 3 to 15 residual blocks with and without their shortcuts: gradients at the start, and what they learn."""
    few, check, blocks = grey().subset(slice(0, 2000)), grey("validation").subset(slice(0, 1000)), [3, 9, 15]
    found: dict[str, dict[str, list]] = {}
    x, y = few.pixels(slice(0, 100)), few.labels[:100]
    for name, skip in (("with shortcuts", True), ("without shortcuts", False)):
        found[name] = {"ratio": [], "training": [], "validation": []}
        for seed in range(SEEDS):
            rows: dict[str, list] = {part: [] for part in found[name]}
            for count in blocks:
                torch.manual_seed(seed)
                model = ResNet(1, 32, 10, widths=(8, 16, 32), depth=count // 3, skip=skip).set_statistics(few.images)
                F.cross_entropy(model(x), y).backward()
                parts = [part for part in model.modules() if isinstance(part, ResidualBlock)]
                first, last = (part.residual[0].weight.grad.norm() for part in (parts[0], parts[-1]))  # type: ignore[union-attr,operator]
                rows["ratio"].append(round((first / last).item(), 3))
                fit(model, few, seed, epochs=2, lr=0.1, schedule="one-cycle")
                for part, chosen in (("training", few), ("validation", check)):
                    rows[part].append(evaluate(model, chosen).accuracy)
            for part, row in rows.items():
                found[name][part].append(row)
    return {"blocks": blocks, "images": len(few), **found}, {}


def augmentation() -> Numbers:
    """1,000 images with and without random shifts: accuracy on clean images in evaluation mode, of training and validation."""
    few, check = images().subset(slice(0, 1000)), images("validation").subset(slice(0, 1000))
    found: dict[str, dict[str, list]] = {}
    for name, shift in (("without shifts", 0), ("with shifts", 3)):
        found[name] = {"training": [], "validation": []}
        for seed in range(SEEDS):
            model, rows = network(seed), {"training": [], "validation": []}  # type: ignore[var-annotated]

            def measure(run: Run, model: nn.Module = model, rows: dict = rows) -> None:
                if len(run.epochs) % 4 == 0:
                    rows["training"].append(evaluate(model, few).accuracy)
                    rows["validation"].append(evaluate(model, check).accuracy)

            augment = Augment(shift=shift, rng=torch.Generator().manual_seed(seed))
            settings = {"epochs": 20, "lr": 0.004, "optimizer": "adamw", "schedule": "one-cycle"}
            fit(model, few, seed, augment=augment, watch=measure, **settings)
            for part, row in rows.items():
                found[name][part].append(row)
    return {"every": 4, "images": len(few), **found}, {}


def mistakes() -> Numbers:
    """Four mistakes of training and a healthy run: the losses of 80 steps on grey digits."""
    few = grey().subset(slice(0, 2000))
    settings: dict[str, dict] = {
        "healthy": {},
        "rate too large": {"lr": 1.0},
        "rate too small": {"lr": 1e-5},
        "all weights zero": {"zero": True},
        "no zero_grad": {"clear": False},
    }
    losses = {
        name: [_losses(network(seed, channels=1), few, seed, **options) for seed in range(SEEDS)]
        for name, options in settings.items()
    }
    return {"losses": losses}, {}


def _losses(
    model: nn.Module, few: ImageSet, seed: int, *, lr: float = 0.003, zero: bool = False, clear: bool = True
) -> list[float]:
    """The losses of 80 steps of Adam."""
    if zero:
        model.apply(functools.partial(start, gain=0.0))
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=lr), []
    batches = Batches(few, batch_size=50, rng=torch.Generator().manual_seed(seed), channels_last=True)
    for _ in range(2):
        for x, y in batches:
            loss = F.cross_entropy(model(x), y)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(round(loss.item(), 4))
    return losses


def budget() -> Numbers:
    """What the course's own entry to the open task reaches: Adam, one cycle, shifts by a pixel."""
    scores = []
    for seed in range(SEEDS):

        def entry(batches: Iterator, seed: int = seed) -> nn.Module:
            model = network(seed).to(memory_format=torch.channels_last)
            optimizer, augment = torch.optim.Adam(model.parameters()), Augment(shift=1)
            for step, (x, y) in enumerate(batches):
                set_rate(optimizer, learning_rate("one-cycle", (step + 0.5) * len(x) / exercises.VIEWS, 0.006))
                loss = F.cross_entropy(model(augment(x)), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return model

        scores.append(exercises.score(entry, images(), images("validation"), seed))
    return {"validation": scores, "views": exercises.VIEWS}, {}


def filters() -> Numbers:
    """The first layer of the notebook's network while it learns: kernels, the scale and shift of its normalisation, accuracy."""
    model, train, check = network(0), images(), images("validation").subset(slice(0, 1000))
    with torch.no_grad():
        model[1].weight.mul_(0.1)  # type: ignore[index]  # divided out again by the normalisation; smaller kernels turn sooner
    moments, steps = [], 800
    wanted = {0, *(round(2 * 1.6**n) for n in range(13)), steps}
    batches = Batches(train, batch_size=50, rng=torch.Generator().manual_seed(0), channels_last=True)
    optimizer, step = torch.optim.Adam(model.parameters()), 0
    for _ in range(2):
        for x, y in batches:
            if step in wanted:
                moments.append(_moment(model, step, check))
            set_rate(optimizer, learning_rate("one-cycle", (step + 0.5) / steps, 0.004))
            loss = F.cross_entropy(model.train()(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
    moments.append(_moment(model, step, check))
    shown = int((check.labels == 8).nonzero()[0])
    return {"moments": moments, "image": _written(check.images[shown])}, {}


def _written(numbers: torch.Tensor) -> str:
    """Whole numbers in a string: a list would have a line of the file for each."""
    return " ".join(map(str, numbers.flatten().tolist()))


def _moment(model: nn.Module, step: int, check: ImageSet) -> dict:
    """The first layer at a step, as whole numbers in thousandths."""
    kernels, norm = model[1].weight.detach(), model[2]  # type: ignore[index]
    scale = norm.weight / (norm.running_var + norm.eps).sqrt()
    shift = norm.bias + scale * (model[1].bias - norm.running_mean)  # type: ignore[index]
    rounded = {"kernels": kernels, "scale": scale, "shift": shift}
    numbers = {name: _written((1000 * value).round().int()) for name, value in rounded.items()}
    return {"step": step, "accuracy": round(evaluate(model, check).accuracy, 4), **numbers}


RECIPES: dict[str, Callable[[], Numbers]] = {
    f"training-{recipe.__name__}": recipe
    for recipe in (optimizers, normalisation, initialisation, depth, augmentation, mistakes, budget, filters)
}
