"""The mistakes that VAE programs are most often made with, each as a switch of one small, complete training loop.

None of them raises an error. `learn` returns what the program would have reported, beside a model that can be measured rightly.
"""

from typing import NamedTuple

import torch

from course_lib.data import Batches, ImageSet
from course_lib.vae.evaluation import reconstruct, sample
from course_lib.vae.losses import bernoulli_log_likelihood, gaussian_kl
from course_lib.vae.models import VAE

MISTAKES = (
    "noise for z",
    "no KL",
    "KL averaged",
    "mean over pixels",
    "variance for sigma",
    "log-variance for sigma",
)


class Lesson(NamedTuple):
    """What `learn` returns: the model, 8 images and their reconstructions, 8 samples, all [8, C, size, size] in [0, 1], and for
    each step what the program believed, in nats per image: "reconstruction" (E log p(x|z)) and "kl".
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
        seed: of the weights, the order and the noise.

    Raises:
        ValueError: a mistake that is none of them.
    """
    if mistake is not None and mistake not in MISTAKES:
        raise ValueError(f"{mistake!r} is no mistake that is known here: choose from {', '.join(MISTAKES)}")
    torch.manual_seed(seed)
    channels, size = images.images.shape[1], images.images.shape[2]
    model = VAE(16, size, channels, widths=(16, 32), hidden=64)
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    noise = torch.Generator().manual_seed(seed)
    batches = Batches(images, batch_size=64, drop_last=True, generator=torch.Generator().manual_seed(seed), channels_last=True)
    record = {"reconstruction": [], "kl": []}
    while len(record["kl"]) < steps:
        for x, _ in batches:
            mean, log_variance = model.encode(x)
            epsilon = model.noise(len(x), noise)
            z = mean + torch.exp(log_variance / 2) * epsilon
            if mistake == "noise for z":
                z = epsilon
            if mistake == "variance for sigma":
                z = mean + torch.exp(log_variance) * epsilon
            if mistake == "log-variance for sigma":
                z = mean + log_variance * epsilon
            reconstruction = bernoulli_log_likelihood(x, model.decode(z)).mean()
            kl = gaussian_kl(mean, log_variance).sum(dim=1).mean()
            loss = -reconstruction + kl
            if mistake == "no KL":
                loss = -reconstruction
            if mistake == "KL averaged":  # over the batch and the latents
                loss = -reconstruction + kl / model.latent_size
            if mistake == "mean over pixels":
                loss = -reconstruction / x[0].numel() + kl
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            for name, value in (("reconstruction", reconstruction), ("kl", kl)):
                record[name].append(value.item())
            if len(record["kl"]) == steps:
                break
    model.eval()
    x = Batches(images, batch_size=64, shuffle=False).take(slice(0, 8))[0]
    return Lesson(model, x, reconstruct(model, x), sample(model, 8, torch.Generator().manual_seed(seed)), record)
