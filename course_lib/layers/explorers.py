"""The interactive pictures of chapter 3: pooling on an image, and a calculator of shapes."""

from collections.abc import Mapping

import ipywidgets as widgets
import torch
from matplotlib.figure import Figure

from course_lib.layers.figures import tables
from course_lib.layers.pooling import avg_pool2d, max_pool2d
from course_lib.layers.shapes import WORDS, trace_shapes
from course_lib.viz import Explorer, course_style, slider

# The network of many tutorials, as `trace_shapes` reads it.
TUTORIAL = "conv 32 3\nrelu\nmax_pool 2\nconv 64 3\nrelu\nmax_pool 2\nflatten\ndense 128\nrelu\ndense 10"


@course_style
def render_pooling(image: torch.Tensor, kernel_size: int = 2, stride: int = 2, padding: int = 0) -> Figure:
    """An image [H, W] in [0, 1], and its windows' maxima and means -> figure."""
    results = [pool(image[None, None], kernel_size, stride=stride, padding=padding)[0, 0] for pool in (max_pool2d, avg_pool2d)]
    return tables.pooled_images(image, results, ["maximum", "mean"])


def explore_pooling(images: Mapping[str, torch.Tensor]) -> Explorer:
    """The explorer: choose window, stride, padding, and one of several images [H, W], by name."""
    controls = {
        "picture": widgets.Dropdown(options=list(images), description="image"),
        "kernel_size": slider("window", 1, 16, 4),
        "stride": slider("stride", 1, 16, 4),
        "padding": slider("padding", 0, 8, 0),
    }

    def render(picture: str, **arguments: int) -> Figure:
        return render_pooling(images[picture], **arguments)

    return Explorer(
        render, controls, alt="Explorer: an image with its maximum and mean pooling; window, stride and padding to choose."
    )


@course_style
def render_shapes(layers: str = TUTORIAL, channels: int = 3, size: int = 32) -> Figure:
    """The table of shapes, weights and costs of a list of layers, for a square image -> figure."""
    return tables.shape_table(trace_shapes(layers, (channels, size, size)))


def explore_shapes() -> Explorer:
    """The explorer: an editable list of layers and an input size, and what follows from them."""
    controls = {
        "layers": widgets.Textarea(
            value=TUTORIAL, rows=12, continuous_update=False, description="layers", layout=widgets.Layout(width="340px")
        ),
        "channels": slider("channels", 1, 4, 3),
        "size": slider("size", 4, 128, 32),
    }
    words = widgets.HTML("One layer on each line:<br>" + "<br>".join(f"<code>{form}</code>" for form, _ in WORDS.values()))
    sliders = widgets.VBox([controls["channels"], controls["size"], words])
    alt = "Explorer: a list of layers to edit, and a table of the shape after each, its weights and its multiply-adds."
    return Explorer(render_shapes, controls, alt, layout=[widgets.HBox([controls["layers"], sliders])])
