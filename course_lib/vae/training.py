"""How a VAE learns: `fit_vae` (epochs) -> `vae_step` (one update) -> the evidence lower bound."""

from collections.abc import Callable

import torch

from course_lib.data import Batches, ImageSet
from course_lib.runtime.checks import check_choice, check_condition, check_labels, check_rng
from course_lib.training import Run, check_last_batch, check_settings, learning_rate, prepared, set_rate
from course_lib.vae.evaluation import BINARISE, Model, binarised, evaluate_vae
from course_lib.vae.losses import elbo

ADVICE = (
    "The model's numbers have become too large to go on. Build it anew and lower lr (a third is a good second try); if that does "
    "not help, lengthen kl_warm_up, or give a Gaussian likelihood a larger sigma: a small one makes every error expensive."
)

# Share of the steps in which the one-cycle learning rate rises.
WARM_UP = 0.1


def fit_vae(
    model: Model,
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
    rng: torch.Generator | None = None,
    bfloat16: bool = False,
    compile: bool = False,
    resume: Run | None = None,
    watch: Callable[[Run], object] | None = None,
) -> Run:
    """Train a VAE (or an autoencoder), in place, on the device where its batches lie.

    It is left in evaluation mode. The Stop button (Ctrl-C) ends the run after the present step: the
    model keeps what it has learned, and the run can go on.

    Args:
        model: any of this room, or your own module: (x, labels or None, eps) -> log p(x|z) [N] and
            the KL of each latent [N, Z], with `classes`, the number of its classes or 0 for one
            without labels, and ``noise(count, rng)``, which draws eps.
        batches: images in [0, 1]; with labels where the model has classes.
        validation: measured after each epoch, one draw of z for each image; it takes no part in the
            training.
        epochs: passes over the batches.
        lr: peak of Adam's learning rate.
        betas: of Adam.
        schedule: "one-cycle", here with its peak after a tenth of the steps, or another one of
            `learning_rate`.
        binarise: "none": the grey values; "dynamic": each pixel becomes 1 with the probability of
            its grey value, drawn anew in each epoch; "threshold": 1 where it is at least a half.
            What is reported is about images like that.
        beta: weight of the KL. 1 is the bound.
        kl_warm_up: share of the steps over which the weight of the KL rises from 0 to beta, in a
            straight line.
        free_bits: nats of each latent that cost nothing: see `elbo`.
        rng: CPU generator that draws eps and the binarised pixels; by default a new one with seed
            0.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on
            CPUs with units for it.
        compile: with torch.compile. It takes up to minutes before the first step.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the
            model as it was then.
        watch: called with the run after each epoch, for example to draw images from the same z each
            time.

    Returns:
        The `Run`. Of each step it has "loss" (the negative of what is maximised), in nats per image
        the two
        terms of the bound, "reconstruction" (E log p(x|z)) and "kl", both as they are, not
        weighted; of
        each epoch their means, and the same of the validation set as "validation_reconstruction",
        "validation_kl" and "validation_elbo".

    Raises:
        DivergenceError: a term is no longer a finite number.
        ValueError, TypeError: images or labels that do not fit the model, or a setting that is out
        of range or differs from the resumed run's.
    """
    if not isinstance(batches, Batches):
        raise TypeError(f"batches must be Batches, got {type(batches).__name__}: Batches(images, batch_size=128) makes them")
    check_choice("binarise", binarise, BINARISE)
    settings = check_settings(
        epochs=epochs,
        lr=lr,
        betas=betas,
        schedule=schedule,
        binarise=binarise,
        beta=beta,
        kl_warm_up=kl_warm_up,
        free_bits=free_bits,
        bfloat16=bfloat16,
        validated=validation is not None,
        **batches.settings(),
    )
    device, rng = batches.device, check_rng(rng)
    model.to(device, memory_format=batches.memory_format)  # type: ignore[call-overload]
    _check_data(model, batches, validation)
    # Fused: one pass over the memory for each parameter, where Adam's formula makes a dozen.
    optimizer = torch.optim.Adam(model.parameters(), lr, betas=betas, fused=True)
    run = Run.begin(resume, settings, {"updates": optimizer}, {"order": batches.rng, "eps": rng}, device, ADVICE)
    forward = run.world.replicated(prepared(model, device, bfloat16=bfloat16, compile=compile))
    rising = kl_warm_up * epochs * len(batches)  # steps in which the weight of the KL rises

    def measure() -> dict[str, float]:
        if validation is None:
            return {}
        # With the same eps after every epoch.
        result = evaluate_vae(model, validation, binarise=binarise)
        return {"validation_reconstruction": result.reconstruction, "validation_kl": result.kl, "validation_elbo": result.elbo}

    with run.training(epochs * len(batches), model):
        for x, y in run.batches(batches, measure=measure, watch=watch):
            set_rate(optimizer, learning_rate(schedule, run.progress, lr, WARM_UP))
            weight = beta * min(1.0, (run.step + 1) / rising) if rising else beta
            x, labels = binarised(x, binarise, rng), y if model.classes else None
            x, labels, eps = run.world.share(x, labels, model.noise(len(x), rng))
            run.record(**vae_step(forward, optimizer, x, labels, eps, beta=weight, free_bits=free_bits))
    return run


def vae_step(
    model: Callable,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    labels: torch.Tensor | None = None,
    eps: torch.Tensor | None = None,
    *,
    beta: float = 1.0,
    free_bits: float = 0.0,
) -> dict[str, torch.Tensor]:
    """One update: encode, draw z, decode, the bound, backward, step.

    model: (x, labels, eps) -> log p(x|z) [N], the KL of each latent [N, Z], and, if it has one, a
    penalty. x: [N, C, H, W] in [0, 1]; labels: int64 [N] for a conditional model; eps: standard
    normal [N, Z]. Returns "loss", "reconstruction" and "kl", scalars on the device, of the model
    before the update.
    """
    log_likelihood, kl, *penalty = model(x, labels, eps)
    bound = elbo(log_likelihood, kl, beta=beta, free_bits=free_bits)
    loss = sum(penalty) - bound.objective
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return {"loss": loss.detach(), "reconstruction": bound.reconstruction.detach(), "kl": bound.kl.detach()}


def _check_data(model: Model, batches: Batches, validation: ImageSet | None) -> None:
    """Refuse labels and validation images that do not fit the model before any step.

    Images of another size or type are refused in the first step, before its update.
    """
    check_last_batch(batches, model)
    if model.classes:
        check_condition(batches.targets, len(batches.images), model.classes)
        check_labels(batches.targets, len(batches.images), model.classes)
    if validation is not None:
        evaluate_vae(model, validation.subset(slice(0, 1)))
    if validation is not None and model.classes:
        check_labels(validation.labels, len(validation), model.classes)
