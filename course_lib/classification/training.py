"""How a classifier learns: `fit_classifier` (epochs) -> `classifier_step` (one update) -> the loss."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.classification.evaluation import evaluate
from course_lib.classification.schedules import learning_rate
from course_lib.data import Batches, ImageSet
from course_lib.data.arguments import check_count, check_labels, check_last_batch, check_number
from course_lib.runtime import Progress, Run, StopButton, evaluation_afterwards

ADVICE = (
    "The model's numbers have become too large to go on. Build it anew and lower lr (a tenth is a good second try); "
    "if that does not help, look at a batch: are the images between 0 and 1?"
)


def fit_classifier(
    model: nn.Module,
    batches: Batches,
    validation: ImageSet | None = None,
    *,
    epochs: int = 5,
    optimizer: str = "sgd",
    lr: float = 0.1,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    schedule: str = "one-cycle",
    label_smoothing: float = 0.0,
    augment: Callable[[torch.Tensor], torch.Tensor] | None = None,
    bfloat16: bool = False,
    compile: bool = False,
    resume: Run | None = None,
    watch: Callable[[Run], object] | None = None,
) -> Run:
    """Train a classifier, in place, on the device where its batches lie, and report what happened. It is left in evaluation mode.

    The Stop button (Ctrl-C) ends the run after the present step: the model keeps what it has learned, and the run can go on.

    Args:
        model: images [N, C, H, W] -> logits [N, classes]. It is moved to the batches' device and memory layout.
        batches: with labels.
        validation: judged after each epoch; it takes no part in the training.
        epochs: passes over the batches.
        optimizer: "sgd", with Nesterov's momentum, or "adamw" (betas 0.9 and 0.999).
        lr: the schedule's peak. SGD wants about 0.1 to 0.3 with batch normalisation and 0.02 without, AdamW about 0.003.
        momentum: of SGD.
        weight_decay: of matrices and kernels. Biases and normalisations are left alone: there are few of them, and pulling a
            scale or a mean towards 0 makes no simpler function.
        schedule: "one-cycle", "cosine" or "constant": see `learning_rate`.
        label_smoothing: share of the target that is spread over all classes.
        augment: changes a batch of images, for example an `Augment`. If it has a `generator`, that is part of the run's state; it
            must not be that of the batches. Random numbers from anywhere else but torch's global generators cannot be resumed.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on CPUs with units for it.
        compile: with torch.compile. It takes up to minutes before the first step, and pays in long runs on a GPU.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the model as it was then.
        watch: called with the run after each epoch, for example to draw it.

    Returns:
        The `Run`. Of each step it has "loss" (with smoothed labels and augmented images), "accuracy" and "learning_rate"; of each
        epoch their means, and "validation_loss" and "validation_accuracy" if there is a validation set.

    Raises:
        DivergenceError: the loss is no longer a finite number.
        ValueError, TypeError: labels that are none or no classes of the model, images that do not fit it, no images in
            `validation`, a setting that is out of range, or one that differs from the resumed run's.
    """
    settings = _settings(
        epochs=epochs,
        optimizer=optimizer,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        label_smoothing=label_smoothing,
        bfloat16=bfloat16,
        images=len(batches.images),
        batch_size=batches.batch_size,
        shuffle=batches.shuffle,
        drop_last=batches.drop_last,
        validated=validation is not None,
    )
    device = batches.device
    model.to(device, memory_format=torch.channels_last if batches.channels_last else torch.contiguous_format)
    _check_data(model, batches, validation)
    updates = _make_optimizer(model, optimizer, lr, momentum, weight_decay)
    generators = {"order": batches.generator}
    if isinstance(getattr(augment, "generator", None), torch.Generator):
        generators["augment"] = augment.generator
    run = Run.begin(resume, settings, ADVICE, {"updates": updates}, generators, device)
    forward = torch.compile(model) if compile else model
    steps = len(batches)
    total = epochs * steps

    with StopButton() as stop, Progress(total, run.step) as bar, evaluation_afterwards(model):
        while run.step < total and not stop.pressed:
            run.begin_epoch(batches.generator)
            model.train()
            for number, (x, y) in enumerate(batches):
                if number < run.step % steps:
                    continue  # learned from before the run was stopped
                rate = learning_rate(schedule, (run.step + 0.5) / total, lr)
                for group in updates.param_groups:
                    group["lr"] = rate
                if augment is not None:
                    x = augment(x)
                loss, accuracy = classifier_step(forward, updates, x, y, label_smoothing=label_smoothing, bfloat16=bfloat16)
                run.record(loss=loss, accuracy=accuracy, learning_rate=rate)
                bar.update()
                if stop.pressed:
                    break
            run.pause()
            model.eval()
            if run.step % steps == 0:
                run.end_epoch(steps, **_validate(model, validation))
                if watch is not None:
                    bar.hide()
                    watch(run)
        run.keep({"updates": updates}, generators, device, stopped=run.step < total)
    return run


def classifier_step(
    model: Callable[[torch.Tensor], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    label_smoothing: float = 0.0,
    bfloat16: bool = False,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One update: forward, loss, backward, step.

    x: [N, C, H, W], y: int64 [N]. Returns (loss, share of right answers), scalars on the device,
    of the model before the update.
    """
    with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        logits = model(x)
    if bfloat16:
        logits = logits.float()  # 8 significant bits are too few for the sum in the loss
    loss = F.cross_entropy(logits, y, label_smoothing=label_smoothing)
    optimizer.zero_grad()  # gradients add up until they are cleared
    loss.backward()
    optimizer.step()
    return loss.detach(), (logits.detach().argmax(dim=1) == y).float().mean()


def _make_optimizer(model: nn.Module, optimizer: str, lr: float, momentum: float, weight_decay: float) -> torch.optim.Optimizer:
    """The optimizer, with weight decay on matrices and kernels alone."""
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    if optimizer == "sgd":
        return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum > 0)
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr)
    raise ValueError(f"no optimizer is called {optimizer!r}: choose from sgd, adamw")


def _settings(**settings: object) -> dict:
    """The settings of a run as they are recorded, if each can be used. ValueError or TypeError name the one that cannot."""
    settings["epochs"] = check_count("epochs", settings["epochs"], "a run has at least one")
    for name, below in (("lr", math.inf), ("momentum", 1), ("weight_decay", math.inf), ("label_smoothing", 1)):
        settings[name] = check_number(name, settings[name], below)
    learning_rate(settings["schedule"], 0, 1)  # an unknown schedule is refused before any work
    return settings


@torch.no_grad()
def _check_data(model: nn.Module, batches: Batches, validation: ImageSet | None) -> None:
    """Refuse images and labels that do not fit the model before any step: in a step, on a GPU, the check would wait each time."""
    if batches.labels is None:
        raise ValueError("the batches have no labels: make them from an ImageSet, or give Batches labels")
    check_last_batch(batches, model)
    model.eval()
    classes = model(batches.take(slice(0, 1))[0]).shape[1]
    check_labels(batches.labels, len(batches.images), classes)
    if validation is not None:
        evaluate(model, validation.subset(slice(0, 1)))
        check_labels(validation.labels, len(validation), classes)


def _validate(model: nn.Module, validation: ImageSet | None) -> dict[str, float]:
    """What the record of an epoch says of the validation set."""
    if validation is None:
        return {}
    result = evaluate(model, validation)
    return {"validation_loss": result.loss, "validation_accuracy": result.accuracy}
