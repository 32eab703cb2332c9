"""The exercises of notebook 03: the layers of a network with their backward passes, and the shapes between them."""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from course_lib import layers
from course_lib.exercises.exercise import Exercise

# Everything is float64, and an answer has to be right to rounding.
EXACT = 1e-10
AXES = (0, 2, 3)


def normal(*shape: int, rng: torch.Generator) -> torch.Tensor:
    """Normal random numbers of this shape, float64."""
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def linear_backward_answer(
    g: torch.Tensor, x: torch.Tensor, weight: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """g [N, O], x [N, I], weight [O, I] -> the gradients at x, weight and bias."""
    return layers.linear_backward(g, x, weight)


def _dense(rng: torch.Generator) -> list[tuple]:
    sizes = ((1, 2, 3), (4, 1, 2), (5, 7, 3), (3, 4, 4))
    return [(normal(N, O, rng=rng), normal(N, I, rng=rng), normal(O, I, rng=rng)) for N, I, O in sizes]


linear_backward = Exercise(
    linear_backward_answer,
    _dense,
    ("gradient of the input", "gradient of the weight", "gradient of the bias"),
    tolerance=EXACT,
)


def cross_entropy_answer(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """logits [N, K], target int64 [N] -> the mean of -log p of the right classes, in nats."""
    return layers.cross_entropy(logits, target)


def cross_entropy_backward_answer(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """logits [N, K], target int64 [N] -> the gradient at the logits, [N, K]."""
    return layers.cross_entropy_backward(logits, target)


def _scores(rng: torch.Generator) -> list[tuple]:
    cases = []
    for N, K, shift in ((1, 3, 0.0), (5, 4, 0.0), (4, 6, 2000.0), (3, 10, -2000.0)):
        target = torch.randint(0, K, (N,), generator=rng)
        cases.append((2 * normal(N, K, rng=rng) + shift, target))
    far = 900 * normal(3, 5, rng=rng)  # one class has all of the probability
    return [*cases, (far, torch.randint(0, 5, (3,), generator=rng))]


cross_entropy = Exercise(cross_entropy_answer, _scores, ("loss",), tolerance=EXACT)
cross_entropy_backward = Exercise(cross_entropy_backward_answer, _scores, ("gradient of the logits",), tolerance=EXACT)


def max_pool2d_answer(x: torch.Tensor, kernel_size: int, stride: int) -> torch.Tensor:
    """x [N, C, H, W] -> the largest number of each window, [N, C, OH, OW]."""
    return layers.max_pool2d(x, kernel_size, stride=stride)


def max_pool2d_backward_answer(g: torch.Tensor, x: torch.Tensor, kernel_size: int, stride: int) -> torch.Tensor:
    """g [N, C, OH, OW], x [N, C, H, W] -> the gradient at x, [N, C, H, W]."""
    return layers.max_pool2d_backward(g, x, kernel_size, stride=stride)


def _windows(rng: torch.Generator) -> list[tuple]:
    """x, kernel_size and stride; in the later cases windows overlap, leave pixels out, and hold equal numbers."""
    settings = ((1, 1, 4, 4, 2, 2), (2, 3, 5, 7, 2, 2), (1, 2, 7, 6, 3, 2), (2, 2, 9, 8, 2, 3))
    cases = [(normal(N, C, H, W, rng=rng), size, stride) for N, C, H, W, size, stride in settings]
    return [*cases, (normal(2, 2, 8, 8, rng=rng).round(), 2, 2), (normal(2, 1, 7, 7, rng=rng).round(), 3, 1)]


def _sent_back(rng: torch.Generator) -> list[tuple]:
    cases = []
    for x, size, stride in _windows(rng):
        OH, OW = ((length - size) // stride + 1 for length in x.shape[2:])
        cases.append((normal(*x.shape[:2], OH, OW, rng=rng), x, size, stride))
    return cases


max_pool2d = Exercise(max_pool2d_answer, _windows, ("output",), tolerance=EXACT)
max_pool2d_backward = Exercise(max_pool2d_backward_answer, _sent_back, ("gradient of the input",), tolerance=EXACT)


def batch_norm_nodes_answer(
    g: torch.Tensor, weight: torch.Tensor, centred: torch.Tensor, inverse: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The gradients at normalised, inverse, var, centred, mean and x, in this order."""
    g_normalised = g * weight.view(1, -1, 1, 1)
    g_inverse = (g_normalised * centred).sum(dim=AXES, keepdim=True)
    g_var = -0.5 * inverse**3 * g_inverse
    m = g.numel() / g.shape[1]
    g_centred = g_normalised * inverse + 2 / m * centred * g_var
    g_mean = -g_centred.sum(dim=AXES, keepdim=True)
    return g_normalised, g_inverse, g_var, g_centred, g_mean, g_centred + g_mean / m


def batch_norm_backward_answer(
    g: torch.Tensor, weight: torch.Tensor, normalised: torch.Tensor, inverse: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """g, normalised [N, C, H, W], weight [C], inverse [1, C, 1, 1] -> the gradients at x, weight and bias."""
    g_normalised = g * weight.view(1, -1, 1, 1)
    mean = g_normalised.mean(dim=AXES, keepdim=True)
    along = (g_normalised * normalised).mean(dim=AXES, keepdim=True)
    gx = inverse * (g_normalised - mean - normalised * along)
    return gx, (g * normalised).sum(dim=AXES), g.sum(dim=AXES)


def _normalised(rng: torch.Generator) -> list[tuple]:
    """g, weight, x minus its mean, and 1 / its standard deviation."""
    cases = []
    for N, C, H, W in ((2, 1, 1, 2), (3, 2, 2, 1), (4, 3, 5, 4), (2, 5, 3, 3)):
        x = normal(N, C, H, W, rng=rng) * (1 + 2 * torch.rand(C, 1, 1, generator=rng)) + normal(C, 1, 1, rng=rng)
        centred = x - x.mean(dim=AXES, keepdim=True)
        inverse = (centred.square().mean(dim=AXES, keepdim=True) + 1e-5).rsqrt()
        cases.append((normal(N, C, H, W, rng=rng), normal(C, rng=rng), centred, inverse))
    return cases


batch_norm_nodes = Exercise(
    batch_norm_nodes_answer,
    _normalised,
    tuple(f"gradient at {node}" for node in ("normalised", "inverse", "var", "centred", "mean", "x")),
    tolerance=EXACT,
)
batch_norm_backward = Exercise(
    batch_norm_backward_answer,
    lambda rng: [(g, weight, centred * inverse, inverse) for g, weight, centred, inverse in _normalised(rng)],
    ("gradient of the input", "gradient of the weight", "gradient of the bias"),
    tolerance=EXACT,
)


def dropout_answer(x: torch.Tensor, p: float, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """x of any shape -> (y, mask), with y = x * mask."""
    keep = torch.rand(x.shape, generator=rng) >= p
    mask = keep.to(x.dtype) / (1 - p)
    return x * mask, mask


def dropout_backward_answer(g: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """g and the mask of the forward pass -> the gradient at x."""
    return g * mask


def _dropped(rng: torch.Generator) -> list[tuple]:
    """x, p, and the seed of the generator that draws the mask."""
    settings = (((6,), 0.5), ((4, 5), 0.2), ((2, 3, 4, 4), 0.9), ((3, 3), 0.0))
    return [(normal(*shape, rng=rng), p, int(torch.randint(2**31, (), generator=rng))) for shape, p in settings]


def _drop(answer: Callable, x: torch.Tensor, p: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What is dropped with random numbers that another answer gets too: the same seed draws the same."""
    return answer(x, p, torch.Generator().manual_seed(seed))


dropout = Exercise(dropout_answer, _dropped, ("output", "mask"), use=_drop, tolerance=1e-6)
dropout_backward = Exercise(
    dropout_backward_answer,
    lambda rng: [(normal(*x.shape, rng=rng), dropout_answer(x, p, rng)[1]) for x, p, _ in _dropped(rng)],
    ("gradient of the input",),
    tolerance=1e-6,
)


def layer_norm_answer(x: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """x [N, ...] -> each image with mean 0 and variance 1 over all of its own numbers."""
    return F.layer_norm(x, x.shape[1:], eps=eps)


def layer_norm_backward_answer(g: torch.Tensor, x: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """g, x [N, ...] -> the gradient at x."""
    axes = tuple(range(1, x.dim()))
    centred = x - x.mean(dim=axes, keepdim=True)
    inverse = (centred.square().mean(dim=axes, keepdim=True) + eps).rsqrt()
    normalised = centred * inverse
    along = (g * normalised).mean(dim=axes, keepdim=True)
    return inverse * (g - g.mean(dim=axes, keepdim=True) - normalised * along)


def _images(rng: torch.Generator) -> list[tuple]:
    return [(2 * normal(*shape, rng=rng) + 1,) for shape in ((1, 4), (3, 6), (2, 3, 4, 5), (4, 2, 1, 3))]


layer_norm = Exercise(layer_norm_answer, _images, ("output",), tolerance=EXACT)
layer_norm_backward = Exercise(
    layer_norm_backward_answer,
    lambda rng: [(normal(*x.shape, rng=rng), x) for (x,) in _images(rng)],
    ("gradient of the input",),
    tolerance=EXACT,
)


def trace_answer(network: list[tuple], shape: tuple[int, ...]) -> list[tuple]:
    """(layer, ...) in a list and the shape of one image (C, H, W) -> (shape after it, weights, multiply-adds) of each layer."""
    words = {"conv": "conv {} {} padding={}", "pool": "max_pool {}", "flatten": "flatten", "dense": "dense {}"}
    lines = [words[word].format(*numbers) for word, *numbers in network]
    steps = layers.trace_shapes(lines, shape)[1:]
    return [(step.shape, step.parameters, step.multiply_adds) for step in steps]


def _traced(answer: Callable, numbers: torch.Tensor) -> tuple[list, list, list] | None:
    """Three lists out of the answer for one network: the numbers of all shapes, the weights, the multiply-adds."""
    C, size, first, kernel, padding, second, hidden = numbers.tolist()
    network = [("conv", first, kernel, padding), ("pool", 2), ("conv", second, 3, 1), ("pool", 3), ("flatten",)]
    network += [("dense", hidden), ("dense", 10)]
    found = answer(list(network), (C, size, size + 3))
    if found is None:
        return None
    if len(found) != len(network):
        raise ValueError(f"the answer has {len(found)} rows for a list of {len(network)} layers")
    shapes, weights, work = zip(*found, strict=True)
    return [number for shape in shapes for number in shape], list(weights), list(work)


def _networks(rng: torch.Generator) -> list[tuple]:
    draw = [
        torch.randint(low, high, (4,), generator=rng) for low, high in ((1, 5), (12, 40), (2, 9), (2, 6), (0, 3), (2, 9), (5, 40))
    ]
    return [(torch.tensor([1, 8, 4, 3, 1, 2, 5]),), *((numbers,) for numbers in torch.stack(draw, dim=1).clone())]


trace = Exercise(trace_answer, _networks, ("shape", "number of weights", "number of multiply-adds"), use=_traced)
