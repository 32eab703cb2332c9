"""The exercises of notebook 12: what a layer costs, bfloat16 by bits, and one batch on many devices."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.exercises.exercise import Exercise

EXACT = 1e-10


def _normal(*shape: int, rng: torch.Generator) -> Tensor:
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def _integer(low: int, high: int, rng: torch.Generator) -> int:
    return int(torch.randint(low, high, (), generator=rng))


def layer_cost_answer(layer: nn.Module, x: Tensor, out: Tensor) -> tuple[int, int]:
    """A layer, its input and its output -> operations, bytes moved."""
    numbers = x.numel() + out.numel() + sum(parameter.numel() for parameter in layer.parameters())
    weighted = isinstance(layer, nn.Conv2d | nn.Linear)
    operations = 2 * out.numel() * layer.weight[0].numel() if weighted else x.numel()  # type: ignore[index]
    return operations, numbers * x.element_size()


def _cost(answer: Callable, x: Tensor, kind: str, out_channels: int, kernel_size: int) -> Any:
    """What an answer says of a layer that is made for x."""
    layers: dict[str, Callable[[], nn.Module]] = {
        "conv": lambda: nn.Conv2d(x.shape[1], out_channels, kernel_size, stride=kernel_size - 1),
        "dense": lambda: nn.Linear(x.shape[1], out_channels, bias=kernel_size > 1),
        "relu": nn.ReLU,
        "pool": lambda: nn.MaxPool2d(kernel_size),
    }
    layer = layers[kind]().to(x.dtype)
    return answer(layer, x, layer(x).detach())


def _layers(rng: torch.Generator) -> list[tuple]:
    cases: list[tuple] = []
    for kind, sides in (("conv", 2), ("dense", 0), ("relu", 2), ("pool", 2), ("conv", 2), ("dense", 0)):
        shape = [_integer(1, 5, rng), _integer(2, 7, rng), *[_integer(5, 9, rng)] * sides]
        dtype = torch.float64 if len(cases) > 3 else torch.float32
        cases.append((_normal(*shape, rng=rng).to(dtype), kind, _integer(1, 6, rng), _integer(2, 4, rng)))
    return cases


layer_cost = Exercise(layer_cost_answer, _layers, ("number of operations", "number of bytes"), use=_cost, tolerance=EXACT)


def step_operations_answer(forward: Tensor) -> int:
    """Operations of each layer's forward pass, int64 [L] -> those of forward and backward pass together."""
    return int(3 * forward.sum() - forward[0])


step_operations = Exercise(
    step_operations_answer,
    lambda rng: [(torch.randint(1, 10_000, (count,), generator=rng),) for count in (1, 2, 5)],
    ("number of operations",),
    tolerance=EXACT,
)


def to_bfloat16_answer(x: Tensor) -> Tensor:
    """float32 -> float32, rounded to the nearest number that bfloat16 has; a tie goes to the even one."""
    bits = x.view(torch.int32)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & -0x10000).view(torch.float32)


def _floats(rng: torch.Generator) -> list[tuple]:
    normal = [scale * torch.randn(size, generator=rng) for size, scale in ((3, 1.0), (50, 1.0), (50, 1e-20), (50, 1e30))]
    short = (torch.randn(40, generator=rng).view(torch.int32) >> 16) << 16
    ties = (short | 0x8000).view(torch.float32)  # half-way between two neighbours
    edges = torch.tensor([0.0, -0.0, float("inf"), -float("inf"), 3.4e38, -3.4e38, 255.0, 257.0, 1.0])
    drawn = torch.rand(1, generator=rng)
    return [(x,) for x in (*normal, ties, torch.cat([edges, drawn]))]


to_bfloat16 = Exercise(to_bfloat16_answer, _floats, ("rounded number",), tolerance=0.0)


def pairwise_sum_answer(x: Tensor) -> Tensor:
    """x [N] -> its sum, of the same dtype: neighbours are added until one number is left."""
    while len(x) > 1:
        x = F.pad(x, (0, len(x) % 2))
        x = x[0::2] + x[1::2]
    return x[0]


pairwise_sum = Exercise(
    pairwise_sum_answer,
    lambda rng: [(torch.rand(count, generator=rng).bfloat16(),) for count in (2, 1, 7, 1000, 4097)],
    ("sum",),
    tolerance=0.02,
)


