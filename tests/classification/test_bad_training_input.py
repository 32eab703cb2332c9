"""What cannot be trained with is named before the first step; what diverges stops with advice."""

import pytest
import torch

from course_lib import data
from course_lib.classification import CNN, MLP, fit_classifier
from course_lib.training import DivergenceError, Run
from tests.classification.runs import IMAGES, ROUND, make_batches, model_with_dropout, weights


def test_a_loss_that_is_not_finite_stops_with_advice():
    torch.manual_seed(0)
    with pytest.raises(DivergenceError, match=r"loss is (nan|inf) in step \d+\. .*lower lr") as caught:
        fit_classifier(CNN(1, 16, 10), make_batches(), epochs=10, lr=1e6)
    assert len(caught.value.run.steps["loss"]) > 0


def test_a_model_that_diverges_in_the_last_step_of_an_epoch_is_caught_at_its_validation():
    torch.manual_seed(0)
    model, whole = CNN(1, 16, 10), make_batches(batch_size=64)
    with pytest.raises(DivergenceError, match=r"a logit is not a finite number.*lower lr") as caught:
        fit_classifier(model, whole, IMAGES, epochs=2, lr=1e30, schedule="constant")
    assert caught.value.run.step == 1 and caught.value.run.steps["loss"][0] < 10


def test_a_model_that_is_broken_already_is_refused_before_any_step():
    model = MLP(1, 16, 10)
    torch.nn.init.constant_(model.head.bias, float("nan"))
    with pytest.raises(ValueError, match="a logit is not a finite number"):
        fit_classifier(model, make_batches(), IMAGES, augment=never_called, **ROUND)


def never_called(x):
    pytest.fail("a step was made before the error")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"optimizer": "lion"}, "optimizer is 'lion': choose from sgd, adamw"),
        ({"schedule": "step"}, "schedule is 'step': choose from"),
        ({"resume": Run({})}, "no state to resume from"),
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"momentum": 1.5}, r"momentum is 1\.5.*below 1"),
        ({"weight_decay": -1}, r"weight_decay is -1\.0.*at least 0"),
        ({"label_smoothing": 1.5}, r"label_smoothing is 1\.5.*below 1"),
    ],
)
def test_settings_that_do_not_exist_or_cannot_be_are_named(changed, words):
    with pytest.raises((TypeError, ValueError), match=words):
        fit_classifier(model_with_dropout(), make_batches(), **{**ROUND, **changed})


@pytest.mark.parametrize(("labels", "bad"), [(torch.full((64,), 10), 10), (torch.full((64,), -1), -1)])
def test_labels_outside_the_classes_are_named_before_any_step(labels, bad):
    model = model_with_dropout()
    before = weights(model)
    wrong = data.Batches(IMAGES.images, labels, 16)
    with pytest.raises(ValueError, match=rf"a label is {bad}, outside the classes 0 to 9"):
        fit_classifier(model, wrong, **ROUND)
    with pytest.raises(ValueError, match="have no labels"):
        fit_classifier(model, data.Batches(IMAGES.images), **ROUND)
    assert torch.equal(weights(model), before)


def test_wrong_channels_and_empty_validation_are_named():
    with pytest.raises(ValueError, match="build the model with their channels"):
        fit_classifier(CNN(3, 16, 10), make_batches(), **ROUND)
    empty = data.ImageSet(IMAGES.images[:0], IMAGES.labels[:0], IMAGES.classes)
    wrong = data.ImageSet(IMAGES.images, IMAGES.labels + 5, IMAGES.classes)
    coloured = data.ImageSet(IMAGES.images.expand(-1, 3, -1, -1), IMAGES.labels, IMAGES.classes)
    for validation, words in (
        (empty, "there are no images"),
        (wrong, "outside the classes 0 to 9"),
        (coloured, "with their channels"),
    ):
        with pytest.raises(ValueError, match=words):
            fit_classifier(CNN(1, 16, 10), make_batches(), validation, augment=never_called, **ROUND)


@pytest.mark.parametrize("kind", [torch.int32, torch.uint8, torch.float32, torch.bool])
def test_labels_of_another_type_are_refused_before_any_step(kind):
    wrong = data.ImageSet(IMAGES.images, IMAGES.labels.to(kind), IMAGES.classes)
    short = data.ImageSet(IMAGES.images, IMAGES.labels[:-1], IMAGES.classes)
    with pytest.raises(TypeError, match=r"labels must be int64, got torch\..*\.long\(\)"):
        fit_classifier(model_with_dropout(), data.Batches(wrong, batch_size=16), augment=never_called, **ROUND)
    with pytest.raises(TypeError, match="labels must be int64"):
        fit_classifier(model_with_dropout(), make_batches(), wrong, augment=never_called, **ROUND)
    with pytest.raises(ValueError, match=r"labels must have the shape \[64\]"):
        fit_classifier(model_with_dropout(), make_batches(), short, augment=never_called, **ROUND)


def test_a_last_batch_of_one_is_refused_where_it_would_be_normalised():
    odd = IMAGES.subset(slice(0, 33))
    with pytest.raises(ValueError, match=r"33 images in batches of 16 has one.*drop_last=True"):
        fit_classifier(model_with_dropout(), data.Batches(odd, batch_size=16), **ROUND)
    run = fit_classifier(MLP(1, 16, 10), data.Batches(odd, batch_size=16), epochs=1, lr=0.01)
    assert run.step == 3
