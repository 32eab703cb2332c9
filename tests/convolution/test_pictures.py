"""The pictures of chapters 1 and 2 show their numbers; the explorers follow their controls."""

import pytest
import torch
import torch.nn.functional as F

from course_lib.convolution import (
    ReceptiveField,
    classical_kernels,
    conv2d_im2col,
    conv_transpose2d,
    convolution_matrix,
    explorers,
    figures,
    im2col,
)
from course_lib.viz import new_figure, png

RNG = torch.Generator().manual_seed(0)
RAMP = torch.arange(36.0).view(6, 6)
SOBEL = classical_kernels()["Sobel, horizontal"]
PHOTO = torch.rand(24, 24, generator=RNG)
LETTERS = torch.rand(4, 1, 16, 16, generator=RNG)
SMALL = torch.tensor([[1.0, 2], [3, 4]])
NINE = torch.arange(1.0, 10).view(3, 3)


def stamped(image, padding=0):
    """The stamps of a kernel of ones, 3 x 3, at stride 2."""
    return conv_transpose2d(image[None, None], torch.ones(1, 1, 3, 3), stride=2, padding=padding)[0, 0]


PICTURES = {
    "by_hand": lambda: figures.by_hand([1.0, 3, 0, 2, 1], [1.0, -1, 2]),
    "detector": lambda: figures.detector(torch.eye(6), 2 * torch.eye(3) - 1, RAMP[:4, :4]),
    "dense_to_convolution": lambda: figures.dense_to_convolution({"dense": RAMP - 9, "and local": torch.eye(6)}),
    "settings": figures.settings,
    "channels": figures.channels,
    "photograph_and_edges": lambda: figures.photograph_and_edges(PHOTO, PHOTO - 0.5),
    "colour": lambda: figures.colour(torch.rand(3, 8, 8, generator=RNG), PHOTO - 0.5),
    "gallery": lambda: figures.gallery({name: (kernel, PHOTO) for name, kernel in classical_kernels().items()}),
    "letters": lambda: figures.letters(LETTERS, LETTERS.expand(4, 2, 16, 16), threshold=1.9),
    "rings": lambda: figures.rings([7, 9, 11], [2.0, 9.0, 4.0], [RAMP / 36] * 2, threshold=7),
    "broken_equivariance": lambda: figures.broken_equivariance({"none": 0 * RAMP, "some": RAMP / 36}),
    "edges_of": lambda: figures.edges_of(LETTERS, LETTERS.expand(4, 2, 16, 16), list("abcd")),
    "noisy": lambda: figures.noisy(LETTERS, list("XOXO")),
    "learned": lambda: figures.learned(SOBEL, {"noise": (SOBEL, [1.0, 0.1]), "stripes": (0 * SOBEL, [1.0, 0.5])}),
    "unblurring": lambda: figures.unblurring(*[PHOTO[None, None]] * 2, [PHOTO[None, None]] * 33),
    "losses_of_two": lambda: figures.losses_of_two({"one": [2.0, 1.0], "two": [2.0, 1.0]}),
    "stamps": lambda: figures.stamps(torch.tensor([2.0, 1, -1]), torch.tensor([1.0, -1, 2])),
    "met_pixels": figures.met_pixels,
    "stamps_2d": lambda: figures.stamps_2d(SMALL, NINE),
    "patches_as_columns": lambda: figures.patches_as_columns(RAMP[:4, :4], im2col(RAMP[None, None, :4, :4], 2)[0]),
    "sent_back": lambda: figures.sent_back({"right": RAMP, "wrong": RAMP.T}, "right"),
    "enlarged": lambda: figures.enlarged(SMALL, stamped(SMALL), stamped(SMALL, padding=1)),
    "counts": figures.counts,
    "checkerboards": lambda: figures.checkerboards(PHOTO, {"one": PHOTO, "two": PHOTO}),
    "enlargements": lambda: figures.enlargements(LETTERS, {"truth": LETTERS}),
    "matrix_and_transpose": lambda: figures.matrix_and_transpose(convolution_matrix(SOBEL[None, None], (6, 6)).to_dense()),
    "gains": figures.gains,
    "receptive_fields": lambda: figures.receptive_fields({"one": F.pad(NINE, [4] * 4)}, [ReceptiveField(3, 1, 0)]),
}
ANIMATIONS = {
    "sliding": figures.sliding,
    "kernel_forms": lambda: figures.kernel_forms(steps=3),
    "kernel_and_loss": lambda: figures.kernel_and_loss(SOBEL[None, None], [SOBEL[None, None]] * 4, [1.0, 0.1, 0.01]),
}


