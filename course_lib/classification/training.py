"""How a classifier learns: `fit_classifier` -> `classifier_step` (one update) -> the loss."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.classification.evaluation import evaluate
from course_lib.data import Augment, Batches, ImageSet
from course_lib.runtime.checks import check_choice, check_labels
from course_lib.training import DivergenceError, Run, check_last_batch, check_settings, learning_rate, prepared, set_rate

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
    """Train a classifier, in place, on the device where its batches lie.

    The Stop button (Ctrl-C) ends the run after the present step: the model keeps what it has
    learned, and the run can go on. It is left in evaluation mode.

    Args:
        model: images [N, C, H, W] -> logits [N, classes]. It is moved to the batches' device and
            memory layout.
        batches: with labels.
        validation: judged after each epoch; it takes no part in the training.
        epochs: passes over the batches.
        optimizer: "sgd", with Nesterov's momentum, or "adamw" (betas 0.9 and 0.999).
        lr: the schedule's peak. SGD wants about 0.1 to 0.3 with batch normalisation and 0.02
            without, AdamW about 0.003.
        momentum: of SGD.
        weight_decay: of matrices and kernels. Biases and normalisations are left alone: there are
            few of them, and pulling a scale or a mean towards 0 makes no simpler function.
        schedule: "one-cycle", "cosine", "late-decay" or "constant": see `learning_rate`.
        label_smoothing: share of the target that is spread over all classes.
        augment: changes a batch of images: an `Augment`, whose `rng` is part of the run's state and
            must not be that of the batches, or any other function of x.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on
            CPUs with units for it.
        compile: with torch.compile. It takes up to minutes before the first step, and pays in long
            runs on a GPU.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the
            model as it was then.
        watch: called with the run after each epoch, for example to draw it.

    Returns:
        The `Run`. Of each step it has "loss" (with smoothed labels and augmented images),
        "accuracy" and "learning_rate"; of each epoch their means, and "validation_loss" and
        "validation_accuracy" if there is a validation set.

    Raises:
        DivergenceError: the loss, or a logit of a validation image, is no longer a finite number.
        ValueError, TypeError: labels that are missing or out of range, images that do not fit the
            model, no images in `validation`, a setting that is out of range, or one that differs
            from the resumed run's.
    """
    check_choice("optimizer", optimizer, ("sgd", "adamw"))
    settings = check_settings(
        epochs=epochs,
        optimizer=optimizer,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        schedule=schedule,
        label_smoothing=label_smoothing,
        bfloat16=bfloat16,
        validated=validation is not None,
        **batches.settings(),
    )
    model.to(batches.device, memory_format=batches.memory_format)  # type: ignore[call-overload]
    _check_data(model, batches, validation)
    updates = _make_optimizer(model, optimizer, lr, momentum, weight_decay)
    rngs = {"order": batches.rng} | ({"augment": augment.rng} if isinstance(augment, Augment) else {})
    run = Run.begin(resume, settings, {"updates": updates}, rngs, batches.device, ADVICE)
    forward = run.world.replicated(prepared(model, batches.device, bfloat16=bfloat16, compile=compile))

    def measure() -> dict[str, float]:
        if validation is None:
            return {}
        try:
            result = evaluate(model, validation)
        except ValueError as error:  # a logit is not finite: all else was checked before
            raise DivergenceError(f"{error}. {ADVICE}", run) from error
        return {"validation_loss": result.loss, "validation_accuracy": result.accuracy}

    with run.training(epochs * len(batches), model):
        for x, y in run.batches(batches, measure=measure, watch=watch):
            rate = set_rate(updates, learning_rate(schedule, run.progress, lr))
            x, y = run.world.share(x if augment is None else augment(x), y)
            loss, accuracy = classifier_step(forward, updates, x, y, label_smoothing=label_smoothing)
            run.record(loss=loss, accuracy=accuracy, learning_rate=rate)
    return run


def classifier_step(
    model: Callable[[torch.Tensor], torch.Tensor],
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    label_smoothing: float = 0.0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One update: forward, loss, backward, step.

    x: [N, C, H, W], y: int64 [N]. Returns (loss, share of right answers), scalars on the device, of
    the model before the update.
    """
    logits = model(x)
    logits = logits.float() if logits.dtype == torch.bfloat16 else logits  # 8 significant bits are too few for the loss
    loss = F.cross_entropy(logits, y, label_smoothing=label_smoothing)
    optimizer.zero_grad()  # gradients add up until they are cleared
    loss.backward()
    optimizer.step()
    return loss.detach(), (logits.argmax(dim=1) == y).float().mean()


def _make_optimizer(model: nn.Module, optimizer: str, lr: float, momentum: float, weight_decay: float) -> torch.optim.Optimizer:
    """The optimizer, with weight decay on matrices and kernels alone."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in model.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    # Fused: one pass over the memory for each parameter, where the formula makes several.
    if optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=lr, fused=True)
    return torch.optim.SGD(groups, lr=lr, momentum=momentum, nesterov=momentum > 0, fused=True)


@torch.no_grad()
def _check_data(model: nn.Module, batches: Batches, validation: ImageSet | None) -> None:
    """Refuse images and labels that do not fit the model before any step."""
    if not isinstance(batches.targets, torch.Tensor):
        raise ValueError("the batches have no labels: make them from an ImageSet, or give Batches int64 labels [N]")
    check_last_batch(batches, model)
    model.eval()
    classes = model(batches.take(slice(0, 1))[0]).shape[1]
    check_labels(batches.targets, len(batches.images), classes)
    if validation is not None:
        evaluate(model, validation.subset(slice(0, 1)))
        check_labels(validation.labels, len(validation), classes)
