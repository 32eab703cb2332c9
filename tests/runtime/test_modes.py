"""Evaluation mode ends where it began, part by part."""

import pytest
import torch
from torch import nn

from course_lib.runtime import evaluation_afterwards, evaluation_mode


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


def test_evaluation_comes_after_the_training_also_after_an_error():
    models = nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5))
    with evaluation_afterwards(*models):
        for model in models:
            model.train()
    assert not any(model.training for model in models)
    models[1].train()
    with pytest.raises(RuntimeError, match="in between"), evaluation_afterwards(*models):
        raise RuntimeError("in between")
    assert not models[1].training and not models[1][0].training
