"""Kernels and images that gradient descent finds."""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_lib import data
from course_lib.convolution.figures.cells import Picture, as_weight, draw_numbers
from course_lib.convolution.im2col import conv2d_backward, conv2d_im2col, im2col
from course_lib.viz import (
    LINES,
    ROLES,
    course_style,
    draw_image,
    new_figure,
)

LINE_STYLES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1)))


def oriented_kernel() -> torch.Tensor:
    """A 7 x 7 detector of falling edges, float64: a wave along the diagonal, fading outwards."""
    place = torch.arange(7, dtype=torch.float64) - 3
    down, right = torch.meshgrid(place, place, indexing="ij")
    return torch.exp(-(down**2 + right**2) / 8) * torch.sin(1.3 * (down + right) / 2**0.5)


def grey_photograph(size: int = 96) -> torch.Tensor:
    """The photograph in grey, [1, 1, size, size], float64 in [0, 1]."""
    photo = data.photograph(2 * size).double() / 255
    red, green, blue = F.avg_pool2d(photo, 2)
    return (0.299 * red + 0.587 * green + 0.114 * blue)[None, None]


def minus_surroundings(image: torch.Tensor) -> torch.Tensor:
    """An image [1, 1, H, W] minus the mean of the 9 x 9 pixels around each pixel."""
    mean = torch.full((1, 1, 9, 9), 1 / 81, dtype=image.dtype)
    return image - conv2d_im2col(image, mean, padding="same")


def _steps(last: int, count: int, power: float) -> list[int]:
    """Steps to draw, closer together at the start; the last is first, as the still picture."""
    return [last, *sorted({round(last * (n / count) ** power) for n in range(count + 1)})]


@course_style
def forming_response(image: torch.Tensor, hidden: torch.Tensor, kernels: Sequence[torch.Tensor]) -> tuple[list[Figure], str]:
    """A kernel that forms, and its response to an image [1, 1, H, W], as an animation.

    hidden: the kernel that is sought, [1, 1, K, K]; kernels: one after each step.
    """
    target = conv2d_im2col(image, hidden)
    strong, size = 0.8 * target.abs().max().item(), hidden.abs().max().item()
    frames = []
    for step in _steps(len(kernels) - 1, 14, 2.2):
        response = conv2d_im2col(image, kernels[step])
        left = ((response - target).square().mean() / target.square().mean()).item()
        figure, axes = new_figure(1, 4, size=(8, 2.45), width_ratios=[1, 1, 1, 0.62])
        draw_image(axes[0, 0], image[0, 0], "image", limits=(-0.3, 0.5))
        draw_image(axes[0, 1], target[0, 0], "response of the hidden kernel", signed=True, limits=(-strong, strong))
        title = f"response after {step} steps"
        draw_image(axes[0, 2], response[0, 0], title, signed=True, limits=(-strong, strong))
        draw_image(axes[0, 3], kernels[step][0, 0], f"kernel, step {step}", signed=True, limits=(-size, size))
        axes[0, 3].set_xlabel(f"share of the error\nthat is left: {left:.1%}", fontsize=8.5)
        for axis in axes[0]:
            axis.title.set_fontsize(9)
        frames.append(figure)
    alt = (
        f"Animation: from a blank square, a {hidden.shape[2]} x {hidden.shape[3]} kernel forms until it looks like a wave along "
        "the diagonal, while its response to a portrait comes to equal that of the hidden kernel."
    )
    return frames, alt


@course_style
def kernel_and_loss(hidden: torch.Tensor, kernels: Sequence[torch.Tensor], losses: Sequence[float]) -> tuple[list[Figure], str]:
    """A kernel that forms, beside its loss, as an animation.

    hidden: the kernel that is sought, [1, 1, K, K]; kernels, losses: after each step.
    """
    size = hidden.abs().max().item()
    frames = []
    for step in _steps(len(losses) - 1, 16, 2.0):
        figure, axes = new_figure(1, 3, size=(8, 2.5), width_ratios=[1, 1, 1.6])
        draw_image(axes[0, 0], hidden[0, 0], "hidden kernel", signed=True, limits=(-size, size))
        draw_image(axes[0, 1], kernels[step][0, 0], f"your kernel, step {step}", signed=True, limits=(-size, size))
        axes[0, 2].plot(losses, color="0.7")
        axes[0, 2].plot(losses[: step + 1], color=ROLES["gradient"])
        axes[0, 2].plot([step], [losses[step]], "o", color=ROLES["gradient"])
        axes[0, 2].set(xlabel="step", ylabel="loss", yscale="log")
        frames.append(figure)
    alt = (
        "Animation: a blank square becomes the hidden kernel, a wave along the diagonal. Beside it "
        "the loss falls, steeply at first and then ever more slowly on a logarithmic axis."
    )
    return frames, alt


