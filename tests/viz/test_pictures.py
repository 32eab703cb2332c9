"""Images, grids, curves and the pieces of schematics show what they are given."""

import math

import matplotlib
import numpy as np
import pytest
import torch

from course_lib.viz import (
    DASHES,
    GREY_MAP,
    LINES,
    MARKERS,
    ROLES,
    SIGN_MAP,
    curves,
    draw_arrow,
    draw_block,
    draw_cells,
    draw_image,
    draw_references,
    image_grid,
    mosaic,
    new_diagram,
    new_figure,
    png,
    running_mean,
)


def test_image_grid_lays_out_rows():
    figure = image_grid(torch.rand(7, 3, 5, 5), titles=[str(n) for n in range(7)], columns=4)
    axes = figure.axes
    assert [axis.get_visible() for axis in axes] == [True] * 7 + [False]
    assert [axis.get_title() for axis in axes[:7]] == [str(n) for n in range(7)]
    assert axes[0].images[0].get_array().shape == (5, 5, 3)
    with pytest.raises(ValueError, match="images is empty"):
        image_grid([])


def test_draw_image_scales_by_type_and_sign():
    _, axes = new_figure(1, 3)
    draw_image(axes[0, 0], torch.zeros(1, 4, 4, dtype=torch.uint8))
    draw_image(axes[0, 1], torch.full((4, 4), 0.5, dtype=torch.bfloat16))
    draw_image(axes[0, 2], torch.tensor([[-3.0, 1.0]]), signed=True)
    limits = [axis.images[0].get_clim() for axis in axes[0]]
    assert limits == [(0, 255), (0, 1), (-3, 3)]
    assert [axis.images[0].cmap.name for axis in axes[0]] == [GREY_MAP, GREY_MAP, SIGN_MAP]
    with pytest.raises(ValueError, match=r"an image must be \[H, W\]"):
        draw_image(axes[0, 0], torch.zeros(2, 4, 4))


def test_an_image_keeps_rows_columns_and_colours():
    _, axes = new_figure(1, 3)
    colours = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0))
    for axis, image in zip(axes[0], (colours, colours[0], (colours * 255).to(torch.uint8)), strict=True):
        draw_image(axis, image)
        expected = image.permute(1, 2, 0) if image.dim() == 3 else image
        assert np.array_equal(axis.images[0].get_array(), expected.numpy())
        assert axis.images[0].origin == "upper"


def test_one_number_that_is_none_does_not_spoil_the_scale():
    _, axes = new_figure(1, 2)
    image = torch.tensor([[float("nan"), -2.0], [1.0, float("inf")]])
    draw_image(axes[0, 0], image, signed=True)
    assert axes[0, 0].images[0].get_clim() == (-2, 2)
    draw_image(axes[0, 1], torch.tensor([[3, 200]], dtype=torch.uint8), signed=True)
    assert axes[0, 1].images[0].get_clim() == (-200, 200)


def test_types_of_images():
    _, axes = new_figure()
    draw_image(axes[0, 0], torch.tensor([[True, False]]))
    assert axes[0, 0].images[0].get_array().tolist() == [[1, 0]]
    for dtype in (torch.int64, torch.int8):
        with pytest.raises(ValueError, match=f"an image must be uint8, bool or floats in .*, got {dtype}"):
            draw_image(axes[0, 0], torch.ones(2, 2, dtype=dtype))
    with pytest.raises(ValueError, match="this image has three"):
        draw_image(axes[0, 0], torch.zeros(3, 2, 2), signed=True)


def test_image_grid_names_what_is_wrong():
    images = torch.rand(3, 1, 5, 5)
    with pytest.raises(ValueError, match=r"images must be \[N, C, H, W\] or a list of images, got shape \[3, 5, 5\]"):
        image_grid(images[:, 0])
    with pytest.raises(ValueError, match=r"titles has 2 .* 3 "):
        image_grid(images, titles=["a", "b"])
    with pytest.raises(ValueError, match="columns is 0"):
        image_grid(images, columns=0)
    for titles in (torch.tensor([4, 5, 6]), np.array([4, 5, 6]), [4, 5, 6]):
        assert [axis.get_title() for axis in image_grid(list(images), titles).axes] == ["4", "5", "6"]


