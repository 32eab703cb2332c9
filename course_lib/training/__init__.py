"""What every training loop needs and no chapter is about.

The run, the Stop button, progress, rates, precision, many devices, moving averages and the checks of
settings.
"""

from course_lib.training.average import ema_update
from course_lib.training.devices import World, joined
from course_lib.training.modes import evaluation_mode
from course_lib.training.precision import prepared
from course_lib.training.run import DivergenceError, Run
from course_lib.training.schedules import learning_rate, set_rate
from course_lib.training.settings import check_last_batch, check_settings
from course_lib.training.stop import StopButton
