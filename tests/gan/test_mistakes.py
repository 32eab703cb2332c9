"""Each planted mistake shows the symptom by which the notebook tells it."""

import pytest
import torch

from course_lib import data
from course_lib.gan import mistakes

FULL = data.load("glyphs", "train", size=16)
IMAGES = FULL.subset(slice(0, 1000))
PLAYED = {}


def play(mistake=None, steps=60):
    """Each is played once."""
    if (mistake, steps) not in PLAYED:
        PLAYED[mistake, steps] = mistakes.play(IMAGES, mistake, steps=steps)
    return PLAYED[mistake, steps]


def late(play, name):
    """The mean of the last ten steps."""
    return sum(play.record[name][-10:]) / 10


def test_played_right_nothing_is_extreme_and_it_repeats():
    right = play()
    assert 0.05 < late(right, "fake") < late(right, "real") < 0.95 and late(right, "loss") > 0.2
    again = mistakes.play(IMAGES, steps=60)
    assert again.record == right.record and torch.equal(again.images, right.images)
    assert {len(values) for values in right.record.values()} == {60}
    assert right.images.shape == (16, 1, 16, 16) and right.images.min() >= 0 and right.images.max() <= 1


def test_the_wrong_optimizer_leaves_the_generator_as_it_was():
    start, end = (mistakes.play(IMAGES, "wrong optimizer", steps=steps).G for steps in (1, 20))
    for before, after in zip(start.parameters(), end.parameters(), strict=True):
        assert torch.equal(before, after)
    assert late(play("wrong optimizer"), "fake") > 0.5  # the discriminator is made to believe it


def test_class_labels_send_the_loss_below_zero():
    assert late(play("class labels as targets"), "loss") < -1


def test_a_tanh_bounds_what_the_discriminator_can_say():
    wrong = play("tanh as logit")
    for name in ("real", "fake"):
        assert min(wrong.record[name]) > 0.268 and max(wrong.record[name]) < 0.732
    assert min(wrong.record["loss"]) > 0.62


@pytest.mark.parametrize("mistake", ["other range", "one batch for both"])
def test_a_giveaway_decides_the_game(mistake):
    wrong = play(mistake)
    assert late(wrong, "real") > 0.97 and late(wrong, "fake") < 0.03


def test_without_detach_the_generator_gets_the_sum_of_both_gradients():
    # At the first step both have the same networks, and the two losses' gradients at a logit are D - 1 and D.
    right, wrong = play().record, play("no detach").record
    assert wrong["loss"][0] == right["loss"][0] and wrong["fake"][0] == right["fake"][0]
    assert late(play("no detach"), "gradient") < late(play(), "gradient")


def test_while_the_discriminator_learns_alone_the_gradient_of_minimax_dies():
    minimax, other = play("late, minimax"), play("late, non-saturating")
    assert late(minimax, "gradient") < 0.01 * late(other, "gradient")
    assert late(other, "fake") < 0.05


def test_an_unknown_mistake_is_refused():
    with pytest.raises(ValueError, match=r"'flip'.*wrong optimizer"):
        mistakes.play(IMAGES, "flip")
