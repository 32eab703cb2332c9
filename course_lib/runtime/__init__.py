"""What every room needs and no chapter is about.

The device, seeds, checks of arguments, checkpoints, timing and the machine's health.
"""

from course_lib.runtime.checkpoints import Checkpoint, load_checkpoint, load_weights, save_checkpoint
from course_lib.runtime.device import pick_device
from course_lib.runtime.seeds import seed_everything
from course_lib.runtime.timing import interleaved_medians
