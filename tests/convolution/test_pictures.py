"""The pictures of chapter 1 show their numbers; its explorer follows its controls."""

import pytest
import torch

from course_lib.convolution import ReceptiveField, classical_kernels, conv2d_loops, explorers, figures
from course_lib.viz import png

RAMP = torch.arange(36.0).view(6, 6)


def texts(axis):
    """The numbers written into an axis."""
    return [text.get_text() for text in axis.texts]


def test_sliding_kernel_writes_patch_products_and_the_output_so_far():
    kernel = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    output = conv2d_loops(RAMP[None, None], kernel[None, None], stride=2)[0, 0]
    axes = figures.sliding_kernel(RAMP, kernel, output, [(0, 0), (1, 1)], stride=2).axes
    assert texts(axes[1]) == ["1", "2", "0", "-1"]
    assert texts(axes[2]) == ["0", "2", "0", "-7"]
    assert texts(axes[3]) == ["-5"]  # later outputs are still hidden
    assert len(texts(axes[7])) == 5
    frame = axes[4].patches[0]
    assert (frame.get_y(), frame.get_x(), frame.get_height(), frame.get_width()) == (1.5, 1.5, 2, 2)


def test_number_grids_write_no_negative_zero():
    assert texts(figures.number_grids([torch.tensor([[-0.0, 1.25]])], ["grid"]).axes[0]) == ["0", "1.25"]


def test_patches_to_columns_frames_the_same_patches():
    columns = torch.arange(36.0).view(4, 9)
    axes = figures.patches_to_columns(RAMP[:4, :4], columns, (2, 2), chosen=(0, 5)).axes
    assert [(f.get_y() + 0.5, f.get_x() + 0.5) for f in axes[0].patches] == [(0, 0), (1, 2)]
    assert [f.get_x() + 0.5 for f in axes[1].patches] == [0, 5]


def test_loss_curves_tell_five_lines_apart():
    axis = figures.loss_curves({str(n): [1.0, 0.1**n] for n in range(5)}).axes[0]
    assert len({(line.get_linestyle(), line.get_color()) for line in axis.lines}) == 5


def test_receptive_fields_draw_the_predicted_square():
    figure = figures.receptive_fields({"one": torch.eye(9)}, [ReceptiveField(3, 2, 1.0)], {"one": 2})
    square = figure.axes[0].patches[0]
    assert (square.get_x(), square.get_width()) == (1.0 + 2 * 2 - 1.5, 3)


def test_galleries_and_rows_have_one_picture_each():
    kernels = classical_kernels()
    figure = figures.kernel_gallery(RAMP, kernels, [RAMP] * len(kernels), columns=4)
    assert [axis.get_title() for axis in figure.axes[: len(kernels)]] == list(kernels)
    rows = figures.image_rows([[RAMP, RAMP], [RAMP, -RAMP]], ["plain", "signed"], ["a", "b"], signed={"signed": 5})
    assert rows.axes[2].images[0].get_clim() == (-5, 5)
    assert len(figures.matrices([RAMP, RAMP[:2]], ["a", "b"]).axes) == 2


def test_kernels_are_read_as_they_are_written():
    for kernel in classical_kernels().values():
        assert torch.allclose(explorers.parse_kernel(explorers.write_kernel(kernel)), kernel, atol=1e-4)
    assert explorers.parse_kernel("1 \u22122\n\n3 4\n").tolist() == [[1, -2], [3, 4]]
    for text, message in (
        ("1 2\n3", "line 2 of the kernel has 1 numbers, but line 1 has 2"),
        ("1,5 2", "line 1 of the kernel must be numbers with spaces between, got '1,5 2'"),
        ("1 x", "line 1 of the kernel must be numbers with spaces between, got '1 x'"),
        ("  \n", "the kernel is empty"),
    ):
        with pytest.raises(ValueError, match=message):
            explorers.parse_kernel(text)


def test_the_explorer_follows_every_control():
    explorer = explorers.explore_convolution({"ramp": RAMP / 36, "spot": torch.eye(12)})
    before = explorer.image.value
    for name, value in (("picture", "spot"), ("stride", 2), ("padding", 3), ("dilation", 2), ("kernel", "1 0\n0 1")):
        explorer.controls[name].value = value
        assert explorer.error.value == ""
        assert explorer.image.value != before, name
        before = explorer.image.value
    expected = explorers.render_convolution(torch.eye(12), torch.eye(2), stride=2, padding=3, dilation=2)
    assert before == png(expected)
    assert "= 8$" in expected.get_suptitle()  # (12 + 6 - 2 - 1) // 2 + 1


def test_the_explorer_starts_from_presets_and_names_mistakes():
    explorer = explorers.explore_convolution({"ramp": RAMP / 36})
    preset = explorer.box.children[0].children[0].children[1]
    preset.value = "Gaussian blur"
    assert torch.allclose(
        explorers.parse_kernel(explorer.controls["kernel"].value), classical_kernels()["Gaussian blur"], atol=1e-4
    )
    explorer.controls["kernel"].value = "1 2\n3"
    assert "line 2 of the kernel has 1 numbers" in explorer.error.value
    explorer.controls["kernel"].value = "1 2 3 4 5 6 7 8 9"
    explorer.controls["padding"].value = 0
    assert "the kernel does not fit" in explorer.error.value


def test_the_strip_shows_the_photograph_and_its_responses():
    axes = explorers.convolution_strip(torch.rand(32, 32, generator=torch.Generator().manual_seed(0))).axes
    assert [axis.get_title().splitlines()[-1] for axis in axes] == [
        "input 32 x 32",
        "output 32 x 32",
        "output 8 x 8",
        "output 32 x 32",
        "output 16 x 16",
    ]
