"""The exercises of notebook 01: a convolution built from nothing, kernels for given jobs, a kernel that learns itself."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from course_lib import convolution
from course_lib.exercises.exercise import Exercise

Case = tuple


def _normal(rng: torch.Generator, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def _conv1d(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return convolution.conv1d_loops(x[None, None], w[None, None])[0, 0]


def _conv1d_cases(rng: torch.Generator) -> list[Case]:
    paper = (torch.tensor([1.0, 3, 0, 2, 1]), torch.tensor([1.0, -1, 2]))
    return [paper, *((_normal(rng, length), _normal(rng, taps)) for length, taps in ((9, 4), (4, 4), (7, 1)))]


conv1d = Exercise(_conv1d, _conv1d_cases, ("output",))


def _output_size_cases(rng: torch.Generator) -> list[Case]:
    """(size, kernel_size, stride, padding, dilation), where the kernel fits."""
    cases = [(5, 3, 1, 0, 1), (5, 3, 1, 1, 1), (8, 3, 2, 0, 1), (9, 3, 2, 1, 2)]
    for _ in range(4):
        kernel_size, stride, padding, dilation = torch.randint(1, 6, (4,), generator=rng).tolist()
        spare = int(torch.randint(0, 20, (), generator=rng))
        cases.append((dilation * (kernel_size - 1) + 1 + spare, kernel_size, stride, padding, dilation))
    return cases


output_size = Exercise(convolution.conv_output_size, _output_size_cases, ("size",))


def _correlate(image: torch.Tensor, kernel: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    return convolution.conv2d_im2col(image[None, None], kernel[None, None], stride=stride, padding=padding)[0, 0]


def _correlate_cases(rng: torch.Generator) -> list[Case]:
    settings = ((4, 4, 2, 2, 1, 0), (6, 5, 3, 2, 2, 0), (5, 7, 3, 3, 1, 1), (7, 8, 2, 3, 3, 2))
    return [(_normal(rng, H, W), _normal(rng, KH, KW), stride, padding) for H, W, KH, KW, stride, padding in settings]


correlate = Exercise(_correlate, _correlate_cases, ("response",))


def _conv2d(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, stride: int = 1, padding: int = 0, dilation: int = 1
) -> torch.Tensor:
    return convolution.conv2d_im2col(x, weight, bias, stride=stride, padding=padding, dilation=dilation)


def _conv2d_cases(rng: torch.Generator) -> list[Case]:
    return [
        (_normal(rng, 1, 1, 4, 4), _normal(rng, 1, 1, 2, 2), None, 1, 0, 1),
        (_normal(rng, 1, 3, 4, 5), _normal(rng, 1, 3, 2, 2), None, 1, 0, 1),
        (_normal(rng, 2, 2, 6, 5), _normal(rng, 4, 2, 3, 2), _normal(rng, 4), 1, 1, 1),
        (_normal(rng, 2, 3, 9, 8), _normal(rng, 5, 3, 3, 3), _normal(rng, 5), 2, 1, 1),
        (_normal(rng, 3, 2, 11, 9), _normal(rng, 3, 2, 2, 3), _normal(rng, 3), 2, 3, 2),
    ]


conv2d = Exercise(_conv2d, _conv2d_cases, ("output",))


def _kernels_for_jobs() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    shift, ahead, surroundings = torch.zeros(3, 3), torch.zeros(3, 3), torch.full((3, 3), 1 / 8)
    shift[1, 0] = 1
    ahead[1, 0], ahead[1, 2] = -1, 1
    surroundings[1, 1] = 0
    identity = torch.zeros(3, 3)
    identity[1, 1] = 1
    return shift, ahead, surroundings, 2 * identity - torch.full((3, 3), 1 / 9)


def _do_jobs(answer: Callable, image: torch.Tensor) -> tuple[torch.Tensor, ...] | None:
    """What the answer's kernels make of an image."""
    kernels = answer()
    return kernels and tuple(_correlate(image, torch.as_tensor(kernel).double(), padding=1) for kernel in kernels)


kernels_for_jobs = Exercise(
    _kernels_for_jobs,
    lambda rng: [(_normal(rng, height, width),) for height, width in ((4, 4), (5, 7), (9, 6))],
    ("moved image", "comparison of right with left", "mean of the neighbours", "sharpened image"),
    use=_do_jobs,
)


def _gaussian_kernel(size: int, sigma: float) -> torch.Tensor:
    offsets = torch.arange(size) - (size - 1) / 2
    profile = (-offsets.square() / (2 * sigma**2)).exp()
    profile = profile / profile.sum()
    return torch.outer(profile, profile)


def _gaussian_cases(rng: torch.Generator) -> list[Case]:
    widths = (0.5 + 2 * torch.rand(3, generator=rng)).tolist()
    return [(3, 0.5), *zip((5, 4, 9), widths, strict=True)]


gaussian_kernel = Exercise(_gaussian_kernel, _gaussian_cases, ("kernel",), tolerance=1e-4)


