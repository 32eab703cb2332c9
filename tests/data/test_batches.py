"""Batches: every image once in a pass, the same order for the same seed, and values in [0, 1]."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import Batches, ImageSet
from course_lib.data.batches import in_layout_of


def numbered(N: int, channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    """Images [N, channels, 4, 5] whose pixels tell them apart, and their numbers as labels."""
    labels = torch.arange(N)
    images = (labels % 256).to(torch.uint8).view(N, 1, 1, 1).expand(N, channels, 4, 5).clone()
    return images, labels


@given(st.integers(1, 200), st.integers(1, 64), st.booleans(), st.booleans(), st.booleans())
def test_a_pass_holds_each_image_once(N, batch_size, shuffle, drop_last, channels_last):
    if drop_last and batch_size > N:
        batch_size = N
    images, labels = numbered(N, channels=3)
    batches = Batches(images, labels, batch_size, shuffle=shuffle, drop_last=drop_last, channels_last=channels_last)
    passed = list(batches)
    assert len(passed) == len(batches)
    assert all(len(x) == batch_size for x, _ in passed[:-1])
    seen = torch.cat([y for _, y in passed])
    expected = N - N % batch_size if drop_last else N
    assert len(seen) == len(seen.unique()) == expected
    if not shuffle:
        assert torch.equal(seen, labels[:expected])
    for x, y in passed:
        assert x.shape == (len(y), 3, 4, 5)
        assert torch.equal(x, images[y].float() / 255)  # each label goes with its image
        assert x.is_contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)


def orders(batches: Batches, passes: int) -> list[list[int]]:
    """The labels of each pass, in order."""
    return [torch.cat([y for _, y in batches]).tolist() for _ in range(passes)]


def test_the_order_is_the_generators(device):
    images, labels = numbered(50)
    made = [
        Batches(images, labels, 8, generator=torch.Generator().manual_seed(seed), device=where)
        for seed, where in ((1, "cpu"), (1, device), (2, "cpu"))
    ]
    first, same, other = (orders(batches, 3) for batches in made)
    assert first == same  # also on another device
    assert first != other
    assert first[0] != first[1] != first[2]  # each pass has a new order
    generator = torch.Generator().manual_seed(1)
    assert first[0] == torch.randperm(50, generator=generator).tolist()


def test_without_a_generator_runs_repeat_and_the_global_one_is_left_alone():
    images, labels = numbered(50)
    before = torch.get_rng_state()
    assert orders(Batches(images, labels), 2) == orders(Batches(images, labels), 2)
    assert torch.equal(before, torch.get_rng_state())


def test_x_is_on_the_device_between_zero_and_one(device):
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(3, 1, 1, 1)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        ((x, y),) = Batches(images, torch.arange(3), shuffle=False, device=device, dtype=dtype)
        assert x.device.type == y.device.type == device.type
        assert x.dtype == dtype
        assert x.flatten().tolist() == [0.0, torch.tensor(0.2, dtype=dtype).item(), 1.0]
    assert images.flatten().tolist() == [0, 51, 255]


def test_a_set_brings_its_labels_and_images_alone_have_none():
    images, labels = numbered(10)
    (_, y), *_ = Batches(ImageSet(images, labels, ["a"] * 10), batch_size=4, shuffle=False)
    assert y.tolist() == [0, 1, 2, 3]
    assert all(y is None for _, y in Batches(images, batch_size=4))


def test_a_pass_can_be_left_and_begun_anew():
    images, labels = numbered(20)
    batches = Batches(images, labels, 4)
    next(iter(batches))
    assert sorted(orders(batches, 1)[0]) == list(range(20))


IMAGES, LABELS = numbered(6)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((IMAGES.float(), LABELS), {}, r"uint8 tensor \[N, C, H, W\] or an ImageSet, got torch.float32 \[6, 1, 4, 5\]"),
        ((IMAGES[:, 0], LABELS), {}, r"got torch.uint8 \[6, 4, 5\]"),
        ((IMAGES[:0],), {}, "there are no images"),
        ((IMAGES, LABELS[:5]), {}, r"labels must have the shape \[6\], one for each image, got \[5\]"),
        ((IMAGES, LABELS, 0), {}, "batch_size is 0"),
        ((IMAGES, LABELS, 7), {"drop_last": True}, "batch_size 7 with drop_last leaves no batch of 6 images"),
        ((IMAGES, LABELS), {"dtype": torch.uint8}, "dtype is torch.uint8"),
        ((ImageSet(IMAGES, LABELS, []), LABELS), {}, "labels were given beside an ImageSet"),
        ((ImageSet(IMAGES, LABELS, [], transform=torch.neg),), {}, "Batches applies no transform"),
    ],
)
def test_wrong_arguments_are_named(arguments, options, message):
    with pytest.raises(ValueError, match=message):
        Batches(*arguments, **options)


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([1, 2], LABELS), {}, "images must be a uint8 tensor .* got list"),
        ((IMAGES.numpy(), LABELS), {}, "images must be a uint8 tensor .* got ndarray"),
        ((IMAGES, LABELS.tolist()), {}, r"labels must be an int64 tensor \[6\], got list"),
        ((IMAGES, LABELS, 2.0), {}, "batch_size is 2.0: it must be a whole number"),
        ((IMAGES, LABELS, True), {}, "batch_size is True: it must be a whole number"),
        ((IMAGES, LABELS), {"generator": 0}, "generator must be a torch.Generator on the CPU, got int"),
    ],
)
def test_arguments_of_another_type_are_named(arguments, options, message):
    with pytest.raises(TypeError, match=message):
        Batches(*arguments, **options)


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_can_be_changed_and_the_set_stays(shuffle):
    images, labels = numbered(6)
    for x, y in Batches(images, labels, 4, shuffle=shuffle):
        x.fill_(7)
        y.fill_(7)
    assert torch.equal(images, numbered(6)[0])
    assert labels.tolist() == list(range(6))


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_changed_batch_gets_the_layout_of_the_one_before(channels_last):
    x, _ = next(iter(Batches(*numbered(4, channels=3), channels_last=channels_last)))
    for changed in (x.clone(memory_format=torch.contiguous_format), x.clone(memory_format=torch.channels_last)):
        result = in_layout_of(changed, x)
        assert torch.equal(result, changed) and result.stride() == x.stride()
