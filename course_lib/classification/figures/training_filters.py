"""What a network has learned to look for: kernels in colour, and the maps that they make of an image."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from course_lib.classification.figures.training import Frames, Picture
from course_lib.viz import ROLES, course_style, draw_image, mosaic, new_figure


def tiles(kernels: torch.Tensor) -> torch.Tensor:
    """Kernels [O, C, K, K] as images [O, C or 1, K, K]: 0 is grey, each at its own full contrast."""
    kernels = kernels if kernels.shape[1] in (1, 3) else kernels.mean(dim=1, keepdim=True)
    return 0.5 + 0.5 * kernels / kernels.abs().amax(dim=(1, 2, 3), keepdim=True).clamp(min=1e-12)


def bright(maps: torch.Tensor) -> torch.Tensor:
    """Maps [O, H, W] as grey images [O, 1, H, W]: 0 is black, the largest number of each is white."""
    maps = maps.clamp(min=0)
    return (maps / maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12))[:, None]


def enlarge(images: torch.Tensor, times: int) -> torch.Tensor:
    """Each pixel as a square of so many pixels: the white lines of a mosaic stay thin."""
    return images.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)


def numbers(text: str) -> torch.Tensor:
    """Whole numbers that stand in a string, float32 [n]."""
    return torch.tensor([float(number) for number in text.split()])


@course_style
def filters_form(recording: Mapping[str, Any]) -> Frames:
    """The first layer while it learns, as an animation: kernels, their maps of an image, the accuracy."""
    image = numbers(recording["image"]).view(3, 32, 32) / 255
    moments = recording["moments"]
    steps, shares = ([moment[name] for moment in moments] for name in ("step", "accuracy"))
    frames = []
    for number in (len(moments) - 1, *range(len(moments))):
        moment = moments[number]
        kernels, scale, shift = (numbers(moment[name]) / 1000 for name in ("kernels", "scale", "shift"))
        kernels = kernels.view(16, 3, 5, 5)
        response = F.conv2d((image[None] - 0.5) / 0.25, kernels, padding=2)[0]
        maps = bright(scale[:, None, None] * response + shift[:, None, None])
        figure, axes = new_figure(1, 4, size=(8, 2.5), width_ratios=[0.8, 1.15, 1.15, 1])
        draw_image(axes[0, 0], image, "an image")
        draw_image(axes[0, 1], mosaic(enlarge(tiles(kernels), 6), 4), "16 kernels, 5 × 5")
        draw_image(axes[0, 2], mosaic(maps, 4), "16 maps of the image")
        axes[0, 3].plot(range(len(steps)), shares, color="0.8")
        axes[0, 3].plot(range(number + 1), shares[: number + 1], color=ROLES["data"])
        axes[0, 3].plot(number, shares[number], "o", color=ROLES["data"])
        axes[0, 3].set(ylim=(0, 1), title=f"step {moment['step']}: {moment['accuracy']:.0%} right", xlabel="step")
        places = list(range(0, len(steps), 5))
        axes[0, 3].set_xticks(places, [str(steps[place]) for place in places])
        for axis in axes[0]:
            axis.title.set_fontsize(9.5)
        frames.append(figure)
    alt = (
        "Animation: sixteen coloured 5 x 5 kernels begin as noise and turn into edges and colour contrasts, the maps "
        "that they make of a digit come to show its outline, and the share of recognised images rises from "
        f"{shares[0]:.0%} to {shares[-1]:.0%}."
    )
    return frames, alt


@course_style
def kernels_and_maps(image: torch.Tensor, kernels: torch.Tensor, layers: Sequence[torch.Tensor], most: int = 16) -> Picture:
    """An image [C, H, W], the kernels of the first layer [O, C, K, K], and the maps [O, H, W] after each layer."""
    figure, axes = new_figure(1, 2 + len(layers), size=(8, 2.2), width_ratios=[0.8] + [1.1] * (1 + len(layers)))
    draw_image(axes[0, 0], image, "image")
    draw_image(axes[0, 1], mosaic(enlarge(tiles(kernels[:most]), 6), 4), "kernels, layer 1")
    for number, (axis, maps) in enumerate(zip(axes[0, 2:], layers, strict=True), start=1):
        side = maps.shape[-1]
        times = max(1, 32 // side)
        draw_image(
            axis, mosaic(enlarge(bright(maps[:most]), times), 4), f"maps, layer {number}\n{maps.shape[-1]} × {maps.shape[-1]}"
        )
    for axis in axes[0]:
        axis.title.set_fontsize(9)
    active = ", ".join(f"{(maps > 0).float().mean():.0%}" for maps in layers)
    return figure, (
        "An image, sixteen kernels of the first layer, and sixteen maps after each layer: the first show edges and "
        "colours, the later "
        f"ones are coarse and mostly black. Share of numbers above zero in each layer: {active}."
    )