def test_curves_have_the_median_as_line_and_all_seeds_in_the_band():
    rows = torch.tensor([[1.0, 5], [2, 4], [9, 3]])
    axis = curves([10, 100], {"a": rows, "b": rows[0]}, "x", "y", log_x=True, references={"level": 2}).axes[0]
    assert list(axis.lines[0].get_ydata()) == [2, 4] and list(axis.lines[1].get_ydata()) == [1, 5]
    assert axis.lines[2].get_ydata()[0] == 2 and axis.get_xscale() == "log"
    (band,) = axis.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].min() == 1 and corners[:, 1].max() == 9
    assert [label.get_text() for label in axis.get_xticklabels()] == ["10", "100"]
    styles = {(line.get_color(), line.get_linestyle()) for line in axis.lines[:2]}
    assert len(styles) == 2
    gap = curves([1, 2, 3], {"a": [math.nan, 1.0, 100.0]}, "x", "y", log_y=True, title="a race").axes[0]
    assert math.isnan(gap.lines[0].get_ydata()[0]) and gap.get_title() == "a race"
    assert gap.get_yscale() == "log" and 0.1 < gap.get_ylim()[0] <= 1 and 100 <= gap.get_ylim()[1] < 1000


def test_references_are_levels_with_their_names():
    _, axes = new_figure()
    draw_references(axes[0, 0], {"guessing": 0.1})
    assert list(axes[0, 0].lines[0].get_ydata()) == [0.1, 0.1] and axes[0, 0].texts[0].get_text() == "guessing"
    draw_references(axes[0, 0], None)
    assert len(axes[0, 0].lines) == 1


def test_a_mosaic_keeps_the_places():
    images = torch.rand(3, 1, 2, 2)
    sheet = mosaic(images, 2)
    assert sheet.shape == (1, 5, 5) and (sheet[0, 2] == 1).all() and (sheet[0, :, 2] == 1).all()
    for number, (top, left) in enumerate(((0, 0), (0, 3), (3, 0))):
        torch.testing.assert_close(sheet[:, top : top + 2, left : left + 2], images[number])
    assert (sheet[:, 3:, 3:] == 1).all(), "no image is left for the last place"
    assert mosaic(torch.rand(2, 3, 4, 5, requires_grad=True), 1).shape == (3, 9, 5)


def test_a_running_mean_is_over_the_last_values_that_there_are():
    assert running_mean([1.0, 2, 3, 4], 2) == pytest.approx([1, 1.5, 2.5, 3.5])
    assert running_mean([1.0, 2, 3], 10) == pytest.approx([1, 1.5, 2])
    assert running_mean([1e9, 1.0], 1) == [1e9, 1.0], "summed in double precision"


def test_lines_are_told_apart_without_their_colours():
    assert len(MARKERS) == len(LINES), "a marker for each colour"
    lines = curves([1, 2], {str(n): [n, n] for n in range(len(LINES))}, "x", "y").axes[0].lines
    assert {line.get_marker() for line in lines} == set(MARKERS) and {line.get_linestyle() for line in lines} == set(DASHES)


def test_rows_and_columns_of_a_grid_are_labelled():
    images = torch.rand(6, 1, 4, 4)
    axes = image_grid(images, columns=3, row_labels=["real", "$5"], column_labels=["a", "b", "c"]).axes
    assert [axes[0].get_ylabel(), axes[3].get_ylabel()] == ["real", "$5"]
    assert [axis.get_title() for axis in axes] == ["a", "b", "c", "", "", ""]
    with pytest.raises(ValueError, match=r"row_labels.*3.*2"):
        image_grid(images, columns=3, row_labels=["a", "b", "c"])


def test_pieces_of_schematics_lie_where_they_are_put():
    figure, axis = new_diagram(6, 2, xlim=(0, 12), ylim=(0, 4))
    draw_cells(axis, [[1, 2], [3, math.nan]], 1, 1, "weight", filled={(0, 1)})
    assert [(text.get_text(), text.get_position()) for text in axis.texts] == [
        ("1", (1.5, 2.5)),
        ("2", (2.5, 2.5)),
        ("3", (1.5, 1.5)),
    ]
    assert len(axis.patches) == 4 and axis.patches[1].get_facecolor()[:3] == matplotlib.colors.to_rgb(ROLES["weight"])
    draw_arrow(axis, (4, 2), (6, 2), "gradient", "g")
    assert draw_block(axis, 9, side=2, depth=0.5, y=2) == pytest.approx(9.7)
    assert axis.texts[-1].get_text() == "g" and len(axis.patches) == 4 + 1 + 3
    assert png(figure)
