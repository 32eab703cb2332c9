"""The progress bar of training loops, as quiet as a notebook needs it."""

import sys

from tqdm import tqdm


class Progress(tqdm):
    """tqdm's bar, in steps, for runs that take longer than a second; it vanishes at the end.

    It writes to stdout, since notebooks put stderr on a red ground. Where a picture is shown while
    it runs, `hide` takes it away first: a bar above the picture would stay there for ever. The
    environment variable TQDM_DISABLE=1 switches it off. options: arguments of tqdm.
    """

    def __init__(self, total: int, initial: int = 0, **options: object) -> None:
        quiet = {"unit": "step", "leave": False, "delay": 1, "file": sys.stdout, "ncols": 80}
        super().__init__(total=total, initial=initial, **{**quiet, **options})

    def hide(self) -> None:
        """Clear the bar if it is on the screen; the next update draws it again."""
        if not self.disable and self.last_print_n > self.initial:
            self.clear()
