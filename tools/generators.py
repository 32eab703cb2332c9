"""Trains the generators that the package brings: `make generators`. MNIST must be in the data root."""

import copy
import sys

import torch

from benchmarks.gan import judged, variety
from course_lib import data
from course_lib.classification import load_judge
from course_lib.gan import Discriminator, Generator, feature_statistics, fit_gan, frechet_distance, sample
from course_lib.runtime import save_checkpoint
from tools.files import ROOT

STEPS = {"glyphs": 14_000, "mnist": 9_000}
TRAINING = {"generator_lr": 2e-3, "discriminator_lr": 2e-3, "average_decay": 0.999}
WIDTHS = (128, 64, 32)


def train(name: str, steps: int) -> tuple[Generator, list[str], dict]:
    """A conditional generator of a set, the names of the classes, and what was measured of it against the test set."""
    images, test = data.load(name, "train+validation", size=32), data.load(name, "test", size=32)
    classes = len(images.classes)
    torch.manual_seed(0)
    generator = Generator(64, 32, 1, widths=WIDTHS, classes=classes)
    discriminator = Discriminator(32, 1, widths=WIDTHS[::-1], classes=classes)
    average = copy.deepcopy(generator)
    order = torch.Generator().manual_seed(0)
    batches = data.Batches(images, batch_size=64, drop_last=True, generator=order, device="cpu", channels_last=True)
    noise = torch.Generator().manual_seed(0)
    run = fit_gan(generator, discriminator, batches, steps=steps, average=average, noise=noise, **TRAINING)
    if run.stopped:
        raise KeyboardInterrupt(f"stopped after {run.step} steps; nothing was saved")
    judge = load_judge(name, device="cpu")
    labels = torch.arange(10_000) % classes
    fake = sample(average, len(labels), torch.Generator().manual_seed(1), labels)
    truth = feature_statistics(judged(judge, test.images.float() / 255)[0])
    features, said = judged(judge, fake)
    metrics = {"frechet_distance": frechet_distance(*feature_statistics(features), *truth)}
    metrics |= {"right": (said == labels).double().mean().item(), "steps": steps, "seconds": run.seconds}
    real = variety(test.images.float() / 255, test.labels, classes)
    metrics["variety"] = variety(fake, labels, classes) / real
    return average, images.classes, metrics


def main() -> None:
    """Trains them on one CPU thread, so that the numbers can be had again, and prints what they reached."""
    torch.set_num_threads(1)
    for name in sys.argv[1:] or STEPS:
        path = ROOT / "course_lib" / "gan" / "generators" / f"{name}.safetensors"
        path.parent.mkdir(exist_ok=True)
        generator, classes, metrics = train(name, STEPS[name])
        config = {"model": generator.config, "classes": classes, "data": name, "training": TRAINING}
        save_checkpoint(path, generator, config=config, metrics=metrics)
        measured = ", ".join(f"{what} {value:.4g}" for what, value in metrics.items())
        print(f"{name}: {measured}; {path.stat().st_size / 2**20:.2f} MiB", flush=True)


if __name__ == "__main__":
    main()
