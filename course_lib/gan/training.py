"""How a GAN learns: `fit_gan` alternates `discriminator_step` and `generator_step`."""

from collections.abc import Callable

import torch
from torch import nn

from course_lib.data import Augment, Batches
from course_lib.gan.losses import non_saturating
from course_lib.gan.mixtures import PointBatches
from course_lib.gan.models import Generator, PointGenerator
from course_lib.runtime.checks import check_labels, check_rng
from course_lib.training import Run, check_last_batch, check_settings, ema_update, learning_rate, prepared, set_rate

ADVICE = (
    "One network has run away from the other. Build both anew and lower the learning rates (a third is a good second try), or "
    "bound the discriminator: spectral_norm=True, or a penalty."
)

Loss = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
Network = Callable[..., torch.Tensor]
Penalty = Callable[[Network, torch.Tensor, torch.Tensor], torch.Tensor]


def fit_gan(
    G: Generator | PointGenerator,
    D: nn.Module,
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
    augment: Augment | None = None,
    rng: torch.Generator | None = None,
    bfloat16: bool = False,
    compile: bool = False,
    resume: Run | None = None,
    watch: Callable[[Run], object] | None = None,
    watch_every: int = 200,
) -> Run:
    """Train a generator G against a discriminator D, in place, on the device of the batches.

    Every batch of real images makes one step of D, and every `discriminator_steps`-th one of G. The
    Stop button (Ctrl-C) ends the run after the present step: the networks keep what they have
    learned, and the run can go on. Both are left in evaluation mode.

    Args:
        G: z [N, Z] (and labels) -> images or points, with `noise`, `range` and `classes` as
            `Generator` has them. The real images are brought from [0, 1] to its range.
        D: images or points (and labels) -> logits [N].
        batches: the real ones. Where G has `classes`, the generated ones get the labels of the real
            batch.
        steps: batches to learn from.
        loss: (real logits, fake logits) -> (discriminator loss, generator loss), for example
            `non_saturating` or `hinge`.
        penalty: (D, real, fake) -> what is added to the discriminator's loss, weight included, for
            example ``lambda D, real, fake: 10 * gradient_penalty(D, real, fake)``. D must not
            normalise over the batch.
        discriminator_steps: steps of D for each of G.
        generator_lr: learning rate of Adam. In the second half of the run it falls in a straight
            line to 0.
        discriminator_lr: likewise.
        betas: of Adam. The usual 0.9 remembers gradients of an opponent that no longer plays like
            that.
        average: a copy of G that follows it as a moving average of the weights and mostly draws the
            better images.
        average_decay: share of the average that stays in each step; less at the beginning.
        augment: differentiable change of a batch, made to real and generated images alike before D
            sees them. Its `rng` is part of the run's state.
        rng: CPU generator that draws z; by default a new one with seed 0.
        bfloat16: compute in bfloat16 where PyTorch's autocast allows it. It pays on GPUs and on
            CPUs with units for it.
        compile: both networks with torch.compile. It takes up to minutes before the first step. With
            a penalty D is left out, since a compiled network cannot be differentiated twice.
        resume: a run that was stopped, or comes from a checkpoint, with the same settings and the
            networks as they were then.
        watch: called with the run every `watch_every` steps, for example to draw images from the
            same z each time.
        watch_every: steps between two calls of `watch`.

    Returns:
        The `Run`. Of each step it has "discriminator_loss" and "generator_loss", and as mean
        probabilities of "real" what D said: "real" of real images and "fake" of generated ones
        before its step, "fake_after" of the same after it.

    Raises:
        DivergenceError: a loss is no longer a finite number.
        ValueError, TypeError: networks, images and labels that do not fit, or a setting that is out
            of range or differs from the resumed run's.
    """
    settings = check_settings(
        steps=steps,
        loss=getattr(loss, "__name__", type(loss).__name__),
        penalised=penalty is not None,
        discriminator_steps=discriminator_steps,
        generator_lr=generator_lr,
        discriminator_lr=discriminator_lr,
        betas=betas,
        averaged=average is not None,
        average_decay=average_decay,
        bfloat16=bfloat16,
        **batches.settings(),
    )
    check_settings(watch_every=watch_every)  # it may differ in a resumed run
    device, rng = batches.device, check_rng(rng)
    for network in (G, D, average):
        if network is not None:
            network.to(device).to(memory_format=batches.memory_format)
    _check_data(G, D, batches, penalty)
    # Fused: one pass over the memory for each parameter, where Adam's formula makes a dozen.
    G_optimizer = torch.optim.Adam(G.parameters(), generator_lr, betas=betas, fused=True)
    D_optimizer = torch.optim.Adam(D.parameters(), discriminator_lr, betas=betas, fused=True)
    optimizers = {"generator": G_optimizer, "discriminator": D_optimizer}
    rngs = {"order": batches.rng, "z": rng} | ({} if augment is None else {"augment": augment.rng})
    run = Run.begin(resume, settings, optimizers, rngs, device, ADVICE)
    world, changed = run.world, nn.Identity() if augment is None else augment
    G_forward = world.replicated(prepared(G, device, bfloat16=bfloat16, compile=compile))
    D_plain = prepared(D, device, bfloat16=bfloat16, compile=compile and penalty is None)
    D_forward = world.replicated(D_plain)  # G learns through the plain one, which gets no gradients
    low, high = G.range
    said = {name: torch.tensor(values[-1], device=device) for name, values in run.steps.items()}

    with run.training(steps, G, D):
        for x, y in run.batches(batches, watch=watch, watch_every=watch_every):
            set_rate(G_optimizer, learning_rate("late-decay", run.progress, generator_lr))
            set_rate(D_optimizer, learning_rate("late-decay", run.progress, discriminator_lr))
            real = changed(low + (high - low) * x)
            real, z, labels = world.share(real, G.noise(len(x), rng), y if G.classes else None)
            fake = G_forward(z, labels)
            shown = world.changed(changed, fake)
            said |= discriminator_step(D_forward, D_optimizer, real, shown, labels, loss=loss, penalty=penalty)
            if run.step % discriminator_steps == 0:
                said |= generator_step(D_plain, G_optimizer, world.changed(changed, fake), labels, loss=loss)
                if average is not None:
                    ema_update(average, G, min(average_decay, (1 + run.step) / (10 + run.step)))
            run.record(**said)
    return run


