"""Two processes that learn together: small runs of the three loops, started by test_devices.

    python -m tests.training.worlds FOLDER

PyTorch is imported once, and each pair of processes is a fork of that. Rank 0 leaves its results.
"""

import copy
import datetime
import importlib
import os
import signal
import sys
import traceback
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from course_lib.classification import fit_classifier
from course_lib.data import Augment, Batches, ImageSet
from course_lib.gan import Discriminator, fit_gan, r1_penalty
from course_lib.runtime import load_checkpoint, save_checkpoint
from course_lib.training import Run, World
from course_lib.vae import fit_vae, mlp_vae

KILLED_AT = 5  # the step in which rank 1 is killed, after the checkpoint at the end of the first pass


def images():
    """23 images in batches of 5: slices of 2 and 3, and in the last batch of 1 and 2."""
    rng = torch.Generator().manual_seed(1)
    return ImageSet(torch.randint(0, 256, (23, 1, 8, 8), dtype=torch.uint8, generator=rng), torch.arange(23) % 3, ["a", "b", "c"])


def make_batches(**options):
    options = {"dtype": torch.float64, "channels_last": True, **options}
    return Batches(images(), batch_size=5, rng=torch.Generator().manual_seed(3), **options)


def augmentation():
    return Augment(shift=1, brightness=0.2, rng=torch.Generator().manual_seed(4))


class Painter(nn.Module):
    """A conditional generator without batch normalisation."""

    range, classes = (-1.0, 1.0), 3

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4 + 3, 16), nn.ReLU(), nn.Linear(16, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))

    def forward(self, z, labels):
        return self.layers(torch.cat([z, nn.functional.one_hot(labels, 3).to(z)], dim=1))

    def noise(self, count, rng):
        return torch.randn(count, 4, generator=rng, dtype=torch.float64)


def classifier(model=None, drop_last=False, **options):
    """Two passes of `fit_classifier`."""
    torch.manual_seed(World().rank)  # other weights in each process: rank 0's count
    model = model or nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double()
    batches = make_batches(drop_last=drop_last)
    return model, fit_classifier(model, batches, images(), epochs=2, label_smoothing=0.1, augment=augmentation(), **options)


def game(**options):
    """Nine steps of `fit_gan` with all that it can do at once."""
    torch.manual_seed(0)
    G = Painter().double()
    D, average = Discriminator(1, 8, widths=(4, 8), batch_norm=False, classes=3).double(), copy.deepcopy(G)
    run = fit_gan(
        G, D, make_batches(), steps=9, discriminator_steps=2, average=average, augment=augmentation(),
        penalty=lambda D, real, _: 0.5 * r1_penalty(D, real), **options,
    )  # fmt: skip
    return nn.ModuleDict({"G": G, "D": D, "average": average}), run


def autoencoder(**options):
    """Two passes of `fit_vae`."""
    torch.manual_seed(0)
    model = mlp_vae(1, 8, 3, widths=(16,)).double()
    return model, fit_vae(model, make_batches(), images(), epochs=2, binarise="dynamic", kl_warm_up=0.5, **options)


def normalised():
    """Two passes of a classifier with batch normalisation."""
    torch.manual_seed(0)
    return classifier(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3)).double(), drop_last=True)


LOOPS = {"classifier": classifier, "game": game, "autoencoder": autoencoder}


def learn(folder):
    """Every loop once; all ranks leave the model with batch normalisation."""
    for name, loop in LOOPS.items():
        model, run = loop()
        if World().rank == 0:
            save_checkpoint(folder / f"{name}.pt", model, training=run.state_dict())
    save_checkpoint(folder / f"normalised{World().rank}.pt", normalised()[0])


def kill_one(folder):
    """Rank 1 is killed in the second pass. Rank 0 leaves the error that it meets."""
    torch.manual_seed(World().rank)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double()

    def watch(run):
        if World().rank == 0:
            save_checkpoint(folder / "killed.pt", model, training=run.state_dict())

    def killed(*_):
        killed.steps = getattr(killed, "steps", 0) + model.training
        if killed.steps > KILLED_AT and World().rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    model.register_forward_hook(killed)
    try:
        classifier(model, watch=watch)
    except RuntimeError as error:
        (folder / "error.txt").write_text(f"{error.run.step} {error}")


def go_on(folder):
    """From the checkpoint of the run that was killed."""
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double()
    resume = Run.from_state_dict(load_checkpoint(folder / "killed.pt", model).training)
    model, run = classifier(model, resume=resume)
    if World().rank == 0:
        save_checkpoint(folder / "resumed.pt", model, training=run.state_dict())


def in_two_processes(action, folder):
    """Run an action in two forks that are one world."""
    children = []
    for rank in range(2):
        if (child := os.fork()) == 0:
            status = 1
            try:
                store = dist.FileStore(str(folder / f"store-{action.__name__}"), 2)
                wait = datetime.timedelta(seconds=60)
                dist.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=wait)
                action(folder)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(status)  # without the exit of the parent, whose copy this is
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


if __name__ == "__main__":
    torch.set_num_threads(1)
    importlib.import_module("torch._dynamo")  # DistributedDataParallel imports it: once here, not in each fork
    for action in (learn, kill_one, go_on):
        print(action.__name__, *in_two_processes(action, Path(sys.argv[1])))
