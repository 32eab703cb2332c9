"""Pictures of chapter 9: the map of two latents and walks over it, digits that emerge, a mixture that finds the codes."""

import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from torch import Tensor, nn
from torch.distributions import Normal

from course_lib.viz import COLOURS, GREY_MAP, ROLES, course_style, draw_image, mosaic, new_figure, running_mean

Picture = tuple[Figure, str]
Frames = tuple[list[Figure], str]
LOW, HIGH = 0.03, 0.97  # shares of the prior where the map ends
TILES = 20
CLASS_COLOURS = [COLOURS[name] for name in ("blue", "vermilion", "green", "purple", "orange", "sky", "yellow", "black")]
CLASS_COLOURS += ["0.6", "white"]
"""A colour of its own for each of ten classes; the edge of a mark is dark."""


@torch.no_grad()
def decoded_map(model: nn.Module, tiles: int = TILES) -> Tensor:
    """What two latents draw, as one image: each tile stands for the same share of the prior, the second latent grows upwards."""
    ticks = Normal(0.0, 1.0).icdf(torch.linspace(LOW, HIGH, tiles))
    grid = torch.cartesian_prod(ticks.flip(0), ticks).flip(1)
    return mosaic(model.image(grid), tiles)  # type: ignore[operator]


def draw_map(axis: Axes, sheet: Tensor) -> None:
    """A map in coordinates of the prior's shares, with the latents' values at its ticks."""
    margin = (HIGH - LOW) / (TILES - 1) / 2
    extent = (LOW - margin, HIGH + margin, LOW - margin, HIGH + margin)
    few = (7 * sheet[0]).round() / 7  # grey levels: an animation of the map stays small
    axis.imshow(few.numpy(), cmap=GREY_MAP, vmin=0, vmax=1, extent=extent, interpolation="nearest")
    marks = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
    places = Normal(0.0, 1.0).cdf(marks).tolist()
    axis.set_xticks(places, [f"{mark:g}" for mark in marks])
    axis.set_yticks(places, [f"{mark:g}" for mark in marks])
    axis.set(xlabel="$z_1$", ylabel="$z_2$", xlim=extent[:2], ylim=extent[2:])


def round_trip(steps: int) -> Tensor:
    """A closed way over the map, [steps, 2] in shares of the prior: out along a flower, and back to where it began."""
    turn = torch.linspace(0, 2 * math.pi, steps + 1)[:-1]
    radius = 0.29 + 0.1 * torch.cos(3 * turn)
    return 0.5 + torch.stack([radius * torch.cos(turn), radius * torch.sin(turn)], dim=1)


@course_style
@torch.no_grad()
def walk_the_map(model: nn.Module, steps: int = 16) -> Frames:
    """A point walks over the map of a VAE with two latents, and the digit that it stands for is drawn beside it."""
    sheet, way = decoded_map(model), round_trip(steps)
    line = torch.cat([round_trip(200), round_trip(200)[:1]]).T
    images = model.image(Normal(0.0, 1.0).icdf(way))  # type: ignore[operator]
    frames = []
    for place, image in zip(way.tolist(), images, strict=True):
        figure, axes = new_figure(1, 2, size=(8, 4.5), width_ratios=[1.5, 1])
        draw_map(axes[0, 0], sheet)
        axes[0, 0].plot(*line.tolist(), color=COLOURS["orange"], lw=1.2, alpha=0.8)
        axes[0, 0].plot(*place, "o", ms=13, mfc="none", mec=COLOURS["orange"], mew=3)
        z = [round(value, 1) + 0.0 for value in Normal(0.0, 1.0).icdf(torch.tensor(place)).tolist()]
        draw_image(axes[0, 1], image, f"z = ({z[0]:.1f}, {z[1]:.1f})")
        frames.append(figure)
    return frames, (
        "Animation: a map of 20 by 20 decoded digits, upright and slanted, thin and bold, that pass smoothly into each other; a "
        "circle walks over it, and the digit under it is drawn large beside it."
    )


@course_style
def map_and_codes(model: nn.Module, codes: Tensor, labels: Tensor) -> Picture:
    """Where the encoder puts images, codes [N, 2], beside the map: one colour for each class, its digit "
    "where they lie densest."""
    figure, axes = new_figure(1, 2, size=(8, 4.1))
    draw_map(axes[0, 0], decoded_map(model))
    shares = Normal(0.0, 1.0).cdf(codes.float())
    axis = axes[0, 1]
    for digit in labels.unique().tolist():
        points = shares[labels == digit]
        axis.plot(*points.T.tolist(), "o", ms=4.2, color=CLASS_COLOURS[digit], mec="0.25", mew=0.4)
        near = torch.cdist(points, points).sort(dim=1).values[:, min(len(points) - 1, 12)]
        middle = points[near.argmin()].tolist()  # where they lie densest
        box = {"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": "0.3", "alpha": 0.9}
        axis.text(*middle, str(digit), fontsize=11, ha="center", va="center", bbox=box)
    marks = torch.tensor([-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5])
    places = Normal(0.0, 1.0).cdf(marks).tolist()
    axis.set_xticks(places, [f"{mark:g}" for mark in marks])
    axis.set_yticks(places, [f"{mark:g}" for mark in marks])
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="$z_1$", ylabel="$z_2$", title="codes of test images")
    axes[0, 0].set_title("decoded")
    return figure, (
        f"Left: the map of decoded digits. Right: the codes of {len(codes)} test images in the same coordinates, "
        f"a colour for each "
        "digit: they form patches that lie where the map draws these digits."
    )


