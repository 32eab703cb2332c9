"""Line drawings of the letters X and O, for the first recognition that a convolution does."""

import torch


def random_letters(count, side=16, generator=None):
    """Letters X and O of random size at random places: images float32 [count, 1, side, side] of 0 and 1, labels [count], 1 is X.

    Each letter is 7, 9, 11 or 13 pixels wide and lies inside the image. Raises ValueError where side is smaller than 13.
    """
    if side < 13:
        raise ValueError(f"side must be at least 13, the largest letter, got {side}")
    draw = lambda low, high: int(torch.randint(low, high + 1, (), generator=generator))  # noqa: E731
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
