"""How a GAN learns: `fit_gan` alternates `discriminator_step` and `generator_step`, batch after batch."""

from collections.abc import Callable

import torch
from torch import nn

from course_lib.data import Batches
from course_lib.data.arguments import check_count, check_number
from course_lib.gan.losses import non_saturating
from course_lib.gan.mixtures import PointBatches
from course_lib.runtime import Progress, Run, StopButton, evaluation_afterwards

ADVICE = (
    "One network has run away from the other. Build both anew and lower the learning rates (a third is a good second try), or "
    "bound the discriminator: spectral_norm=True, or a penalty."
)

Loss = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
Penalty = Callable[[Callable, torch.Tensor, torch.Tensor], torch.Tensor]


def fit_gan(
    generator: nn.Module,
    discriminator: nn.Module,
    batches: Batches | PointBatches,
    *,
    steps: int = 2000,
    loss: Loss = non_saturating,
    penalty: Penalty | None = None,
    discriminator_steps: int = 1,
    generator_lr: float = 1e-3,
    discriminator_lr: float = 1e-3,
    betas: tuple[float, float] = (0.5, 0.99),
    average: nn.Module | None = None,
    average_decay: float = 0.998,
    augment: Callable[[torch.Tensor], torch.Tensor] | None = None,
    noise: torch.Generator | None = None,
    bfloat16: bool = False,
    compile: bool = False,
    resume: Run | None = None,
    watch: Callable[[Run], object] | None = None,
    watch_every: int = 200,
) -> Run:
    """Train a generator against a discriminator, both in place, on the device where the batches lie.

    Every batch of real images makes one step of the discriminator, and every `discriminator_steps`-th one of the generator. The
    Stop button (Ctrl-C) ends the run after the present step: the networks keep what they have learned, and the run can go on.

    Args:
        generator: z (and labels) -> images or points; it draws z with `noise`. If it has a `range`, the real images are brought
            there from [0, 1].
        discriminator: images or points (and labels) -> logits [N].
        batches: the real ones. Where the generator has `classes`, the generated ones get the labels of the real batch.
        steps: batches to learn from.
        loss: (real logits, fake logits) -> (discriminator loss, generator loss), for example `non_saturating` or `hinge`.
        penalty: (discriminator, real, fake) -> what is added to the discriminator's loss, weight included, for example
            ``lambda d, real, fake: 10 * gradient_penalty(d, real, fake)``.
        discriminator_steps: steps of the discriminator for each of the generator.
        generator_lr: learning rate of Adam. In the second half of the run it falls in a straight line to 0.
        discriminator_lr: likewise.
        betas: of Adam. The usual 0.9 remembers gradients of an opponent that no longer plays like that.
        average: a copy of the generator, that follows it as a moving average of the weights and mostly draws the better images.
        average_decay: share of the average that stays in each step; less at the beginning.
        augment: differentiable change of a batch, made to real and generated images alike before the discriminator sees them. If
            it has a `generator`, that is part of the run's state.
        noise: CPU generator that draws z; by default a new one with seed 0.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on CPUs with units for it.
        compile: both networks with torch.compile. It takes up to minutes before the first step.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the networks as they were then.
        watch: called with the run every `watch_every` steps, for example to draw images from the same z each time.
        watch_every: steps between two calls of `watch`.

    Returns:
        The `Run`. Of each step it has "discriminator_loss" and "generator_loss", and as mean probabilities of "real" what the
        discriminator said: "real" of real images and "fake" of generated ones before its step, "fake_after" of the same after it.

    Raises:
        DivergenceError: a loss is no longer a finite number.
        ValueError, TypeError: networks, images and labels that do not fit, or a setting that is out of range or differs from the
            resumed run's.
    """
    settings = {"steps": check_count("steps", steps, "a run has at least one")}
    settings |= {"discriminator_steps": check_count("discriminator_steps", discriminator_steps, "it makes at least one")}
    settings |= {"loss": getattr(loss, "__name__", repr(loss)), "penalised": penalty is not None, "betas": list(betas)}
    settings |= {"generator_lr": check_number("generator_lr", generator_lr), "bfloat16": bfloat16}
    settings |= {"discriminator_lr": check_number("discriminator_lr", discriminator_lr)}
    settings |= {"averaged": average is not None, "average_decay": float(average_decay), "batch_size": batches.batch_size}
    check_count("watch_every", watch_every, "it is called after every so many steps")
    device = batches.device
    layout = torch.channels_last if getattr(batches, "channels_last", False) else torch.contiguous_format
    for network in (generator, discriminator, *([] if average is None else [average])):
        network.to(device, memory_format=layout)
    noise = torch.Generator("cpu").manual_seed(0) if noise is None else noise
    generators = {"order": batches.generator, "noise": noise}
    if isinstance(getattr(augment, "generator", None), torch.Generator):
        generators["augment"] = augment.generator
    optimizers = {
        "generator": torch.optim.Adam(generator.parameters(), generator_lr, betas=betas),
        "discriminator": torch.optim.Adam(discriminator.parameters(), discriminator_lr, betas=betas),
    }
    run = Run.begin(resume, settings, ADVICE, optimizers, generators, device)
    draw, judge = (torch.compile(generator), torch.compile(discriminator)) if compile else (generator, discriminator)
    low, high = getattr(generator, "range", (0.0, 1.0))
    augment = _unchanged if augment is None else augment
    last = {name: values[-1] for name, values in run.steps.items()}
    generator.train()
    discriminator.train()

    with StopButton() as stop, Progress(steps, run.step) as bar, evaluation_afterwards(generator, discriminator):
        while run.step < steps and not stop.pressed:
            run.begin_epoch(batches.generator)
            for number, (x, y) in enumerate(batches):
                if number < run.step % len(batches):
                    continue  # learned from before the run was stopped
                fall = min(1.0, 2 * (1 - (run.step + 0.5) / steps))
                for name, rate in (("generator", generator_lr), ("discriminator", discriminator_lr)):
                    for group in optimizers[name].param_groups:
                        group["lr"] = rate * fall
                labels = [y] if getattr(generator, "classes", 0) else []
                z = generator.noise(len(x), noise)
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
                    fake = draw(z, *labels)
                real = low + (high - low) * x
                last |= discriminator_step(
                    judge, optimizers["discriminator"], augment(real), augment(fake.detach()), labels, loss, penalty, bfloat16
                )
                if run.step % discriminator_steps == 0:
                    last |= generator_step(judge, optimizers["generator"], augment(fake), labels, loss, bfloat16, discriminator)
                    if average is not None:
                        follow(average, generator, min(average_decay, (1 + run.step) / (10 + run.step)))
                run.record(**last)
                bar.update()
                if watch is not None and run.step % watch_every == 0:
                    run.read()
                    bar.hide()
                    watch(run)
                if stop.pressed or run.step == steps:
                    break
            run.pause()
            if run.step % len(batches) == 0:
                run.end_epoch(len(batches))
        run.keep(optimizers, generators, device, stopped=run.step < steps)
    return run


