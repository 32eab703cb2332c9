"""How a VAE learns: `fit_vae` (epochs) -> `vae_step` (one update) -> the evidence lower bound."""

from collections.abc import Callable

import torch

from course_lib.data import Batches, ImageSet
from course_lib.data.arguments import (
    check_count,
    check_generator,
    check_images,
    check_labels,
    check_last_batch,
    check_number,
)
from course_lib.runtime import Progress, Run, StopButton, evaluation_afterwards
from course_lib.vae.evaluation import BINARISE, binarised, evaluate_vae
from course_lib.vae.losses import elbo
from course_lib.vae.models import LatentModel, Terms

ADVICE = (
    "The model's numbers have become too large to go on. Build it anew and lower lr (a third is a good second try); if that does "
    "not help, lengthen kl_warm_up, or give a Gaussian likelihood a larger sigma: a small one makes every error expensive."
)

WARM_UP = 0.1
"""Share of the steps in which the one-cycle learning rate rises."""


def fit_vae(
    model: LatentModel,
    batches: Batches,
    validation: ImageSet | None = None,
    *,
    epochs: int = 10,
    lr: float = 2e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    schedule: str = "one-cycle",
    binarise: str = "none",
    beta: float = 1.0,
    kl_warm_up: float = 0.0,
    free_bits: float = 0.0,
    noise: torch.Generator | None = None,
    bfloat16: bool = False,
    compile: bool = False,
    resume: Run | None = None,
    watch: Callable[[Run], object] | None = None,
) -> Run:
    """Train a VAE (or an autoencoder), in place, on the device where its batches lie. It is left in evaluation mode.

    The Stop button (Ctrl-C) ends the run after the present step: the model keeps what it has learned, and the run can go on.

    Args:
        model: any of this room. Its `terms` are called with x, the labels if it has `classes`, and standard normal noise [N, Z].
        batches: images in [0, 1]; with labels where the model has classes.
        validation: measured after each epoch, one draw of z for each image; it takes no part in the training.
        epochs: passes over the batches.
        lr: peak of Adam's learning rate.
        betas: of Adam.
        schedule: "one-cycle": a straight line up to the peak over the first tenth of the steps, and a straight line down to 0;
            "constant": the peak.
        binarise: "none": the grey values; "dynamic": each pixel becomes 1 with the probability of its grey value, drawn anew in
            each epoch; "threshold": 1 where it is at least a half. What is reported is about images like that.
        beta: weight of the KL. 1 is the bound.
        kl_warm_up: share of the steps over which the weight of the KL rises from 0 to beta, in a straight line.
        free_bits: nats of each latent that cost nothing: see `elbo`.
        noise: CPU generator that draws the noise in z and the binarised pixels; by default a new one with seed 0.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on CPUs with units for it.
        compile: with torch.compile. It takes up to minutes before the first step.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the model as it was then.
        watch: called with the run after each epoch, for example to draw images from the same z each time.

    Returns:
        The `Run`. Of each step it has "loss" (the negative of what is maximised), in nats per image the two terms of the bound,
        "reconstruction" (E log p(x|z)) and "kl", both as they are, not weighted; of each epoch their means, and the same of the
        validation set as "validation_reconstruction", "validation_kl" and "validation_elbo".

    Raises:
        DivergenceError: a term is no longer a finite number.
        ValueError, TypeError: images or labels that do not fit the model, or a setting that is out of range or differs from the
            resumed run's.
    """
    if not isinstance(batches, Batches):
        raise TypeError(f"batches must be Batches, got {type(batches).__name__}: Batches(images, batch_size=128) makes them")
    settings = _settings(
        epochs=epochs,
        lr=lr,
        betas=betas,
        schedule=schedule,
        binarise=binarise,
        beta=beta,
        kl_warm_up=kl_warm_up,
        free_bits=free_bits,
        bfloat16=bfloat16,
        images=len(batches.images),
        batch_size=batches.batch_size,
        shuffle=batches.shuffle,
        drop_last=batches.drop_last,
        channels_last=batches.channels_last,
        dtype=str(batches.dtype),
        model=model.config,
        validated=validation is not None,
    )
    device = batches.device
    model.to(device, memory_format=torch.channels_last if batches.channels_last else torch.contiguous_format)
    _check_data(model, batches, validation)
    noise = check_generator("noise", noise, "it")
    generators = {"order": batches.generator, "noise": noise}
    # Fused: one pass over the memory for each parameter, where Adam's formula makes a dozen. It takes a fifth off the step of a
    # small dense model. The numbers are the same to rounding, on the CPU, CUDA and MPS.
    optimizer = torch.optim.Adam(model.parameters(), lr, betas=betas, fused=True)
    run = Run.begin(resume, settings, ADVICE, {"updates": optimizer}, generators, device)
    terms = torch.compile(model.terms) if compile else model.terms
    steps = len(batches)
    total = epochs * steps

    with StopButton() as stop, Progress(total, run.step) as bar, evaluation_afterwards(model):
        while run.step < total and not stop.pressed:
            run.begin_epoch(batches.generator)
            model.train()
            for number, (x, y) in enumerate(batches):
                if number < run.step % steps:
                    continue  # learned from before the run was stopped
                for group in optimizer.param_groups:
                    group["lr"] = _learning_rate(schedule, (run.step + 0.5) / total, lr)
                weight = beta * min(1.0, (run.step + 1) / (kl_warm_up * total)) if kl_warm_up else beta
                x = binarised(x, binarise, noise)
                labels = y if model.classes else None
                drawn = model.noise(len(x), noise)
                run.record(**vae_step(terms, optimizer, x, labels, drawn, beta=weight, free_bits=free_bits, bfloat16=bfloat16))
                bar.update()
                if stop.pressed:
                    break
            run.pause()
            model.eval()
            if run.step % steps == 0:
                run.end_epoch(steps, **_validate(model, validation, binarise))
                if watch is not None:
                    bar.hide()
                    watch(run)
        run.keep({"updates": optimizer}, generators, device, stopped=run.step < total)
    return run


