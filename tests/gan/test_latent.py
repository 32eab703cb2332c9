"""The arc between two latent vectors: ends, equal angles, its plane; and what `draw` makes of given vectors."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gan import Generator, draw, interpolate, sample


def vectors(seed, size=64):
    return torch.randn(2, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seed=st.integers(0, 10_000), size=st.integers(2, 100), t=st.floats(0, 1))
def test_angles_grow_in_proportion_and_the_arc_stays_in_the_plane(seed, size, t):
    start, end = vectors(seed, size)
    end = end * start.norm() / end.norm()
    way = interpolate(start, end, [0.0, t, 1.0])
    torch.testing.assert_close(way[0], start)
    torch.testing.assert_close(way[2], end)
    # On a sphere the arc stays on it, and the angle from the start is t times the whole.
    assert way[1].norm().item() == pytest.approx(start.norm().item(), rel=1e-6)

    def angle(a, b):
        return math.atan2(
            torch.linalg.norm(a * b.norm() - b * a.norm()).item(), torch.linalg.norm(a * b.norm() + b * a.norm()).item()
        )

    assert angle(start, way[1]) == pytest.approx(t * angle(start, end), abs=1e-6)
    rest = torch.linalg.lstsq(torch.stack([start, end], dim=1), way[1][:, None]).residuals
    assert rest.numel() == 0 or rest.item() < 1e-12 * max(1.0, start.norm().item()) ** 2


def test_shapes_types_and_vectors_of_one_direction():
    start = torch.randn(8, 1, 1)
    way = interpolate(start, 3 * start, torch.linspace(0, 1, 5))
    assert way.shape == (5, 8, 1, 1) and way.dtype == torch.float32
    torch.testing.assert_close(way[2], 2 * start)  # the arc between parallel vectors is the line


def test_bad_ends_say_what_is_wrong():
    z = torch.randn(8)
    with pytest.raises(ValueError, match=r"one shape, got \[8\] and \[4\]"):
        interpolate(z, z[:4], [0.5])
    with pytest.raises(ValueError, match="length 0"):
        interpolate(z, 0 * z, [0.5])
    with pytest.raises(ValueError, match="opposite directions"):
        interpolate(z, -2 * z, [0.5])


def test_draw_depends_on_each_z_alone_and_leaves_the_mode(device):
    G = Generator(1, 16, 8, widths=(16, 8)).to(device)
    G(G.noise(64))  # statistics other than those of a new network
    z = G.noise(7, torch.Generator().manual_seed(0))
    whole = draw(G, z)
    assert G.training and whole.device.type == "cpu" and whole.shape == (7, 1, 16, 16)
    torch.testing.assert_close(draw(G, z[3:4]), whole[3:4])
    torch.testing.assert_close(draw(G, z, batch_size=2), whole)
    torch.testing.assert_close(sample(G, 7, torch.Generator().manual_seed(0)), whole)
    assert whole.min() >= 0 and whole.max() <= 1


def test_draw_restores_the_mode_when_it_fails():
    G = Generator(1, 16, 8, widths=(16, 8))
    with pytest.raises(ValueError, match="z"):
        draw(G, torch.randn(2, 9))
    assert G.training


def test_labels_must_be_one_for_each_image():
    G = Generator(1, 16, 8, widths=(16, 8), classes=3)
    with pytest.raises(ValueError, match=r"labels.*\[5\].*\[2\]"):
        sample(G, 5, labels=torch.tensor([0, 1]))
    five = sample(G, 5, torch.Generator().manual_seed(0), torch.tensor([0, 1, 2, 0, 1]), batch_size=2)
    again = sample(G, 5, torch.Generator().manual_seed(0), torch.tensor([0, 1, 2, 0, 1]))
    torch.testing.assert_close(five, again)