@course_style
def kernel_forms(steps: int = 60) -> tuple[list[Figure], str]:
    """The kernel that forms by the course's own gradients."""
    image, hidden = minus_surroundings(grey_photograph()), oriented_kernel()[None, None]
    target = conv2d_im2col(image, hidden)
    patches = im2col(image, 7)[0]
    rate = 1 / (2 * torch.linalg.eigvalsh(patches @ patches.T / patches.shape[1])[-1])
    kernels = [torch.zeros_like(hidden)]
    for _ in range(steps):
        error = conv2d_im2col(image, kernels[-1]) - target
        gradient = conv2d_backward(2 * error / error.numel(), image, kernels[-1])[1]
        kernels.append(kernels[-1] - rate * gradient)
    return forming_response(image, hidden, kernels)


@course_style
def learned(true: torch.Tensor, found: Mapping[str, Sequence], floor: float = 1e-12) -> Picture:
    """A kernel, what was learned of it from several images, and the losses.

    true: [..., KH, KW]; found: name -> (kernel [..., KH, KW], losses, ...); floor: of the axis.
    """
    true = true.view(true.shape[-2:])
    kernels = {name: kernel.view(true.shape) for name, (kernel, *_) in found.items()}
    figure = new_figure(size=(8, 4.9))[0]
    figure.clear()
    grid = figure.add_gridspec(2, len(found) + 1, height_ratios=[1, 1.35])
    for column, (name, kernel) in enumerate({"true kernel": true, **kernels}.items()):
        axis = figure.add_subplot(grid[0, column])
        title = name.replace("minus ", "minus\n")
        draw_numbers(axis, kernel.round(decimals=1), title, limit=true.abs().max().item(), fontsize=8.5)
        axis.title.set_fontsize(9)
        as_weight(axis)
    axis = figure.add_subplot(grid[1, :])
    for (name, (_, losses, *_)), colour, dashes in zip(found.items(), LINES, LINE_STYLES, strict=False):
        axis.plot(losses, color=colour, linestyle=dashes, label=name)
    axis.set(xlabel="step", ylabel="mean squared error", yscale="log", ylim=(floor, None))
    axis.grid(color="0.92")
    axis.legend(fontsize=8.5, loc="center left", bbox_to_anchor=(1, 0.5))
    errors = ", ".join(f"{name} {(kernel - true).abs().max().item():.1f}" for name, kernel in kernels.items())
    alt = (
        "Above, a true kernel and those learned from several images, with the largest error of a weight: "
        f"{errors}. Below, the losses against the step on a logarithmic axis: all of them fall, at very different speeds."
    )
    return figure, alt


@course_style
def unblurring(original: torch.Tensor, blurred: torch.Tensor, guesses: Sequence[torch.Tensor]) -> Picture:
    """An image that is found from its blurred copy by gradient descent; guesses: after each step.

    All are [1, 1, H, W], and there are at least 25 guesses.
    """
    last = len(guesses) - 1
    steps = (2, last // 8, last)
    figure, axes = new_figure(1, 5, size=(8, 1.95))
    pictures = {"blurred (known)": blurred, **{f"guess, step {n}": guesses[n] for n in steps}, "original": original}
    for axis, (name, picture) in zip(axes[0], pictures.items(), strict=True):
        draw_image(axis, picture[0, 0], name)
        axis.title.set_fontsize(9)
    alt = "A blurred portrait, three guesses that get sharper than the blurred copy which they are found from, and the original."
    return figure, alt


@course_style
def losses_of_two(history: dict[str, list[float]]) -> Picture:
    """The loss of two networks against the step."""
    figure, axes = new_figure(size=(5.2, 2.6))
    for (name, losses), (style, width, alpha) in zip(history.items(), (("-", 5, 0.35), ("--", 1.5, 1)), strict=True):
        axes[0, 0].plot(range(1, len(losses) + 1), losses, ls=style, lw=width, alpha=alpha, label=name)
    axes[0, 0].set(xlabel="step", ylabel="cross-entropy", ylim=(0, None))
    axes[0, 0].legend(loc="upper right")
    alt = "The loss of two networks against the step: one dashed line lies on one broad line, and both fall."
    return figure, alt
