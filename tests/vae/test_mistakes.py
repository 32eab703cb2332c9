"""Each planted mistake shows the symptom by which the notebook tells it."""

import pytest
import torch

from course_lib import data
from course_lib.vae import evaluate_vae, mistakes

IMAGES = data.load("glyphs", "train", size=16).subset(slice(0, 2000))
LEARNED = {}


def learn(mistake=None):
    """Each is trained once."""
    if mistake not in LEARNED:
        LEARNED[mistake] = mistakes.learn(IMAGES, mistake, steps=120)
    return LEARNED[mistake]


def believed(lesson, name):
    """The mean of the last twenty steps."""
    return sum(lesson.record[name][-20:]) / 20


def elbo(lesson):
    """What the right code measures."""
    return evaluate_vae(lesson.model, IMAGES.subset(slice(0, 500))).elbo


def test_learned_right_it_believes_what_is_true_and_it_repeats():
    right = learn()
    assert believed(right, "kl") > 2
    assert believed(right, "reconstruction") - believed(right, "kl") == pytest.approx(elbo(right), abs=3)
    again = mistakes.learn(IMAGES, steps=5)
    assert again.record["kl"] == right.record["kl"][:5] and {len(values) for values in again.record.values()} == {5}
    assert right.images.shape == right.reconstructions.shape == right.samples.shape == (8, 1, 16, 16)
    assert not right.model.training


def test_with_noise_for_z_the_latents_say_nothing():
    wrong = learn("noise for z")
    assert believed(wrong, "kl") < 0.1 and believed(wrong, "reconstruction") < believed(learn(), "reconstruction") - 3
    assert wrong.reconstructions.std(dim=0).mean() < 0.1 * wrong.images.std(dim=0).mean()


def test_a_kl_that_is_left_out_is_large():
    assert believed(learn("no KL"), "kl") > 2 * believed(learn(), "kl")
    assert believed(learn("no KL"), "reconstruction") > believed(learn(), "reconstruction")
    assert elbo(learn("no KL")) < elbo(learn())


@pytest.mark.parametrize("mistake", ["variance for sigma", "log-variance for sigma"])
def test_noise_of_the_wrong_size_is_believed_to_be_better_than_it_is(mistake):
    too_good = [believed(each, "reconstruction") - believed(each, "kl") - elbo(each) for each in (learn(mistake), learn())]
    assert too_good[0] > too_good[1] + 1


def test_an_unknown_mistake_is_refused():
    assert torch.is_tensor(learn().images)
    with pytest.raises(ValueError, match="mistake is 'no sleep': choose from noise for z, no KL"):
        mistakes.learn(IMAGES, "no sleep")
