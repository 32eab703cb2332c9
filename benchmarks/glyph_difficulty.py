"""How hard is the embedded colour set for a linear model and for a small CNN?

Usage: python benchmarks/glyph_difficulty.py [--seeds 3] [--epochs 4] [--threads 2] [--device cpu]

The set should leave room: a linear model does badly, a small CNN well but not perfectly, and unseen
typefaces are visibly harder. The models and the loop are written out here, so that the numbers do
not move when the course's own models do.
"""

import argparse
import statistics
import time

import torch
from torch import nn

from course_lib.data import Batches, ImageSet, load


def linear_model() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))


def small_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1, bias=False),
        nn.BatchNorm2d(32),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 16 x 16
        nn.Conv2d(32, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 8 x 8
        nn.Conv2d(64, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        nn.MaxPool2d(2),  # 4 x 4
        nn.Flatten(),
        nn.Linear(64 * 4 * 4, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def fit(model: nn.Module, batches: Batches, epochs: int, peak: float) -> None:
    """AdamW with a one-cycle schedule that peaks at the given learning rate."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=epochs * len(batches))
    model.train()
    for _ in range(epochs):
        for x, y in batches:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(model: nn.Module, images: ImageSet, device: str) -> float:
    """Share of the set that the model labels right, in percent."""
    model.eval()
    batches = Batches(images, batch_size=500, shuffle=False, device=device, channels_last=True)
    return 100 * sum((model(x).argmax(1) == y).sum().item() for x, y in batches) / len(images)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=1, help="number of runs, with seeds 0, 1, ...")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    start = time.perf_counter()
    train, test, unseen = (load("glyphs-color", split) for split in ("train", "test", "unseen-fonts"))
    print(f"drew {len(train) + len(test) + len(unseen):,} images in {time.perf_counter() - start:.1f} s")
    for name, build, peak in (("linear", linear_model, 1e-3), ("small CNN", small_cnn, 5e-3)):
        scores = []
        start = time.perf_counter()
        for seed in range(arguments.seeds):
            torch.manual_seed(seed)
            model = build().to(arguments.device, memory_format=torch.channels_last)
            rng = torch.Generator().manual_seed(seed)
            fit(
                model,
                Batches(train, rng=rng, device=arguments.device, channels_last=True),
                arguments.epochs,
                peak,
            )
            scores.append([accuracy(model, images, arguments.device) for images in (train, test, unseen)])
        seconds = (time.perf_counter() - start) / arguments.seeds
        columns = zip(("train", "test", "unseen fonts"), zip(*scores, strict=True), strict=True)
        figures = ", ".join(
            f"{split} {statistics.median(column):.2f} % ({min(column):.2f}-{max(column):.2f})" for split, column in columns
        )
        print(f"{name}: {figures}; {arguments.epochs} epochs in {seconds:.0f} s a seed")


if __name__ == "__main__":
    main()
