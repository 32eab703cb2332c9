"""The loop: a step is the textbook's, runs repeat, what is recorded is the bound, and each option does what it says."""

import math
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from course_lib.data import Batches
from course_lib.training import DivergenceError, Run
from course_lib.vae import VAE, Autoencoder, binarised, evaluate_vae, fit_vae, mlp_vae, vae_step
from tests.vae.runs import FULL, IMAGES, ROUND, fit, make_batches, model, weights


def generator(seed):
    return torch.Generator().manual_seed(seed)


def test_a_step_is_that_of_pytorchs_example():
    network, reference = mlp_vae(1, 16, 4, widths=(12,)), mlp_vae(1, 16, 4, widths=(12,))
    reference.load_state_dict(network.state_dict())
    x, _ = make_batches().take(slice(0, 16))
    eps = network.noise(16, torch.Generator().manual_seed(0))
    said = vae_step(network, torch.optim.SGD(network.parameters(), lr=0.01), x, eps=eps)

    hidden = F.relu(F.linear(x.flatten(1), reference.encoder.first.weight, reference.encoder.first.bias))
    mu, logvar = reference.mean(hidden), reference.log_variance(hidden)
    decoded = reference.decode(mu + torch.exp(0.5 * logvar) * eps).flatten(1)
    BCE = F.binary_cross_entropy(torch.sigmoid(decoded), x.flatten(1), reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    loss = (BCE + KLD) / 16  # the example divides by the number of images when it prints
    gradients = torch.autograd.grad(loss, reference.parameters())
    torch.testing.assert_close(said["loss"], loss.detach())
    torch.testing.assert_close(said["reconstruction"], -BCE.detach() / 16)
    torch.testing.assert_close(said["kl"], KLD.detach() / 16)
    for parameter, before, gradient in zip(network.parameters(), reference.parameters(), gradients, strict=True):
        torch.testing.assert_close(parameter, before - 0.01 * gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"classes": 10}, {"likelihood": "optimal-gaussian"}])
def test_two_runs_with_one_seed_are_equal(options, device):
    first, second = (fit(network, device) for network in (model(device, **options), model(device, **options)))
    assert first.steps == second.steps and first.step == 12 == len(first.steps["kl"]) and len(first.epochs) == 3
    assert set(first.steps) == {"loss", "reconstruction", "kl"}


def test_what_is_recorded_is_the_bound():
    network = model()
    run = fit(network, kl_warm_up=0.5, beta=2.0)
    for step in range(12):
        weight = 2.0 * min(1, (step + 1) / 6)
        loss, reconstruction, kl = (run.steps[name][step] for name in ("loss", "reconstruction", "kl"))
        assert loss == pytest.approx(weight * kl - reconstruction, rel=1e-5), "terms as they are, a loss with the weight"
    last = run.epochs[-1]
    assert last["kl"] == pytest.approx(sum(run.steps["kl"][-4:]) / 4)
    measured = evaluate_vae(network, IMAGES, binarise="dynamic")
    assert last["validation_reconstruction"] == measured.reconstruction and last["validation_kl"] == measured.kl
    assert last["validation_elbo"] == measured.elbo == measured.reconstruction - measured.kl


@pytest.mark.parametrize("kind", ["Autoencoder", "VAE", "mlp_vae", "conditional"])
def test_it_learns(kind):
    torch.manual_seed(0)
    networks = {
        "Autoencoder": lambda: Autoencoder(1, 16, 8, widths=(8, 16), hidden=32),
        "VAE": lambda: VAE(1, 16, 8, widths=(8, 16), hidden=32),
        "conditional": lambda: VAE(1, 16, 8, widths=(8, 16), hidden=32, classes=10),
        "mlp_vae": lambda: mlp_vae(1, 16, 8, widths=(64,)),
    }
    network, images = networks[kind](), FULL.subset(slice(0, 1024))
    before = evaluate_vae(network, images).elbo
    run = fit_vae(network, make_batches(images=images, batch_size=64), epochs=4, lr=1e-2, kl_warm_up=1.0)
    after = evaluate_vae(network, images)
    assert after.elbo > before + 20 and run.epochs[-1]["reconstruction"] > run.epochs[0]["reconstruction"]
    assert (after.kl > 1) == (kind != "Autoencoder") and not network.training


