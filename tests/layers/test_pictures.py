"""The pictures of chapter 3 show what they are given; its explorers follow their controls."""

import pytest
import torch

from course_lib.layers import explorers, figures, trace_shapes
from course_lib.viz import png

RNG = torch.Generator().manual_seed(0)
IMAGE = torch.rand(16, 12, generator=RNG)
FOUR = torch.arange(16.0).view(4, 4)
TWO = torch.tensor([[10.0, 20], [30, 40]])
LINE = torch.linspace(-1, 1, 5)
STAGES = {
    "image": torch.rand(1, 8, 8, generator=RNG),
    "conv, 3×3": torch.rand(6, 8, 8, generator=RNG),
    "pool": torch.rand(6, 4, 4, generator=RNG),
    "dense": torch.tensor([0.2, -0.5, 1.0]),
    "softmax": torch.tensor([0.9, 0.1]),
}
PLAN = [("conv", 2, 3, 1), ("pool", 2), ("flatten",), ("dense", 10)]
STEPS = [((2, 8, 8), 20, 1152), ((2, 4, 4), 0, 0), ((32,), 0, 0), ((10,), 330, 320)]
RUNS = {"right": [2.0] * 20 + [1.0] * 10, "softmax twice": [2.0] * 30}

PICTURES = {
    "activations": lambda: figures.activations({"a": (LINE, LINE), "b": (LINE.abs(), LINE.sign())}, LINE),
    "gradient_norms": lambda: figures.gradient_norms({"sigmoid": torch.tensor([[1e-4, 1.0], [2e-4, 1.0]])}),
    "losses": lambda: figures.losses(RUNS, references={"guessing": 2.3}),
    "dropped": lambda: figures.dropped({"few": {"0": [0.8, 0.9], "0.5": [0.9, 0.9]}, "many": {"0": [0.9], "0.5": [0.95]}}),
    "mistakes_shown": lambda: figures.mistakes_shown({"first": 0.3, "last": 1.0}, RUNS, window=20, floor=1.4),
    "feature_maps": lambda: figures.feature_maps(STAGES, ["yes", "no"]),
    "feature_maps in colour": lambda: figures.feature_maps({**STAGES, "image": torch.rand(3, 8, 8, generator=RNG)}, ["a", "b"]),
    "weights_and_work": lambda: figures.weights_and_work(PLAN, STEPS),
    "backpropagation": figures.backpropagation,
    "graph_of_batch_norm": figures.graph_of_batch_norm,
    "normalised_over": figures.normalised_over,
    "routing": lambda: figures.routing(FOUR, TWO, TWO, FOUR * (FOUR % 5 == 0), FOUR / 4),
}


def forming(channels):
    """Two moments of a first layer of three kernels."""
    moments = [(step, torch.randn(3, channels, 5, 5, generator=RNG), IMAGE.expand(3, 16, 12)) for step in (0, 4)]
    return figures.forming_filters(torch.rand(channels, 16, 12, generator=RNG), moments, [2.0, 1.5, 1.2, 1.1, 1.0])


def is_sentence(alt):
    """Whether an alternative text is at least a sentence that says what is seen."""
    return alt[0].isupper() and alt.endswith(".") and len(alt.split()) >= 8


def test_every_figure_is_drawn_here():
    functions = {name for name, value in vars(figures).items() if callable(value)}
    assert functions == {name.split()[0] for name in PICTURES} | {"forming_filters", "shape_table", "pooled_images"}


@pytest.mark.parametrize("name", PICTURES)
def test_every_figure_is_drawn_and_said(name):
    figure, alt = PICTURES[name]()
    assert len(png(figure, dpi=20)) > 500
    assert is_sentence(alt)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_animation_ends_where_it_begins(channels):
    frames, alt = forming(channels)
    first, *_, last = [png(frame, dpi=20) for frame in frames]
    assert len(frames) == 3 and first == last
    assert is_sentence(alt)


def test_the_mean_of_a_curve_lies_over_its_steps():
    """A mean of the steps before would lie above a falling curve."""
    falling = [float(value) for value in range(100, 0, -1)]
    axis = figures.losses({"a": falling}, window=21)[0].axes[0]
    steps, means = axis.lines[1].get_data()
    assert list(means) == pytest.approx([falling[step] for step in steps])


def test_the_gradient_of_a_maximum_stands_at_its_winner():
    sent = torch.zeros(4, 4)
    sent[1, 3] = 7
    texts = [text.get_text() for text in figures.routing(FOUR, TWO, TWO, sent, FOUR / 4)[0].axes[0].texts]
    assert texts.count("7") == 2  # in the image, at the same place, and in what is sent back


def test_the_bars_are_the_weights_and_the_work():
    axes = figures.weights_and_work(PLAN, STEPS)[0].axes
    assert [[bar.get_height() for bar in axis.patches] for axis in axes] == [[20, 0, 0, 330], [1152, 0, 0, 320]]


def test_the_shape_table_has_a_line_for_each_layer_and_the_sum():
    steps = trace_shapes(explorers.TUTORIAL, (3, 32, 32))
    table = figures.shape_table(steps).axes[0].tables[0]
    cells = {position: cell.get_text().get_text() for position, cell in table.get_celld().items()}
    assert cells[8, 0] == "flatten"
    assert cells[8, 1] == "2304"
    assert cells[len(steps) + 1, 2] == "315,722"


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
