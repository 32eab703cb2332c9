"""Measures what importing the course adds to importing PyTorch: `python -m tools.import_time`.

The budget is 0.2 s for the rooms that compute. `viz` costs what matplotlib and ipywidgets cost.
"""

import statistics
import subprocess
import sys
import time

from tools.files import ROOT

ROUNDS = 7
TORCH = "import torch"
ADDED = {
    "convolution, data, runtime": "from course_lib import convolution, data, runtime",
    "these and viz": "from course_lib import convolution, data, runtime, viz",
}


def seconds(code: str) -> float:
    """The duration of a new Python process that runs `code`."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.perf_counter() - start


def main() -> None:
    """Starts the processes in turn, so that other work on the machine disturbs them alike, and prints differences of medians."""
    codes = [TORCH, *(f"{TORCH}\n{code}" for code in ADDED.values())]
    # The first round fills the caches of the disk and does not count.
    times = [[seconds(code) for code in codes] for _ in range(ROUNDS + 1)][1:]
    torch, *others = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"import torch: {torch:.2f} s")
    for name, other in zip(ADDED, others, strict=True):
        print(f"{name}: {other - torch:.2f} s more")


if __name__ == "__main__":
    main()
