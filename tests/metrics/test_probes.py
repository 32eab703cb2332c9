"""Probes against SciPy's minimisers; information against closed forms and NumPy's histogram."""

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib.metrics import InformationGap, LinearProbe, mutual_information_gap, probe_class, probe_number

SEEDS = st.integers(0, 999)


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(seed=SEEDS, Z=st.integers(1, 6))
def test_a_linear_factor_is_found_exactly(seed, Z):
    latents = random(50, Z, seed=seed) * 10 + 3
    values = latents @ random(Z, seed=seed + 1) - 7
    probe = probe_number(latents, values, ridge=1e-12)
    assert isinstance(probe, LinearProbe) and probe.kind == "number"
    torch.testing.assert_close(probe.predict(latents), values, atol=1e-6, rtol=1e-6)
    new = random(20, Z, seed=seed + 2)
    torch.testing.assert_close(probe.predict(new), new @ random(Z, seed=seed + 1) - 7, atol=1e-6, rtol=1e-6)
    assert probe.score(latents, values) > 1 - 1e-9


@given(seed=SEEDS, ridge=st.sampled_from([1e-6, 0.01, 1.0]))
def test_the_weights_minimise_the_squared_error_with_its_ridge(seed, ridge):
    latents, values = random(40, 3, seed=seed), random(40, seed=seed + 1)
    probe = probe_number(latents, values, ridge=ridge)
    standard = (latents - latents.mean(dim=0)) / latents.std(dim=0, correction=0)
    weight, bias = probe.weight.clone().requires_grad_(), probe.bias.clone().requires_grad_()
    error = ((standard @ weight + bias)[:, 0] - values).square().mean() + ridge * weight.square().sum()
    for gradient in torch.autograd.grad(error, [weight, bias]):
        assert gradient.abs().max() < 1e-12


def test_the_score_is_the_coefficient_of_determination():
    latents, values = random(60, 3), random(60, seed=1)
    probe = probe_number(latents[:40], values[:40])
    left = (probe.predict(latents[40:]) - values[40:]).square().sum() / (values[40:] - values[40:].mean()).square().sum()
    assert probe.score(latents[40:], values[40:]) == pytest.approx(1 - left.item())
    slope = scipy.stats.linregress(latents[:, 0].numpy(), values.numpy())
    assert probe_number(latents[:, :1], values, ridge=1e-12).score(latents[:, :1], values) == pytest.approx(slope.rvalue**2)


