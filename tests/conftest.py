"""What every test shares: one thread, one device, pictures without a window, and hypothesis without surprises."""

import os

import matplotlib
import pytest
import torch
from hypothesis import settings

from course_lib.runtime import pick_device

# A worker of the test run has one core to itself. More threads would wait for each other, and sums would depend on their number.
torch.set_num_threads(1)
matplotlib.use("Agg")
# The same examples on every machine and in every run; a slow machine is no failure.
settings.register_profile("course", derandomize=True, deadline=None, max_examples=30, database=None)
settings.load_profile("course")


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device under test: that of the environment variable COURSE_DEVICE, or the CPU."""
    chosen = pick_device(os.environ.get("COURSE_DEVICE", "cpu"))
    if chosen.type == "cuda":
        # TF32 keeps 10 bits of a factor; the tests compare float32 results to float32 accuracy.
        torch.backends.cudnn.allow_tf32 = False
    return chosen
