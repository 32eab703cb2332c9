"""How fast do chapter 6's generators learn? `make bench-gan` prints it.

Usage: python -m benchmarks.gan [loop] [mnist] [glyphs] [--seeds 3] [--device cpu]

Time is core-seconds on a CPU (process time, one thread) and wall time on a GPU. Training only: no
loading, no judging. Loops that are compared run in turn in one process, and their ratio is that of
the medians.
"""

import argparse
import copy
import statistics

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.classification import batches_of, clock, whole
from course_lib import data
from course_lib.gan import Discriminator, Generator, fit_gan, sample
from course_lib.metrics import feature_statistics, features_of, frechet_distance, variety
from course_lib.pretrained import load_judge
from course_lib.runtime.device import describe_device, processor

SMALL = {"generator": (128, 64, 32), "discriminator": (32, 64, 128)}  # the course's pair
LARGE = {"generator": (256, 128, 64), "discriminator": (64, 128, 256)}  # DCGAN's usual examples
LATENT, BATCH = 64, 64
RATES = {"generator_lr": 2e-3, "discriminator_lr": 2e-3}
RUNS = {"mnist": 2700, "glyphs": 1400}  # name: steps


def pair(widths, latent_size=LATENT):
    """The two networks."""
    G = Generator(1, 32, latent_size, widths=widths["generator"])
    return G, Discriminator(1, 32, widths=widths["discriminator"])


def course_loop(images, widths, steps, device):
    """Seconds of `fit_gan`."""
    torch.manual_seed(0)
    batches = batches_of(images, 0, device, BATCH)
    start = clock(device)
    whole(fit_gan(*pair(widths), batches, steps=steps, **RATES))
    return clock(device) - start


def textbook_loop(images, widths, steps, device):
    """Seconds of the loop as PyTorch's dcgan example writes it, fed from memory: nothing to decode."""
    torch.manual_seed(0)
    G, D = (network.to(device) for network in pair(widths))
    loader = DataLoader(TensorDataset(2 * images.pixels() - 1), BATCH, shuffle=True, drop_last=True)
    G_optimizer, D_optimizer = (torch.optim.Adam(network.parameters(), 2e-3, betas=(0.5, 0.99)) for network in (G, D))
    ones, zeros = torch.ones(BATCH, device=device), torch.zeros(BATCH, device=device)
    start, step = clock(device), 0
    while step < steps:
        for (real,) in loader:
            D_optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(D(real.to(device)), ones).backward()
            fake = G(torch.randn(BATCH, LATENT, device=device))
            F.binary_cross_entropy_with_logits(D(fake.detach()), zeros).backward()
            D_optimizer.step()
            G_optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(D(fake), ones).backward()
            G_optimizer.step()
            step += 1
            if step == steps:
                break
    return clock(device) - start


def loop(repeats, device, steps=12):
    """A full step of both networks: `fit_gan` against the textbook loop, small against large."""
    images = data.load("glyphs", "train", size=32)
    ways = {
        "textbook, 256-128-64": lambda: textbook_loop(images, LARGE, steps, device),
        "fit_gan, 256-128-64": lambda: course_loop(images, LARGE, steps, device),
        "textbook, 128-64-32": lambda: textbook_loop(images, SMALL, steps, device),
        "fit_gan, 128-64-32": lambda: course_loop(images, SMALL, steps, device),
    }
    for way in ways.values():
        way()  # once to warm up
    seconds = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            seconds[name].append(way())
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"\nA step of both networks, 32 x 32, batches of {BATCH}, {steps} steps, median of {repeats}")
    for name, value in medians.items():
        print(f"  {name:24s} {steps * BATCH / value:8.0f} images/s, {1000 * value / steps / BATCH:.2f} ms each")
    large, small = "256-128-64", "128-64-32"
    for widths in (large, small):
        ratio = medians[f"textbook, {widths}"] / medians[f"fit_gan, {widths}"]
        print(f"  fit_gan / textbook, {widths}: {ratio:.2f} times the images per second")
    for name in ("textbook", "fit_gan"):
        print(f"  fit_gan small / {name} large: {medians[f'{name}, {large}'] / medians[f'fit_gan, {small}']:.2f} times")


def quality(name, seeds, device):
    """Train on a set, and judge 10,000 samples of the averaged generator, beside three references."""
    judge = load_judge(name, device="cpu")
    train, test = data.load(name, "train+validation", size=32), data.load(name, "test", size=32)
    pixels, classes = test.pixels(), len(test.classes)

    def statistics_of(images):
        return feature_statistics(features_of(judge.features, images))

    truth = statistics_of(pixels)
    print(f"\n{name}, 32 x 32, {RUNS[name]} steps of {BATCH}: Frechet distance to the test set in the judge's features")
    noise = torch.rand(pixels.shape, generator=torch.Generator().manual_seed(0))
    blurred = F.avg_pool2d(pixels, 5, stride=1, padding=2, count_include_pad=False)
    references = {
        "training images": train.pixels(slice(0, len(test))),
        "test images, blurred 5 x 5": blurred,
        "noise": noise,
    }
    for what, images in references.items():
        print(f"  {what:28s} {frechet_distance(*statistics_of(images), *truth):8.3f}")
    rows = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        G, D = pair(SMALL)
        average = copy.deepcopy(G)
        rng = torch.Generator().manual_seed(seed)
        batches = batches_of(train, seed, device, BATCH)
        start = clock(device)
        whole(fit_gan(G, D, batches, steps=RUNS[name], average=average, rng=rng, **RATES))
        seconds = clock(device) - start
        fake = sample(average, 10_000, torch.Generator().manual_seed(1000 + seed))
        said = features_of(judge, fake).argmax(dim=1)
        shares = torch.bincount(said, minlength=classes) / len(said)
        distance = frechet_distance(*statistics_of(fake), *truth)
        rows.append((distance, seconds))
        varied = variety(fake, said, classes) / variety(pixels, test.labels, classes)
        spread = f"classes {shares.min():.1%} to {shares.max():.1%}, variety within them {varied:.2f} of the test set's"
        print(f"  generator, seed {seed}            {distance:8.3f} after {seconds:.0f} core-seconds, {spread}", flush=True)
    print(f"  generator, median            {statistics.median(row[0] for row in rows):8.3f}", end="")
    print(f" after {statistics.median(row[1] for row in rows):.0f} core-seconds")


def main():
    """Run the parts that the command line names; "loop" if it names none."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", default=["loop"], metavar="part", help="loop, mnist, glyphs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - {"loop", *RUNS}
    if unknown:
        parser.error(f"unknown parts {sorted(unknown)}: choose from loop, {', '.join(RUNS)}")
    torch.set_num_threads(1)
    device = torch.device(arguments.device)
    print(f"torch {torch.__version__}, {describe_device(device)}, {processor()}")
    for part in arguments.parts:
        if part == "loop":
            loop(arguments.repeats, device)
        else:
            quality(part, arguments.seeds, device)


if __name__ == "__main__":
    main()
