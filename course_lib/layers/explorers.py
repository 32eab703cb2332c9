"""The interactive pictures of chapter 2: pooling on an image, and a calculator of shapes."""

import ipywidgets as widgets

from course_lib.layers import figures
from course_lib.layers.pooling import avg_pool2d, max_pool2d
from course_lib.layers.shapes import WORDS, trace_shapes
from course_lib.viz import Explorer, slider

TUTORIAL = "conv 32 3\nrelu\nmax_pool 2\nconv 64 3\nrelu\nmax_pool 2\nflatten\ndense 128\nrelu\ndense 10"
"""The network of many tutorials, as `trace_shapes` reads it."""


def render_pooling(image, kernel_size=2, stride=2, padding=0):
    """An image [H, W] in [0, 1], and its windows' maxima and means -> figure."""
    arguments = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    results = [pool(image[None, None], **arguments)[0, 0] for pool in (max_pool2d, avg_pool2d)]
    return figures.pooled_images(image, results, ["maximum", "mean"])


def explore_pooling(images):
    """The explorer: choose window, stride and padding, on one of several images (dict of names and [H, W])."""
    controls = {
        "picture": widgets.Dropdown(options=list(images), description="image"),
        "kernel_size": slider("window", 1, 16, 4),
        "stride": slider("stride", 1, 16, 4),
        "padding": slider("padding", 0, 8, 0),
    }

    def render(picture, **arguments):
        return render_pooling(images[picture], **arguments)

    return Explorer(
        render, controls, alt="Explorer: an image with its maximum and mean pooling; window, stride and padding to choose."
    )


def render_shapes(layers=TUTORIAL, channels=3, size=32):
    """The table of shapes, weights and costs of a list of layers, for a square image -> figure."""
    return figures.shape_table(trace_shapes(layers, (channels, size, size)))


def explore_shapes():
    """The explorer: an editable list of layers and an input size, and what follows from them."""
    controls = {
        "layers": widgets.Textarea(
            value=TUTORIAL, rows=12, continuous_update=False, description="layers", layout=widgets.Layout(width="340px")
        ),
        "channels": slider("channels", 1, 4, 3),
        "size": slider("size", 4, 128, 32),
    }
    words = widgets.HTML("One layer on each line:<br>" + "<br>".join(f"<code>{form}</code>" for form in WORDS.values()))
    sliders = widgets.VBox([controls["channels"], controls["size"], words])
    alt = "Explorer: a list of layers to edit, and a table of the shape after each, its weights and its multiply-adds."
    return Explorer(render_shapes, controls, alt, layout=[widgets.HBox([controls["layers"], sliders])])