class MasterSGDAnswer:
    """Gradient descent on bfloat16 weights, of which it keeps float32 copies."""

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        self.parameters, self.lr = list(parameters), lr
        self.masters = [parameter.detach().float().clone() for parameter in self.parameters]

    @torch.no_grad()
    def step(self) -> None:
        """A step with the gradients in `.grad`."""
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            master -= self.lr * parameter.grad.float()  # type: ignore[union-attr]
            parameter.copy_(master)


def _walk(answer: Callable, start: Tensor, gradients: Tensor, lr: float) -> Tensor:
    """Where an optimizer takes two parameters, which it can go through once."""
    parameters = [start[:2].bfloat16().requires_grad_(), start[2:].bfloat16().requires_grad_()]
    optimizer = answer(iter(parameters), lr=lr)
    for gradient in gradients:
        parameters[0].grad, parameters[1].grad = gradient[:2].bfloat16(), gradient[2:].bfloat16()
        optimizer.step()
        if any(parameter.dtype != torch.bfloat16 for parameter in parameters):
            raise TypeError("the weights are no longer bfloat16: copy into them, in place")
    return torch.cat([parameter.detach().float() for parameter in parameters])


def _walks(rng: torch.Generator) -> list[tuple]:
    cases = []
    for steps, lr in ((1, 0.1), (300, 1e-3), (500, 1e-3)):
        start, push = 1 + torch.rand(5, generator=rng), torch.rand(5, generator=rng)
        cases.append((start, push + 0.2 * torch.rand(steps, 5, generator=rng), lr))
    return cases


MasterSGD = Exercise(MasterSGDAnswer, _walks, ("place of the weights",), use=_walk, tolerance=1e-3)


def accumulate_answer(model: nn.Module, x: Tensor, y: Tensor, micro: int) -> float:
    """The mean loss of a batch; its gradient is left in `.grad`, computed from `micro` images at a time."""
    model.zero_grad()
    total = 0.0
    for part, labels in zip(x.split(micro), y.split(micro), strict=True):
        loss = F.cross_entropy(model(part), labels) * len(part) / len(x)
        loss.backward()
        total += loss.item()
    return total


def _with_gradient(answer: Callable, x: Tensor, y: Tensor, micro: int, seed: int) -> Any:
    """The loss, and the gradient that an answer leaves in a small network that has an old one."""
    torch.manual_seed(seed)
    model, seen = nn.Sequential(nn.Linear(x.shape[1], 6), nn.Tanh(), nn.Linear(6, 3)).double(), []
    F.cross_entropy(model(x), y).backward()
    model.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    loss = answer(model, x, y, micro)
    if loss is None:
        return None
    if max(seen) > micro:
        raise ValueError(f"it gives the model {max(seen)} images at once, and {micro} fit")
    return loss, torch.cat([parameter.grad.flatten() for parameter in model.parameters()])  # type: ignore[union-attr]


def _batches(rng: torch.Generator) -> list[tuple]:
    cases = []
    for N, micro in ((4, 2), (7, 3), (10, 4), (5, 8)):
        labels = torch.randint(0, 3, (N,), generator=rng)
        cases.append((_normal(N, 5, rng=rng), labels, micro, _integer(0, 1000, rng)))
    return cases


accumulate = Exercise(accumulate_answer, _batches, ("mean loss", "gradient"), use=_with_gradient, tolerance=EXACT)


