"""The exercises of notebook 05: how sure an accuracy is, where it falls short, and whether a confidence can be believed."""

import math
from collections.abc import Callable
from typing import Any

import torch

from course_lib import metrics
from course_lib.classification import Evaluation
from course_lib.classification import confident_mistakes as surest_mistakes
from course_lib.exercises.exercise import Exercise

Case = tuple


def wilson_interval_answer(correct: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The shares p from which correct / count lies at most z standard deviations away: (low, high)."""
    share, extra = correct / count, z * z / count
    centre = (share + extra / 2) / (1 + extra)
    half = z * math.sqrt(share * (1 - share) / count + extra / (4 * count)) / (1 + extra)
    return max(0.0, centre - half), min(1.0, centre + half)


def _counts(rng: torch.Generator) -> list[Case]:
    cases = [(8, 10, 1.96), (50, 50, 1.96), (0, 7, 1.96), (29, 29, 1.9), (0, 29, 1.9)]  # the last two: rounding leaves [0, 1]
    for count in (100, 4000):
        correct = int(torch.randint(count // 2, count, (), generator=rng))
        cases.append((correct, count, round(1 + 2 * torch.rand((), generator=rng).item(), 2)))
    return cases


def _ends(answer: Callable, *case: float) -> Any:
    """The ends that an answer finds. What rounding puts outside of [0, 1] is too small for the tolerance."""
    found = answer(*case)
    for end in found if isinstance(found, tuple | list) else ():
        if isinstance(end, float) and (-1e-6 < end < 0 or 1 < end < 1 + 1e-6):
            raise ValueError(f"both ends have to lie in [0, 1], and one is {end!r}")
    return found


wilson_interval = Exercise(wilson_interval_answer, _counts, ("lower end", "upper end"), use=_ends)


def confusion_matrix_answer(predicted: torch.Tensor, labels: torch.Tensor, classes: int) -> torch.Tensor:
    """How often class i was taken for class j: [classes, classes]."""
    return metrics.confusion_matrix(predicted, labels, classes)


def _answers(rng: torch.Generator) -> list[Case]:
    cases = [
        (torch.tensor([0, 1, 1, 1]), torch.tensor([0, 0, 1, 1]), 2),
        (torch.tensor([0, 1, 1]), torch.tensor([1, 1, 0]), 4),  # classes that do not occur
    ]
    for count, classes in ((30, 3), (200, 5), (500, 10)):
        labels = torch.randint(classes, (count,), generator=rng)
        guesses = torch.randint(classes, (count,), generator=rng)
        cases.append((torch.where(torch.rand(count, generator=rng) < 0.6, labels, guesses), labels, classes))
    return cases


confusion_matrix = Exercise(confusion_matrix_answer, _answers, ("matrix",))


def _logits(rng: torch.Generator, count: int, classes: int, sharp: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits whose softmax is right about the labels before they are multiplied by `sharp`; float64."""
    logits = 2 * torch.randn(count, classes, generator=rng, dtype=torch.float64)
    labels = torch.multinomial(torch.softmax(logits, dim=1), 1, generator=rng).flatten()
    return sharp * logits, labels


def _scored(rng: torch.Generator) -> list[Case]:
    return [_logits(rng, count, classes, sharp) for count, classes, sharp in ((12, 3, 1.0), (200, 4, 2.0), (900, 10, 0.5))]


def confident_mistakes_answer(logits: torch.Tensor, labels: torch.Tensor, count: int) -> torch.Tensor:
    """Indices of up to count images that are not recognised, the most confident first."""
    return surest_mistakes(Evaluation(logits, labels), count)


confident_mistakes = Exercise(
    confident_mistakes_answer,
    lambda rng: [(*case, count) for case, count in zip(_scored(rng), (3, 300, 10), strict=True)],
    ("list of indices",),
)


def accuracy_by_group_answer(
    correct: torch.Tensor, values: torch.Tensor, edges: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Images, accuracy and the ends of its interval in each group edges[g] <= value < edges[g + 1]."""
    groups = len(edges) - 1
    count, accuracy = torch.zeros(groups, dtype=torch.int64), torch.zeros(groups, dtype=torch.float64)
    low, high = torch.zeros(groups, dtype=torch.float64), torch.ones(groups, dtype=torch.float64)
    for g in range(groups):
        inside = (values >= edges[g]) & (values < edges[g + 1])
        count[g] = inside.sum()
        if count[g]:
            right = int(correct[inside].sum())
            accuracy[g] = right / int(count[g])
            low[g], high[g] = wilson_interval_answer(right, int(count[g]))
    return count, accuracy, low, high


def _groups(rng: torch.Generator) -> list[Case]:
    cases: list[Case] = [
        (torch.tensor([True, False, True, True]), torch.tensor([1, 1, 2, 5]), torch.tensor([1, 2, 3, 4])),
    ]
    for count, edges in ((60, (-15.0, -5.0, 5.0, 15.0)), (400, (0.0, 0.1, 0.2, 0.4, 5.0, 6.0, 20.0))):
        values = 20 * torch.rand(count, generator=rng, dtype=torch.float64) - 5
        cases.append((torch.rand(count, generator=rng) < 0.9, values, torch.tensor(edges, dtype=torch.float64)))
    return cases


accuracy_by_group = Exercise(accuracy_by_group_answer, _groups, ("count", "accuracy", "lower end", "upper end"), tolerance=1e-4)


def calibration_answer(
    probabilities: torch.Tensor, labels: torch.Tensor, bins: int = 15
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
    """Images, mean confidence and accuracy in each bin (0 where there are none), and the expected calibration error."""
    found = metrics.calibration(probabilities, labels, bins)
    return found.count, found.confidence.nan_to_num(), found.accuracy.nan_to_num(), found.expected_error


calibration = Exercise(
    calibration_answer,
    lambda rng: (
        [(torch.softmax(logits, dim=1), labels, bins) for (logits, labels), bins in zip(_scored(rng), (4, 10, 15), strict=True)]
        + [(torch.eye(3, dtype=torch.float64), torch.tensor([0, 1, 1]), 5)]
    ),
    ("count", "confidence", "accuracy", "expected error"),
)


def fit_temperature_answer(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The T for which softmax(logits / T) has the smallest cross-entropy: by bisection on its slope."""
    z = logits.double()
    right = z.gather(1, labels[:, None]).mean()
    low, high = 0.02, 50.0  # of 1 / T: outside, nobody would believe it
    for _ in range(60):
        beta = (low * high) ** 0.5
        slope = (torch.softmax(beta * z, dim=1) * z).sum(dim=1).mean() - right
        low, high = (beta, high) if slope < 0 else (low, beta)
    return 1 / (low * high) ** 0.5


fit_temperature = Exercise(fit_temperature_answer, _scored, ("temperature",), tolerance=5e-3)


def chance_of_a_coin_answer(first: torch.Tensor, second: torch.Tensor) -> float:
    """How probable a split at least as uneven is where a fair coin decides each image on which two models differ."""
    better, worse = int((first & ~second).sum()), int((second & ~first).sum())
    differ = better + worse
    tail = sum(math.comb(differ, k) for k in range(min(better, worse) + 1)) / 2**differ
    return min(1.0, 2 * tail)


def _pairs(rng: torch.Generator) -> list[Case]:
    cases = [(torch.tensor([True, True, True, False, True]), torch.tensor([True, False, False, True, False]))]
    for count, share in ((20, 0.5), (100, 0.8), (1000, 0.95)):
        first = torch.rand(count, generator=rng) < 0.9
        cases.append(
            (first, torch.where(torch.rand(count, generator=rng) < 0.9, first, torch.rand(count, generator=rng) < share))
        )
    same = torch.rand(30, generator=rng) < 0.5
    coin = torch.rand(2000, generator=rng) < 0.5  # 2**2000 is too large for a float
    return [*cases, (same, same.clone()), (coin, ~coin)]


chance_of_a_coin = Exercise(chance_of_a_coin_answer, _pairs, ("probability",))
