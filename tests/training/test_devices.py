"""Two processes learn what one learns: each loop, uneven batches, one that is killed."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from course_lib.data import Batches
from course_lib.runtime import load_checkpoint
from course_lib.training import Run, World, check_last_batch, joined
from tests.repository.files import ROOT
from tests.training.worlds import LOOPS, augmentation, classifier, make_batches, normalised


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """The folder with what two processes left, started once for all tests."""
    folder = tmp_path_factory.mktemp("worlds")
    environment = {**os.environ, "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, "-m", "tests.training.worlds", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    # -9: killed by SIGKILL, as it was asked for.
    assert done.stdout.split("\n") == ["learn 0 0", "kill_one 0 -9", "go_on 0 0", ""], done.stderr
    return folder


def assert_same(found, model, run, tolerance=1e-10):
    """The weights, and all that was recorded but the time."""
    for name, value in model.state_dict().items():
        torch.testing.assert_close(found.weights[name], value, rtol=0, atol=tolerance)
    assert found.training["step"] == run.step
    for name, values in run.steps.items():
        torch.testing.assert_close(torch.tensor(found.training["steps"][name]), torch.tensor(values))
    for epoch, expected in zip(found.training["epochs"], run.epochs, strict=True):
        assert {**epoch, "seconds": 0} == pytest.approx({**expected, "seconds": 0})


@pytest.mark.parametrize("loop", LOOPS)
def test_two_processes_learn_what_one_learns(left, loop):
    """Images in 23 / 5 batches: no slice and no batch is as large as all others."""
    assert_same(load_checkpoint(left / f"{loop}.pt"), *LOOPS[loop]())


def test_batch_normalisation_sees_a_slice_on_a_cpu_and_its_statistics_are_shared(left):
    first, second = (load_checkpoint(left / f"normalised{rank}.pt").weights for rank in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)
    averages, augment, batches = torch.zeros(2, 64, dtype=torch.float64), augmentation(), make_batches(drop_last=True)
    for _ in range(2):
        for x, _ in batches:
            means = [part.flatten(1).mean(dim=0) for part in augment(x).split([2, 3])]
            averages = 0.9 * averages + 0.1 * torch.stack(means)
    torch.testing.assert_close(first["1.running_mean"], averages.mean(dim=0))
    whole = normalised()[0].state_dict()
    assert not torch.allclose(first["1.weight"], whole["1.weight"], rtol=0, atol=1e-6), "one process normalises the batch"


def test_one_that_is_killed_ends_the_run_and_the_checkpoint_goes_on_exactly(left):
    step, words = (left / "error.txt").read_text().split(" ", 1)
    assert step == "5" and "Connection" in words, words
    model, run = classifier()
    assert_same(load_checkpoint(left / "resumed.pt"), model, run)
    uninterrupted = load_checkpoint(left / "classifier.pt")
    resumed = load_checkpoint(left / "resumed.pt")
    assert all(torch.equal(resumed.weights[name], value) for name, value in uninterrupted.weights.items())
    assert resumed.training["steps"] == uninterrupted.training["steps"]
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double()
    alone = Run.from_state_dict(load_checkpoint(left / "killed.pt", model).training)
    assert_same(resumed, *classifier(model, resume=alone))


@pytest.mark.parametrize(("count", "size"), [(5, 2), (3, 3), (8, 3), (100, 7)])
def test_the_slices_are_the_batch_and_their_weights_add_up(count, size):
    x, parts, weights = torch.arange(count), [], []
    for rank in range(size):
        world = World()
        world.rank, world.size = rank, size
        part, labels, nothing = world.share(x, x + 1, None)
        assert torch.equal(labels, part + 1) and nothing is None
        parts.append(part)
        weights.append(world.weight)
        assert world.weighted({"mean": torch.tensor(2.0), "rate": 0.1}) == {"mean": 2 * world.weight, "rate": 0.1}
    assert torch.equal(torch.cat(parts), x) and sum(weights) == pytest.approx(1)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_a_slice_is_changed_as_in_the_whole_batch():
    def change(x):
        return x * torch.rand(len(x), 1, generator=torch.Generator().manual_seed(0))

    x, parts = torch.randn(5, 2), []
    for rank in range(2):
        world = World()
        world.rank, world.size = rank, 2
        (part,) = world.share(x)
        parts.append(world.changed(change, part))
    assert torch.equal(torch.cat(parts), change(x))


def test_batches_with_too_few_images_are_refused_before_the_first_step(monkeypatch):
    images = torch.zeros(9, 1, 4, 4, dtype=torch.uint8)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(ValueError, match=r"a batch has 1 images for 2 processes.*drop_last"):
        check_last_batch(Batches(images, batch_size=4), nn.Linear(1, 1))
    with pytest.raises(ValueError, match="9 images in batches of 3 has one for a process of 2"):
        check_last_batch(Batches(images, batch_size=3), nn.BatchNorm2d(1))
    check_last_batch(Batches(images, batch_size=4, drop_last=True), nn.BatchNorm2d(1))


def test_without_torchrun_nothing_is_joined(device, monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with joined(device) as own:
        assert own == device and (World().rank, World().size) == (0, 1)
    model, x = nn.Linear(2, 2), torch.zeros(3)
    world = World()
    assert world.replicated(model) is model and world.share(x)[0] is not None and world.total(x) is x
