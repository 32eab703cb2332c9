"""Resizing of the published sets."""

import torch

from course_lib.data.real import resize


def test_resizing_is_antialiased_and_turns_nothing_over():
    # Every third pixel of a checkerboard is a checkerboard again; the mean around it is grey.
    place = torch.arange(48)
    board = ((place + place[:, None]) % 2 * 255).to(torch.uint8)[None, None]
    assert (resize(board, 16).float() - 127.5).abs().max() < 4
    ramp = (3 * place[:, None] + 2 * place + 5).to(torch.uint8)  # grows by 3 a row and by 2 a column
    images = torch.stack([ramp, ramp.flip(0), ramp.flip(1)])[None]
    expected = torch.nn.functional.avg_pool2d(images.float(), 3)
    inside = (..., slice(1, -1), slice(1, -1))
    assert (resize(images, 16).float() - expected)[inside].abs().max() <= 1
