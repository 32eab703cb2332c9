"""The exercises of notebook 04: two optimizers, a schedule, how weights start, a block with a shortcut, and a loop."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.blocks import ResidualBlock as Block
from course_lib.classification import SGD as CourseSGD
from course_lib.classification import Adam as CourseAdam
from course_lib.classification import evaluate
from course_lib.data import Batches, ImageSet
from course_lib.exercises.exercise import Exercise
from course_lib.training import learning_rate


def _normal(rng: torch.Generator, *shape: int, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(*shape, generator=rng, dtype=torch.float64)


def _overfit(model: nn.Module, x: torch.Tensor, y: torch.Tensor, optimizer: torch.optim.Optimizer, steps: int) -> list[float]:
    """Learn one batch by heart; the loss before each step."""
    model.train()
    losses = []
    for _ in range(steps):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def _learn_by_heart(answer: Callable, x: torch.Tensor, y: torch.Tensor, steps: int, seed: int) -> list[float]:
    """What an answer makes of a small network that begins in evaluation mode with an old gradient."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Linear(12, 4)).double()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    F.cross_entropy(model(x), y).backward()
    losses = answer(model.eval(), x, y, optimizer, steps)
    if isinstance(losses, list) and any(isinstance(loss, torch.Tensor) for loss in losses):
        raise TypeError("the losses are tensors with their graphs; loss.item() is the number")
    return losses


def _overfit_cases(rng: torch.Generator) -> list[tuple]:
    cases = []
    for count, steps in ((4, 1), (6, 3), (10, 20)):
        labels = torch.randint(0, 4, (count,), generator=rng)
        cases.append((_normal(rng, count, 2, 3, 3), labels, steps, int(torch.randint(1000, (), generator=rng))))
    return cases


overfit = Exercise(_overfit, _overfit_cases, ("list of losses",), use=_learn_by_heart)


def _walk(answer: Callable, start: tuple, gradients: list, lr: float, options: dict) -> torch.Tensor:
    """Where an optimizer takes two parameters along given gradients; from half of the way on at half the rate.

    It gets them as from model.parameters(): they can be gone through once.
    """
    parameters = [value.clone().requires_grad_() for value in start]
    optimizer = answer(iter(parameters), lr=lr, **options)
    for number, step in enumerate(gradients):
        if number == len(gradients) // 2:
            optimizer.lr = lr / 2
        for parameter, gradient in zip(parameters, step, strict=True):
            parameter.grad = gradient.clone()
        optimizer.step()
    return torch.cat([parameter.detach().flatten() for parameter in parameters])


def _walks(rng: torch.Generator, options: list[dict], lr: float) -> list[tuple]:
    """Gradients of very different sizes; the first walk has one step, so that a mistake is found where it begins."""
    cases = []
    for steps, option in zip((1, 2, 5, 12), options, strict=True):
        start = (_normal(rng, 2, 3), _normal(rng, 4))
        gradients = [(_normal(rng, 2, 3), _normal(rng, 4, scale=0.01)) for _ in range(steps)]
        cases.append((start, gradients, lr, option))
    return cases


SGD = Exercise(
    CourseSGD,
    lambda rng: _walks(rng, [{"momentum": momentum} for momentum in (0.0, 0.9, 0.5, 0.9)], lr=0.5),
    ("place of the weights",),
    use=_walk,
    tolerance=1e-8,
)
Adam = Exercise(
    CourseAdam,
    lambda rng: _walks(rng, [{}, {}, {"betas": (0.5, 0.9)}, {}], lr=0.1),
    ("place of the weights",),
    use=_walk,
    tolerance=1e-6,
)


def _one_cycle(progress: float, peak: float, warm_up: float = 0.3) -> float:
    """Up to the peak in a straight line, down to zero in another."""
    return learning_rate("one-cycle", progress, peak, warm_up)


