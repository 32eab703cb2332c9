"""Colours that stay apart for readers who lack one kind of cone, and figures that take no others.

The simulation is that of G. Machado, M. Oliveira and L. Fernandes, *A Physiologically-based Model
for Simulation of Color Vision Deficiency*, IEEE Transactions on Visualization and Computer Graphics
15(6), 2009: its matrices for severity 1, on linear RGB. Distances are Euclidean in CIELAB (1976,
white D65), where about 2.3 can just be noticed side by side.
"""

import ast

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_lib.viz import COLOURS, COUNT_MAP, GREY_MAP, LINES, SIGN_MAP, SIZE_MAP
from tests.repository.files import NOTEBOOKS, ROOT, SOURCES, code_cells, name_of
from tools.needed_cells import parse

EYES = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
each_eye = pytest.mark.parametrize("eye", EYES)
# Linear RGB to CIE XYZ, of the standard for sRGB (IEC 61966-2-1).
XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
APART = 15  # several times what can just be noticed: a legend and its line are not side by side


def lab(rgb, eye="all cones"):
    """Colours [..., 3] of sRGB in [0, 1] as CIELAB, as these eyes see them."""
    rgb = np.asarray(rgb)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(EYES[eye]).T, 0, 1)
    ratio = seen @ XYZ.T / XYZ.sum(axis=1)
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1)


def test_the_measure_gives_published_values():
    # White, and the red of sRGB as in the tables of B. Lindbloom.
    assert np.allclose(lab([1, 1, 1]), [100, 0, 0], atol=0.01)
    assert np.allclose(lab([1, 0, 0]), [53.24, 80.09, 67.20], atol=0.01)
    for matrix in EYES.values():
        assert np.allclose(np.sum(matrix, axis=1), 1, atol=1e-5), "grey stays grey"


def test_the_simulation_confuses_what_such_eyes_confuse():
    """Red and green of equal lightness, far apart for most readers, are close without M cones."""
    red, green = [0.80, 0.32, 0.25], [0.47, 0.53, 0.20]
    assert np.linalg.norm(lab(red) - lab(green)) > 50
    assert np.linalg.norm(lab(red, "deuteranopia") - lab(green, "deuteranopia")) < APART


@each_eye
def test_the_palette_stays_apart_and_from_the_paper(eye):
    assert set(LINES) <= set(COLOURS.values())
    names = [*COLOURS, "paper"]
    seen = [lab(to_rgb(colour), eye) for colour in [*COLOURS.values(), "#FFFFFF"]]
    near = [(names[i], names[j]) for i in range(len(seen)) for j in range(i) if np.linalg.norm(seen[i] - seen[j]) < APART]
    assert not near


@each_eye
def test_maps_of_numbers_grow_lighter_throughout(eye):
    for name in (SIZE_MAP, GREY_MAP):
        lightness = lab(matplotlib.colormaps[name](np.linspace(0, 1, 64))[:, :3], eye)[:, 0]
        assert (np.diff(lightness) > 0).all()


@each_eye
def test_counts_grow_darker_from_nearly_white(eye):
    lightness = lab(matplotlib.colormaps[COUNT_MAP](np.linspace(0, 1, 64))[:, :3], eye)[:, 0]
    assert (np.diff(lightness) < 0).all() and lightness[0] > 95


@each_eye
def test_signs_are_two_colours_that_grow_darker_from_white(eye):
    places = np.linspace(0, 1, 65)
    seen = lab(matplotlib.colormaps[SIGN_MAP](places)[:, :3], eye)
    assert np.linalg.norm(seen[32] - lab([1, 1, 1])) < 5, "zero is the colour of the paper"
    assert (np.diff(seen[:33, 0]) > 0).all() and (np.diff(seen[32:, 0]) < 0).all(), "larger is darker"
    apart = np.linalg.norm(seen - seen[::-1], axis=1)
    assert (apart[abs(places - 0.5) > 0.1] > APART).all(), "plus and minus of one size are told apart by colour"


COLOUR_ARGUMENTS = {"color", "colors", "c", "ecolor", "facecolor", "edgecolor", "facecolors", "edgecolors", "cmap"}
GREYS = {"black", "white", "none", "gray", "grey", "face"}


def foreign_colours(code: str) -> list[str]:
    """The colours and maps that a piece of code names itself.

    Greys are free, since lightness is seen by all.
    """
    values = []
    for node in ast.walk(parse(code)):
        if isinstance(node, ast.keyword) and node.arg in COLOUR_ARGUMENTS:
            values.append(node.value)
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            values += [value for key, value in pairs if isinstance(key, ast.Constant) and key.value in COLOUR_ARGUMENTS]
    found = []
    for value in values:
        keys = [part.slice for part in ast.walk(value) if isinstance(part, ast.Subscript)]  # COLOURS["blue"]
        words = [part for part in ast.walk(value) if isinstance(part, ast.Constant) and part not in keys]
        found += [word.value for word in words if isinstance(word.value, str)]
    return [word for word in found if word not in GREYS and not word.replace(".", "").isdigit()]


@pytest.mark.parametrize("path", [path for path in SOURCES if path.is_relative_to(ROOT / "course_lib")], ids=name_of)
def test_figures_take_their_colours_from_the_palette(path):
    assert foreign_colours(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_take_their_colours_from_the_palette(path):
    assert [colour for cell in code_cells(path) for colour in foreign_colours(cell.source)] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("plot(x, color='red' if a else '#00FF00')", ["red", "#00FF00"]),
        ("imshow(x, cmap='jet')", ["jet"]),
        ("style = {'color': 'blue', 'label': 'red'}", ["blue"]),
        ("plot(x, color=COLOURS['blue'], label='red')", []),
        ("plot(x, color='0.5', edgecolor='black', cmap=SIZE_MAP)", []),
    ],
)
def test_a_foreign_colour_is_noticed(code, found):
    assert foreign_colours(code) == found