def _is_x(letters: torch.Tensor, detectors: torch.Tensor, threshold: float) -> torch.Tensor:
    maps = _conv2d(letters, detectors, padding=detectors.shape[-1] // 2)
    return maps.amax(dim=(2, 3)).sum(dim=1) > threshold


def _is_x_cases(rng: torch.Generator) -> list[Case]:
    cases = [(_normal(rng, 6, 1, 8, 7), _normal(rng, 2, 1, size, size), 5.0) for size in (3, 5)]
    letters, _ = convolution.random_letters(40, rng=rng)
    falling = 2 * torch.eye(5) - 1
    return [*cases, (letters, torch.stack([falling, falling.flip(1)])[:, None], 7.0)]


is_x = Exercise(_is_x, _is_x_cases, ("answer",))


def _learn_kernel(image: torch.Tensor, target: torch.Tensor, rate: float, steps: int) -> tuple[torch.Tensor, list[float]]:
    w = torch.zeros(1, 1, 3, 3, dtype=image.dtype, requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = (_conv2d(image, w) - target).square().mean()
        (gradient,) = torch.autograd.grad(loss, w)
        losses.append(loss.item())
        with torch.no_grad():
            w -= rate * gradient
    return w.detach()[0, 0], losses


def _learn_kernel_cases(rng: torch.Generator) -> list[Case]:
    cases = []
    for height, width, rate, steps in ((5, 5, 0.1, 1), (7, 9, 0.1, 5), (12, 10, 0.2, 30)):
        image, secret = _normal(rng, 1, 1, height, width), _normal(rng, 1, 1, 3, 3)
        cases.append((image, F.conv2d(image, secret), rate, steps))
    return cases


learn_kernel = Exercise(_learn_kernel, _learn_kernel_cases, ("kernel", "losses"))


BUDGET = 100
"""How many numbers the kernels of an entry to the open task may have together."""


def noisy_letters(count: int, rng: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Letters X and O of random size, place, tilt, width and stroke, under noise: [count, 1, 32, 32] and labels (True is X)."""
    between = lambda low, high: low + (high - low) * torch.rand(count, 1, 1, generator=rng)  # noqa: E731
    labels = torch.randint(0, 2, (count,), generator=rng).bool()
    radius = between(5, 12)
    row, column = (torch.arange(32.0) - between(0, 1) * (30 - 2 * radius) - radius - 0.5 for _ in range(2))
    row, flat, angle, stroke = row.mT, between(0.7, 1), between(-0.4, 0.4), between(1.1, 1.8)
    across = (column * angle.cos() + row * angle.sin()) / (flat * radius)
    down = (row * angle.cos() - column * angle.sin()) / radius
    ring = ((across.square() + down.square()).sqrt() - 1).abs() * radius * (1 + flat) / 2
    beyond = (torch.maximum(across.abs(), down.abs()) - 1).clamp(min=0)
    cross = (across.abs() - down.abs()).abs() * radius * 0.6 + 8 * beyond
    distance = torch.where(labels[:, None, None], cross, ring)
    ink = (stroke - distance).clamp(0, 1)
    return (ink + 0.35 * torch.randn(count, 32, 32, generator=rng))[:, None], labels


def course_entry() -> tuple[torch.Tensor, torch.Tensor, float]:
    """The course's own entry to the open task, designed by hand: one fat X of 9 x 9, as strong wherever it is."""
    offsets = (torch.arange(9) - 4).abs()
    cross = ((offsets[:, None] - offsets).abs() <= 1).float()
    return (cross - cross.mean())[None, None], torch.ones(1), 9.5


def score(entry: Callable, sets: int = 5, count: int = 500, seed: int = 0) -> float | None:
    """Print and return the mean accuracy of an entry on letters that it has not seen; None while it is not written.

    entry: a function without arguments that returns kernels [K, 1, KH, KW] with at most `BUDGET`
    numbers, K weights and a threshold. A letter is called X where the weighted strongest responses
    add up to more than the threshold. Raises ValueError for other shapes and for too many numbers.
    """
    found = {"the course's": _accuracies(*course_entry(), sets, count, seed)}
    answer = entry()
    if answer is None:
        print("entry is waiting for you.")
    else:
        kernels, weights, threshold = answer
        if kernels.dim() != 4 or kernels.shape[1] != 1 or len(weights) != len(kernels):
            shapes = f"{list(kernels.shape)} and {len(weights)} weights"
            raise ValueError(f"kernels must be [K, 1, KH, KW] with one weight for each, got {shapes}")
        if kernels.numel() > BUDGET:
            raise ValueError(f"the kernels have {kernels.numel()} numbers, and the budget is {BUDGET}: use fewer or smaller ones")
        found["yours"] = _accuracies(kernels, weights, threshold, sets, count, seed)
    for name, accuracies in found.items():
        low, high = min(accuracies), max(accuracies)
        print(f"{name:13s} {sum(accuracies) / sets:.1%} right (from {low:.1%} to {high:.1%} in {sets} sets of {count} letters)")
    return None if answer is None else sum(found["yours"]) / sets


def _accuracies(kernels: torch.Tensor, weights: torch.Tensor, threshold: float, sets: int, count: int, seed: int) -> list[float]:
    """Shares of right answers on sets that only the score draws: their seeds are far from the reader's."""
    shares = []
    for number in range(sets):
        letters, labels = noisy_letters(count, torch.Generator().manual_seed(771_000 + 1000 * seed + number))
        padding = (kernels.shape[2] // 2, kernels.shape[3] // 2)
        strongest = F.conv2d(letters, kernels.detach().float(), padding=padding).amax(dim=(2, 3))
        said = strongest @ torch.as_tensor(weights).detach().float() > torch.as_tensor(threshold).detach().item()
        shares.append((said == labels).float().mean().item())
    return shares
