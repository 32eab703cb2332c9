"""A loop as the chapters write theirs, on a few small images, that notes its batches."""

import os
import signal

import torch
from torch import nn

from course_lib.data import Batches
from course_lib.training import Run

COUNT, BATCH_SIZE = 22, 4
LENGTH = 6  # batches in a pass, the last one smaller


def press():
    """What Ctrl-C and Jupyter's Stop button send."""
    os.kill(os.getpid(), signal.SIGINT)


def make_batches(device="cpu", seed=3, **options):
    """Images that tell their number, each with its number as target."""
    images = torch.randint(0, 256, (COUNT, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    rng = torch.Generator().manual_seed(seed)
    return Batches(images, torch.arange(COUNT), BATCH_SIZE, rng=rng, device=device, **options)


def make_model(seed=0):
    """Everything random that a run can meet: batch normalisation, and dropout from PyTorch's own
    generator.
    """
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(36, 2))


class Loop:
    """A run of `epochs` passes with fused Adam.

    `seen` holds the numbers of the images of each batch.

    body: called with the loop in each step, for example to press the Stop button.
    """

    def __init__(self, model, batches, optimizer=None, body=None, noise=None):
        self.model, self.batches, self.body = model.to(batches.device, memory_format=batches.memory_format), batches, body
        self.optimizer = optimizer or torch.optim.Adam(model.parameters(), 0.01, fused=True)
        self.noise = noise or torch.Generator().manual_seed(7)
        self.seen, self.run = [], None

    def fit(self, epochs=3, resume=None, settings=None, **options):
        batches, rngs = self.batches, {"order": self.batches.rng, "noise": self.noise}
        optimizers = {"updates": self.optimizer}
        self.run = run = Run.begin(resume, settings or {"lr": 1}, optimizers, rngs, batches.device, "Lower it.")
        with run.training(epochs * len(batches), self.model):
            for x, y in run.batches(batches, **options):
                self.seen.append(y.tolist())
                x = x + 0.1 * torch.randn(x.shape, generator=self.noise).to(x)
                loss = self.model(x).square().mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                if self.body:
                    self.body(self)
                run.record(loss=loss.detach(), progress=run.progress)
        return run


def at_step(number, action):
    """A body that does something in one step, counted from 1."""

    def body(loop):
        if loop.run.step + 1 == number:
            action()

    return body


def without_time(run):
    """What was recorded of the epochs, but for the seconds."""
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in run.epochs]


def same_weights(left, right):
    """Whether two models agree bit by bit."""
    pairs = zip(left.state_dict().values(), right.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)
