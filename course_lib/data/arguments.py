"""Checks that several functions of the package share."""

import operator


def check_count(name: str, value: object, why: str) -> int:
    """`value` as an int, if it is a whole number of at least 1; `why` ends the sentence that says that it is too small.

    Raises a TypeError for anything but an integer (also for True and False), a ValueError below 1.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}: it must be a whole number, at least 1") from None
    if value < 1:
        raise ValueError(f"{name} is {value}: {why}")
    return value
