"""The photograph is there, in the shape of all images of the course."""

import pytest
import torch

from course_lib.data import photograph


def test_photograph_is_a_colour_image_with_content():
    image = photograph(128)
    assert image.shape == (3, 128, 128)
    assert image.dtype == torch.uint8
    assert image.float().std() > 30
    assert not torch.equal(image[0], image[2])  # it has colour
    assert torch.equal(image, photograph(128))


def test_photograph_stands_upright_in_its_colours():
    red, green, blue = photograph(128).float()
    corner = slice(104, 128)
    assert (blue - red)[:24, corner].mean() > 60  # the blue wall, in the top right corner
    assert (blue - green)[:24, corner].mean() > 30
    assert (red - blue)[corner, :24].mean() > 5  # a stripe of the flag and the uniform, in the bottom left one
    assert (red - blue)[45:70, 50:80].mean() > 60  # the face


@pytest.mark.parametrize("size", [7, 513])
def test_photograph_has_limits(size):
    with pytest.raises(ValueError, match=f"size is {size}: choose from 8 to 512"):
        photograph(size)
