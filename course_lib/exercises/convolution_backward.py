"""The exercises of notebook 02: the gradients of a convolution, the test that checks them, and two ways to use them."""

from collections.abc import Callable

import torch

from course_lib.convolution import col2im as unpatch
from course_lib.convolution import conv2d_backward
from course_lib.convolution import conv_transpose2d as transposed
from course_lib.convolution import im2col as patches
from course_lib.exercises.exercise import Exercise

# Everything is float64, and an answer has to be right to rounding.
EXACT = 1e-10


def normal(*shape: int, rng: torch.Generator) -> torch.Tensor:
    """Normal random numbers of this shape, float64."""
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def conv1d_backward_answer(
    g: torch.Tensor, x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0
) -> tuple[torch.Tensor, torch.Tensor]:
    """g [OL] at the output -> the gradients at the input x [L] and at the kernel w [K]."""
    signal, kernel, gradient = (tensor[None, None, None] for tensor in (x, w, g))
    gx, gw, _ = conv2d_backward(gradient, signal, kernel, stride=(1, stride), padding=(0, padding))
    return gx[0, 0, 0], gw[0, 0, 0]


def weight_gradient_answer(
    g: torch.Tensor, x: torch.Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """g [N, O, OH, OW], x [N, C, H, W] -> the gradient at the weight, [O, C, KH, KW]."""
    weight = x.new_zeros(g.shape[1], x.shape[1], *kernel_size)
    return conv2d_backward(g, x, weight, stride=stride, padding=padding)[1]


def bias_gradient_answer(g: torch.Tensor) -> torch.Tensor:
    """g [N, O, OH, OW] -> the gradient at the bias, [O]."""
    return g.sum(dim=(0, 2, 3))


def input_gradient_answer(
    g: torch.Tensor, w: torch.Tensor, size: tuple[int, int], stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """g [N, O, OH, OW], w [O, C, KH, KW], size (H, W) -> the gradient at the input, [N, C, H, W]."""
    x = g.new_zeros(len(g), w.shape[1], *size)
    return conv2d_backward(g, x, w, stride=stride, padding=padding)[0]


def adjoint_gap_answer(forward: Callable, backward: Callable, x: torch.Tensor, rng: torch.Generator) -> float:
    """|<M x, y> - <x, M' y>| for a random y, where forward computes M x and backward M' y."""
    Mx = forward(x)
    y = torch.randn(Mx.shape, generator=rng, dtype=x.dtype)
    return abs((Mx * y).sum() - (x * backward(y)).sum()).item()


def conv_transpose2d_answer(x: torch.Tensor, w: torch.Tensor, stride: int = 1, padding: int = 0) -> torch.Tensor:
    """x [N, C, H, W], w [C, O, KH, KW] -> [N, O, OH, OW], every input pixel stamping its kernel."""
    return transposed(x, w, stride=stride, padding=padding)


def im2col_answer(x: torch.Tensor, kernel_size: tuple[int, int], stride: int = 1, padding: int = 0) -> torch.Tensor:
    """x [N, C, H, W] -> the patches as columns, [N, C * KH * KW, OH * OW]."""
    return patches(x, kernel_size, stride=stride, padding=padding)


def col2im_answer(
    columns: torch.Tensor, size: tuple[int, int], kernel_size: tuple[int, int], stride: int = 1, padding: int = 0
) -> torch.Tensor:
    """columns [N, C * KH * KW, OH * OW], size (H, W) -> every number added to its pixel, [N, C, H, W]."""
    return unpatch(columns, size, kernel_size, stride=stride, padding=padding)


# N, C, O, H, W, KH, KW, stride, padding, smallest first; where the stride does not fit, pixels at the end are never read.
SETTINGS = (
    (1, 1, 1, 3, 3, 2, 2, 1, 0),
    (2, 3, 2, 5, 4, 3, 2, 1, 0),
    (1, 2, 3, 6, 7, 3, 3, 1, 1),
    (2, 1, 2, 8, 7, 3, 2, 2, 0),
    (3, 2, 4, 7, 10, 4, 3, 3, 2),
)


def _positions(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + 2 * padding - kernel) // stride + 1


def _signals(rng: torch.Generator) -> list[tuple]:
    cases = []
    for L, K, stride, padding in ((5, 3, 1, 0), (7, 2, 1, 1), (8, 3, 2, 0), (10, 4, 3, 2)):
        g = normal(_positions(L, K, stride, padding), rng=rng)
        cases.append((g, normal(L, rng=rng), normal(K, rng=rng), stride, padding))
    return cases


def _layers(rng: torch.Generator) -> list[tuple]:
    """g, x, w, stride, padding of every setting."""
    cases = []
    for N, C, O, H, W, KH, KW, stride, padding in SETTINGS:
        OH, OW = _positions(H, KH, stride, padding), _positions(W, KW, stride, padding)
        g, x, w = normal(N, O, OH, OW, rng=rng), normal(N, C, H, W, rng=rng), normal(O, C, KH, KW, rng=rng)
        cases.append((g, x, w, stride, padding))
    return cases


def _matrices(rng: torch.Generator) -> list[tuple]:
    """A matrix and what stands for its adjoint, x, and a seed: the first two pairs fit, the others do not."""
    cases = []
    for rows, columns, spoilt in ((2, 3, 0.0), (4, 4, 0.0), (3, 5, 1.0), (5, 2, 10.0)):
        matrix = normal(rows, columns, rng=rng)
        adjoint = matrix.T + spoilt * normal(columns, rows, rng=rng)
        seed = int(torch.randint(2**31, (), generator=rng))
        cases.append((matrix, adjoint, normal(columns, rng=rng), seed))
    return cases


def _gap(answer: Callable, matrix: torch.Tensor, adjoint: torch.Tensor, x: torch.Tensor, seed: int) -> float:
    """The gap for one random y, which is also drawn by the answer: the same seed draws the same y."""
    rng = torch.Generator().manual_seed(seed)
    return answer(lambda signal: matrix @ signal, lambda y: adjoint @ y, x, rng)


conv1d_backward = Exercise(conv1d_backward_answer, _signals, ("gradient of the input", "gradient of the kernel"), tolerance=EXACT)
weight_gradient = Exercise(
    weight_gradient_answer,
    lambda rng: [(g, x, tuple(w.shape[2:]), *rest) for g, x, w, *rest in _layers(rng)],
    ("gradient of the weight",),
    tolerance=EXACT,
)
bias_gradient = Exercise(
    bias_gradient_answer, lambda rng: [(g,) for g, *_ in _layers(rng)], ("gradient of the bias",), tolerance=EXACT
)
input_gradient = Exercise(
    input_gradient_answer,
    lambda rng: [(g, w, tuple(x.shape[2:]), *rest) for g, x, w, *rest in _layers(rng)],
    ("gradient of the input",),
    tolerance=EXACT,
)
adjoint_gap = Exercise(adjoint_gap_answer, _matrices, ("gap",), use=_gap, tolerance=EXACT)
conv_transpose2d = Exercise(
    conv_transpose2d_answer,
    lambda rng: [(g, w, *rest) for g, x, w, *rest in _layers(rng)],
    ("output",),
    tolerance=EXACT,
)
im2col = Exercise(
    im2col_answer,
    lambda rng: [(x, tuple(w.shape[2:]), *rest) for g, x, w, *rest in _layers(rng)],
    ("matrix of patches",),
    tolerance=EXACT,
)
col2im = Exercise(
    col2im_answer,
    lambda rng: [
        (normal(len(x), w[0].numel(), g[0, 0].numel(), rng=rng), tuple(x.shape[2:]), tuple(w.shape[2:]), *rest)
        for g, x, w, *rest in _layers(rng)
    ],
    ("image",),
    tolerance=EXACT,
)