def texts(axis):
    """The numbers written into an axis."""
    return [text.get_text().replace("\u2212", "-") for text in axis.texts]


def is_sentence(alt):
    """Whether an alternative text is at least a sentence that says what is seen."""
    return alt[0].isupper() and alt.endswith(".") and len(alt.split()) >= 8


def squares(axis):
    """Row, column, height and width of the frames of an axis, in pixels."""
    frames = [patch for patch in axis.patches if not patch.get_fill()]
    return [(f.get_y() + 0.5, f.get_x() + 0.5, f.get_height(), f.get_width()) for f in frames]


def test_every_figure_is_drawn_here():
    draws = {"draw_kernel", "draw_numbers", "draw_response", "draw_counts", "frame"}
    tensors = {"grey_photograph", "minus_surroundings", "oriented_kernel"}
    functions = {name for name, value in vars(figures).items() if callable(value)}
    assert functions == set(PICTURES) | set(ANIMATIONS) | draws | tensors


@pytest.mark.parametrize("name", PICTURES)
def test_every_figure_is_drawn_and_said(name):
    figure, alt = PICTURES[name]()
    assert len(png(figure, dpi=20)) > 500
    assert is_sentence(alt), alt


@pytest.mark.parametrize("name", ANIMATIONS)
def test_every_animation_has_frames_of_one_size_and_is_said(name):
    frames, alt = ANIMATIONS[name]()
    assert len({tuple(frame.get_size_inches()) for frame in frames}) == 1
    assert all(png(frame, dpi=20) for frame in frames[:2])
    assert is_sentence(alt), alt


def test_the_kernel_slides_until_the_whole_output_is_there():
    frames = figures.sliding()[0]
    assert len(frames) == 1 + 25
    image, kernel, _, output = frames[-1].axes
    x, w = torch.tensor(image.images[0].get_array()), torch.tensor(kernel.images[0].get_array())
    full = conv2d_im2col(x[None, None].double(), w[None, None].double())[0, 0]
    assert texts(output) == [f"{value:.3g}" for value in full.flatten().tolist()]
    for number, frame in enumerate(frames[1:], start=1):
        assert len(texts(frame.axes[3])) == number
        (row, column, height, width), *_ = squares(frame.axes[0])
        assert (5 * row + column + 1, height, width) == (number, 3, 3)
    assert texts(frames[0].axes[3]) == texts(frames[13].axes[3])  # the still is one of them


def test_the_kernel_of_the_animation_comes_nearer_to_the_hidden_one():
    kernels = figures.kernel_forms(steps=3)[0]
    shown = [torch.tensor(figure.axes[3].images[0].get_array()) for figure in kernels[1:]]
    errors = [(kernel - figures.oriented_kernel()).norm().item() for kernel in shown]
    assert errors == sorted(errors, reverse=True) and errors[-1] < errors[0]
    assert torch.allclose(torch.tensor(kernels[0].axes[3].images[0].get_array()), shown[-1])


def test_the_sums_on_paper_are_those_of_the_convolution():
    (axis,) = figures.by_hand([1.0, 3, 0, 2, 1], [1.0, -1, 2])[0].axes
    written = texts(axis)
    assert written[-1] == "0"
    assert {"=  1 + (-3) + 0  =", "=  3 + 0 + 4  =", "=  0 + (-2) + 2  ="} <= set(written)


def test_numbers_are_written_without_negative_zero_and_left_out_where_there_is_none():
    axes = new_figure(1, 2)[1][0]
    for axis, grid in zip(axes, ([[-0.0, 1.25]], [[torch.nan, -2]]), strict=True):
        figures.draw_numbers(axis, torch.tensor(grid), "$a$")
    assert [texts(axis) for axis in axes] == [["0", "1.25"], ["-2"]]
    assert axes[0].title.get_parse_math()


def test_the_stamps_add_up_to_the_transposed_convolution():
    axes = figures.stamps_2d(SMALL, NINE)[0].axes
    whole = conv_transpose2d(SMALL[None, None], NINE[None, None], stride=2)[0, 0]
    assert texts(axes[4]) == [f"{value:.3g}" for value in whole.flatten().tolist()]
    assert [len(texts(axis)) for axis in axes[:4]] == [4, 9, 9, 9]


