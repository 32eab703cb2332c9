"""How the learning rate changes with the share of the training that is done."""

import math

import torch

SCHEDULES = ("one-cycle", "cosine", "late-decay", "constant")


def learning_rate(schedule: str, progress: float, peak: float, warm_up: float = 0.3) -> float:
    """The learning rate of a step.

    Args:
        schedule: "one-cycle": a straight line up to the peak and a straight line down to 0 (Smith,
            A disciplined approach to neural network hyper-parameters, 2018); "cosine": half a
            cosine from the peak down to 0 (Loshchilov and Hutter, SGDR, 2017, equation 5);
            "late-decay": the peak, and in the second half a straight line down to 0; "constant":
            the peak.
        progress: share of the steps that were done before this one, from 0 to 1.
        peak: largest learning rate.
        warm_up: of "one-cycle": share of the steps after which the peak is reached.

    Raises:
        ValueError: no such schedule, or progress outside [0, 1].
    """
    if not 0 <= progress <= 1:
        raise ValueError(f"progress is {progress}: it is a share, between 0 and 1")
    if schedule == "one-cycle":
        return peak * (progress / warm_up if progress < warm_up else (1 - progress) / (1 - warm_up))
    if schedule == "cosine":
        return peak * 0.5 * (1 + math.cos(math.pi * progress))
    if schedule == "late-decay":
        return peak * min(1.0, 2 * (1 - progress))
    if schedule == "constant":
        return peak
    raise ValueError(f"schedule is {schedule!r}: choose from {', '.join(SCHEDULES)}")


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> float:
    """Give all parameters of an optimizer this learning rate; returns it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    return rate
