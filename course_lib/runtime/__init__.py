"""What every chapter needs and no chapter is about: device, seeds, runs, checkpoints, the Stop button, the machine's health."""

from course_lib.runtime.checkpoints import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from course_lib.runtime.device import pick_device
from course_lib.runtime.modes import evaluation_afterwards, evaluation_mode
from course_lib.runtime.progress import Progress
from course_lib.runtime.run import DivergenceError, Run
from course_lib.runtime.seeds import seed_everything
from course_lib.runtime.stop import StopButton
from course_lib.runtime.timing import interleaved_medians

__all__ = [
    "Checkpoint",
    "DivergenceError",
    "Progress",
    "Run",
    "StopButton",
    "evaluation_afterwards",
    "evaluation_mode",
    "interleaved_medians",
    "load_checkpoint",
    "load_weights",
    "pick_device",
    "save_checkpoint",
    "seed_everything",
]
