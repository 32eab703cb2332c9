"""Evaluation mode ends where it began, part by part."""

import pytest
import torch
from torch import nn

from course_lib.runtime import evaluation_mode


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
