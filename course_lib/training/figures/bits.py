"""bfloat16: its bits, sums that stop growing, and steps that are too small for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.viz import COLOURS, DASHES, LINES, course_style, new_diagram, new_figure

Picture = tuple[Figure, str]
FORMATS = {"float32": (8, 23), "bfloat16": (8, 7), "float16": (5, 10)}


@course_style
def bits(bits32: str, largest: Mapping[str, str]) -> Picture:
    """The bits of one number in three formats: sign, exponent, fraction. `largest`: what stands beside each."""
    figure, axis = new_diagram(8, 2.35, xlim=(-6.5, 43), ylim=(-1.2, 9.3))
    axis.set_aspect("auto")
    for row, (name, (exponent, fraction)) in enumerate(FORMATS.items()):
        y = 6 - 3 * row
        axis.text(-6.3, y + 0.75, name, va="center", fontsize=10, family="monospace")
        for place in range(1 + exponent + fraction):
            role = "purple" if place == 0 else "orange" if place <= exponent else "sky"
            axis.add_patch(Rectangle((place, y), 1, 1.5, facecolor=COLOURS[role], edgecolor="white", lw=1))
            if name != "float16":
                axis.text(place + 0.5, y + 0.75, bits32[place], ha="center", va="center", fontsize=9)
        axis.text(1 + exponent + fraction + 0.6, y + 0.75, largest[name], va="center", fontsize=9)
    for x, word in ((0.5, "sign"), (5, "exponent"), (20.5, "fraction")):
        axis.text(x, 8.4, word, ha="center", va="center", fontsize=9, color="0.3")
    return figure, (
        "float32 has a sign, 8 bits of exponent and 23 of fraction; bfloat16 is its first half, with 7 bits of fraction; "
        "float16 has 5 bits of exponent and 10 of fraction."
    )


def _line(number: int) -> dict[str, Any]:
    """The first line is what the others are held against: broad and grey, under them."""
    if number == 0:
        return {"color": "0.75", "lw": 6}
    return {"color": LINES[number], "ls": DASHES[number % len(DASHES)], "lw": 2}


@course_style
def growing_sums(counts: Sequence[int], sums: Mapping[str, Sequence[float]]) -> Picture:
    """How large a sum has got after so many terms, in several ways to add."""
    figure, axes = new_figure(size=(6.4, 3.0))
    axis = axes[0, 0]
    for number, (name, values) in enumerate(sums.items()):
        axis.plot(counts, values, label=name, **_line(number))
    axis.set(xlabel="terms added", ylabel="the sum", xscale="log", yscale="log")
    axis.grid(color="0.92")
    axis.legend(fontsize=9)
    ends = ", ".join(f"{name} {values[-1]:g}" for name, values in sums.items())
    return figure, f"Sums of {counts[-1]:,} ones: {ends}."


@course_style
def small_steps(losses: Mapping[str, Sequence[float]]) -> Picture:
    """The loss of each way to keep the weights, by step."""
    figure, axes = new_figure(size=(6.4, 3.0))
    axis = axes[0, 0]
    for number, (name, values) in enumerate(losses.items()):
        axis.plot(values, label=name, **_line(number))
    axis.set(xlabel="step", ylabel="training loss (nats)", yscale="log")
    axis.grid(color="0.92")
    axis.legend(fontsize=9)
    return figure, "Losses by step, at the end: " + ", ".join(f"{name} {v[-1]:.3g}" for name, v in losses.items()) + "."
