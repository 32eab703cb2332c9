"""The trained autoencoders: one can be trained for any set, is measured as it is saved, and found
again.
"""

import pytest
import torch

from course_lib import data, train
from course_lib.pretrained import load_vae, train_vae
from course_lib.pretrained import vae as recipe
from course_lib.pretrained.kept import WEIGHTS, kept_path
from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.vae import VAE, evaluate_vae, fit_vae, reconstruct, sample


@pytest.fixture
def quick(monkeypatch):
    """A recipe that takes a second."""
    monkeypatch.setitem(recipe.RECIPES, "other", f"{recipe.RECIPES['other']} --widths 4,8 --epochs 1")


def test_that_of_glyphs_is_as_good_as_it_says(device):
    model = load_vae("glyphs", device=device)
    images = data.load("glyphs", "test").subset(slice(0, 500))
    measured = evaluate_vae(model, images, binarise=model.metrics["binarise"])
    assert isinstance(model, VAE) and not model.training
    # The mean over 500 of 4,000 images: within four of its standard errors.
    error = (measured.log_likelihoods - measured.kls).std().item() / 500**0.5
    assert abs(measured.elbo - model.metrics["test_elbo"]) < 4 * error
    assert (measured.latent_kl > 0.1).sum() >= 8, "latents in use"
    x = images.pixels(slice(0, 100))
    assert (reconstruct(model, x) - x).square().mean() < 0.25 * (x.mean(dim=0) - x).square().mean()
    assert sample(model, 3).shape == (3, 1, 32, 32)


def test_without_a_model_the_error_says_how_to_get_one(own_root):
    with pytest.raises(FileNotFoundError, match=r"no vae for 'cifar10'.*course_lib\.pretrained\.train_vae\('cifar10'\)"):
        load_vae("cifar10")


def test_one_is_trained_for_a_folder_and_found_again(folder_name, quick):
    trained, found = train_vae(folder_name, device="cpu"), load_vae(folder_name, device="cpu")
    assert found.metrics == trained.metrics and found.config == trained.config
    test = data.load(folder_name, "test")
    again = evaluate_vae(found, test)
    assert again.elbo == trained.metrics["test_elbo"] == evaluate_vae(trained, test).elbo, "rounded before it was measured"
    assert found.config["likelihood"] == "optimal-gaussian" and found.metrics["test_bound"] > found.metrics["test_elbo"]


def test_a_binarised_set_is_measured_binarised(folder_name, quick, monkeypatch):
    monkeypatch.setitem(recipe.RECIPES, folder_name, f"{recipe.RECIPES['other']} --binarise dynamic")
    trained, test = train_vae(folder_name, device="cpu"), data.load(folder_name, "test")
    measured = evaluate_vae(trained, test, binarise="dynamic").elbo
    assert trained.metrics["test_elbo"] == measured != evaluate_vae(trained, test).elbo


def test_a_training_that_was_stopped_leaves_no_file(folder_name, quick, monkeypatch):
    def stopped(*arguments, **options):
        run = fit_vae(*arguments, **options)
        run.stopped = True
        return run

    monkeypatch.setattr(train.vae, "fit_vae", stopped)
    with pytest.raises(KeyboardInterrupt, match=r"stopped after \d+ steps"):
        train_vae(folder_name, device="cpu")
    with pytest.raises(FileNotFoundError):
        load_vae(folder_name)


def test_an_own_model_is_preferred(own_root):
    path = kept_path("vae", "glyphs")
    path.parent.mkdir(parents=True)
    model = VAE(1, 32, 2, widths=(4,))
    save_checkpoint(path, model, config={"model": model.config}, metrics={"test_elbo": -1.0})
    found = load_vae("glyphs", device="cpu")
    assert found.latent_size == 2 and found.metrics == {"test_elbo": -1.0}


@pytest.mark.parametrize("name", ["glyphs", "mnist"])
def test_a_packaged_file_is_small(name):
    path = WEIGHTS / "vaes" / f"{name}.pt"
    assert path.stat().st_size < 3e6
    assert {value.dtype for value in load_checkpoint(path).weights.values()} == {torch.float16, torch.int64}
