"""What the tests of the training loop share: 64 embedded images, small models, a press on Stop."""

import os
import signal

import torch

from course_lib import data
from course_lib.vae import VAE, ProbabilisticPCA, fit_vae

FULL = data.load("glyphs", "train", size=16)
IMAGES = FULL.subset(slice(0, 64))
ROUND = {"epochs": 3, "lr": 5e-3, "binarise": "dynamic", "kl_warm_up": 0.5}


def model(device="cpu", kind=VAE, **options):
    torch.manual_seed(0)
    return kind(1, 16, 4, **{"widths": (6, 8), "hidden": 12, **options}).to(device)


def make_batches(device="cpu", images=IMAGES, batch_size=16, **options):
    order = torch.Generator().manual_seed(3)
    return data.Batches(images, batch_size=batch_size, rng=order, device=device, channels_last=True, **options)


def fit(network, device="cpu", **changed):
    return fit_vae(network, make_batches(device), IMAGES, **{**ROUND, **changed})


def weights(network):
    return torch.cat([value.detach().cpu().flatten().double() for value in network.state_dict().values()])


def press():
    """Press the Stop button."""
    os.kill(os.getpid(), signal.SIGINT)


def likeliest(x, Z):
    """The probabilistic PCA under which images x [N, D] are most likely: Tipping and Bishop (1999), equations 7 and 8."""
    mean = x.double().mean(dim=0)
    _, singular, rows = torch.linalg.svd(x.double() - mean, full_matrices=False)
    variances = singular.square() / len(x)
    noise = variances[Z:].sum() / (x.shape[1] - Z)
    return ProbabilisticPCA(rows[:Z].mT * (variances[:Z] - noise).clamp(min=0).sqrt(), mean, noise.item())


class StopAfter(VAE):
    """A VAE that presses the Stop button when it is called for the so-manieth time in training."""

    left = 0

    def forward(self, x, labels=None, eps=None):
        if self.training:
            self.left -= 1
            if self.left == 0:
                press()
        return super().forward(x, labels, eps)
