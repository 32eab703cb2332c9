"""Real images, drawn: a GAN and a VAE on MNIST, from three seeds, and on CIFAR-10 (JPEG), from one.

They learn from training and validation set; no setting was chosen by the test set, which is looked
at once, at the end. Fréchet distances are those of 10,000 images to the test images, in the
features of a classifier; the same is measured of training images, of blurred test images, and of
noise. The pictures show the first seed. On a GPU each recipe takes some minutes, on one core of a
CPU up to several hours.
"""

import copy
import time
from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from matplotlib.figure import Figure

from course_lib import data, gan, metrics, pretrained, vae
from course_lib.classification import ResNet, count_parameters, evaluate, fit_classifier
from course_lib.data import Augment, Batches, ImageSet
from course_lib.runtime import pick_device
from course_lib.training import Run
from course_lib.viz import image_grid
from tools.recordings.real_images import cifar10_parts

SAMPLES = 10_000
Features = Callable[[torch.Tensor], torch.Tensor]
Pictures = dict[str, tuple[Figure, str]]


def gan_mnist() -> tuple[dict, dict]:
    """A conditional GAN with R1 on MNIST, three seeds."""
    train, test = data.load("mnist", "train+validation"), data.load("mnist", "test")
    judge = pretrained.load_judge("mnist", device=pick_device())
    networks = {"widths": (128, 64, 32), "lr": 1e-3, "r1": 0.5, "steps": 6_000}
    return _gan("MNIST", train, test, judge, judge.features, **networks, seeds=(0, 1, 2))


def gan_cifar10() -> tuple[dict, dict]:
    """A conditional GAN with R1 on CIFAR-10 (JPEG), one seed."""
    train, test, judge = _cifar10()
    networks = {"widths": (128, 64, 32), "lr": 5e-4, "r1": 0.1, "steps": 15_000}
    return _gan("CIFAR-10 (JPEG)", train, test, judge, judge.features, **networks, seeds=(0,))


def vae_mnist() -> tuple[dict, dict]:
    """A convolutional VAE on dynamically binarised MNIST, three seeds."""
    train, test = data.load("mnist", "train+validation"), data.load("mnist", "test")
    judge = pretrained.load_judge("mnist", device=pick_device())
    model = {"latent_size": 32, "widths": (32, 64), "hidden": 256}
    training = {"epochs": 12, "lr": 3e-3, "binarise": "dynamic"}
    return _vae("MNIST", train, test, judge, judge.features, model, training, seeds=(0, 1, 2))


def vae_cifar10() -> tuple[dict, dict]:
    """A convolutional VAE on CIFAR-10 (JPEG) with Gaussian pixels of the best variance, one seed."""
    train, test, judge = _cifar10()
    model = {"latent_size": 128, "widths": (64, 128, 256), "hidden": 512, "likelihood": "optimal-gaussian"}
    return _vae("CIFAR-10 (JPEG)", train, test, judge, judge.features, model, {"epochs": 40, "lr": 1e-3}, seeds=(0,))


RECIPES = {"gan-mnist": gan_mnist, "gan-cifar10": gan_cifar10, "vae-mnist": vae_mnist, "vae-cifar10": vae_cifar10}


def _cifar10() -> tuple[ImageSet, ImageSet, ResNet]:
    """Training and test set, and a classifier that has learned from the training set."""
    parts = cifar10_parts()
    torch.manual_seed(0)
    judge = ResNet(3, 32, 10, widths=(32, 64, 128)).set_statistics(parts["train"].images)
    fit_classifier(judge, _batches(parts["train"], 0, 128), epochs=10, lr=0.2, augment=Augment(shift=3, flip=True, rng=_rng(0)))
    print(f"the classifier reads {evaluate(judge, parts['test']).accuracy:.1%} of the test images")
    train = ImageSet(
        torch.cat([parts["train"].images, parts["validation"].images]),
        torch.cat([parts["train"].labels, parts["validation"].labels]),
        parts["train"].classes,
    )
    return train, parts["test"], judge


def _gan(
    title: str,
    train: ImageSet,
    test: ImageSet,
    judge: Features,
    features: Features,
    *,
    widths: tuple[int, ...],
    lr: float,
    r1: float,
    steps: int,
    seeds: tuple[int, ...],
) -> tuple[dict, dict]:
    channels, size, classes = train.images.shape[1], train.images.shape[2], len(train.classes)
    batch_size = 64
    labels = torch.arange(SAMPLES) % classes
    found: dict[str, list] = {name: [] for name in ("frechet_distance", "right", "variety", "seconds", "core_seconds")}
    pictures: Pictures = {}
    for seed in seeds:
        torch.manual_seed(seed)
        G = gan.Generator(channels, size, 64, widths=widths, classes=classes)
        D = gan.Discriminator(channels, size, widths=widths[::-1], classes=classes, batch_norm=False)
        average, z, frames = copy.deepcopy(G), G.noise(classes, _rng(seed + 1)), {}
        drawn = average, z.cpu(), torch.arange(classes)

        def watch(run: Run, frames: dict = frames, drawn: tuple = drawn) -> None:
            frames[run.step] = gan.draw(*drawn)

        begin = time.process_time()
        run = gan.fit_gan(
            G,
            D,
            _batches(train, seed, batch_size),
            steps=steps,
            generator_lr=lr,
            discriminator_lr=lr,
            average=average,
            average_decay=0.999,
            penalty=lambda D, real, _: r1 * gan.r1_penalty(D, real),
            rng=_rng(seed),
            watch=watch,
            watch_every=steps // 40,
        )
        fake = gan.sample(average, SAMPLES, _rng(seed + 2), labels)
        found["seconds"].append(round(run.seconds))
        found["core_seconds"].append(round(time.process_time() - begin))
        found["frechet_distance"].append(_distance(features, fake, test))
        found["right"].append(_right(judge, fake, labels))
        real_variety = metrics.variety(test.pixels(), test.labels, classes)
        found["variety"].append(round(metrics.variety(fake, labels, classes) / real_variety, 3))
        if seed == seeds[0]:
            pictures = {
                "digits": _rows(title, fake[: 6 * classes], train.classes),
                "learning": _learning(title, frames, train.classes),
            }
    numbers = {
        "set": title,
        "seeds": list(seeds),
        "weights": {"G": count_parameters(G), "D": count_parameters(D)},
        "training": {"steps": steps, "batch_size": batch_size, "lr": lr, "r1": r1, "widths": list(widths)},
        **found,
        "baselines": _baselines(features, train, test),
        "test_right": _right(judge, test.pixels(), test.labels),
    }
    return numbers, pictures


