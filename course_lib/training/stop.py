"""The Stop button: how a training loop ends early and keeps everything that it has learned."""

import math
import signal
import sys
import threading
import time

# In a cell of many short runs the first press has ended one of them when the second comes, which is
# then meant for the cell.
SECOND_PRESS_SECONDS = 3.0


class StopButton:
    """While it is open, Ctrl-C and Jupyter's Stop button ask a loop to end, and do not break in.

    ``with StopButton() as stop:`` and then, between two steps, ``if stop.pressed: break``. Weights,
    momentum and learning rate then belong to the same step, so that the run can be resumed as if it
    had never stopped. A second press raises KeyboardInterrupt at once, also in the next run of the
    same cell if it comes within SECOND_PRESS_SECONDS: so two presses end a cell of many runs.
    Outside the main thread, where Python delivers no signals, `pressed` stays False.
    """

    # Of all buttons: seconds of time.monotonic(), and the number of the cell.
    last_press: tuple[float, int | None] = (-math.inf, None)

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> "StopButton":
        self.pressed = False
        self._before = signal.getsignal(signal.SIGINT)
        main = threading.current_thread() is threading.main_thread()
        # A job that was told to ignore interrupts (nohup) goes on doing so; a handler from outside
        # Python could not be put back.
        self._installed = main and self._before not in (signal.SIG_IGN, None)
        if self._installed:
            signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error: object) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, self._before)

    def _press(self, *_: object) -> None:
        (then, before), now, cell = StopButton.last_press, time.monotonic(), _cell_number()
        again = self.pressed or (cell == before and now - then < SECOND_PRESS_SECONDS)
        StopButton.last_press = (-math.inf, None) if again else (now, cell)
        if again:
            raise KeyboardInterrupt
        self.pressed = True


def _cell_number() -> int | None:
    """The number of the cell that runs in Jupyter; None elsewhere: all runs count as one cell's."""
    shell = IPython.get_ipython() if (IPython := sys.modules.get("IPython")) else None
    return shell.execution_count if shell else None
