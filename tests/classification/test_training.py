"""The loop on 64 embedded images: the loss falls, runs repeat, Stop keeps the state, resuming equals never having stopped."""

import os
import signal

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib import data
from course_lib.classification import CNN, MLP, Augment, ResNet, classifier_step, evaluate, fit_classifier
from course_lib.runtime import DivergenceError, Run, load_checkpoint, save_checkpoint

FULL = data.load("glyphs", "train", size=16)
IMAGES = data.ImageSet(FULL.images[:64], FULL.labels[:64], FULL.classes)
ROUND = {"epochs": 3, "lr": 0.05, "label_smoothing": 0.1}


def model_with_dropout():
    """Everything random that a run can meet: batch normalisation, and dropout from the global generator."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(392, 10)
    )


def batches(device="cpu", **arguments):
    generator = torch.Generator().manual_seed(3)
    return data.Batches(IMAGES, batch_size=16, generator=generator, device=device, channels_last=True, **arguments)


def fit(model, device="cpu", **changed):
    torch.manual_seed(5)
    return fit_classifier(model, batches(device), IMAGES, augment=Augment(shift=1), **{**ROUND, **changed})


def weights(model):
    return torch.cat([value.detach().cpu().flatten().double() for value in model.state_dict().values()])


class StopAfter:
    """A batch change that presses the Stop button in a given step and changes nothing."""

    def __init__(self, step, generator):
        self.left, self.generator = step, generator

    def __call__(self, x):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return Augment(shift=1, generator=self.generator)(x)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
def test_the_loss_falls_and_the_model_learns_its_images(optimizer, schedule, device):
    torch.manual_seed(0)
    model = CNN(1, 16, 10, batch_norm=True)
    lr = {"sgd": 0.05, "adamw": 0.003}[optimizer]
    run = fit_classifier(model, batches(device), IMAGES, epochs=12, optimizer=optimizer, lr=lr, schedule=schedule)
    assert run.epochs[-1]["loss"] < 0.3 * run.epochs[0]["loss"]
    assert evaluate(model, IMAGES).accuracy > 0.95
    assert run.epochs[-1]["validation_accuracy"] == evaluate(model, IMAGES).accuracy
    assert run.epochs[-1]["validation_loss"] == pytest.approx(evaluate(model, IMAGES).loss)
    assert len(run.steps["loss"]) == run.step == 12 * 4 and not run.stopped


def test_two_runs_with_one_seed_are_equal_and_another_seed_differs(device):
    first, second = model_with_dropout(), model_with_dropout()
    left, right = fit(first, device), fit(second, device)
    assert left.steps == right.steps and torch.equal(weights(first), weights(second))
    third = model_with_dropout()
    torch.manual_seed(6)
    fit_classifier(third, batches(device), augment=Augment(shift=1), **ROUND)
    assert not torch.equal(weights(first), weights(third))


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("step", [1, 4, 6, 11])  # the first, the end of an epoch, within one, near the end
def test_stopped_saved_and_resumed_equals_never_stopped(step, optimizer, device, tmp_path):
    changed = {"optimizer": optimizer, "lr": 0.01}
    whole = model_with_dropout()
    expected = fit(whole, device, **changed)

    model = model_with_dropout()
    torch.manual_seed(5)
    generator = torch.Generator().manual_seed(0)
    arguments = {**ROUND, **changed}
    run = fit_classifier(model, batches(device), IMAGES, augment=StopAfter(step, generator), **arguments)
    assert run.stopped and run.step == step == len(run.steps["loss"])
    assert run.steps["loss"] == expected.steps["loss"][:step]
    save_checkpoint(tmp_path / "run.safetensors", model, training=run.state_dict())

    torch.manual_seed(99)  # a new process, another state of everything
    torch.rand(100)
    fresh = model_with_dropout().to(device)
    nn.init.zeros_(fresh[0].weight)
    checkpoint = load_checkpoint(tmp_path / "run.safetensors", fresh, device=device)
    resumed = fit_classifier(
        fresh, batches(device), IMAGES, augment=Augment(shift=1), resume=Run.from_state_dict(checkpoint.training), **arguments
    )
    assert resumed.steps == expected.steps and not resumed.stopped
    without_time = [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in resumed.epochs]
    assert without_time == [{key: value for key, value in epoch.items() if key != "seconds"} for epoch in expected.epochs]
    assert torch.equal(weights(fresh), weights(whole))


def test_a_second_press_interrupts_at_once_and_the_model_keeps_its_weights():
    model = model_with_dropout()
    before = weights(model)

    def press_twice(x):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return x

    with pytest.raises(KeyboardInterrupt):
        fit_classifier(model, batches(), augment=press_twice, **ROUND)
    assert torch.equal(weights(model), before)


def test_a_loss_that_is_not_finite_stops_with_advice():
    torch.manual_seed(0)
    with pytest.raises(DivergenceError, match=r"loss is (nan|inf) in step \d+\. .*lower lr") as caught:
        fit_classifier(CNN(1, 16, 10), batches(), epochs=10, lr=1e6)
    assert len(caught.value.run.steps["loss"]) > 0


def test_one_step_is_the_textbooks(device):
    torch.manual_seed(0)
    ours, theirs = MLP(1, 16, 10).to(device), MLP(1, 16, 10).to(device)
    theirs.load_state_dict(ours.state_dict())
    x, y = batches(device).take(slice(0, 16))
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.1)
    loss, accuracy = classifier_step(ours, optimizer, x, y, label_smoothing=0.2)
    expected = F.cross_entropy(theirs(x), y, label_smoothing=0.2)
    expected.backward()
    assert loss.item() == pytest.approx(expected.item()) and not loss.requires_grad
    assert accuracy.item() == pytest.approx((theirs(x).argmax(1) == y).float().mean().item())
    for ours_p, theirs_p in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours_p, theirs_p - 0.1 * theirs_p.grad)
    classifier_step(ours, optimizer, x, y)
    fresh = torch.autograd.grad(F.cross_entropy(ours(x), y), ours.parameters())
    assert not torch.allclose(fresh[0], torch.zeros_like(fresh[0])), "there is a gradient left to follow"


def test_gradients_do_not_add_up_from_step_to_step():
    torch.manual_seed(0)
    model, x, y = MLP(1, 16, 10), *batches().take(slice(0, 16))
    frozen = torch.optim.SGD(model.parameters(), lr=0.0)
    classifier_step(model, frozen, x, y)
    first = model.head.weight.grad.clone()
    classifier_step(model, frozen, x, y)
    assert torch.equal(model.head.weight.grad, first)


def test_weight_decay_leaves_norms_and_biases_alone():
    torch.manual_seed(0)
    model = ResNet(1, 16, 10, widths=(4,))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.5)
    zeros = data.Batches(torch.zeros(16, 1, 16, 16, dtype=torch.uint8), torch.zeros(16, dtype=torch.long), 16)
    before = {name: value.clone() for name, value in model.named_parameters()}
    fit_classifier(model, zeros, epochs=1, optimizer="adamw", lr=1e-9, weight_decay=1e7, schedule="constant")
    for name, value in model.named_parameters():
        shrunk = (value / before[name]).mean().item()
        assert shrunk == pytest.approx(0.99 if value.ndim > 1 else 1.0, abs=1e-4), name


def test_watch_sees_every_epoch_and_training_mode_is_on():
    seen, modes = [], []
    model = model_with_dropout()

    def look(x):
        modes.append(model.training)
        return x

    fit_classifier(model, batches(), IMAGES, augment=look, watch=lambda run: seen.append(run.epochs[-1]["epoch"]), **ROUND)
    assert seen == [1, 2, 3] and modes == [True] * 12 and not model.training


def test_bfloat16_learns_too(device):
    torch.manual_seed(0)
    run = fit_classifier(CNN(1, 16, 10, batch_norm=True), batches(device), epochs=6, lr=0.05, bfloat16=True)
    assert run.epochs[-1]["loss"] < 0.5 * run.epochs[0]["loss"]


def test_compiled_learns_the_same(device):
    models = []
    for compile in (False, True):
        torch.manual_seed(0)
        models.append(MLP(1, 16, 10, widths=[8]))
        try:
            fit_classifier(models[-1], batches(device), epochs=1, lr=0.05, compile=compile)
        except Exception as error:  # no compiler on this machine
            if compile and "compiler" in str(error).lower():
                pytest.skip(f"torch.compile does not work here: {error}")
            raise
    torch.testing.assert_close(weights(models[0]), weights(models[1]), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"optimizer": "lion"}, "no optimizer is called 'lion': choose from sgd, adamw"),
        ({"schedule": "step"}, "no schedule is called 'step'"),
        ({"resume": Run({})}, "no state to resume from"),
    ],
)
def test_settings_that_do_not_exist_are_named(changed, words):
    with pytest.raises(ValueError, match=words):
        fit_classifier(model_with_dropout(), batches(), **{**ROUND, **changed})


@pytest.mark.parametrize(("labels", "bad"), [(torch.full((64,), 10), 10), (torch.full((64,), -1), -1)])
def test_labels_outside_the_classes_are_named_before_any_step(labels, bad):
    model = model_with_dropout()
    before = weights(model)
    wrong = data.Batches(IMAGES.images, labels, 16)
    with pytest.raises(ValueError, match=rf"a label is {bad}, outside the classes 0 to 9: build the model with more classes"):
        fit_classifier(model, wrong, **ROUND)
    with pytest.raises(ValueError, match="have no labels"):
        fit_classifier(model, data.Batches(IMAGES.images), **ROUND)
    assert torch.equal(weights(model), before)


def test_wrong_channels_and_empty_validation_are_named():
    with pytest.raises(ValueError, match="build the model with their in_channels"):
        fit_classifier(CNN(3, 16, 10), batches(), **ROUND)
    empty = data.ImageSet(IMAGES.images[:0], IMAGES.labels[:0], IMAGES.classes)
    wrong = data.ImageSet(IMAGES.images, IMAGES.labels + 5, IMAGES.classes)
    coloured = data.ImageSet(IMAGES.images.expand(-1, 3, -1, -1), IMAGES.labels, IMAGES.classes)
    never = {"augment": lambda x: pytest.fail("a step was made before the error")}
    for validation, words in ((empty, "there are no images"), (wrong, "outside the classes 0 to 9"), (coloured, "in_channels")):
        with pytest.raises(ValueError, match=words):
            fit_classifier(CNN(1, 16, 10), batches(), validation, **never, **ROUND)
