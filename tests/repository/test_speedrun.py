"""The pieces of `make speedrun` that are its own: whitening, the rate, mirrored halves, and that it learns."""

import pytest
import torch

from benchmarks import speedrun
from course_lib import data


def test_whitened_patches_have_mean_zero_and_variance_one_in_every_direction():
    x = torch.rand(200, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    x = (x + x.roll(1, 3) + x[:, :1]) / 3  # pixels and channels that depend on each other
    model = speedrun.SpeedNet(3, 10, widths=(4, 4, 4))
    model.set_whitening(x, eps=0.0)
    with torch.no_grad():
        answers = model.whiten(x).double().permute(0, 2, 3, 1).flatten(0, 2)  # [patches, 24]
    first, negatives = answers.chunk(2, dim=1)
    assert first.mean(dim=0).abs().max() < 1e-4 and torch.equal(first, -negatives)
    torch.testing.assert_close(first.T @ first / len(first), torch.eye(12, dtype=torch.float64), atol=1e-3, rtol=0)


def test_the_rate_rises_and_falls_in_straight_lines():
    assert speedrun.rate(0) == pytest.approx(0.2) and speedrun.rate(0.23) == pytest.approx(1)
    assert speedrun.rate(1) == pytest.approx(0.07) and speedrun.rate(0.615) == pytest.approx((1 + 0.07) / 2)


def test_a_random_half_of_the_images_is_mirrored():
    images = torch.randint(0, 256, (400, 1, 2, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    half = speedrun.half_mirrored(images, torch.Generator().manual_seed(2))
    kept, mirrored = ((half == whole).flatten(1).all(dim=1) for whole in (images, images.flip(3)))
    assert (kept | mirrored).all() and 150 < (mirrored & ~kept).sum() < 250


def test_it_learns_on_a_cpu():
    images, device = data.load("glyphs-color", "validation"), torch.device("cpu")
    settings = {"epochs": 3, "batch_size": 125, "widths": (8, 16, 16), "lr": 1.5, "compile": False}
    model, seconds = speedrun.train(images.subset(slice(0, 2000)), device, 0, **settings)
    assert seconds > 0 and speedrun.accuracy(model, images.subset(slice(3000, 3500)), device) > 0.3
