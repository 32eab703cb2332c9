"""The most frequent mistakes of GAN programs, as switches of one small, complete training loop.

Most of them raise no error. `play` returns what was drawn and what was recorded, so that the plot
can give the mistake away.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from course_lib.data import Batches, ImageSet
from course_lib.gan.latent import sample
from course_lib.gan.models import Discriminator, Generator
from course_lib.runtime.checks import check_choice

MISTAKES = (
    "no detach",
    "wrong optimizer",
    "class labels as targets",
    "tanh as logit",
    "other range",
    "late, minimax",
    "late, non-saturating",
    "one batch for both",
)


class Play(NamedTuple):
    """What `play` returns: the generator, 16 images from fixed z and labels, and a record of each step."""

    G: Generator
    images: torch.Tensor  # [16, C, size, size] in [0, 1]
    record: dict[str, list[float]]


def play(images: ImageSet, mistake: str | None = None, *, steps: int = 400, seed: int = 0) -> Play:
    """A textbook conditional GAN on small images, played right or with one of the `MISTAKES`.

    Recorded of each step: "loss" of the discriminator, "real" and "fake", the mean probabilities of
    "real" before its step, and "gradient", the norm of the gradient with which the generator steps.

    Args:
        images: with labels; 16 x 16 is quick.
        mistake: one of `MISTAKES`, or None.
        steps: of both networks, with batches of 64.
        seed: of the weights, the order and the noise.

    Raises:
        ValueError: a mistake that is not among them.
    """
    if mistake is not None:
        check_choice("mistake", mistake, MISTAKES)
    torch.manual_seed(seed)
    (channels, size), classes = images.images.shape[1:3], len(images.classes)
    output = "sigmoid" if mistake == "other range" else "tanh"
    G = Generator(channels, size, 32, widths=(64, 32), output=output, classes=classes)
    D = Discriminator(channels, size, widths=(32, 64), classes=classes)
    late = 100 if mistake in ("late, minimax", "late, non-saturating") else 0
    G_optimizer = torch.optim.Adam((D if mistake == "wrong optimizer" else G).parameters(), 2e-3, betas=(0.5, 0.99))
    D_optimizer = torch.optim.Adam(D.parameters(), 2e-3, betas=(0.5, 0.99))
    rng = torch.Generator().manual_seed(seed)
    batches = Batches(images, batch_size=64, drop_last=True, rng=torch.Generator().manual_seed(seed), channels_last=True)
    record: dict[str, list[float]] = {"loss": [], "real": [], "fake": [], "gradient": []}

    def logits(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.tanh(D(x, y)) if mistake == "tanh as logit" else D(x, y)

    while len(record["loss"]) < steps:
        for x, y in batches:
            real = 2 * x - 1
            fake = G(G.noise(len(x), rng), y)
            ones, zeros = torch.ones(len(x)), torch.zeros(len(x))
            # The discriminator's step.
            G_optimizer.zero_grad()
            D_optimizer.zero_grad()
            shown = fake if mistake == "no detach" else fake.detach()
            if mistake == "one batch for both":
                real_logits, fake_logits = logits(torch.cat([real, shown]), torch.cat([y, y])).chunk(2)
            else:
                real_logits, fake_logits = logits(real, y), logits(shown, y)
            target = y.float() if mistake == "class labels as targets" else ones
            loss = F.binary_cross_entropy_with_logits(real_logits, target)
            loss = loss + F.binary_cross_entropy_with_logits(fake_logits, zeros)
            loss.backward(retain_graph=mistake == "no detach")  # the error message without it asks for this
            D_optimizer.step()
            # The generator's step.
            if mistake != "no detach":
                G_optimizer.zero_grad()
            answer = logits(fake, y)
            if mistake == "late, minimax":
                (-F.binary_cross_entropy_with_logits(answer, zeros)).backward()
            else:
                F.binary_cross_entropy_with_logits(answer, ones).backward()
            gradient = nn.utils.get_total_norm([p.grad for p in G.parameters() if p.grad is not None])
            if len(record["loss"]) >= late:
                G_optimizer.step()
            values = (loss, real_logits.sigmoid().mean(), fake_logits.sigmoid().mean(), gradient)
            for name, value in zip(record, values, strict=True):
                record[name].append(value.item())
            if len(record["loss"]) == steps:
                break
    return Play(G, sample(G, 16, torch.Generator().manual_seed(0), torch.arange(16) % classes), record)
