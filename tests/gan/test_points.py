"""The networks for points on a line and in the plane."""

import json

import pytest
import torch

from course_lib.gan import PointDiscriminator, PointGenerator


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_points_come_out_and_logits_follow(dimensions, device):
    G = PointGenerator(dimensions, 4, widths=(8,)).to(device)
    D = PointDiscriminator(dimensions, widths=(8, 8)).to(device)
    z = G.noise(6)
    assert z.shape == (6, 4) and G(z).shape == (6, dimensions) and D(G(z)).shape == (6,)
    assert torch.equal(G.noise(6, torch.Generator().manual_seed(1)), G.noise(6, torch.Generator().manual_seed(1)))


def test_the_output_has_no_bound_and_no_activation():
    G = PointGenerator(2, 2, widths=(8,))
    points = G(1e3 * G.noise(200))
    assert points.min() < -10 and points.max() > 10
    D = PointDiscriminator(2, widths=(8,))
    logits = D(1e3 * G.noise(200))
    assert logits.min() < -1 and logits.max() > 1


def test_without_hidden_layers_they_are_linear():
    G, D = PointGenerator(1, 1, widths=()), PointDiscriminator(1, widths=())
    for model in (G, D):
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
    for model in (PointGenerator(1, 3, widths=(5, 4)), PointDiscriminator(3, widths=(6,))):
        again = type(model)(**json.loads(json.dumps(model.config)))
        again.load_state_dict(model.state_dict())
        x = torch.rand(4, 3)
        assert torch.equal(again(x), model(x))


def test_bad_points_name_the_way_out():
    G, D = PointGenerator(2), PointDiscriminator(2)
    with pytest.raises(ValueError, match=r"\[4\].*\[N, 2\].*x\[:, None\]"):
        D(torch.rand(4))
    with pytest.raises(ValueError, match=r"\[4, 3\].*\[N, 2\]"):
        D(torch.rand(4, 3))
    with pytest.raises(ValueError, match=r"x is torch.int64.*x.float\(\)"):
        D(torch.ones(4, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"\[4, 3\].*\[N, 2\]"):
        G(torch.rand(4, 3))
    with pytest.raises(ValueError, match="dimensions is 0"):
        PointGenerator(0)
    for model, x in ((G, torch.rand(4, 2)), (D, torch.rand(4, 2))):
        assert torch.equal(model(x, None), model(x))
        with pytest.raises(ValueError, match=r"labels.*without classes"):
            model(x, torch.zeros(4, dtype=torch.int64))


def test_points_have_no_range_to_be_brought_to():
    assert PointGenerator().range == (0.0, 1.0) and PointGenerator().classes == 0
