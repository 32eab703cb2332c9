"""The Stop button: how a training loop ends early and keeps everything that it has learned."""

import math
import signal
import threading
import time

# In a cell of many short runs the first press has ended one of them when the second comes, which is then meant for the cell.
SECOND_PRESS_SECONDS = 3.0


class StopButton:
    """While it is open, Ctrl-C and Jupyter's Stop button ask a loop to end, instead of breaking in wherever it happens to be.

    ``with StopButton() as stop:`` and then, between two steps, ``if stop.pressed: break``. Weights, momentum and learning rate
    then belong to the same step, so that the run can be resumed as if it had never stopped. A second press raises
    KeyboardInterrupt at once, also in the next run if it comes within SECOND_PRESS_SECONDS: so two presses end a cell of many
    runs. Outside the main thread, where Python delivers no signals, `pressed` stays False.
    """

    last_press = -math.inf  # of all buttons, in seconds of time.monotonic()

    def __init__(self):
        self.pressed = False

    def __enter__(self):
        self.pressed = False
        self._before = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        # A job that was told to ignore interrupts (nohup) goes on doing so; a handler from outside Python could not be put back.
        self._installed = main and self._before not in (signal.SIG_IGN, None)
        if self._installed:
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error):
        if self._installed:
            signal.signal(signal.SIGINT, self._before)

    def _press(self, *_):
        now = time.monotonic()
        again = self.pressed or now - StopButton.last_press < SECOND_PRESS_SECONDS
        StopButton.last_press = -math.inf if again else now
        if again:
            raise KeyboardInterrupt
        self.pressed = True
