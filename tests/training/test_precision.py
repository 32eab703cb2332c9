"""A prepared model computes what the model computes, in bfloat16 where that is asked, through its
`__call__`.
"""

import pytest
import torch
from torch import nn

from course_lib.training import prepared


class Two(nn.Module):
    """A layer that takes a second input, as a conditional network does."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x, scale=None):
        out = self.layer(x)
        return out if scale is None else out * scale


def test_plainly_it_is_the_model_itself():
    model = Two()
    assert prepared(model, torch.device("cpu")) is model


def test_in_bfloat16_the_forward_pass_is_and_the_weights_stay(device):
    model, x = Two().to(device), torch.randn(2, 4, generator=torch.Generator().manual_seed(0)).to(device)
    forward = prepared(model, device, bfloat16=True)
    y = forward(x, torch.full((), 2.0, device=device))
    assert model.layer(x).dtype == torch.float32 and model.layer.weight.dtype == torch.float32
    torch.testing.assert_close(y.float(), model(x, 2.0), rtol=2**-6, atol=2**-6)
    assert not torch.equal(y.float(), model(x, 2.0)), "8 bits are not 24"
    assert forward(x, None).dtype == torch.bfloat16, "a conditional network takes None for no labels"
    forward(x).float().square().sum().backward()
    assert model.layer.weight.grad.dtype == torch.float32


@pytest.mark.parametrize("bfloat16", [False, True])
def test_hooks_see_every_call(bfloat16):
    """What wraps a model, for example on several devices, must see the calls of the loop."""
    model, seen = Two(), []
    model.register_forward_hook(lambda *_: seen.append(1))
    prepared(model, torch.device("cpu"), bfloat16=bfloat16)(torch.ones(1, 4))
    assert seen == [1]


def test_it_is_compiled_where_that_is_asked(monkeypatch):
    asked = []
    monkeypatch.setattr(torch, "compile", lambda model: asked.append(model) or model)
    model = Two()
    prepared(model, torch.device("cpu"), compile=True)
    prepared(model, torch.device("cpu"))
    assert asked == [model]
