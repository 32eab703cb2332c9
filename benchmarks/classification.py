"""How fast do chapter 4's classifiers learn? `make bench-classification` prints it.

Usage: python -m benchmarks.classification [loop] [mnist] [mnist-peer] [cifar10]
           [--seeds 3] [--device cpu] [--cifar10-folder F]

Time is core-seconds on a CPU (process time, one thread) and wall time on a GPU. Training only: no
loading, no evaluation. Parts that compare run in turn in one process, and their ratio is that of
the medians.
"""

import argparse
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset
from tqdm import tqdm

from course_lib import data
from course_lib.classification import CNN, ResNet, evaluate, fit_classifier
from course_lib.data import Augment, Batches
from course_lib.runtime.device import describe_device, processor
from course_lib.training import learning_rate, set_rate

MNIST_RUNS = {  # name: (model, epochs)
    "99.0 % in 20": (lambda: CNN(1, 28, 10, stride=2, batch_norm=True), 3),
    "99.4 % in 100": (lambda: ResNet(1, 28, 10), 6),
}
CIFAR10_MODEL = {"widths": (32, 64, 128), "stem_stride": 2}
CIFAR10_EPOCHS = 24


def clock(device):
    """Seconds that count: processor time on a CPU, wall time on a GPU that has finished."""
    if device.type == "cpu":
        return time.process_time()
    torch.get_device_module(device).synchronize()
    return time.perf_counter()


def batches_of(images, seed, device, batch_size=128, **options):
    """The course's way to batches."""
    rng = torch.Generator().manual_seed(seed)
    return Batches(images, batch_size=batch_size, drop_last=True, rng=rng, device=device, channels_last=True, **options)


def whole(run):
    """A run that was stopped measures nothing: Ctrl-C ends the benchmark too."""
    if run.stopped:
        raise KeyboardInterrupt


def report(name, rows):
    """Print accuracy and time over the seeds: the median and the range."""
    for what, values, form in (("accuracy", [row[0] for row in rows], ".2%"), ("seconds", [row[1] for row in rows], ".1f")):
        spread = f"{min(values):{form}} to {max(values):{form}}"
        print(f"  {name:24s} {what:9s} {statistics.median(values):{form}} ({spread}, {len(values)} seeds)", flush=True)


def mnist(seeds, device):
    """MNIST from the data root: two models for two targets."""
    train, test = data.load("mnist", "train+validation"), data.load("mnist", "test")
    print("\nMNIST, 60,000 training images, test accuracy")
    for name, (build, epochs) in MNIST_RUNS.items():
        rows = []
        for seed in range(seeds):
            torch.manual_seed(seed)
            model = build().set_statistics(train.images)
            augment = Augment(shift=1, rng=torch.Generator().manual_seed(seed))
            start = clock(device)
            batches = batches_of(train, seed, device)
            run = fit_classifier(model, batches, epochs=epochs, lr=0.2, label_smoothing=0.1, augment=augment)
            whole(run)
            seconds = clock(device) - start
            rows.append((evaluate(model, test).accuracy, seconds))
        report(f"{name}: {type(model).__name__}, {epochs} epochs", rows)


def mnist_peer(seeds, device):
    """The network and the recipe of PyTorch's `mnist` example, written anew.

    Two convolutions at full size, dropout, Adadelta.
    """
    from torchvision import datasets, transforms

    test = data.load("mnist", "test")
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train = datasets.MNIST(data.data_root(), train=True, transform=steps)
    print("\nThe recipe of PyTorch's mnist example (14 epochs, Adadelta, batch 64, DataLoader)")
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = nn.Sequential(
            *(nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25)),
            *(nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)),
        ).to(device)
        loader = DataLoader(train, batch_size=64, shuffle=True)
        optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
        start = clock(device)
        for _ in tqdm(range(14), leave=False):
            for x, y in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(x.to(device)), y.to(device)).backward()
                optimizer.step()
            for group in optimizer.param_groups:
                group["lr"] *= 0.7
        seconds = clock(device) - start
        standard = nn.Sequential(Standardise(0.1307, 0.3081), model)
        rows.append((evaluate(standard, test).accuracy, seconds))
    report("PyTorch's example", rows)


