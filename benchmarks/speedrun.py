"""CIFAR-10 to 94 % on one GPU, as fast as the course's own pieces go. `make speedrun` runs it.

Usage: python -m benchmarks.speedrun [--data cifar10] [--seeds 5] [--epochs 9.9] [--device cuda]

A narrow network of three stages learns for about ten passes with a large batch, in bfloat16, with
label smoothing, mirrored and shifted images, and a rate that rises and falls in straight lines. The
first convolution starts as the principal directions of 2 x 2 patches of the training images and does
not learn: it whitens them. Each test image is judged with its mirror image.

After Keller Jordan, 94 % on CIFAR-10 in 3.29 seconds on a single GPU (2024), whose `airbench94` is
the anchor: 3.83 s on an A100, 3.09 s compiled, 2.59 s with the Muon optimizer. From it are the
network, the whitening, the smoothing and the averaged mirror images; the loop, the batches and the
optimizer are the course's. Time is that of training and whitening, after one run to warm up, without
loading and judging. Say "CIFAR-10 (JPEG)" of figures from a folder of compressed images.
"""

import argparse
import itertools
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

from course_lib import data
from course_lib.classification import fit_classifier
from course_lib.data import Augment, Batches
from course_lib.runtime import pick_device
from course_lib.runtime.device import bfloat16_pays, describe_device
from course_lib.training import evaluation_mode

WIDTHS = (64, 256, 256)
SHORT = {"images": 2000, "epochs": 4, "widths": (8, 16, 16), "batch_size": 125}  # on a CPU: does it run?


def stage(before, after):
    """Halve the image, then two 3 x 3 convolutions with batch normalisation and GELU."""
    layers = [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(after), nn.GELU()]
    return [*layers, nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.GELU()]


class SpeedNet(nn.Module):
    """Whitening, three stages, the maximum over what is left of the image, and a dense layer.

    Where the image is 32 x 32, whitening leaves 31 x 31, and the stages 15, 7 and 3.
    """

    def __init__(self, channels, classes, widths=WIDTHS):
        super().__init__()
        patch = channels * 2 * 2
        self.whiten = nn.Conv2d(channels, 2 * patch, 2)
        self.whiten.weight.requires_grad_(False)
        sizes = [2 * patch, *widths]
        stages = [layer for pair in itertools.pairwise(sizes) for layer in stage(*pair)]
        self.body = nn.Sequential(nn.GELU(), *stages, nn.MaxPool2d(3), nn.Flatten())
        self.head = nn.Linear(widths[-1], classes, bias=False)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer is not self.whiten:
                nn.init.dirac_(layer.weight[: layer.in_channels].detach())  # what it is given goes through

    @torch.no_grad()
    def set_whitening(self, x, eps=5e-4):
        """Kernels that give 2 x 2 patches of x [N, C, H, W] variance 1 in every direction, and their negatives."""
        patches = F.unfold(x, 2).transpose(1, 2).flatten(0, 1)  # [patches, C * 4]
        patches = (patches - patches.mean(dim=0)).double().cpu()
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        kernels = (vectors / (values + eps).sqrt()).T.reshape(-1, *self.whiten.weight.shape[1:])
        self.whiten.weight.copy_(torch.cat([kernels, -kernels]))

    def forward(self, x):
        """Images [N, C, 32, 32] in [0, 1] -> logits [N, classes]."""
        return self.head(self.body(self.whiten(x))) / 9  # large logits would learn too fast


@torch.no_grad()
def accuracy(model, images, device):
    """Share of the images that are recognised, each judged with its mirror image."""
    right = torch.zeros((), device=device)
    with evaluation_mode(model):
        for x, y in Batches(images, batch_size=2000, shuffle=False, device=device, channels_last=True):
            right += ((model(x) + model(x.flip(3))).argmax(dim=1) == y).sum()
    return right.item() / len(images)


def once(train, test, device, seed, epochs, batch_size, widths, lr, compile):
    """Accuracy and seconds of a run."""
    torch.manual_seed(seed)
    model = SpeedNet(train.images.shape[1], len(train.classes), widths)
    rng = torch.Generator().manual_seed(seed)
    batches = Batches(train, batch_size=batch_size, drop_last=True, rng=rng, device=device, channels_last=True)
    augment = Augment(shift=2, flip=True, rng=torch.Generator().manual_seed(seed))
    synchronise(device)
    start = time.perf_counter()
    model.to(device).set_whitening(batches.take(slice(0, min(5000, len(train))))[0])
    run = fit_classifier(
        model, batches, epochs=epochs, lr=lr, momentum=0.85, weight_decay=1.3e-3, schedule="one-cycle",
        label_smoothing=0.2, augment=augment, bfloat16=bfloat16_pays(device), compile=compile,
    )  # fmt: skip
    synchronise(device)
    seconds = time.perf_counter() - start
    if run.stopped:
        raise KeyboardInterrupt
    return accuracy(model, test, device), seconds


def synchronise(device):
    """Wait for the GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def main(arguments=None):
    """Print each run, and the mean over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default="cifar10", help="cifar10, or folder:PATH")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=1000)
    parser.add_argument("--lr", type=float, default=1.5)
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--device")
    options = parser.parse_args(arguments)
    device = pick_device(options.device)
    train, test = data.load(options.data, "train+validation", size=32), data.load(options.data, "test", size=32)
    settings = {"epochs": options.epochs, "batch_size": options.batch_size, "widths": WIDTHS, "compile": options.compile}
    if device.type == "cpu":
        print(f"shortened, since this is a CPU: {SHORT}; it shows that it runs, and no speed")
        train, test = train.subset(slice(0, SHORT["images"])), test.subset(slice(0, 500))
        settings = {name: SHORT[name] for name in ("epochs", "batch_size", "widths")} | {"compile": False}
        options.seeds = 1
    print(f"{options.data}, {len(train):,} training images, {describe_device(device)}, PyTorch {torch.__version__}")
    rows = []
    for seed in range(-1, options.seeds):  # the first warms up, and compiles
        rows.append(once(train, test, device, seed % 2**32, lr=options.lr, **settings))
        print(f"{'warm-up' if seed < 0 else f'seed {seed}'}: {rows[-1][0]:.2%} in {rows[-1][1]:.2f} s", flush=True)
    accuracies, seconds = zip(*rows[1:], strict=True)
    print(f"mean of {options.seeds}: {statistics.mean(accuracies):.2%} in {statistics.mean(seconds):.2f} s")
    return rows


if __name__ == "__main__":
    main()