def shares_answer(N: int, K: int) -> list[tuple[int, int]]:
    """K pairs (first, end): device k gets the images from first to end - 1 of N."""
    return [(N * k // K, N * (k + 1) // K) for k in range(K)]


def _pair_list(answer: Callable, N: int, K: int) -> Any:
    found = answer(N, K)
    return None if found is None else [list(pair) for pair in found]


def _counts(rng: torch.Generator) -> list[tuple]:
    return [(N + _integer(0, 9, rng), K) for N, K in ((6, 2), (23, 2), (17, 3), (5, 1), (100, 7))]


shares = Exercise(shares_answer, _counts, ("list of pairs",), use=_pair_list, tolerance=0.0)


def combine_answer(gradients: list[Tensor], counts: list[int]) -> Tensor:
    """Gradients of mean losses over slices of so many images -> the gradient of the mean loss of all of them."""
    return sum(  # type: ignore[return-value]
        gradient * (count / sum(counts)) for gradient, count in zip(gradients, counts, strict=True)
    )


def _slices(rng: torch.Generator) -> list[tuple]:
    settings = (((3, 1), 3), ((2, 3), 4), ((5, 5, 5), 2), ((1, 7, 2, 4), 6))
    return [([_normal(size, rng=rng) for _ in counts], list(counts)) for counts, size in settings]


combine = Exercise(combine_answer, _slices, ("gradient",), tolerance=EXACT)


def ring_all_reduce_answer(tensors: list[Tensor]) -> tuple[list[Tensor], int]:
    """K tensors [P], one on each device -> the sum on each of them, and how many numbers were sent in all."""
    K, sent = len(tensors), 0
    chunks = [list(tensor.tensor_split(K)) for tensor in tensors]
    for step in range(2 * (K - 1)):
        places = [(k - step) % K for k in range(K)]  # device k sends this chunk, and what it sends is on its way
        moving = [chunks[k][places[k]] for k in range(K)]
        for k in range(K):
            to, place = (k + 1) % K, places[k]
            chunks[to][place] = chunks[to][place] + moving[k] if step < K - 1 else moving[k]
            sent += moving[k].numel()
    return [torch.cat(parts) for parts in chunks], sent


def _reduced(answer: Callable, tensors: list[Tensor]) -> Any:
    found = answer(tensors)
    return found if found is None or len(found) != 2 or found[0] is None else (torch.stack(list(found[0])), found[1])


def _rings(rng: torch.Generator) -> list[tuple]:
    return [([_normal(P, rng=rng) for _ in range(K)],) for K, P in ((2, 4), (3, 6), (4, 10), (1, 3), (5, 17))]


ring_all_reduce = Exercise(
    ring_all_reduce_answer, _rings, ("sum on each device", "count of the numbers sent"), use=_reduced, tolerance=EXACT
)


def combine_statistics_answer(counts: Tensor, means: Tensor, variances: Tensor) -> tuple[Tensor, Tensor]:
    """Of K slices: counts [K], means and variances [K, C] -> mean and variance [C] of all images together."""
    weights = (counts / counts.sum())[:, None]
    mean = (weights * means).sum(dim=0)
    return mean, (weights * (variances + (means - mean).square())).sum(dim=0)


def _statistics(rng: torch.Generator) -> list[tuple]:
    cases = []
    for K, C in ((2, 1), (3, 4), (5, 2)):
        counts = torch.randint(1, 9, (K,), generator=rng).double()
        cases.append((counts, _normal(K, C, rng=rng), _normal(K, C, rng=rng).square()))
    return cases


combine_statistics = Exercise(combine_statistics_answer, _statistics, ("mean", "variance"), tolerance=EXACT)


def fit_line_answer(sizes: Tensor, seconds: Tensor) -> tuple[float, float]:
    """float64 [M] each -> latency and bandwidth of seconds = latency + size / bandwidth, by relative errors."""
    rows = torch.stack([1 / seconds, sizes / seconds], dim=1)
    solution = torch.linalg.lstsq(rows, torch.ones(len(seconds), 1, dtype=rows.dtype)).solution
    return solution[0].item(), 1 / solution[1].item()


def _timings(rng: torch.Generator) -> list[tuple]:
    cases = []
    for count, noise in ((2, 0.0), (5, 0.1), (9, 0.3)):
        sizes = torch.logspace(-1, 2, count, dtype=torch.float64)
        latency, bandwidth = (1 + torch.rand(2, generator=rng, dtype=torch.float64)).tolist()
        wobble = 1 + noise * torch.rand(count, generator=rng, dtype=torch.float64)
        cases.append((sizes, (latency + sizes / bandwidth) * wobble))
    return cases


fit_line = Exercise(fit_line_answer, _timings, ("latency", "bandwidth"), tolerance=1e-6)


def step_time_answer(K: int, compute: float, size: float, latency: float, bandwidth: float) -> float:
    """Seconds of a step on K devices: its share of the work, and a ring all-reduce of so many bytes."""
    return compute / K + (K - 1) * latency + 2 * (K - 1) / K * size / bandwidth


def _clusters(rng: torch.Generator) -> list[tuple]:
    drawn = (1 + torch.rand(5, 4, generator=rng, dtype=torch.float64)).tolist()
    return [(K, *values) for K, values in zip((2, 1, 3, 8, 100), drawn, strict=True)]


step_time = Exercise(step_time_answer, _clusters, ("number of seconds",), tolerance=1e-9)