@course_style
def emerging(frames: Mapping[int, Tensor], terms: Mapping[str, Sequence[float]], columns: int = 8) -> Frames:
    """A VAE as it learns: by step images [3 * columns, C, H, W] (given, reconstructed, from fixed z), and both terms so far."""
    drawn = []
    rebuilt = running_mean([-value for value in terms["reconstruction"]], 10)
    rate = running_mean(terms["kl"], 10)
    top = 1.05 * rebuilt[min(20, len(rebuilt) - 1)]
    for step in (max(frames), *frames):
        figure, axes = new_figure(1, 2, size=(8, 3.0), width_ratios=[1.55, 1])
        draw_image(axes[0, 0], mosaic(frames[step], columns), f"step {step:,}")
        side = frames[step].shape[-1] + 1
        names = ("given", "rebuilt", "from z")
        axes[0, 0].set_yticks([(n + 0.5) * side for n in range(3)], names, fontsize=9)
        axes[0, 0].tick_params(length=0)
        axis, upto = axes[0, 1], max(1, step)
        axis.plot(rebuilt[:upto], color=ROLES["generated"], lw=1.6)
        axis.plot(rate[:upto], color=ROLES["latent"], lw=1.6)
        axis.text(len(rate), rebuilt[-1] + 0.03 * top, "reconstruction", ha="right", fontsize=9, color=ROLES["ink"])
        axis.text(len(rate), rate[-1] + 0.03 * top, "KL", ha="right", fontsize=9, color=ROLES["ink"])
        axis.set(xlim=(0, len(rate)), ylim=(0, top), xlabel="step", ylabel="nats per image")
        drawn.append(figure)
    return drawn, (
        f"Animation of {len(frames)} moments: given images, their reconstructions and what fixed z draw. From grey clouds the "
        f"reconstructions become sharp; of the drawn images many become digits. The reconstruction term falls to "
        f"{rebuilt[-1]:.0f} "
        f"nats, the KL rises to {rate[-1]:.0f}."
    )


def farthest_apart(codes: Tensor, labels: Tensor) -> Tensor:
    """The plane in which classes lie farthest apart (linear discriminants): codes [N, Z] -> directions [Z, 2]."""
    groups = [codes[labels == label] for label in labels.unique()]
    within = sum(len(group) * torch.cov(group.mT) for group in groups if len(group) > 1)
    between = torch.cov(torch.stack([group.mean(dim=0) for group in groups]).mT)
    L = torch.linalg.cholesky(within / len(codes) + 1e-6 * torch.eye(codes.shape[1]).to(codes))
    inverse = torch.linalg.inv(L)
    directions = inverse.mT @ torch.linalg.eigh(inverse @ between @ inverse.mT).eigenvectors[:, -2:]
    return torch.linalg.qr(directions).Q


@course_style
def mixture_learns(codes: Tensor, labels: Tensor, moments: Sequence[tuple[int, tuple[Tensor, Tensor, Tensor], float]]) -> Frames:
    """EM, seen in the plane in which the classes lie farthest apart: codes [N, Z], and moments (pass, (shares, means,
    covariances), E log q). The last comes first. An ellipse is one standard deviation, the dashed circle that of the prior.
    """
    plane, drawn = farthest_apart(codes, labels), []
    points = codes[:500] @ plane
    for number, (_, means, covariances), level in (moments[-1], *moments):
        figure, axes = new_figure(size=(5.2, 4.4))
        axis = axes[0, 0]
        for digit in range(min(10, int(labels.max()) + 1)):
            dots = points[labels[:500] == digit]
            axis.plot(*dots.T.tolist(), ".", ms=3.5, color=CLASS_COLOURS[digit] if digit < 9 else "0.8", alpha=0.6)
        axis.add_patch(Ellipse((0, 0), 2, 2, fill=False, ls="--", lw=1.5, ec=ROLES["ink"]))
        for mean, covariance in zip((means @ plane).tolist(), plane.mT @ covariances @ plane, strict=True):
            spread, axes_of = torch.linalg.eigh(covariance)
            angle = math.degrees(math.atan2(axes_of[1, 1].item(), axes_of[0, 1].item()))
            width, height = (2 * spread.sqrt()).flip(0).tolist()
            axis.add_patch(Ellipse(tuple(mean), width, height, angle=angle, fill=False, lw=2, ec=ROLES["ink"]))
        axis.set(xlim=(-3, 3), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
        axis.set_title(f"pass {number} of EM: mean log q = {level:.2f}")
        drawn.append(figure)
    return drawn, (
        f"Animation: {len(moments[0][1][0])} ellipses begin alike over a cloud of codes, coloured by class. They "
        f"move, shrink and turn "
        f"until each covers a part of the cloud; the mean log-density rises from {moments[0][2]:.2f} to {moments[-1][2]:.2f}."
    )
