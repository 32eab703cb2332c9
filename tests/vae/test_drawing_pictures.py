"""The pictures of chapter 9 show what they are given."""

import pytest
import torch
from torch.distributions import Normal

from course_lib.recorded import recorded
from course_lib.vae import VAE, explorers, figures
from course_lib.vae.figures import drawing
from course_lib.viz import png

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def flat() -> VAE:
    """A model with two latents that was not trained."""
    torch.manual_seed(0)
    return VAE(1, 8, 2, widths=(4,), hidden=8).eval()


def test_the_map_has_the_second_latent_upwards(flat):
    sheet = drawing.decoded_map(flat, tiles=3)
    low, high = Normal(0.0, 1.0).icdf(torch.tensor([drawing.LOW, drawing.HIGH])).tolist()
    with torch.no_grad():
        upper_left, lower_right = flat.image(torch.tensor([[low, high], [high, low]]))
    assert torch.allclose(sheet[:, :8, :8], upper_left, atol=1e-6)
    assert torch.allclose(sheet[:, -8:, -8:], lower_right, atol=1e-6)


def test_a_walk_over_the_map_is_a_round_trip(flat):
    frames, alt = figures.walk_the_map(flat, steps=4)
    assert len(frames) == 4 and "walks over it" in alt
    places = [frame.axes[0].lines[1].get_xydata()[0] for frame in frames]
    assert len({tuple(place) for place in places}) == 4 and all(0 < value < 1 for place in places for value in place)
    assert figures.map_and_codes(flat, torch.randn(40, 2), torch.arange(40) % 10)[0].axes[1].texts[9].get_text() == "9"
    assert len(set(drawing.CLASS_COLOURS)) == 10
    assert png(explorers.render_place(flat, drawing.decoded_map(flat), 0.5, -0.5), dpi=50)


def test_what_emerges_is_shown_with_the_terms_so_far():
    terms = {"reconstruction": [-float(n) for n in range(60, 0, -1)], "kl": [float(n) for n in range(60)]}
    frames, alt = figures.emerging({0: IMAGES, 60: IMAGES}, terms, columns=2)
    assert [frame.axes[0].get_title() for frame in frames] == ["step 60", "step 0", "step 60"] and "2 moments" in alt
    assert len(frames[2].axes[1].lines[0].get_ydata()) == 60


def test_a_mixture_is_seen_where_classes_lie_apart():
    labels = torch.arange(40) % 2
    codes = torch.randn(40, 3, generator=torch.Generator().manual_seed(0)).double()
    codes[:, 2] += 9 * labels
    plane = drawing.farthest_apart(codes, labels)
    assert torch.allclose(plane.mT @ plane, torch.eye(2).double()) and plane[2].norm() > 0.9
    mixture = torch.ones(1).double(), torch.zeros(1, 3).double(), torch.diag(torch.tensor([1.0, 4.0, 9.0])).double()[None]
    frames, alt = figures.mixture_learns(codes, labels, [(0, mixture, -3.0), (1, mixture, -2.0)])
    ellipse = frames[0].axes[0].patches[1]
    spread = torch.linalg.eigvalsh(plane.mT @ mixture[2][0] @ plane).sqrt()
    assert [ellipse.width, ellipse.height] == pytest.approx((2 * spread.flip(0)).tolist())
    assert len(frames) == 3 and "-3.00 to -2.00" in alt


def test_costs_stand_over_what_their_latents_do():
    kl, order = torch.tensor([0.1, 2.0, 1.0]), torch.tensor([1, 2, 0])
    figure, alt = figures.latent_costs(kl, order, IMAGES.view(2, 3, 1, 8, 8), (-1, 1))
    assert [bar.get_height() for bar in figure.axes[0].patches] == pytest.approx([2.0, 1.0, 0.1])
    assert "2.0 down to 0.10" in alt


def test_known_factors_leave_out_what_chance_gives():
    figure, _ = figures.known_factors(
        torch.tensor([[0.5, 0.1]]), ["digit", "x"], torch.tensor([[0.1, 0.09]]), {"digit": 0.9, "x": 0.2}, ["z1"]
    )
    assert [text.get_text() for text in figure.axes[0].texts] == ["40"]
    figure, alt = figures.two_ways({"a": {"digit": 0.9}, "b": {"digit": 0.1}})
    assert "a: digit 0.90; b: digit 0.10" in alt and len(figure.axes[0].lines) == 3


def test_styles_stand_beside_their_image():
    figure, alt = figures.styles(IMAGES[:2], IMAGES[:4].view(2, 2, 1, 8, 8), ["a", "b"])
    assert len(figure.axes) == 6 and figure.axes[0].get_title() == "given" and "2 classes" in alt


def test_recorded_numbers_are_drawn():
    assert "3:" in figures.learned_priors(recorded("vae-prior"))[1]
    figure, alt = figures.price_of_a_nat({"beta 1": [(5.0, 20.0)], "beta 4": [(1.0, 30.0)]})
    assert "25.0 nats" in alt and figure.axes[0].texts[0].get_text() == "β = 1"
    results = {"deep": {"latent_kl": [0.0, 1.0], "elbo": [-56.2, -56.4], "on": [1, 1]}}
    assert "deep: 1 latents on" in figures.collapsed({**results, "other": results["deep"]})[1]


def test_scores_and_mistakes_are_drawn():
    figure, alt = figures.surprise(
        {"test": torch.arange(9.0), "black": torch.tensor([1.0])}, {"least": IMAGES[:3], "most": IMAGES[3:]}
    )
    assert "test 4, black 1" in alt and len(figure.axes[0].lines) == 1
    figure, alt = figures.beside_each_other({"test images": (0.05, 0.04), "GAN": (0.2, 0.3)})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["test images", "GAN"] and "GAN 0.2" in alt
    panels = {"right": (IMAGES, IMAGES), "wrong": (IMAGES, IMAGES)}
    figure, alt = figures.mistaken(panels, {"right": (50.0, 10.0, 60.0), "wrong": (40.0, 0.0, 900.0)})
    assert "wrong: believed 40 + 0 KL, measured 900" in alt


@pytest.mark.parametrize("picture", [figures.codes_and_prior, lambda: figures.encoder_decoder(1, 28, (4, 8), 16, 3)])
def test_schematics(picture):
    figure, alt = picture()
    assert png(figure, dpi=50) and len(alt) > 80
