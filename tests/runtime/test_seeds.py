"""Equal seeds, equal numbers, in each library."""

import random

import numpy as np
import pytest
import torch

from course_lib.runtime import seed_everything


@pytest.fixture(autouse=True)
def _leave_the_generators_as_they_were():
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002
    torch.set_rng_state(states[2])


def draw(seed, device) -> tuple:
    rng = seed_everything(seed)
    return (
        random.random(),
        float(np.random.rand()),  # noqa: NPY002  (the global state is what is tested)
        torch.rand(()).item(),
        torch.rand((), device=device).item(),
        torch.rand((), generator=rng).item(),
    )


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_equal_seeds_give_equal_numbers_everywhere(seed, device):
    assert draw(seed, device) == draw(seed, device)


def test_other_seeds_give_other_numbers_everywhere(device):
    assert all(first != second for first, second in zip(draw(0, device), draw(1, device), strict=True))


def test_the_generator_does_not_depend_on_what_others_draw():
    first = seed_everything(3)
    torch.rand(100)
    assert torch.rand((), generator=first) == torch.rand((), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_outside_the_range_is_refused(seed):
    with pytest.raises(ValueError, match=f"seed is {seed}: choose a whole number from 0 to 4294967295"):
        seed_everything(seed)


def test_a_seed_is_a_whole_number():
    assert seed_everything(np.int64(5)).initial_seed() == 5
    with pytest.raises(TypeError, match="float"):
        seed_everything(1.5)
