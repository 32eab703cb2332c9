"""Evaluation mode ends where it began, part by part."""

import pytest
import torch
from torch import nn

from course_lib.training import evaluation_mode


def test_modes_are_restored_part_by_part_also_after_an_error():
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5))).train()
    model[1].eval()  # frozen by its owner
    x = torch.ones(100)
    with evaluation_mode(model):
        assert not any(part.training for part in model.modules()) and torch.equal(model(x), x)
    assert [part.training for part in model.modules()] == [True, True, False, False]
    with pytest.raises(RuntimeError, match="in between"), evaluation_mode(model):
        raise RuntimeError("in between")
    assert [part.training for part in model.modules()] == [True, True, False, False]


def test_several_models_at_once_and_none():
    models = nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)).eval()
    with evaluation_mode(*models):
        assert not any(model.training for model in models)
    assert models[0].training and not models[1].training
    with evaluation_mode():
        pass