def vae_step(
    terms: Callable[..., Terms],
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    labels: torch.Tensor | None = None,
    noise: torch.Tensor | None = None,
    *,
    beta: float = 1.0,
    free_bits: float = 0.0,
    bfloat16: bool = False,
) -> dict[str, torch.Tensor]:
    """One update: encode, draw z, decode, the bound, backward, step.

    terms: ``model.terms``. x: [N, C, H, W] in [0, 1]; labels: int64 [N] for a conditional model; noise: standard normal [N, Z].
    Returns "loss", "reconstruction" and "kl", scalars on the device, of the model before the update.
    """
    with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        said = terms(x, labels, noise)
    bound = elbo(said.log_likelihood, said.kl, beta=beta, free_bits=free_bits)
    loss = said.penalty - bound.objective
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"loss": loss.detach(), "reconstruction": bound.reconstruction.detach(), "kl": bound.kl.detach()}


def _learning_rate(schedule: str, progress: float, peak: float) -> float:
    """The learning rate where a share `progress` of the steps is done."""
    if schedule == "constant":
        return peak
    return peak * (progress / WARM_UP if progress < WARM_UP else (1 - progress) / (1 - WARM_UP))


def _settings(**settings: object) -> dict:
    """The settings of a run as they are recorded, if each can be used. ValueError or TypeError name the one that cannot."""
    settings["epochs"] = check_count("epochs", settings["epochs"], "a run has at least one")
    for name in ("lr", "beta", "free_bits"):
        settings[name] = check_number(name, settings[name])
    betas = settings["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"betas is {betas!r}: Adam takes two numbers, for example (0.9, 0.999)")
    settings["betas"] = [check_number("one of betas", value, below=1) for value in betas]
    share = settings["kl_warm_up"] = float(settings["kl_warm_up"])
    if not 0 <= share <= 1:
        raise ValueError(f"kl_warm_up is {share}: it is a share of the steps, between 0 and 1")
    if settings["schedule"] not in ("one-cycle", "constant"):
        raise ValueError(f"no schedule is called {settings['schedule']!r}: choose from one-cycle, constant")
    if settings["binarise"] not in BINARISE:
        raise ValueError(f"binarise is {settings['binarise']!r}: choose from {', '.join(BINARISE)}")
    return settings


@torch.no_grad()
def _check_data(model: LatentModel, batches: Batches, validation: ImageSet | None) -> None:
    """Refuse images and labels that do not fit the model before any step."""
    check_last_batch(batches, model)
    check_images(batches.take(slice(0, 1))[0], model.channels, model.size)
    if model.classes and batches.labels is None:
        raise ValueError(f"the batches have no labels, and the model has {model.classes} classes: make them from an ImageSet")
    if model.classes:
        check_labels(batches.labels, len(batches.images), model.classes)
    if validation is not None:
        evaluate_vae(model, validation.subset(slice(0, 1)))
        if model.classes:
            check_labels(validation.labels, len(validation), model.classes)


def _validate(model: LatentModel, validation: ImageSet | None, binarise: str) -> dict[str, float]:
    """What the record of an epoch says of the validation set. Its noise is the same after every epoch."""
    if validation is None:
        return {}
    result = evaluate_vae(model, validation, binarise=binarise)
    return {"validation_reconstruction": result.reconstruction, "validation_kl": result.kl, "validation_elbo": result.elbo}
