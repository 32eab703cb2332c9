"""What every test shares: one thread, one device, pictures without a window, and hypothesis without
surprises.
"""

import math
import os
import signal

import matplotlib
import pytest
import torch
from hypothesis import settings
from PIL import Image

from course_lib import data
from course_lib.runtime import pick_device
from course_lib.training import StopButton

# A worker of the test run has one core to itself. More threads would wait for each other, and sums
# would depend on their number.
torch.set_num_threads(1)
matplotlib.use("Agg")
# Before the first product on a GPU: read later, it does not count.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# A shell starts what runs in the background with Ctrl-C ignored, and the tests of the Stop button press it.
signal.signal(signal.SIGINT, signal.default_int_handler)
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
        # Otherwise sums come in no fixed order, and two runs differ in their last bits.
        torch.use_deterministic_algorithms(True, warn_only=True)
    return chosen


@pytest.fixture(autouse=True)
def no_press_before(monkeypatch):
    """Two presses of the Stop button soon after each other belong together; those of two tests do
    not.
    """
    monkeypatch.setattr(StopButton, "last_press", (-math.inf, None))


@pytest.fixture
def own_root(tmp_path, monkeypatch):
    """An empty data root, for one test."""
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.setenv("COURSE_DATA", str(root))
    return root


@pytest.fixture
def folder_name(own_root) -> str:
    """The name of a set of 360 embedded images in a folder, 300 to train on and 60 to test, as a
    reader's own images lie.
    """
    images = data.load("glyphs", "train", size=32)
    for split, rows in (("train", range(300)), ("test", range(300, 360))):
        for n in rows:
            folder = own_root / "images" / split / images.classes[images.labels[n]]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(images.images[n, 0].numpy()).save(folder / f"{n:03d}.png")
    return f"folder:{own_root / 'images'}"