def discriminator_step(
    discriminator: Callable,
    optimizer: torch.optim.Optimizer,
    real: torch.Tensor,
    fake: torch.Tensor,
    labels: list[torch.Tensor],
    loss: Loss,
    penalty: Penalty | None = None,
    bfloat16: bool = False,
) -> dict[str, torch.Tensor]:
    """One update of the discriminator. `fake` must be detached: the generator is not to be touched.

    Real and generated images go through it one after the other, so that batch normalisation does not mix them.
    """
    with torch.autocast(real.device.type, dtype=torch.bfloat16, enabled=bfloat16):
        real_logits, fake_logits = discriminator(real, *labels), discriminator(fake, *labels)
    discriminator_loss, _ = loss(real_logits, fake_logits)
    if penalty is not None:
        # Without labels the network itself: a penalty can then look into it and refuse its normalisation.
        critic = (lambda x: discriminator(x, *labels)) if labels else discriminator
        discriminator_loss = discriminator_loss + penalty(critic, real, fake)
    optimizer.zero_grad()
    discriminator_loss.backward()
    optimizer.step()
    losses = {"discriminator_loss": discriminator_loss.detach()}
    return {**losses, "real": _mean(real_logits), "fake": _mean(fake_logits)}


def generator_step(
    discriminator: Callable,
    optimizer: torch.optim.Optimizer,
    fake: torch.Tensor,
    labels: list[torch.Tensor],
    loss: Loss,
    bfloat16: bool = False,
    frozen: nn.Module | None = None,
) -> dict[str, torch.Tensor]:
    """One update of the generator that drew `fake`, through the discriminator, whose own weights get no gradient (`frozen`)."""
    if frozen is not None:
        frozen.requires_grad_(False)  # a third of the backward pass would go into gradients that nobody uses
    try:
        with torch.autocast(fake.device.type, dtype=torch.bfloat16, enabled=bfloat16):
            fake_logits = discriminator(fake, *labels)
        _, generator_loss = loss(fake_logits, fake_logits)
        optimizer.zero_grad()
        generator_loss.backward()
        optimizer.step()
    finally:
        if frozen is not None:
            frozen.requires_grad_(True)
    return {"generator_loss": generator_loss.detach(), "fake_after": _mean(fake_logits)}


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move the average towards the network, in place: weights by the share 1 - decay; buffers (running statistics) are copied.

    Source: Yazici et al., The Unusual Effectiveness of Averaging in GAN Training (2019).
    """
    for kept, new in zip(average.parameters(), network.parameters(), strict=True):
        kept.lerp_(new, 1 - decay)
    for kept, new in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(new)


def _mean(logits: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(logits.detach().float()).mean()


def _unchanged(x: torch.Tensor) -> torch.Tensor:
    return x