def _one_cycle_cases(rng: torch.Generator) -> list[tuple]:
    drawn = torch.rand(4, 3, generator=rng).tolist()
    fixed = [(0.15, 1.0, 0.3), (0.3, 2.0, 0.3), (0.65, 1.0, 0.3), (1.0, 1.0, 0.3), (0.0, 1.0, 0.3)]
    return fixed + [(progress, 1 + peak, 0.1 + 0.6 * warm_up) for progress, peak, warm_up in drawn]


one_cycle = Exercise(_one_cycle, _one_cycle_cases, ("learning rate",), tolerance=1e-6)


def _he_initialise(module: nn.Module) -> None:
    """Weights with variance 2 / fan-in, biases 0; use it with model.apply."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        fan_in = module.weight[0].numel()
        nn.init.normal_(module.weight, 0.0, (2 / fan_in) ** 0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _initialised(answer: Callable, inputs: int, outputs: int, kernel_size: int) -> tuple:
    """What an answer makes of a layer (a matrix where kernel_size is 0) and of a batch normalisation."""
    layer: Any = nn.Conv2d(inputs, outputs, kernel_size) if kernel_size else nn.Linear(inputs, outputs)
    norm = nn.BatchNorm2d(outputs)
    bare = nn.Conv2d(1, 1, 3, bias=False)
    for module in (layer, norm, bare):
        answer(module)
    unit = (layer.weight[0].numel() / 2) ** 0.5
    return unit * layer.weight.std(), unit * layer.weight.mean(), layer.bias.detach().abs().max(), norm.weight.mean()


def _layer_sizes(rng: torch.Generator) -> list[tuple]:
    extra = torch.randint(0, 50, (2,), generator=rng).tolist()
    return [(400 + extra[0], 150, 0), (100, 600 + extra[1], 0), (40, 160, 3), (160, 40, 3)]


he_initialise = Exercise(
    _he_initialise,
    _layer_sizes,
    (
        "standard deviation of the weights, divided by that of He",
        "mean of the weights, divided by the same",
        "largest bias",
        "scale of the batch normalisation",
    ),
    use=_initialised,
    tolerance=0.05,
)


def _block_output(answer: Callable, x: torch.Tensor, out_channels: int, stride: int) -> torch.Tensor:
    """What a block with given kernels makes of images, in training mode."""
    block = answer(x.shape[1], out_channels, stride).double()
    met: dict = {}
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            shape = tuple(layer.weight.shape)
            met[shape] = met.get(shape, 0) + 1
            rng = torch.Generator().manual_seed(100 * met[shape] + shape[-1])
            layer.weight.data = _normal(rng, *shape, scale=(2 / layer.weight[0].numel()) ** 0.5)
    return block.train()(x)


def _blocks(rng: torch.Generator) -> list[tuple]:
    settings = ((2, 3, 3, 4, 3, 1), (3, 4, 4, 6, 5, 1), (4, 3, 5, 7, 6, 2), (2, 4, 8, 8, 4, 2))
    return [(_normal(rng, N, C, H, W), O, stride) for N, C, H, W, O, stride in settings]


ResidualBlock = Exercise(Block, _blocks, ("output of the block",), use=_block_output)


VIEWS = 20_000
"""How many images an entry to the open task may look at, the same image twice counted twice."""


def budgeted(images: ImageSet, seed: int, batch_size: int = 50) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Batches (x, y) of images in random order, pass after pass, until `VIEWS` images were given."""
    batches = Batches(images, batch_size=min(batch_size, len(images)), drop_last=True, rng=torch.Generator().manual_seed(seed))
    left = VIEWS
    while left >= batches.batch_size:
        for x, y in batches:
            if left < batches.batch_size:
                return
            left -= batches.batch_size
            yield x, y


def score(entry: Callable, images: ImageSet, validation: ImageSet, seed: int = 0) -> float | None:
    """Print and return the validation accuracy of an entry to the open task; None while it is not written.

    entry: takes batches (x, y) that can be gone through once, `VIEWS` images in all, and returns a
    model. It never sees the validation images.
    """
    torch.manual_seed(seed)
    model = entry(budgeted(images, seed))
    if model is None:
        print("entry is waiting for you.")
        return None
    found = evaluate(model, validation)
    print(f"yours: {found}")
    return found.accuracy
