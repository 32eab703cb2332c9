"""How the learning rate changes during training: factors of the peak, as functions of the share of the steps that is done."""

import math


def learning_rate(schedule: str, progress: float, peak: float) -> float:
    """The learning rate of a step.

    Args:
        schedule: "one-cycle": a straight line up to the peak, reached after 30 % of the steps, and a straight line down to 0
            (Smith, A disciplined approach to neural network hyper-parameters, 2018); "cosine": half a cosine from the peak
            down to 0 (Loshchilov and Hutter, SGDR, 2017, equation 5); "constant": the peak.
        progress: share of the steps that were done before this one, from 0 to 1.
        peak: largest learning rate.

    Raises:
        ValueError: no such schedule, or progress outside [0, 1].
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress is {progress}: it is a share, between 0 and 1")
    if schedule == "one-cycle":
        return peak * (progress / PEAK_AT if progress < PEAK_AT else (1 - progress) / (1 - PEAK_AT))
    if schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * progress))
    if schedule == "constant":
        return peak
    raise ValueError(f"no schedule is called {schedule!r}: choose from one-cycle, cosine, constant")


PEAK_AT = 0.3
"""Where the one-cycle schedule has its peak, as a share of all steps."""