def discriminator_step(
    D: Network,
    optimizer: torch.optim.Optimizer,
    real: torch.Tensor,
    fake: torch.Tensor,
    labels: torch.Tensor | None = None,
    *,
    loss: Loss = non_saturating,
    penalty: Penalty | None = None,
) -> dict[str, torch.Tensor]:
    """One update of the discriminator: the loss does not reach the generator that drew `fake`.

    Real and generated images go through D one after the other, so that batch normalisation does not
    mix them. Returns "discriminator_loss", and D's mean probabilities "real" and "fake" before the
    update.
    """
    fake = fake.detach()
    real_logits, fake_logits = D(real, labels), D(fake, labels)
    discriminator_loss, _ = loss(real_logits, fake_logits)
    if penalty is not None:
        discriminator_loss = discriminator_loss + penalty(lambda x: D(x, labels), real, fake)
    optimizer.zero_grad()
    discriminator_loss.backward()
    optimizer.step()
    return {
        "discriminator_loss": discriminator_loss.detach(),
        "real": _mean_probability(real_logits),
        "fake": _mean_probability(fake_logits),
    }


def generator_step(
    D: Network,
    optimizer: torch.optim.Optimizer,
    fake: torch.Tensor,
    labels: torch.Tensor | None = None,
    *,
    loss: Loss = non_saturating,
) -> dict[str, torch.Tensor]:
    """One update of the generator that drew `fake`, through the discriminator.

    The gradient flows through D, whose own weights get none: a third of the backward pass would go
    into gradients that nobody uses. Returns "generator_loss", and D's mean probability
    "fake_after".
    """
    fake_logits = D(fake, labels)
    _, generator_loss = loss(fake_logits, fake_logits)
    weights = [p for group in optimizer.param_groups for p in group["params"] if p.requires_grad]
    optimizer.zero_grad()
    generator_loss.backward(inputs=weights)
    optimizer.step()
    return {"generator_loss": generator_loss.detach(), "fake_after": _mean_probability(fake_logits)}


def _check_data(G: Generator | PointGenerator, D: nn.Module, batches: Batches | PointBatches, penalty: Penalty | None) -> None:
    """Refuse networks and labels that do not fit each other before any step."""
    if isinstance(batches, Batches):
        check_last_batch(batches, nn.ModuleList([G, D]))
    mixing = [name for name, part in D.named_modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    if penalty is not None and mixing:
        raise ValueError(
            f"the discriminator has batch normalisation ({mixing[0]}), through which a logit depends on the whole batch, and "
            "there is a penalty on its gradient at single images: build it with batch_norm=False"
        )
    if G.classes:
        if not isinstance(batches.targets, torch.Tensor):
            raise ValueError(f"the batches have no labels, and G has {G.classes} classes: make them from an ImageSet")
        check_labels(batches.targets, len(batches.targets), G.classes)


def _mean_probability(logits: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(logits.detach().float()).mean()
