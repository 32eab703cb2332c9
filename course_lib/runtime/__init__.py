"""What every chapter needs and no chapter is about: the device, the seeds and the health of the machine."""

from course_lib.runtime.device import pick_device
from course_lib.runtime.seeds import seed_everything
from course_lib.runtime.timing import interleaved_medians

__all__ = ["interleaved_medians", "pick_device", "seed_everything"]
