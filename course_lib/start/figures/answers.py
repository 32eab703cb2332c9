"""The pictures of notebook 99, which answers questions: sizes, a repaired half, few labels, falling noise, an attack, reasons."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import nn

from course_lib.viz import COLOURS, DASHES, LINES, MARKERS, ROLES, course_style, draw_image, image_grid, new_figure

Picture = tuple[Figure, str]
SHOWN_STEPS = (0, 1, 2, 4, 7, 11, 16, 23, 32, 45, 65, 90, 120, 150)


@course_style
def half_a_digit(model: Any, images: torch.Tensor, starts: int = 6, lr: float = 0.1) -> tuple[list[Figure], str]:
    """Animation: a VAE draws the lower half of digits of which it sees the upper half.

    images: [N, 1, H, W]. The notebook's `repair` does the same and is explained there.
    """
    count, half = len(images), images.shape[2] // 2
    z = model.noise(starts * count, torch.Generator().manual_seed(1)).requires_grad_()
    optimizer, seen = torch.optim.Adam([z], lr=lr), images[:, :, :half].repeat(starts, 1, 1, 1)
    drawn = {}
    for step in range(max(SHOWN_STEPS) + 1):
        if step in SHOWN_STEPS:
            drawn[step] = model.image(z).detach().view(starts, *images.shape)
        missed = nn.functional.binary_cross_entropy_with_logits(model.decode(z)[:, :, :half], seen, reduction="none")
        loss = missed.flatten(1).sum(dim=1) + z.square().sum(dim=1) / 2
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    best = loss.detach().view(starts, count).argmin(dim=0)
    blank = torch.full_like(images[:, :, half:], 0.35)
    frames = []
    for step in (max(SHOWN_STEPS), *SHOWN_STEPS):
        lower = drawn[step][best, torch.arange(count)][:, :, half:]
        rows = [torch.cat([images[:, :, :half], part], dim=2) for part in (blank, lower)]
        grid = [*rows[0], *rows[1], *images]
        figure = image_grid(grid, columns=count, inches=0.72, row_labels=["seen", "drawn", "was there"])
        for axis in figure.axes[count : 2 * count]:
            axis.axhline(half - 0.5, color=ROLES["generated"], linewidth=1.2)
        figure.suptitle(f"after {step} gradient steps on z", fontsize=10)
        frames.append(figure)
    alt = (
        f"Animation: {count} digits of which only the upper half is seen. Below each, the lower half that a model draws: "
        "first grey blots, then strokes that continue those above. In the last row, what was really there."
    )
    return frames, alt


@course_style
def sizes(weights: Mapping[str, float], limits: Mapping[str, float], bytes_each: float = 16) -> Picture:
    """Memory for training, a bar for each model, with the memory of some machines as upright lines.

    weights: how many each model has; limits: bytes of memory by machine.
    """
    figure, axes = new_figure(size=(8, 0.32 * len(weights) + 0.9))
    axis, names = axes[0, 0], sorted(weights, key=lambda name: weights[name])
    memory = [bytes_each * weights[name] for name in names]
    axis.barh(range(len(names)), memory, color=ROLES["weight"], alpha=0.75, left=1e4)
    for size in limits.values():
        axis.axvline(size, color=COLOURS["vermilion"], linestyle="--", linewidth=1.2, zorder=0)
    for place, name in enumerate(names):
        number = axis.text(memory[place] * 1.3 + 1e4, place, _amount(weights[name]), va="center", fontsize=9)
        number.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})
    for place, (name, size) in enumerate(limits.items()):  # the last label to the right of its line, the others to the left
        last = place == len(limits) - 1
        axis.text(size, -0.75, name, color=COLOURS["vermilion"], ha="left" if last else "right", va="bottom", fontsize=9)
    axis.set(xscale="log", xlim=(1e5, 3e14), ylim=(len(names) - 0.5, -0.6), xlabel="bytes to train it")
    axis.set_xticks([1e6, 1e9, 1e12], ["1 MB", "1 GB", "1 TB"])
    axis.set_yticks(range(len(names)), names)
    said = ", ".join(f"{name} {_amount(count)}" for name, count in weights.items())
    return figure, f"Bars on a logarithmic scale: the memory that training takes. Weights: {said}."


def _amount(count: float) -> str:
    """So many weights, in words."""
    for unit, word in ((1e9, "billion"), (1e6, "million"), (1e3, "thousand")):
        if count >= unit:
            return f"{count / unit:.3g} {word}"
    return f"{count:.0f}"


@course_style
def few_labels(labels: Sequence[int], scores: Mapping[str, Sequence[Sequence[float]]]) -> Picture:
    """Accuracy against the number of labels, a line for each method. scores: rows of accuracies by name, a row for each seed."""
    figure, axes = new_figure(size=(8, 3.4))
    axis = axes[0, 0]
    for number, (name, runs) in enumerate(scores.items()):
        _spread(axis, labels, torch.tensor(runs), number, name)
    axis.set(xscale="log", xlabel="images with a label", ylabel="test images right", ylim=(0.25, 1.02))
    axis.set_xticks(list(labels), [f"{count:,}" for count in labels])
    axis.minorticks_off()
    axis.grid(color="0.92")
    axis.legend(fontsize=9, loc="lower right")
    said = "; ".join(f"{name} {torch.tensor(runs)[:, 0].mean():.0%}" for name, runs in scores.items())
    return figure, f"Share of right answers against the number of labels. With {labels[0]} labels, on average: {said}."


def _spread(axis: Any, x: Sequence[float], rows: torch.Tensor, number: int, name: str) -> None:
    """A line through the medians [S, len(x)], and a band from the smallest to the largest."""
    style: dict[str, Any] = {"color": LINES[number], "linestyle": DASHES[number % len(DASHES)]}
    axis.plot(x, rows.quantile(0.5, dim=0).tolist(), marker=MARKERS[number], markersize=5, label=name, **style)
    axis.fill_between(x, rows.amin(dim=0).tolist(), rows.amax(dim=0).tolist(), color=LINES[number], alpha=0.2, linewidth=0)


@course_style
def falling_noise(
    clouds: Mapping[float, torch.Tensor], centres: torch.Tensor, std: float, shown: int = 800
) -> tuple[list[Figure], str]:
    """Animation: points while the noise falls, from afar and from near.

    clouds: points [N, 2] by the size of the noise, from large to small. centres: [K, 2], each in a circle of 3 std.
    """
    levels = list(clouds)
    far, near = 2.5 * levels[0], 1.35 * centres.abs().max().item()
    frames = []
    for level in (levels[-1], *levels):  # the still: where it ends
        figure, axes = new_figure(1, 2, size=(8, 3.9))
        for axis, limit, name in zip(axes[0], (far, near), ("from afar", "from near"), strict=True):
            axis.scatter(*clouds[level][:shown].T.tolist(), s=5, color=ROLES["generated"], alpha=0.5, linewidths=0)
            for x, y in centres.tolist():
                axis.add_patch(Circle((x, y), 3 * std, fill=False, edgecolor=ROLES["data"], linewidth=1.0))
            axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal", title=name)
            axis.spines[["top", "right"]].set_visible(True)
        figure.suptitle(f"noise of size {level:.2g}", fontsize=10)
        frames.append(figure)
    alt = (
        f"Animation, in two views: {min(shown, len(clouds[levels[0]]))} points in a wide cloud. As the noise falls, the cloud "
        f"shrinks to a ring and then to {len(centres)} heaps, which lie in the circles of the true ones."
    )
    return frames, alt


@course_style
def attack(attacks: Sequence[Mapping[str, Any]], passes: int, images: int) -> Picture:
    """How often an attack finds the training image of a pair: left, at equal passes; right, with equally many images.

    attacks: of the recording "answers": dicts with "images", "passes" and "runs", each with "attack" and "accuracy".
    """
    sides = (
        ("images", sorted((row for row in attacks if row["passes"] == passes), key=lambda row: row["images"])),
        ("passes", sorted((row for row in attacks if row["images"] == images), key=lambda row: row["passes"])),
    )
    titles = (f"{passes} passes over each set", f"{images:,} training images")
    figure, axes = new_figure(1, 2, size=(8, 3.2), sharey=True)
    said = []
    for axis, (key, rows), title in zip(axes[0], sides, titles, strict=True):
        x = [row[key] for row in rows]
        for number, (name, label) in enumerate((("attack", "attack right"), ("accuracy", "classifier right"))):
            _spread(axis, x, torch.tensor([[run[name] for run in row["runs"]] for row in rows]).T, number, label)
        axis.axhline(0.5, color="0.4", linestyle=":")
        axis.text(x[0], 0.51, "guessing", fontsize=9, color="0.3", va="bottom")
        axis.set(xscale="log", xlabel={"images": "training images", "passes": "passes over them"}[key], title=title)
        axis.set_xticks(x, [f"{value:,}" for value in x])
        axis.minorticks_off()
        axis.grid(color="0.92")
        found = [torch.tensor([run["attack"] for run in row["runs"]]).median().item() for row in rows]
        said.append(f"{title}: the attack is right in {found[0]:.0%} of pairs at {x[0]} and {found[-1]:.0%} at {x[-1]}")
    axes[0, 0].set(ylabel="share", ylim=(0.45, 1.02))
    axes[0, 1].legend(fontsize=9, loc="center right")
    return figure, "Two panels, the share of right answers of an attack and of the classifier. " + ". ".join(said) + "."


@course_style
def mistaken(real: torch.Tensor, repaired: torch.Tensor, titles: Sequence[str]) -> Picture:
    """Above, images [N, C, H, W] as they were; below, as they were repaired, with what was read in them."""
    count = len(titles)
    figure = image_grid(
        torch.cat([real, repaired]), [*[""] * count, *titles], columns=count, inches=0.9, row_labels=["was there", "repaired"]
    )
    for axis in figure.axes[count : 2 * count]:
        for side in axis.spines.values():
            side.set(color=ROLES["generated"], linewidth=1.6)
    return figure, f"{count} images as they were, and below them as they were repaired; read as {', '.join(titles)}."


@course_style
def reasons(images: torch.Tensor, maps: Mapping[str, torch.Tensor], columns: int = 10) -> Picture:
    """Images [N, H, W] from 0 to 1, and below each the maps [N, H, W] of what an answer rests on, each scaled by its largest."""
    columns = min(columns, len(images))
    figure, axes = new_figure(1 + len(maps), columns, size=(8, 0.82 * (1 + len(maps))))
    for row, (name, tiles) in enumerate([("image", images), *maps.items()]):
        for axis, tile in zip(axes[row], tiles[:columns], strict=True):
            draw_image(axis, tile, signed=row > 0)
        axes[row, 0].set_ylabel(name, fontsize=9)
    alt = f"{columns} images; below each a map of what the answer rests on, orange for and purple against: "
    return figure, alt + ", ".join(maps) + "."
