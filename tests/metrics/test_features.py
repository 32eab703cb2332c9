"""Features in any batches, neighbours against brute force, variety against NumPy, and bad input."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from course_lib.metrics import features_of, nearest_neighbours, variety

SEEDS = st.integers(0, 999)


def random(*shape, seed=0):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


@given(seed=SEEDS, count=st.integers(1, 12), batch_size=st.integers(1, 13))
def test_the_size_of_the_batches_changes_nothing(seed, count, batch_size):
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * 9, 4)).eval()
    images = random(count, 1, 5, 5, seed=seed)
    features = features_of(network, images, batch_size)
    torch.testing.assert_close(features, network(images).detach(), rtol=1e-5, atol=1e-6)
    assert not features.requires_grad
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    torch.testing.assert_close(features_of(network, images[order], batch_size), features[order], rtol=1e-5, atol=1e-6)


def test_any_function_of_a_batch_will_do_on_any_device(device):
    images = random(7, 3, 4, 4).to(device)
    seen = []

    def network(part):
        seen.append(len(part))
        assert part.device.type == device.type
        return part.flatten(1)

    features = features_of(network, images, 3)
    assert torch.equal(features, images.cpu().flatten(1)) and features.device.type == "cpu" and seen == [3, 3, 1]
    assert features_of(lambda part: part, images).shape == images.shape


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_refused(bad):
    images = random(5, 1, 2, 2)
    images[3, 0, 0, 0] = bad
    with pytest.raises(ValueError, match="a feature is not a finite number"):
        features_of(lambda part: part.flatten(1), images, 2)


@given(seed=SEEDS, Q=st.integers(1, 6), N=st.integers(1, 9), D=st.integers(1, 5))
def test_neighbours_are_those_of_brute_force(seed, Q, N, D):
    queries, features = random(Q, D, seed=seed), random(N, D, seed=seed + 1)
    distances, indices = nearest_neighbours(queries, features)
    assert distances.shape == indices.shape == (Q,) and indices.dtype == torch.int64
    for query, distance, index in zip(queries, distances, indices, strict=True):
        every = [np.linalg.norm(query.numpy() - row.numpy()) for row in features]
        assert distance == pytest.approx(min(every), abs=1e-6) and every[index] == pytest.approx(min(every), abs=1e-6)
    order = torch.randperm(N, generator=torch.Generator().manual_seed(seed))
    again, others = nearest_neighbours(queries, features[order])
    torch.testing.assert_close(again, distances, rtol=0, atol=1e-6)
    torch.testing.assert_close(features[order][others], features[indices], rtol=0, atol=1e-6)


def test_an_image_that_was_copied_is_at_no_distance(device):
    # As many and as large as images are, where a matrix product of float32 numbers would round.
    features = random(1200, 256).to(device) * 10
    distances, indices = nearest_neighbours(features, features)
    assert distances.max() == 0 and torch.equal(indices.cpu(), torch.arange(1200))


def test_a_number_that_is_not_finite_is_near_to_nothing():
    queries = random(3, 2)
    queries[1] = float("nan")
    assert nearest_neighbours(queries, random(4, 2))[0].isnan().tolist() == [False, True, False]


@given(seed=SEEDS, classes=st.integers(1, 4))
def test_variety_is_numpys_standard_deviation(seed, classes):
    images = random(20, 2, 3, 3, seed=seed)
    labels = torch.arange(20) % classes
    pixels = images.double().numpy()
    expected = np.mean([pixels[labels.numpy() == label].std(axis=0, ddof=1) for label in range(classes)])
    assert variety(images, labels, classes) == pytest.approx(expected, rel=1e-5)
    order = torch.randperm(20, generator=torch.Generator().manual_seed(seed))
    assert variety(images[order], labels[order], classes) == pytest.approx(expected, rel=1e-5)
    assert variety(images / 2 + 0.3, labels, classes) == pytest.approx(expected / 2, rel=1e-4), "a shift is no variety"


def test_one_image_for_each_class_has_no_variety():
    images, labels = random(3, 1, 4, 4), torch.arange(12) % 3
    assert variety(images[labels], labels, 3) == pytest.approx(0, abs=1e-7)
    assert variety(images[labels], torch.zeros(12, dtype=torch.int64), 1) > 0.1


def test_bad_input_is_named():
    for queries, features in (
        (torch.rand(3), torch.rand(4, 3)),
        (torch.rand(2, 3), torch.rand(4, 2)),
        (torch.rand(2, 3), torch.rand(0, 3)),
    ):
        with pytest.raises(ValueError, match=r"queries and features must be \[Q, D\] and \[N, D\], got \["):
            nearest_neighbours(queries, features)
    images, labels = torch.rand(4, 1, 2, 2), torch.tensor([0, 0, 1, 2])
    with pytest.raises(ValueError, match="class 1 has 1 images: a spread needs at least 2"):
        variety(images, labels, 3)
    with pytest.raises(ValueError, match="a label is 2, outside the classes 0 to 1"):
        variety(images, labels, 2)
    with pytest.raises(ValueError, match=r"labels must have the shape \[4\]"):
        variety(images, labels[:3], 3)
