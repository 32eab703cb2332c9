"""The networks for points on a line and in the plane."""

import json

import pytest
import torch

from course_lib.gan import PointDiscriminator, PointGenerator


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_points_come_out_and_logits_follow(dimensions, device):
    draws, judges = (
        PointGenerator(4, dimensions, widths=(8,)).to(device),
        PointDiscriminator(dimensions, widths=(8, 8)).to(device),
    )
    z = draws.noise(6)
    assert z.shape == (6, 4) and draws(z).shape == (6, dimensions) and judges(draws(z)).shape == (6,)
    assert torch.equal(draws.noise(6, torch.Generator().manual_seed(1)), draws.noise(6, torch.Generator().manual_seed(1)))


def test_the_output_has_no_bound_and_no_activation():
    draws = PointGenerator(2, 2, widths=(8,))
    points = draws(1e3 * draws.noise(200))
    assert points.min() < -10 and points.max() > 10
    judges = PointDiscriminator(2, widths=(8,))
    logits = judges(1e3 * draws.noise(200))
    assert logits.min() < -1 and logits.max() > 1


def test_without_hidden_layers_they_are_linear():
    draws, judges = PointGenerator(1, 1, widths=()), PointDiscriminator(1, widths=())
    for model in (draws, judges):
        x = torch.tensor([[-1.0], [0.0], [1.0]])
        low, middle, high = model(x).flatten().tolist()
        assert abs(low + high - 2 * middle) < 1e-6 and sum(p.numel() for p in model.parameters()) == 2


def test_the_activations_are_relu_and_leaky_relu():
    for model, left in ((PointGenerator(1, 1, widths=(1,)), 0.0), (PointDiscriminator(1, widths=(1,)), -0.2)):
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                parameter.fill_(0.0 if "bias" in name else 1.0)
        assert torch.allclose(model(torch.tensor([[-1.0], [1.0]])).flatten(), torch.tensor([left, 1.0]))


def test_they_are_built_again_from_their_config():
    for model in (PointGenerator(3, 1, widths=(5, 4)), PointDiscriminator(3, widths=(6,))):
        again = type(model)(**json.loads(json.dumps(model.config)))
        again.load_state_dict(model.state_dict())
        x = torch.rand(4, 3)
        assert torch.equal(again(x), model(x))


def test_bad_points_name_the_way_out():
    judges = PointDiscriminator(2)
    with pytest.raises(ValueError, match=r"x has the shape \[4\], .*x\[:, None\]"):
        judges(torch.rand(4))
    with pytest.raises(ValueError, match=r"takes \[N, 2\]: build it with their dimensions"):
        judges(torch.rand(4, 3))
    with pytest.raises(TypeError, match=r"x is torch.int64.*x.float\(\)"):
        judges(torch.ones(4, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"this generator takes \[N, 2\]"):
        PointGenerator(2)(torch.rand(4, 3))
    with pytest.raises(ValueError, match="dimensions is 0: 1 is a line, 2 the plane"):
        PointGenerator(2, 0)
