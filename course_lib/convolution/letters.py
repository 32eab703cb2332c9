"""Line drawings of the letters X and O, for the first recognition that a convolution does."""

import torch

from course_lib.runtime.checks import check_count


def random_letters(count: int, side: int = 16, rng: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Letters X and O of random size at random places.

    Returns images, float32 [count, 1, side, side] of 0 and 1, and labels, int64 [count], 1 for an
    X. Each letter is 7, 9, 11 or 13 pixels wide and lies inside the image. Raises ValueError where
    side is smaller than 13.
    """
    check_count("side", side, "the largest letter is 13 pixels wide", least=13)
    draw = lambda low, high: int(torch.randint(low, high + 1, (), generator=rng))  # noqa: E731
    images, labels = torch.zeros(count, 1, side, side), torch.zeros(count, dtype=torch.long)
    for n in range(count):
        radius, labels[n] = draw(3, 6), draw(0, 1)
        width = 2 * radius + 1
        top, left = draw(0, side - width), draw(0, side - width)
        steps = torch.arange(width) - radius
        if labels[n]:
            letter = (steps[:, None].abs() == steps.abs()).float()  # both diagonals
        else:
            distance = (steps[:, None].square() + steps.square()).sqrt()
            letter = ((distance - radius).abs() < 0.5).float()  # a ring, one pixel wide
        images[n, 0, top : top + width, left : left + width] = letter
    return images, labels
