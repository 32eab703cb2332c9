"""The mistakes that VAE programs are most often made with, each as a switch of one loop.

None of them raises an error. `learn` returns what the program would have reported, beside a model
that can be measured rightly.
"""

import itertools
from typing import NamedTuple

import torch

from course_lib.data import Batches, ImageSet
from course_lib.runtime.checks import check_choice
from course_lib.vae.evaluation import reconstruct, sample
from course_lib.vae.losses import bernoulli_log_likelihood, gaussian_kl
from course_lib.vae.models import VAE

MISTAKES = (
    "noise for z",
    "no KL",
    "variance for sigma",
    "log-variance for sigma",
)


class Lesson(NamedTuple):
    """What `learn` returns: the model, and images [8, C, size, size] in [0, 1].

    record: for each step what the program believed, in nats per image: "reconstruction" (E log
    p(x|z)) and "kl".
    """

    model: VAE
    images: torch.Tensor
    reconstructions: torch.Tensor
    samples: torch.Tensor
    record: dict[str, list[float]]


def learn(images: ImageSet, mistake: str | None = None, *, steps: int = 300, seed: int = 0) -> Lesson:
    """A textbook VAE on small images, trained right or with one of the `MISTAKES`.

    Args:
        images: 16 x 16 is quick.
        mistake: one of `MISTAKES`, or None.
        steps: updates, with batches of 64.
        seed: of the weights, the order and eps.

    Raises:
        ValueError: a mistake that is none of them.
    """
    if mistake is not None:
        check_choice("mistake", mistake, MISTAKES)
    torch.manual_seed(seed)
    channels, size = images.images.shape[1:3]
    model = VAE(channels, size, 16, widths=(16, 32), hidden=64)
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    rng, order = torch.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)
    batches = Batches(images, batch_size=64, drop_last=True, rng=order, channels_last=True)
    record: dict[str, list[float]] = {"reconstruction": [], "kl": []}
    endless = itertools.chain.from_iterable(itertools.repeat(batches))  # pass after pass
    for x, _ in itertools.islice(endless, steps):
        mean, log_variance = model.encode(x)
        eps = model.noise(len(x), rng)
        z = mean + torch.exp(log_variance / 2) * eps
        if mistake == "noise for z":
            z = eps
        if mistake == "variance for sigma":
            z = mean + torch.exp(log_variance) * eps
        if mistake == "log-variance for sigma":
            z = mean + log_variance * eps
        reconstruction = bernoulli_log_likelihood(x, model.decode(z)).mean()
        kl = gaussian_kl(mean, log_variance).sum(dim=1).mean()
        loss = -reconstruction + kl
        if mistake == "no KL":
            loss = -reconstruction
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record["reconstruction"].append(reconstruction.item())
        record["kl"].append(kl.item())
    x = images.pixels(slice(0, 8))
    return Lesson(model.eval(), x, reconstruct(model, x), sample(model, 8, torch.Generator().manual_seed(seed)), record)
