"""The loop on 64 images: it does what it is asked, the loss falls, runs with one seed are equal."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib import data
from course_lib.classification import CNN, MLP, ResNet, classifier_step, evaluate, fit_classifier
from course_lib.data import Augment
from tests.classification.runs import IMAGES, ROUND, fit, make_batches, model_with_dropout, weights


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("schedule", ["one-cycle", "cosine", "constant"])
def test_the_loss_falls_and_the_model_learns_its_images(optimizer, schedule, device):
    torch.manual_seed(0)
    model = CNN(1, 16, 10, batch_norm=True)
    lr = {"sgd": 0.05, "adamw": 0.003}[optimizer]
    run = fit_classifier(model, make_batches(device), IMAGES, epochs=12, optimizer=optimizer, lr=lr, schedule=schedule)
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
    fit_classifier(third, make_batches(device), augment=Augment(shift=1), **ROUND)
    assert not torch.equal(weights(first), weights(third))


def test_one_step_is_the_textbooks(device):
    torch.manual_seed(0)
    ours, theirs = MLP(1, 16, 10).to(device), MLP(1, 16, 10).to(device)
    theirs.load_state_dict(ours.state_dict())
    x, y = make_batches(device).take(slice(0, 16))
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


def test_a_run_is_the_loop_written_by_hand(device):
    """Schedule, momentum, weight decay, smoothing and augmentation, none at its default."""
    settings = {"epochs": 2, "lr": 0.08, "momentum": 0.5, "weight_decay": 0.01, "label_smoothing": 0.2, "schedule": "cosine"}
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        models.append(CNN(1, 16, 10, batch_norm=True).to(device, memory_format=torch.channels_last))
    run = fit_classifier(models[0], make_batches(device), augment=Augment(shift=2), **settings)

    change, feed, step = Augment(shift=2), make_batches(device), 0
    decayed = [p for p in models[1].parameters() if p.ndim > 1]
    others = [p for p in models[1].parameters() if p.ndim == 1]
    groups = [{"params": decayed, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=1.0, momentum=0.5, nesterov=True)
    models[1].train()
    for _ in range(2):
        for x, y in feed:
            rate = 0.08 * 0.5 * (1 + math.cos(math.pi * (step + 0.5) / 8))
            for group in optimizer.param_groups:
                group["lr"] = rate
            assert run.steps["learning_rate"][step] == pytest.approx(rate)
            optimizer.zero_grad()
            F.cross_entropy(models[1](change(x)), y, label_smoothing=0.2).backward()
            optimizer.step()
            step += 1
    torch.testing.assert_close(weights(models[0]), weights(models[1]), rtol=1e-5, atol=1e-6)


def test_gradients_do_not_add_up_from_step_to_step():
    torch.manual_seed(0)
    model, x, y = MLP(1, 16, 10), *make_batches().take(slice(0, 16))
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

    fit_classifier(model, make_batches(), IMAGES, augment=look, watch=lambda run: seen.append(run.epochs[-1]["epoch"]), **ROUND)
    assert seen == [1, 2, 3] and modes == [True] * 12 and not model.training


def test_bfloat16_learns_too(device):
    torch.manual_seed(0)
    run = fit_classifier(CNN(1, 16, 10, batch_norm=True), make_batches(device), epochs=6, lr=0.05, bfloat16=True)
    assert run.epochs[-1]["loss"] < 0.5 * run.epochs[0]["loss"]


def test_bfloat16_and_compile_are_passed_on(device, monkeypatch):
    runs, compiled = [], []
    monkeypatch.setattr(torch, "compile", lambda model: compiled.append(model) or model)
    for options in ({}, {"bfloat16": True}, {"compile": True}):
        torch.manual_seed(0)
        model = MLP(1, 16, 10)
        runs.append(fit_classifier(model, make_batches(device), epochs=1, lr=0.05, **options).steps["loss"])
    assert runs[0] != runs[1] and runs[0] == runs[2] and compiled == [model]


def test_compiled_learns_the_same(device):
    models = []
    for compile in (False, True):
        torch.manual_seed(0)
        models.append(MLP(1, 16, 10, widths=[8]))
        try:
            fit_classifier(models[-1], make_batches(device), epochs=1, lr=0.05, compile=compile)
        except Exception as error:  # no compiler on this machine, or no headers of Python
            if compile and ("compiler" in str(error).lower() or "Python.h" in str(error)):
                pytest.skip(f"torch.compile does not work here: {error}")
            raise
    torch.testing.assert_close(weights(models[0]), weights(models[1]), rtol=1e-3, atol=1e-4)
