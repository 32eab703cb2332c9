"""Batches: every image once in a pass, the same order for the same seed, and values in [0, 1]."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.data import Batches, ImageSet, load


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
        Batches(images, labels, 8, rng=torch.Generator().manual_seed(seed), device=where)
        for seed, where in ((1, "cpu"), (1, device), (2, "cpu"))
    ]
    first, same, other = (orders(batches, 3) for batches in made)
    assert first == same  # also on another device
    assert first != other
    assert first[0] != first[1] != first[2]  # each pass has a new order
    assert first[0] == torch.randperm(50, generator=torch.Generator().manual_seed(1)).tolist()


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
        assert x.flatten()[::2].tolist() == [0.0, 1.0]
        # A GPU multiplies by 1/255 instead, which rounds twice.
        rtol = 0 if device.type == "cpu" else torch.finfo(dtype).eps
        torch.testing.assert_close(x.flatten()[1].cpu(), torch.tensor(0.2, dtype=dtype), rtol=rtol, atol=0)
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
        ((IMAGES.float(), LABELS), {}, r"uint8 \[N, C, H, W\], got torch.float32 \[6, 1, 4, 5\]"),
        ((IMAGES[:, 0], LABELS), {}, r"got torch.uint8 \[6, 4, 5\]"),
        ((IMAGES[:0],), {}, "there are no images"),
        ((IMAGES, LABELS[:5]), {}, "targets has 5 rows for 6 images: it takes one for each"),
        ((IMAGES, ["a"] * 7), {}, "targets has 7 rows for 6 images"),
        ((IMAGES, {"digit": LABELS, "angle": LABELS[:5]}), {}, "angle has 5 rows for 6 images"),
        ((ImageSet(IMAGES, LABELS, []), LABELS[:3]), {}, "targets has 3 rows for 6 images"),
        ((IMAGES, LABELS, 0), {}, "batch_size is 0"),
        ((IMAGES, LABELS, 7), {"drop_last": True}, "batch_size 7 with drop_last leaves no batch of 6 images"),
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
        ((IMAGES, LABELS, 2.0), {}, "batch_size is 2.0: it must be a whole number"),
        ((IMAGES, LABELS, True), {}, "batch_size is True: it must be a whole number"),
        ((IMAGES, LABELS), {"rng": 0}, "rng is 0: it must be on the CPU"),
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


def test_targets_of_every_kind_go_with_their_images(device):
    """Labels, boxes, captions, and several of them by name: the rows of a batch are those of its
    images.
    """
    images, labels = numbered(11)
    boxes, captions = torch.rand(11, 4), [f"image {number}" for number in labels.tolist()]
    rng = torch.Generator().manual_seed(0)
    batches = Batches(images, {"label": labels, "box": boxes, "caption": captions}, 4, rng=rng, device=device)
    seen = []
    for x, y in batches:
        numbers = (x[:, 0, 0, 0] * 255).round().long().tolist()
        assert y["label"].tolist() == numbers and y["label"].device.type == device.type
        assert torch.equal(y["box"].cpu(), boxes[numbers]) and y["caption"] == [captions[number] for number in numbers]
        seen += numbers
    assert sorted(seen) == list(range(11)) and list(batches.targets) == ["label", "box", "caption"]
    for targets, read in ((boxes, torch.Tensor.tolist), (captions, list), (tuple(captions), list)):
        y = [read(y) for _, y in Batches(images, targets, 4, shuffle=False)]
        assert [row for rows in y for row in rows] == read(targets)


def test_other_targets_than_the_labels_of_a_set():
    images = load("glyphs", "validation", size=8)
    _, y = next(iter(Batches(images, images.factors, 5, shuffle=False)))
    assert list(y) == list(images.factors) and torch.equal(y["angle"], images.factors["angle"][:5])
    _, y = next(iter(Batches(images, images.masks, 5, shuffle=False)))
    assert torch.equal(y, images.masks[:5])


def test_chosen_images_are_taken_with_their_targets(device):
    images, labels = numbered(9)
    batches = Batches(images, {"label": labels, "caption": labels.tolist()}, device=device)
    for rows in (slice(2, 5), torch.tensor([7, 0], device=device)):
        x, y = batches.take(rows)
        expected = labels[rows.cpu() if isinstance(rows, torch.Tensor) else rows].tolist()
        assert y["label"].tolist() == y["caption"] == expected
        torch.testing.assert_close(x.cpu(), images[expected] / 255, rtol=0 if device.type == "cpu" else 2**-23, atol=0)


def test_what_a_run_records_of_its_batches():
    images, labels = numbered(9)
    batches = Batches(images, labels, 4, shuffle=False, drop_last=True, channels_last=True)
    assert batches.settings() == {
        "images": 9,
        "batch_size": 4,
        "shuffle": False,
        "drop_last": True,
        "dtype": "torch.float32",
        "channels_last": True,
    }
    assert batches.memory_format == torch.channels_last
    assert Batches(images).memory_format == torch.contiguous_format and Batches(images).settings()["shuffle"]
