"""Weights start as in DCGAN, and what is no layer is left as it is."""

import pytest
import torch
from torch import nn

from course_lib.blocks import initialise


@pytest.mark.parametrize(
    "layer", [nn.Linear(200, 100), nn.Conv2d(20, 50, 5), nn.ConvTranspose2d(20, 50, 5), nn.Embedding(100, 200)]
)
def test_kernels_and_matrices_are_normal_with_standard_deviation_002(layer):
    torch.manual_seed(0)
    nn.init.ones_(layer.weight)
    layer.apply(initialise)
    # Five standard errors of 20,000 numbers.
    assert abs(layer.weight.mean()) < 5 * 0.02 / 20_000**0.5
    assert abs(layer.weight.std() - 0.02) < 5 * 0.02 / 40_000**0.5
    assert isinstance(layer, nn.Embedding) or not layer.bias.any()


def test_scales_of_batch_normalisation_lie_around_one():
    torch.manual_seed(0)
    layer = nn.BatchNorm2d(2000)
    nn.init.ones_(layer.bias)
    initialise(layer)
    assert abs(layer.weight.mean() - 1) < 0.003 and abs(layer.weight.std() - 0.02) < 0.002 and not layer.bias.any()


def test_layers_without_weights_or_biases_and_other_modules_are_no_obstacle():
    model = nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.BatchNorm2d(2, affine=True), nn.ReLU(), nn.LayerNorm(4))
    model.apply(initialise)
    assert model[3].weight.tolist() == [1] * 4 and model[3].bias.tolist() == [0] * 4