def test_every_weight_meets_one_pixel_for_each_output():
    for axis, (k, l) in zip(figures.met_pixels()[0].axes, ((0, 0), (0, 1), (2, 2)), strict=True):
        places = [(patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in axis.patches]
        assert places == [(2 * i + k, 2 * j + l) for i in range(3) for j in range(3)]


def test_patches_and_their_columns_are_framed_alike():
    image, columns = PICTURES["patches_as_columns"]()[0].axes
    assert [(round(row), round(column)) for row, column, *_ in squares(image)] == [(0, 0), (1, 1), (1, 2)]
    assert [round(column) for _, column, *_ in squares(columns)] == [0, 4, 5]


def test_the_counts_of_stamps_are_those_of_the_formula():
    axes = figures.counts()[0].axes
    assert [set(texts(axis)) for axis in axes] == [{"1"}, {"1", "2", "4"}, {"1", "2", "4"}]
    assert [len(texts(axis)) for axis in axes] == [8**2, 9**2, 10**2]  # (4 - 1) 2 + K


def test_the_alternative_of_what_was_learned_says_how_wrong_it_is():
    assert "noise 0.0, stripes 2.0" in PICTURES["learned"]()[1]


def test_receptive_fields_are_framed_where_they_are_predicted():
    axis = PICTURES["receptive_fields"]()[0].axes[0]
    assert squares(axis) == [(2, 2, 3, 3)]
    assert torch.tensor(axis.images[0].get_array()).shape == (7, 7)


def test_the_photograph_is_grey_and_its_details_have_no_mean():
    photo = figures.grey_photograph(32)
    assert photo.shape == (1, 1, 32, 32) and photo.min() >= 0 and photo.max() <= 1
    constant = figures.minus_surroundings(torch.ones(1, 1, 20, 20))
    assert constant[..., 4:-4, 4:-4].abs().max() < 1e-6


def test_responses_are_drawn_by_sign_where_a_constant_gives_zero():
    for kernel, signed in ((SOBEL, True), (classical_kernels()["box blur"], False)):
        axis = new_figure()[1][0, 0]
        figures.draw_response(axis, PHOTO - 0.5 * signed, kernel, "response")
        low, high = axis.images[-1].get_clim()
        assert (low == -high) if signed else ((low, high) == (0, 1))
    figures.draw_kernel(axis, classical_kernels()["box blur"])
    assert texts(axis)[-9:] == ["1/9"] * 9


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
    changes = {"picture": "spot", "stride": 2, "padding": 3, "dilation": 2, "kernel": "1 0\n0 1", "row": 5, "column": 1}
    for name, value in changes.items():
        explorer.controls[name].value = value
        assert explorer.error.value == ""
        assert explorer.image.value != before, name
        before = explorer.image.value
    expected = explorers.render_position(torch.eye(12), torch.eye(2), stride=2, padding=3, dilation=2, row=5, column=1)
    assert before == png(expected)
    assert "= 8$" in expected.get_suptitle()  # (12 + 6 - 2 - 1) // 2 + 1


def test_the_explorer_shows_the_products_and_their_sum():
    figure = explorers.render_position(RAMP / 36, torch.tensor([[1.0, 0], [0, -1]]), row=2, column=99)
    image, products, output = figure.axes
    assert texts(products) == ["0.44", "0", "0", "-0.64"]  # 16 / 36 and 23 / 36
    assert products.get_xlabel() == "sum = \u22120.194"
    assert squares(image) == [(2, 4, 1, 1), (2, 5, 1, 1), (3, 4, 1, 1), (3, 5, 1, 1)]
    assert squares(output) == [(2, 4, 1, 1)]  # cut to the last column


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
    assert "the kernel does not fit" in explorer.error.value
    assert preset.value == explorers.EDITED
    preset.value = "Gaussian blur"  # the same again undoes what was typed
    assert explorer.controls["kernel"].value == explorers.write_kernel(classical_kernels()["Gaussian blur"])
    assert not explorer.error.value


def test_the_explorer_of_stamps_follows_its_controls_and_names_what_cannot_be():
    explorer = explorers.explore_stamps()
    before = explorer.image.value
    for name, value in (("stride", 3), ("kernel", 4), ("padding", 1)):
        explorer.controls[name].value = value
        assert explorer.error.value == "" and explorer.image.value != before, name
        before = explorer.image.value
    assert before == png(explorers.render_stamps(4, 3, 1))
    assert "= 11 pixels" in explorers.render_stamps(4, 3, 1).axes[0].get_title()