def test_labels_spare_the_latents_the_class():
    """Images that show nothing but their class: with labels nothing is left for z to tell."""
    part = FULL.subset(slice(0, 256))
    first = torch.stack([part.images[part.labels == digit][0] for digit in range(10)])
    images = replace(part, images=first[part.labels])
    rates = {}
    for classes in (0, 10):
        torch.manual_seed(0)
        network = mlp_vae(1, 16, 4, widths=(32,), classes=classes)
        fit_vae(network, make_batches(images=images, batch_size=32), epochs=20, lr=1e-2)
        rates[classes] = evaluate_vae(network, images).kl
    assert rates[0] > math.log(10) and rates[10] < rates[0] / 2


def test_beta_and_free_bits_move_the_rate():
    rates = {}
    for name, options in (("low", {"beta": 0.1}), ("high", {"beta": 20.0}), ("free", {"beta": 20.0, "free_bits": 1.0})):
        torch.manual_seed(0)
        network = mlp_vae(1, 16, 4, widths=(32,))
        fit_vae(network, make_batches(images=FULL.subset(slice(0, 512)), batch_size=64), epochs=8, lr=5e-3, **options)
        rates[name] = evaluate_vae(network, FULL.subset(slice(0, 512))).latent_kl
    assert rates["high"].sum() < 1 < rates["low"].sum()
    assert (rates["free"] > 0.6).all(), "collapse, and its cure"


@pytest.mark.parametrize("schedule", ["one-cycle", "constant"])
def test_adam_gets_its_settings_and_a_rate_that_follows_the_schedule(schedule):
    """A run against the same steps written out: fused or not, Adam is Adam."""
    network, reference = mlp_vae(1, 16, 4, widths=(12,)), mlp_vae(1, 16, 4, widths=(12,))
    reference.load_state_dict(network.state_dict())
    run = fit_vae(network, make_batches(), epochs=5, lr=0.01, schedule=schedule, betas=(0.5, 0.9), rng=generator(1))
    optimizer, rng, losses = torch.optim.Adam(reference.parameters(), betas=(0.5, 0.9)), generator(1), []
    batches = make_batches()
    for _ in range(5):
        for x, _ in batches:
            progress = (len(losses) + 0.5) / 20
            rate = progress / 0.1 if progress < 0.1 else (1 - progress) / 0.9
            optimizer.param_groups[0]["lr"] = 0.01 * (1.0 if schedule == "constant" else rate)
            losses.append(vae_step(reference, optimizer, x, eps=reference.noise(16, rng))["loss"].item())
    assert run.steps["loss"] == pytest.approx(losses, rel=1e-4)
    torch.testing.assert_close(weights(network), weights(reference), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_parameters_of_other_types_learn_too(dtype):
    network = mlp_vae(1, 16, 4, widths=(12,)).to(dtype)
    run = fit_vae(network, make_batches(dtype=dtype), epochs=2)
    assert run.step == 8 and next(network.parameters()).dtype == dtype


def test_the_model_sees_binarised_images_and_its_labels():
    seen = []

    class Watching(VAE):
        def forward(self, x, labels=None, eps=None):
            if self.training:
                seen.append((x.clone(), labels))
            return super().forward(x, labels, eps)

    for binarise in ("none", "threshold", "dynamic"):
        fit(Watching(1, 16, 4, widths=(6, 8), classes=10), binarise=binarise, epochs=1)
    grey, threshold, dynamic = (torch.cat([x for x, _ in seen[4 * n : 4 * n + 4]]) for n in range(3))
    assert torch.equal(threshold, (grey >= 0.5).float()) and set(dynamic.unique().tolist()) == {0.0, 1.0}
    assert ((grey > 0) & (grey < 1)).any() and torch.equal(dynamic[grey == 1], grey[grey == 1])
    assert all(labels.dtype == torch.int64 for _, labels in seen)


def test_dynamic_pixels_are_drawn_with_the_probability_of_their_grey_value():
    x = torch.tensor([0.0, 0.25, 1.0]).expand(20_000, 3).T.reshape(3, 1, 100, 200)
    drawn = binarised(x, "dynamic", torch.Generator().manual_seed(0))
    assert torch.allclose(drawn.flatten(1).mean(dim=1), torch.tensor([0.0, 0.25, 1.0]), atol=0.01)
    assert not torch.equal(drawn, binarised(x, "dynamic", torch.Generator().manual_seed(1)))
    layout = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    assert binarised(layout, "dynamic").is_contiguous(memory_format=torch.channels_last)


def test_bfloat16_and_compile_change_little(monkeypatch):
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda function: compiled.append(function) or function)
    plain, half, both = (fit(model(), epochs=1, **options) for options in ({}, {"bfloat16": True}, {"compile": True}))
    assert plain.steps["loss"] != half.steps["loss"]
    assert half.steps["loss"] == pytest.approx(plain.steps["loss"], rel=0.02)
    assert both.steps == plain.steps and len(compiled) == 1


