"""The exercises of notebook 00: naive Bayes, which learns by counting and draws by tossing coins."""

from collections.abc import Callable

import torch

from course_lib.exercises.exercise import Exercise
from course_lib.start import fit_pixels, sample_pixels

Case = tuple


def _fit_cases(rng: torch.Generator) -> list[Case]:
    """(x, y, classes), with classes of different size."""
    small = (torch.tensor([[1.0, 0], [1, 1], [0, 0], [1, 0]]), torch.tensor([0, 0, 0, 1]), 2)
    cases = [small]
    for count, pixels, classes in ((7, 3, 3), (40, 9, 4)):
        x = torch.rand(count, pixels, generator=rng).round()
        y = torch.cat([torch.arange(classes), torch.randint(0, classes, (count - classes,), generator=rng)])
        cases.append((x, y, classes))
    return cases


fit = Exercise(fit_pixels, _fit_cases, ("theta", "log_prior"))

COUNT = 50_000


def _statistics(answer: Callable, theta: torch.Tensor, log_prior: torch.Tensor, seed: int) -> tuple | None:
    """What many drawn images have in common: any right answer gives nearly the same numbers."""
    found = answer(theta, log_prior, COUNT, torch.Generator().manual_seed(seed))
    if found is None:
        return None
    x, y = found
    if x.shape != (COUNT, theta.shape[1]) or y.shape != (COUNT,):
        wanted = f"{[COUNT, theta.shape[1]]} and {[COUNT]}"
        raise ValueError(f"x and y have the shapes {list(x.shape)} and {list(y.shape)}, and should have {wanted}")
    means = torch.stack([x[y == k].double().mean(dim=0) for k in range(len(theta))])
    together = (x.double() * x.double().roll(1, dims=1)).mean(dim=0)
    binary = ((x == 0) | (x == 1)).double().mean()
    return binary, torch.bincount(y, minlength=len(theta)) / COUNT, means, together


def _sample_cases(rng: torch.Generator) -> list[Case]:
    """(theta, log_prior, seed), each class frequent enough for its mean to be exact to 0.02."""
    cases = []
    for classes, pixels in ((2, 3), (3, 6)):
        theta = torch.rand(classes, pixels, generator=rng, dtype=torch.float64)
        prior = 1 + torch.rand(classes, generator=rng, dtype=torch.float64)
        cases.append((theta, (prior / prior.sum()).log(), int(torch.randint(0, 10**6, (), generator=rng))))
    return cases


sample = Exercise(
    sample_pixels,
    _sample_cases,
    (
        "share of pixels that are 0 or 1",
        "share of each class",
        "share of white for each class and pixel",
        "share of two pixels white together",
    ),
    use=_statistics,
    tolerance=0.03,
)