def test_an_angle_is_found_across_its_jump():
    angle = 360 * torch.rand(400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turns = torch.deg2rad(angle)
    latents = torch.stack([turns.cos() + 2, 3 * turns.sin()], dim=1) @ random(2, 2)
    probe = probe_number(latents, angle, period=360, ridge=1e-10)
    assert probe.kind == "angle" and probe.weight.shape == (2, 2)
    apart = (probe.predict(latents) - angle + 180).remainder(360) - 180
    assert apart.abs().max() < 1e-3 and probe.score(latents, angle) > 1 - 1e-9
    predicted = probe.predict(latents)
    assert (predicted >= 0).all() and (predicted <= 360).all()
    # As a plain number, 359 and 1 would be far apart.
    assert probe_number(latents, angle).score(latents, angle) < 0.9
    # Values shifted by whole turns are the same angles.
    assert probe.score(latents, angle - 720) == pytest.approx(probe.score(latents, angle))


def test_latents_that_know_nothing_score_nothing():
    latents, values = random(4000, 5), random(4000, seed=1)
    score = probe_number(latents[:2000], values[:2000]).score(latents[2000:], values[2000:])
    assert -0.02 < score < 0.01
    labels = torch.randint(0, 4, (4000,), generator=torch.Generator().manual_seed(0))
    assert abs(probe_class(latents[:2000], labels[:2000]).score(latents[2000:], labels[2000:]) - 0.25) < 0.04


def test_a_latent_that_does_not_vary_is_no_obstacle():
    latents = torch.cat([random(50, 2), torch.full((50, 1), 3.7, dtype=torch.float64)], dim=1)
    values = latents[:, 0] * 2
    assert probe_number(latents, values).score(latents, values) > 0.999
    assert probe_class(latents, (values > 0).long()).score(latents, (values > 0).long()) > 0.9
    copied = torch.cat([latents, latents], dim=1)
    assert probe_number(copied, values).score(copied, values) > 0.999


@given(seed=st.integers(0, 99), ridge=st.sampled_from([1e-3, 0.1]))
def test_logistic_regression_is_at_scipys_minimum(seed, ridge):
    latents, labels = random(60, 2, seed=seed), torch.arange(60) % 3
    latents = latents + labels[:, None]
    probe = probe_class(latents, labels, ridge=ridge)
    standard = ((latents - latents.mean(dim=0)) / latents.std(dim=0, correction=0)).numpy()

    def loss(parameters):
        weight, bias = parameters[:6].reshape(2, 3), parameters[6:]
        logits = standard @ weight + bias
        log_sum = np.log(np.exp(logits).sum(axis=1))
        return (log_sum - logits[np.arange(60), labels.numpy()]).mean() + ridge / 2 * (weight**2).sum()

    ours = loss(np.concatenate([probe.weight.numpy().ravel(), probe.bias.numpy()]))
    assert ours < scipy.optimize.minimize(loss, np.zeros(9)).fun + 1e-7


def test_separable_classes_are_all_found():
    labels = torch.arange(90) % 3
    corners = torch.tensor([[0.0, 9], [8, -5], [-8, -5]], dtype=torch.float64)
    latents = corners[labels] + random(90, 2)
    probe = probe_class(latents, labels)
    assert probe.score(latents, labels) == 1 and probe.predict(latents).dtype == torch.int64
    assert probe.outputs(latents).shape == (90, 3) and probe.weight.isfinite().all()


def test_probes_take_other_types_layouts_and_devices(device):
    labels = (torch.arange(80) % 4).to(device)
    latents = random(80, 6).float().to(device)[:, ::2]
    assert not latents.is_contiguous()
    latents.requires_grad_()
    probe = probe_class(latents, labels)
    assert probe.weight.device.type == device.type and not probe.weight.requires_grad
    assert 0 <= probe.score(latents, labels) <= 1
    assert -1 < probe_number(latents, latents[:, 1] ** 2).score(latents, latents[:, 1] ** 2) < 1
    found = mutual_information_gap(latents, {"class": labels, "number": latents[:, 0]}, bins=5)
    assert found.information.shape == (3, 2) and found.information[:, 1].argmax() == 0


def test_a_latent_that_is_the_factor_has_all_its_entropy():
    labels = torch.arange(400) % 4
    latents = torch.stack([labels * 2.0, random(400).float(), random(400, seed=1).float()], dim=1)
    found = mutual_information_gap(latents, {"digit": labels}, bins=8)
    assert isinstance(found, InformationGap)
    torch.testing.assert_close(found.entropy, torch.tensor([math.log(4)], dtype=torch.float64))
    torch.testing.assert_close(found.information[0], found.entropy)
    assert found.gap.item() > 0.95 and found.mean == found.gap.item()


def test_two_latents_that_share_a_factor_leave_no_gap():
    labels = torch.arange(400) % 4
    latents = torch.stack([labels, -labels, torch.zeros(400)], dim=1)
    found = mutual_information_gap(latents, {"digit": labels})
    assert found.gap.item() == 0 and found.information[2].item() == 0, "and one that has collapsed knows nothing"
    assert found.bias[2].item() == 0


@given(seed=SEEDS, bins=st.integers(2, 8))
def test_the_information_is_that_of_the_table_of_counts(seed, bins):
    latents, labels = random(200, 2, seed=seed), torch.randint(0, 3, (200,), generator=torch.Generator().manual_seed(seed))
    labels = labels + (latents[:, 0] > 0)
    found = mutual_information_gap(latents, {"digit": labels, "height": random(200, seed=seed + 1)}, bins=bins)
    edges = np.quantile(latents[:, 0].numpy(), np.arange(bins + 1) / bins)
    table = np.histogram2d(latents[:, 0].numpy(), labels.numpy(), bins=[edges, np.arange(-0.5, 5)])[0] / 200
    ratio = table / (table.sum(axis=0) * table.sum(axis=1, keepdims=True) + 1e-300)
    expected = (table * np.log(np.where(table > 0, ratio, 1))).sum()
    # An image on an edge may count to either side.
    assert abs(found.information[0, 0].item() - expected) < 0.02
    assert ((found.gap >= 0) & (found.gap <= 1)).all() and (found.information >= 0).all()
    assert (found.information <= found.entropy + 1e-12).all()


@given(seed=SEEDS)
def test_bending_a_latent_changes_nothing(seed):
    latents, values = random(300, 3, seed=seed), {"height": random(300, seed=seed + 1), "digit": torch.arange(300) % 3}
    bent = torch.stack([latents[:, 0].exp(), latents[:, 1] * 1e-3 + 5, latents[:, 2] ** 3], dim=1)
    expected = mutual_information_gap(latents, values)
    for changed in (bent, -latents):
        torch.testing.assert_close(mutual_information_gap(changed, values).information, expected.information, atol=1e-12, rtol=0)


@given(seed=SEEDS, share=st.sampled_from([0.01, 0.03, 0.5]))
def test_equal_values_stay_together_whichever_way_round(seed, share):
    """A latent that is a rare flag, and one that is a flag and beside it a number."""
    flag = random(1000, seed=seed) < random(1000, seed=seed).quantile(share)
    latents = torch.stack([flag.double(), torch.where(flag, 9.0, random(1000, seed=seed + 1))], dim=1)
    expected = mutual_information_gap(latents, {"flag": flag.long()})
    torch.testing.assert_close(expected.information[0], expected.entropy)
    for sign in (-1, torch.tensor([1, -1])):
        found = mutual_information_gap(latents * sign, {"flag": flag.long()})
        torch.testing.assert_close(found.information, expected.information)
    rare = torch.zeros(1000, 2).index_fill_(0, torch.tensor([7]), 1.0).index_fill_(0, torch.tensor([8]), 2.0)
    found = mutual_information_gap(rare, {"rare": rare[:, 0].long()})
    torch.testing.assert_close(found.information[0], found.entropy)
    for factor in (flag.double(), -flag.double()):
        torch.testing.assert_close(mutual_information_gap(latents, {"flag": factor}).information, expected.information)


def test_the_gap_is_a_share_of_the_entropy():
    labels, latents = torch.arange(400) % 4, torch.zeros(400, 3)
    latents[:, 0], latents[:, 1] = labels // 2, labels % 2 * (torch.arange(400) < 200)
    # The first latent knows one of the two bits of a label. The second knows the other bit for half
    # of the images.
    found = mutual_information_gap(latents, {"digit": labels})
    second = scipy.stats.entropy([3 / 4, 1 / 4]) + math.log(2) - scipy.stats.entropy([1 / 2, 1 / 4, 1 / 4])
    torch.testing.assert_close(found.information[:, 0], torch.tensor([math.log(2), second, 0], dtype=torch.float64))
    assert found.gap.item() == pytest.approx((math.log(2) - second) / math.log(4))


def test_chance_alone_gives_the_stated_bias():
    totals = torch.zeros(2, 2, dtype=torch.float64)
    for seed in range(30):
        factors = {"digit": torch.arange(4000) % 10, "height": random(4000, seed=seed + 500)}
        found = mutual_information_gap(random(4000, 2, seed=seed), factors, bins=20)
        totals += found.information / 30
    # 2 N I is nearly chi-squared: its mean is the product below, its standard deviation sqrt(2 of
    # it).
    expected = torch.tensor([[19 * 9, 19 * 19]] * 2, dtype=torch.float64) / 8000
    torch.testing.assert_close(found.bias, expected)
    torch.testing.assert_close(totals, expected, rtol=0.05, atol=0)


def test_the_information_of_two_gaussians_is_near_its_closed_form():
    # I = -log(1 - correlation^2) / 2. Intervals lose a little, and chance adds a little.
    z = random(20_000, 2)
    factor = 0.8 * z[:, 0] + 0.6 * z[:, 1]
    information = mutual_information_gap(z, {"factor": factor}).information[:, 0]
    expected = torch.tensor([-math.log(1 - 0.64) / 2, -math.log(1 - 0.36) / 2], dtype=torch.float64)
    torch.testing.assert_close(information, expected, rtol=0.06, atol=0)


def test_bad_input_is_named():
    latents, values, labels = random(9, 2), random(9), torch.arange(9) % 3
    for fit, second in ((probe_number, values), (probe_class, labels)):
        with pytest.raises(ValueError, match=r"latents must have the shape \[N, Z\], got \[9\]"):
            fit(latents[:, 0], second)
        with pytest.raises(ValueError, match="latents: a value is not a finite number"):
            fit(latents / 0, second)
        with pytest.raises(ValueError, match=r"must have the shape \[9\].*got \[8\]"):
            fit(latents, second[:8])
        with pytest.raises(ValueError, match="ridge is 0: it must be positive"):
            fit(latents, second, ridge=0)
        with pytest.raises(ValueError, match=r"latents must have the shape \[N, 2\], got \[9, 3\]"):
            fit(latents, second).predict(random(9, 3))
        with pytest.raises(ValueError, match="not a finite number"):
            fit(latents, second).predict(latents / 0)
    with pytest.raises(ValueError, match="period is -1: it must be positive, 360 for degrees"):
        probe_number(latents, values, period=-1)
    with pytest.raises(ValueError, match="period is 0: it must be positive"):
        probe_number(latents, values, period=0)
    with pytest.raises(ValueError, match="values: a value is not a finite number"):
        probe_number(latents, values.log())
    with pytest.raises(ValueError, match="all values are 2: there is nothing to predict"):
        probe_number(latents, values).score(latents, torch.full((9,), 2.0))
    with pytest.raises(TypeError, match=r"labels must be int64, got torch\.float64"):
        probe_class(latents, values)
    with pytest.raises(ValueError, match="a label is -1, outside the classes"):
        probe_class(latents, labels - 1)
    with pytest.raises(ValueError, match="1 latents and 1 factors: it takes at least two latents"):
        mutual_information_gap(latents[:, :1], {"digit": labels})
    with pytest.raises(ValueError, match="2 latents and 0 factors"):
        mutual_information_gap(latents, {})
    for bins in (1, 10):
        with pytest.raises(ValueError, match=f"bins is {bins} for 9 images"):
            mutual_information_gap(latents, {"digit": labels}, bins=bins)
    with pytest.raises(ValueError, match=r"height must have the shape \[9\], got \[3\]"):
        mutual_information_gap(latents, {"height": values[:3]}, bins=3)
    with pytest.raises(ValueError, match="digit has one value only: it has no entropy"):
        mutual_information_gap(latents, {"digit": torch.ones(9).long()}, bins=3)
