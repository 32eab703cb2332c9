"""The checks that the rooms share: what passes, and for what does not the value, the limit and the
way out.
"""

import re

import numpy as np
import pytest
import torch

from course_lib.runtime.checks import (
    check_choice,
    check_condition,
    check_count,
    check_images,
    check_labels,
    check_latent,
    check_number,
    check_range,
    check_rng,
    check_widths,
)


@pytest.mark.parametrize("value", [3, np.int64(3), torch.tensor(3)])
def test_whole_numbers_of_every_kind_become_ints(value):
    assert check_count("side", value, "") == 3 and type(check_count("side", value, "")) is int


@pytest.mark.parametrize("value", [3.0, "3", None, True, torch.tensor(3.0)])
def test_what_is_no_whole_number_is_named_with_its_least(value):
    with pytest.raises(TypeError, match=re.escape(f"side is {value!r}: it must be a whole number, at least 0")):
        check_count("side", value, "", least=0)


def test_the_least_number_is_the_last_that_passes():
    assert check_count("classes", 0, "use 0 for none", least=0) == 0
    with pytest.raises(ValueError, match="classes is -1: use 0 for none"):
        check_count("classes", -1, "use 0 for none", least=0)
    with pytest.raises(ValueError, match="count is 0: it takes one"):
        check_count("count", 0, "it takes one")


def test_numbers_lie_between_0_and_the_limit():
    assert check_number("lr", 0) == 0.0 and type(check_number("lr", np.float32(0.5))) is float
    assert check_number("momentum", 0.999, below=1) == 0.999
    for value in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=f"lr is {value}: it must be at least 0 and finite"):
            check_number("lr", value)
    with pytest.raises(ValueError, match=r"momentum is 1\.0: it must be at least 0 and below 1"):
        check_number("momentum", 1, below=1)


def test_widths_come_from_any_iterator_and_bad_ones_are_named():
    assert check_widths(iter([8, np.int64(4)])) == [8, 4] and check_widths((), least=0) == []
    for widths, error, words in (
        (32, TypeError, r"widths is 32: .*for example \(32,\)"),
        ((8, 0), ValueError, "a width is 0: a layer needs at least one channel"),
        ((8, 2.5), TypeError, r"a width is 2\.5"),
        ((), ValueError, r"widths is \[\]: the network needs at least 1, for example"),
    ):
        with pytest.raises(error, match=words):
            check_widths(widths)


def test_images_of_the_right_kind_pass_and_others_name_the_way_out():
    check_images(torch.rand(2, 3, 16, 16), 3, 16)
    check_images(torch.rand(0, 3, 16, 16, dtype=torch.float64), 3, 16)
    for shape, words in (
        ((2, 1, 16, 16), "build the judge with their channels, or convert them"),
        ((2, 3, 17, 16), "build the judge for them, or load them with size=16"),
        ((2, 3, 16, 17), "build the judge for them, or load them with size=16"),
        ((3, 16, 16), "an image alone becomes a batch with x[None]"),
        ((2, 768), "build the judge for them"),
    ):
        message = f"x has the shape {list(shape)}, and this judge takes images of 3 x 16 x 16: {words}"
        with pytest.raises(ValueError, match=re.escape(message)):
            check_images(torch.rand(shape), 3, 16, "judge")
    with pytest.raises(TypeError, match=r"x is torch.uint8: the model takes floating-point images; x.float\(\) / 255 makes them"):
        check_images(torch.zeros(2, 3, 16, 16, dtype=torch.uint8), 3, 16)


def test_values_lie_between_0_and_1():
    check_range(torch.tensor([0.0, 0.5, 1.0], requires_grad=True))
    check_range(torch.zeros(0, 1, 4, 4))
    for low, high in ((0, 255), (-0.5, 1), (0, 1.01), (float("nan"), float("nan"))):
        with pytest.raises(ValueError, match=rf"x lies between {low} and {high}: its values must lie in .*; .*x.float\(\) / 255"):
            check_range(torch.tensor([low, high], dtype=torch.float64))


def test_latent_vectors_lie_in_rows_and_others_name_the_way_out():
    check_latent(torch.rand(2, 5), 5)
    check_latent(torch.rand(0, 5), 5)
    message = r"z has the shape \[2, 6\], and this generator takes \[N, 5\]: generator.noise\(N\) draws it"
    with pytest.raises(ValueError, match=message):
        check_latent(torch.ones(2, 6), 5, "generator")
    with pytest.raises(ValueError, match=r"z\[None\]"):
        check_latent(torch.ones(5), 5)
    for shape in ((2, 5, 1, 1), (2, 5, 1), (2, 5, 2, 2)):
        with pytest.raises(ValueError, match=re.escape(f"z has the shape {list(shape)}")):
            check_latent(torch.ones(shape), 5)


def test_labels_are_classes_one_for_each_image(device):
    labels = torch.tensor([0, 2], device=device)
    check_labels(labels, 2)
    check_labels(labels, 2, 3)
    check_labels(labels[:0], 0, 3)
    for bad in (-1, 3):
        with pytest.raises(ValueError, match=rf"a label is {bad}, outside the classes 0 to 2: use more classes, or correct"):
            check_labels(torch.tensor([0, bad], device=device), 2, 3)
    with pytest.raises(ValueError, match=r"labels must have the shape \[3\], one for each image, got \[2\]"):
        check_labels(labels, 3)
    for kind in (torch.int32, torch.uint8, torch.float32, torch.bool):
        with pytest.raises(TypeError, match=rf"labels must be int64, got {kind}: convert them with .long\(\)"):
            check_labels(labels.to(kind), 2)


def test_a_network_gets_labels_exactly_where_it_is_conditional():
    labels = torch.tensor([0, 2])
    check_condition(None, 2, 0)
    check_condition(labels, 2, 3)
    with pytest.raises(ValueError, match="labels were given to a network without classes: build it with classes=10"):
        check_condition(labels, 2, 0)
    with pytest.raises(ValueError, match=r"this network has 3 classes: give it labels, int64 \[2\], one for each image"):
        check_condition(None, 2, 3)
    with pytest.raises(ValueError, match=r"labels must have the shape \[3\]"):
        check_condition(labels, 3, 3)
    # On the path of a step: the labels are not read. A meta tensor has nothing to read at all.
    check_condition(torch.empty(2, dtype=torch.int64, device="meta"), 2, 3)


def test_generators_of_random_numbers_are_on_the_cpu_and_made_where_none_is_given():
    given = torch.Generator().manual_seed(3)
    assert check_rng(given) is given
    assert check_rng(None).initial_seed() == 0 and check_rng(None) is not check_rng(None)
    with pytest.raises(TypeError, match=r"rng is 0: it must be on the CPU, as torch.Generator\(\).manual_seed\(0\) is"):
        check_rng(0)
    with pytest.raises(TypeError, match="noise is 'a'"):
        check_rng("a", "noise")


def test_a_generator_of_a_gpu_is_refused(device):
    if device.type != "cuda":
        pytest.skip("needs a GPU (COURSE_DEVICE)")
    with pytest.raises(TypeError, match="must be on the CPU"):
        check_rng(torch.Generator(device))


def test_a_choice_is_one_of_those_that_are_named():
    check_choice("loss", "hinge", ("hinge", "minimax"))
    with pytest.raises(ValueError, match="loss is 'hing': choose from hinge, minimax"):
        check_choice("loss", "hing", ("hinge", "minimax"))