def test_watch_is_called_after_each_epoch():
    seen = []
    fit(model(), watch=lambda run: seen.append((run.step, len(run.epochs))))
    assert seen == [(4, 1), (8, 2), (12, 3)]


def test_terms_that_are_not_finite_stop_with_advice():
    with pytest.raises(DivergenceError, match=r"(loss|reconstruction|kl) is -?(nan|inf) in step \d+\. .*lower lr") as caught:
        fit(network := model(), epochs=10, lr=1e6)
    assert len(caught.value.run.steps["loss"]) > 0 and not network.training


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"epochs": 2.5}, r"epochs is 2\.5"),
        ({"lr": float("nan")}, "lr is nan: it must be at least 0 and finite"),
        ({"beta": -1}, r"beta is -1\.0"),
        ({"free_bits": float("inf")}, "free_bits is inf"),
        ({"kl_warm_up": 1.5}, r"kl_warm_up is 1\.5: it is a share of the steps"),
        ({"schedule": "step"}, "schedule is 'step': choose from one-cycle, "),
        ({"binarise": "yes"}, "binarise is 'yes': choose from none, dynamic, threshold"),
        ({"resume": Run({})}, "no state to resume from"),
        ({"betas": (0.9,)}, r"betas is \(0\.9,\): Adam takes two numbers, for example \(0\.9, 0\.999\)"),
        ({"betas": 0.9}, r"betas is 0\.9: Adam takes two numbers"),
        ({"betas": (0.9, 1.0)}, r"one of betas is 1\.0: it must be at least 0 and below 1"),
        ({"rng": 0}, "rng is 0: it must be on the CPU"),
    ],
)
def test_settings_that_do_not_exist_or_cannot_be_are_named(changed, words):
    network = model()
    before = weights(network)
    with pytest.raises((TypeError, ValueError), match=words):
        fit(network, **changed)
    assert torch.equal(weights(network), before)


@pytest.mark.parametrize("channels_last", [False, True])
def test_the_model_gets_the_memory_layout_of_its_batches(channels_last):
    network = model()
    fit_vae(network, Batches(IMAGES, batch_size=32, channels_last=channels_last), epochs=1)
    weight = network.encoder.body[3].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) == channels_last != weight.is_contiguous()


def test_one_label_at_the_end_of_either_set_is_found_before_any_step():
    network, labels = model(classes=10), IMAGES.labels.clone()
    labels[-1] = 10
    wrong, before = replace(IMAGES, labels=labels), weights(network)
    for images, validation in ((wrong, IMAGES), (IMAGES, wrong)):
        with pytest.raises(ValueError, match="a label is 10, outside the classes 0 to 9"):
            fit_vae(network, Batches(images, batch_size=16, shuffle=False), validation, **ROUND)
        assert torch.equal(weights(network), before)


def test_images_and_labels_that_do_not_fit_are_named_before_any_step():
    network = model(classes=10)
    before = weights(network)
    with pytest.raises(ValueError, match="has 10 classes: give it labels"):
        fit_vae(network, make_batches(images=IMAGES.images), **ROUND)
    with pytest.raises(ValueError, match="a label is 9, outside the classes 0 to 8"):
        fit(model(classes=9))
    for wrong in (VAE(1, 32), VAE(3, 16)):
        with pytest.raises(ValueError, match=r"this model takes images of \d x \d+ x \d+: build the model"):
            fit(wrong)
    odd = make_batches(images=IMAGES.subset(slice(0, 33)))
    with pytest.raises(ValueError, match=r"33 images in batches of 16 has one.*drop_last=True"):
        fit_vae(network, odd, **ROUND)
    with pytest.raises(ValueError, match="batches of 1 has one: batch normalisation"):
        fit_vae(network, make_batches(batch_size=1), **ROUND)
    with pytest.raises(TypeError, match=r"batches must be Batches, got ImageSet: Batches\(images, batch_size=128\)"):
        fit_vae(network, IMAGES, **ROUND)
    with pytest.raises(TypeError, match=r"batches must be Batches, got list"):
        fit_vae(network, [(torch.rand(2, 1, 16, 16), None)], **ROUND)
    with pytest.raises(ValueError, match="there are no images"):
        fit_vae(network, make_batches(), IMAGES.subset(slice(0, 0)), **ROUND)
    assert torch.equal(weights(network), before)
    assert fit_vae(mlp_vae(1, 16, 4, widths=(12,)), odd, **ROUND).step == 9
