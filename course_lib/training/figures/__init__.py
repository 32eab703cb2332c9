"""What a run of the command leaves, and the pictures of chapter 12."""

from course_lib.training.figures.batches import batch_and_rate, normalised_slices, spread
from course_lib.training.figures.bits import bits, growing_sums, small_steps
from course_lib.training.figures.command import mistake_sheet, run_curves, sample_sheet
from course_lib.training.figures.costs import costs, growing_batch, roofline
from course_lib.training.figures.devices import all_reduce_fit, drifting, one_step, ring, scaling
