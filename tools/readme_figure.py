"""Draws the figure of the README from what chapters 0 and 1 compute: `make figures`.

Beside it, overview.json records when, on which device and with which versions it was drawn.
"""

import torch

from course_lib import convolution, data, start
from course_lib.convolution.figures import draw_response
from course_lib.viz import draw_image, new_figure, png
from tools import records
from tools.files import ROOT


def overview():
    """Three rows of six pictures: a photograph through kernels, the embedded data, and the first generative model."""
    figure, axes = new_figure(3, 6, size=(9, 4.9))
    photo = data.photograph(192).float() / 255
    grey = photo.mean(dim=0)
    draw_image(axes[0, 0], photo, "photograph")
    kernels = convolution.classical_kernels()
    names = ["Gaussian blur", "Sobel, horizontal", "Sobel, vertical", "Laplacian", "emboss"]
    for axis, name in zip(axes[0, 1:], names, strict=True):
        response = convolution.conv2d_im2col(grey[None, None], kernels[name][None, None], padding="same")[0, 0]
        draw_response(axis, response, kernels[name], name)

    colour = data.load("glyphs-color", "test")
    for axis, image, label in zip(axes[1], colour.images, colour.labels, strict=False):
        draw_image(axis, image, f"label {int(label)}")

    digits = data.load("glyphs", "train")
    theta = start.fit_pixels((digits.images[:, 0] > 127).flatten(1), digits.labels, classes=10)
    draw_image(axes[2, 0], digits.images[2], "an image $x$")
    draw_image(axes[2, 1], theta[5].view(32, 32), "$\\theta$ of class 5")
    samples = start.sample_pixels(theta, torch.full((4,), 5), rng=torch.Generator().manual_seed(0))
    for axis, sample in zip(axes[2, 2:], samples, strict=True):
        draw_image(axis, sample.view(32, 32), "$x \\sim p(x\\,|\\,5)$")
    for axis, name in zip(axes[:, 0], ("see", "known factors", "generate"), strict=True):
        axis.set_ylabel(name, fontsize=11)
    return figure


def main():
    """Writes the figure and its record."""
    path = ROOT / "figures" / "overview.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(png(overview(), dpi=110))
    record = records.circumstances("cpu") | {"command": "make figures", "file": records.file_digest(path)}
    records.write(path.with_suffix(".json"), record)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 2**10:.0f} KiB")


if __name__ == "__main__":
    main()
