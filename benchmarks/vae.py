"""How fast do chapter 8's autoencoders learn? `make bench-vae` prints it.

Usage: python -m benchmarks.vae [loop] [mlp] [mlp-peer] [conv] [conv-long] [glyphs]
           [--seeds 3] [--device cpu]

Time is core-seconds on a CPU (process time, one thread) and wall time on a GPU. Training only: no
loading, no evaluation. Parts that compare run in turn in one process, and their ratio is that of
the medians. Nats are those of the test set: -ELBO with one draw of z for each image, and beside it
the importance-weighted bound with K = 100. The literature for dynamically binarised MNIST and two
dense hidden layers: 86.8 (VAE) and 84.8 (IWAE, K = 50), Burda, Grosse and Salakhutdinov (2016),
table 1, each estimated with 5000 samples.
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
from course_lib.data import Batches
from course_lib.runtime.device import describe_device, processor
from course_lib.vae import VAE, evaluate_vae, fit_vae, mlp_vae


def mlp():
    """The network of PyTorch's `vae` example."""
    return mlp_vae(1, 28, 20, widths=(400,))


def small():
    """A convolutional one for a CPU."""
    return VAE(1, 28, 32, widths=(16, 32), hidden=256)


RUNS = {  # part: (data, model, training)
    "mlp": ("mnist", mlp, {"epochs": 10, "lr": 3e-3}),
    "conv": ("mnist", small, {"epochs": 15, "lr": 3e-3, "binarise": "dynamic"}),
    "conv-long": ("mnist", lambda: VAE(1, 28, 32, hidden=256), {"epochs": 60, "lr": 3e-3, "binarise": "dynamic"}),
    "glyphs": ("glyphs", lambda: VAE(1, 32, 20, hidden=256), {"epochs": 6, "lr": 3e-3}),
}


def clock(device):
    """Seconds that count: the processor's on a CPU, the wall's on a GPU that has finished."""
    if device.type == "cpu":
        return time.process_time()
    torch.get_device_module(device).synchronize()
    return time.perf_counter()


def batches_of(images, seed, device, model):
    """The course's way to batches, in the layout that convolutions prefer if there are any."""
    channels_last = any(isinstance(part, nn.Conv2d) for part in model.modules())
    order = torch.Generator().manual_seed(seed)
    return Batches(images, batch_size=128, drop_last=True, rng=order, device=device, channels_last=channels_last)


def whole(run):
    """A run that was stopped measures nothing: Ctrl-C ends the benchmark too."""
    if run.stopped:
        raise KeyboardInterrupt


def report(rows):
    """Print what was measured over the seeds: the median and the range."""
    for what in rows[0]:
        values = [row[what] for row in rows]
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"  {what:32s} {statistics.median(values):8.2f} ({spread}, {len(values)} seeds)", flush=True)


def measured(model, images, binarise, seconds):
    """The nats of a model on a test set, beside the time that it took."""
    result = evaluate_vae(model, images, samples=100, binarise=binarise)
    figures = {"-ELBO": -result.elbo, "of it reconstruction": -result.reconstruction, "of it KL": result.kl}
    return {**figures, "-bound with K = 100": -result.bound, "seconds": seconds}


def learn(part, seeds, device):
    """One of RUNS over the seeds."""
    name, build, training = RUNS[part]
    train, test = data.load(name, "train+validation"), data.load(name, "test")
    binarise = training.get("binarise", "none")
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = build()
        start = clock(device)
        batches = batches_of(train, seed, device, model)
        whole(fit_vae(model, batches, rng=torch.Generator().manual_seed(seed + 100), **training))
        rows.append(measured(model, test, binarise, clock(device) - start))
    target = {"none": "grey values", "dynamic": "dynamically binarised"}[binarise]
    print(f"\n{part}: {training['epochs']} epochs of {len(train):,} {name}, {target}, Bernoulli, test set")
    report(rows)


def textbook_step(model, optimizer, x):
    """A step as in PyTorch's `vae` example: the sum of cross-entropy and KL over the batch."""
    optimizer.zero_grad()
    mu, logvar = model.encode(x)
    decoded = model.decode(mu + torch.exp(0.5 * logvar) * torch.randn_like(mu))
    BCE = F.binary_cross_entropy(torch.sigmoid(decoded), x, reduction="sum")
    KLD = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    (BCE + KLD).backward()
    optimizer.step()


def published():
    """torchvision's MNIST with ToTensor, as the example reads it."""
    from torchvision import datasets, transforms

    return datasets.MNIST(data.data_root(), train=True, transform=transforms.ToTensor())


def mlp_peer(seeds, device):
    """The network and the recipe of PyTorch's `vae` example, written anew."""
    train, test = published(), data.load("mnist", "test")
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        model = mlp().to(device)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        start = clock(device)
        for _ in tqdm(range(10), leave=False):
            for x, _ in DataLoader(train, batch_size=128, shuffle=True):
                textbook_step(model, optimizer, x.to(device))
        rows.append(measured(model, test, "none", clock(device) - start))
    print("\nmlp-peer: the recipe of PyTorch's vae example (10 epochs, Adam 1e-3, batch 128, DataLoader), grey values, test set")
    report(rows)


def loop(seeds, device):
    """Images a second of `fit_vae` and of the textbook loop, with the same networks."""
    count = 6_400
    train, usual = data.load("mnist", "train+validation").subset(slice(0, count)), Subset(published(), range(count))

    for build in (mlp, small):

        def course(build=build):
            model = build()
            fit_vae(model, batches_of(train, 0, device, model), epochs=1)

        def textbook(build=build):
            model = build().to(device)
            optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
            for x, _ in DataLoader(usual, batch_size=128, shuffle=True, drop_last=True):
                textbook_step(model, optimizer, x.to(device))

        seconds = {function: [] for function in (course, textbook)}
        for _ in range(3 * seeds):
            for function, times in seconds.items():
                start = clock(device)
                function()
                times.append(clock(device) - start)
        medians = {function.__name__: statistics.median(times[1:]) for function, times in seconds.items()}  # the first warms up
        print(f"\nloop: one epoch of {count:,} images of MNIST, {build.__name__} VAE, batch 128")
        for name, median in medians.items():
            print(f"  {name:32s} {count / median:8.0f} images a second")
        print(f"  {'ratio':32s} {medians['textbook'] / medians['course']:8.2f}", flush=True)


def main():
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", nargs="*", help="loop, mlp, mlp-peer, conv, conv-long, glyphs; by default loop, mlp and glyphs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(arguments.device)
    print(f"torch {torch.__version__}, {describe_device(device)}, {processor()}")
    for part in arguments.part or ["loop", "mlp", "glyphs"]:
        if part == "loop":
            loop(arguments.seeds, device)
        elif part == "mlp-peer":
            mlp_peer(arguments.seeds, device)
        elif part in RUNS:
            learn(part, arguments.seeds, device)
        else:
            parser.error(f"no part is called {part!r}: choose from loop, mlp-peer, {', '.join(RUNS)}")


if __name__ == "__main__":
    main()
