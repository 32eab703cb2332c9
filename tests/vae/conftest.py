"""What the tests of chapter 8 share: networks are drawn from one seed, so that a test sees the same weights in every run."""

import pytest
import torch


@pytest.fixture(autouse=True)
def same_weights() -> None:
    """Seed the generator that draws the weights."""
    torch.manual_seed(0)