class Standardise(nn.Module):
    """(x - mean) / std."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, x):
        return (x - self.mean) / self.std


def loop(seeds, device):
    """What the course's loop costs over a bare loop, and what the usual DataLoader costs."""
    from torchvision import datasets, transforms

    count = 12_800
    train = data.load("mnist", "train+validation").subset(slice(0, count))
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    published = Subset(datasets.MNIST(data.data_root(), train=True, transform=steps), range(count))

    def model_and_optimizer(layout=torch.channels_last):
        torch.manual_seed(0)
        model = CNN(1, 28, 10, widths=(8, 16), hidden=32, stride=2, batch_norm=True)
        model.to(device, memory_format=layout)
        return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def course():
        model, _ = model_and_optimizer()
        fit_classifier(model, batches_of(train, 0, device), epochs=1, lr=0.1)

    def bare():
        model, optimizer = model_and_optimizer()
        model.train()
        batches = batches_of(train, 0, device)
        for step, (x, y) in enumerate(batches):
            set_rate(optimizer, learning_rate("one-cycle", (step + 0.5) / len(batches), 0.1))
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()

    def usual():
        model, optimizer = model_and_optimizer(torch.contiguous_format)
        model.train()
        for x, y in DataLoader(published, batch_size=128, shuffle=True, drop_last=True):
            optimizer.zero_grad()
            F.cross_entropy(model(x.to(device)), y.to(device)).backward()
            optimizer.step()

    seconds = {function: [] for function in (bare, course, usual)}
    for _ in range(7 * seeds):
        for function, times in seconds.items():
            start = clock(device)
            function()
            times.append(clock(device) - start)
    # The first of each warms up.
    medians = {function.__name__: statistics.median(times[1:]) for function, times in seconds.items()}
    print(f"\nOne epoch of {count:,} images of MNIST, CNN(widths=(8, 16), hidden=32, stride=2, batch_norm=True), batch 128")
    print(f"  fit_classifier / bare loop                                  {medians['course'] / medians['bare']:.3f}")
    print(f"  torchvision's MNIST + ToTensor + DataLoader / fit_classifier {medians['usual'] / medians['course']:.2f}")


def cifar10(seeds, device, folder):
    """CIFAR-10, or the JPEG version of it in a folder."""
    name = f"folder:{folder}" if folder else "cifar10"
    train, test = data.load(name, "train+validation"), data.load(name, "test")
    print(f"\nCIFAR-10{' (JPEG)' if folder else ''}, {len(train):,} training images, test accuracy")
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = ResNet(3, train.images.shape[2], len(train.classes), **CIFAR10_MODEL).set_statistics(train.images)
        augment = Augment(shift=3, flip=True, rng=torch.Generator().manual_seed(seed))
        start = clock(device)
        run = fit_classifier(
            model, batches_of(train, seed, device), epochs=CIFAR10_EPOCHS, lr=0.2, label_smoothing=0.1, augment=augment,
            bfloat16=device.type == "cuda", compile=device.type == "cuda",
        )  # fmt: skip
        whole(run)
        seconds = clock(device) - start
        rows.append((evaluate(model, test).accuracy, seconds))
        print(f"  seed {seed}: {rows[-1][0]:.2%} in {seconds:.0f} s", flush=True)
    report(f"ResNet, {CIFAR10_EPOCHS} epochs", rows)


def main():
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", help="loop, mnist, mnist-peer, cifar10; by default loop and mnist")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--cifar10-folder", help="a folder with train/ and test/ with class folders, in place of the data root's")
    arguments = parser.parse_args()
    parts = arguments.part or ["loop", "mnist"]
    torch.set_num_threads(1)
    device = torch.device(arguments.device)
    print(f"torch {torch.__version__}, {describe_device(device)}, {processor()}")
    if "loop" in parts:
        loop(arguments.seeds, device)
    if "mnist" in parts:
        mnist(arguments.seeds, device)
    if "mnist-peer" in parts:
        mnist_peer(arguments.seeds, device)
    if "cifar10" in parts:
        cifar10(arguments.seeds, device, arguments.cifar10_folder)


if __name__ == "__main__":
    main()