def _vae(
    title: str,
    train: ImageSet,
    test: ImageSet,
    judge: Features,
    features: Features,
    model: dict,
    training: dict,
    *,
    seeds: tuple[int, ...],
) -> tuple[dict, dict]:
    channels, size = train.images.shape[1:3]
    binarise = training.get("binarise", "none")
    bounds = ("elbo", "reconstruction", "kl", "bound")
    others = ("latents_on", "frechet_distance", "squared_error", "seconds", "core_seconds")
    found: dict[str, list] = {name: [] for name in (*bounds, *others)}
    pictures: Pictures = {}
    for seed in seeds:
        torch.manual_seed(seed)
        network = vae.VAE(channels, size, **model)
        begin = time.process_time()
        run = vae.fit_vae(network, _batches(train, seed, 128), rng=_rng(seed), **training)
        found["seconds"].append(round(run.seconds))
        found["core_seconds"].append(round(time.process_time() - begin))
        result = vae.evaluate_vae(network, test, samples=100, binarise=binarise)
        back, drawn = vae.reconstruct(network, test.pixels()), vae.sample(network, SAMPLES, _rng(seed + 2))
        for name in bounds:
            found[name].append(round(getattr(result, name), 2))
        found["latents_on"].append(int((result.latent_kl > 0.05).sum()))
        found["frechet_distance"].append(_distance(features, drawn, test))
        found["squared_error"].append(round((back - test.pixels()).square().flatten(1).sum(dim=1).mean().item(), 3))
        if seed == seeds[0]:
            images = torch.cat([test.pixels(slice(0, 6)), back[:6], drawn[:12]])
            rows = ["test images", "reconstructed", "drawn", "drawn"]
            words = f"{title}: six test images, below them their reconstructions, and two rows drawn from the prior."
            pictures = {"images": (image_grid(list(images), columns=6, inches=0.8, row_labels=rows), words)}
    mean = train.pixels().mean(dim=0)
    numbers = {
        "set": title,
        "seeds": list(seeds),
        "weights": count_parameters(network),
        "model": {key: list(value) if isinstance(value, tuple) else value for key, value in model.items()},
        "training": training,
        "samples": 100,
        **found,
        "baselines": _baselines(features, train, test)
        | {
            "test_right": _right(judge, test.pixels(), test.labels),
            "squared_error_of_the_mean_image": round((test.pixels() - mean).square().flatten(1).sum(dim=1).mean().item(), 3),
        },
    }
    return numbers, pictures


def _rows(title: str, images: torch.Tensor, classes: list[str]) -> tuple[Figure, str]:
    figure = image_grid(list(images), columns=len(classes), inches=0.74, column_labels=classes)
    return figure, f"{title}: images drawn by a conditional generator, one column for each class: {', '.join(classes)}."


def _learning(title: str, frames: Mapping[int, torch.Tensor], classes: list[str]) -> tuple[Figure, str]:
    steps = sorted(frames)
    shown = [steps[place] for place in (0, 1, 3, 9, len(steps) - 1)]
    images, labels = torch.cat([frames[step] for step in shown]), [f"{step:,}" for step in shown]
    figure = image_grid(list(images), columns=len(classes), inches=0.66, column_labels=classes, row_labels=labels)
    return figure, f"{title}: the same latent vectors after {', '.join(labels)} steps, one row each, one column for each class."


def _baselines(features: Features, train: ImageSet, test: ImageSet) -> dict[str, float]:
    """Fréchet distances to the test images of what a reader can judge by eye."""
    reals = test.pixels()
    blurred = F.avg_pool2d(reals, 5, stride=1, padding=2, count_include_pad=False)
    return {
        "training images": _distance(features, train.sample(SAMPLES, _rng(0)).pixels(), test),
        "test images, blurred": _distance(features, blurred, test),
        "noise": _distance(features, torch.rand(reals.shape, generator=_rng(0)), test),
    }


def _distance(features: Features, images: torch.Tensor, test: ImageSet) -> float:
    parts = [metrics.feature_statistics(_seen(features, part)) for part in (images, test.pixels())]
    return round(metrics.frechet_distance(*parts[0], *parts[1]), 4)


def _right(judge: Features, images: torch.Tensor, labels: torch.Tensor) -> float:
    """The share of the images in which the classifier sees the class that they are of."""
    return round((_seen(judge, images).argmax(dim=1) == labels).double().mean().item(), 4)


@torch.no_grad()
def _seen(network: Features, images: torch.Tensor) -> torch.Tensor:
    device = pick_device()
    return metrics.features_of(lambda part: network(part.to(device)), images)


def _batches(images: ImageSet, seed: int, batch_size: int) -> Batches:
    return Batches(images, batch_size=batch_size, drop_last=True, rng=_rng(seed), device=pick_device(), channels_last=True)


def _rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
