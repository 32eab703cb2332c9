"""How long things take, measured so that other programs disturb all candidates alike."""

import statistics
import time
from collections.abc import Callable

import torch

from course_lib.runtime.checks import check_count


def interleaved_medians(functions: dict[str, Callable[[], object]], rounds: int = 7) -> dict[str, float]:
    """Median seconds of each function, called in turn, round after round, after one to warm up.

    Work that was queued on a GPU is waited for, so a call is timed to its end. Compare the results
    as ratios: all were measured in the same minutes. Raises ValueError for fewer than one round.
    """
    check_count("rounds", rounds)
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds + 1):
        for name, function in functions.items():
            _wait()
            start = time.perf_counter()
            function()
            _wait()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(record[1:]) for name, record in times.items()}


def _wait() -> None:
    if torch.accelerator.is_available():  # CUDA, MPS, ...
        torch.accelerator.synchronize()
