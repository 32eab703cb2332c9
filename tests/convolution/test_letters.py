"""The letters X and O, and the claim of notebook 01: two diagonal detectors tell them apart."""

import pytest
import torch

from course_lib.convolution import conv2d_im2col, random_letters


@pytest.mark.parametrize("seed", range(3))
def test_two_diagonal_detectors_tell_x_from_o(seed):
    images, labels = random_letters(300, rng=torch.Generator().manual_seed(seed))
    assert set(images.unique().tolist()) == {0.0, 1.0}
    diagonal = 2 * torch.eye(5) - 1
    detectors = torch.stack([diagonal, diagonal.flip(1)])[:, None]
    strongest = conv2d_im2col(images, detectors, padding="same").amax(dim=(2, 3))
    assert torch.equal(strongest.sum(dim=1) > 7, labels == 1)
    assert 0.3 < labels.float().mean() < 0.7


def test_letters_fit_their_image():
    images, labels = random_letters(50, side=13, rng=torch.Generator().manual_seed(0))
    assert images.shape == (50, 1, 13, 13)
    assert labels.shape == (50,)
    with pytest.raises(ValueError, match="side is 12: the largest letter is 13 pixels wide"):
        random_letters(1, side=12)
