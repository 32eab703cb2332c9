"""The pictures of chapter 3 show what they are given; its explorers follow their controls."""

import torch

from course_lib.layers import explorers, figures, trace_shapes
from course_lib.viz import png

IMAGE = torch.rand(16, 12, generator=torch.Generator().manual_seed(0))


def test_the_shape_table_has_a_line_for_each_layer_and_the_sum():
    steps = trace_shapes(explorers.TUTORIAL, (3, 32, 32))
    table = figures.shape_table(steps).axes[0].tables[0]
    cells = {position: cell.get_text().get_text() for position, cell in table.get_celld().items()}
    assert cells[8, 0] == "flatten"
    assert cells[8, 1] == "2304"
    assert cells[len(steps) + 1, 2] == "315,722"


def test_curves_and_histograms():
    x = torch.linspace(-1, 1, 5)
    axes = figures.activations({"a": (x, x), "b": (x.abs(), x.sign())}, x).axes
    assert list(axes[1].lines[1].get_ydata()) == x.sign().tolist()
    assert len(figures.histograms([[x, x], [x]], ["one", "two"], ["p", "q"]).axes[0].patches) == 2
    axis = figures.loss_curve([3.0, 1.0, 2.0], window=2, references={"guessing": 2.3}).axes[0]
    assert list(axis.lines[1].get_ydata()) == [2.0, 1.5]
    assert axis.lines[2].get_ydata()[0] == 2.3
    axis = figures.loss_curve([3.0, 1.0, 2.0], window=2, beside={"other": [1.0, 3.0]}).axes[0]
    assert list(axis.lines[2].get_ydata()) == [2.0]


def test_the_pooling_explorer_follows_its_controls():
    explorer = explorers.explore_pooling({"a": IMAGE, "b": IMAGE.mT})
    before = explorer.image.value
    for name, value in (("kernel_size", 5), ("stride", 2), ("padding", 2), ("picture", "b")):
        explorer.controls[name].value = value
        assert explorer.error.value == ""
        assert explorer.image.value != before, name
        before = explorer.image.value
    assert before == png(explorers.render_pooling(IMAGE.mT, kernel_size=5, stride=2, padding=2))
    explorer.controls["padding"].value = 4
    assert "padding must be at most half of kernel_size" in explorer.error.value


def test_the_shape_explorer_follows_its_text_and_names_mistakes():
    explorer = explorers.explore_shapes()
    before = explorer.image.value
    explorer.controls["size"].value = 28
    assert explorer.image.value != before
    explorer.controls["layers"].value = "conv 8 3\nflat"
    assert "layer 2" in explorer.error.value
    explorer.controls["layers"].value = "conv 8 3\nflatten"
    assert explorer.error.value == ""
    assert explorer.image.value == png(explorers.render_shapes("conv 8 3\nflatten", 3, 28))
