"""What notebook 05 shows of many runs: spread over seeds, architecture, data, and the best of fifty."""

import math
from collections.abc import Callable

import torch

from course_lib import data
from course_lib.classification import CNN, MLP, Classifier, Evaluation, count_parameters, evaluate, fit_classifier
from course_lib.data import Augment, Batches, ImageSet
from course_lib.exercises.judging import fit_temperature
from course_lib.metrics import calibration, nearest_neighbours
from course_lib.runtime import pick_device

Recording = tuple[dict, dict]
COLOUR = "glyphs-color"
TURNED = {
    "digit": 6,
    "typeface": 21,  # Computer Modern Sans, which no training image has
    "height": 21.0,
    "foreground": (1.0, 0.85, 0.3),
    "background": (0.1, 0.2, 0.4),
}
ANGLES = list(range(0, 360, 10))


def train(
    model: Classifier, images: ImageSet, seed: int, steps: int, lr: float, batch_size: int = 128, bfloat16: bool = False
) -> Classifier:
    """About so many steps on images that are shifted by up to a pixel."""
    rng = torch.Generator().manual_seed(seed)
    batches = Batches(
        images, batch_size=min(batch_size, len(images)), drop_last=True, rng=rng, device=pick_device(), channels_last=True
    )
    augment = Augment(shift=1, rng=torch.Generator().manual_seed(seed))
    epochs = max(1, math.ceil(steps / len(batches)))
    fit_classifier(model.set_statistics(images.images), batches, epochs=epochs, lr=lr, augment=augment, bfloat16=bfloat16)
    return model


def small_cnn(channels: int) -> CNN:
    """The contestant with few weights."""
    return CNN(channels, 32, 10, widths=(8, 16), hidden=40, batch_norm=True)


def judged(evaluation: Evaluation, temperature: float) -> dict:
    """Accuracy, and the calibration error before and after the division by a temperature."""
    errors = [
        calibration(torch.softmax(evaluation.logits.double() / T, dim=1), evaluation.labels).expected_error
        for T in (1.0, temperature)
    ]
    return {"accuracy": evaluation.accuracy, "before": errors[0], "after": errors[1]}


def seeds(count: int = 5) -> Recording:
    """The notebook's classifier from several seeds, and what the first says of a 6 that turns."""
    parts = {split: data.load(COLOUR, split) for split in ("train", "validation", "test", "unseen-fonts")}
    runs, turned = [], {}
    for seed in range(count):
        torch.manual_seed(seed)
        model = train(CNN(3, 32, 10, widths=(16, 32), batch_norm=True), parts["train"], seed, 624, 0.1)
        answers = {split: evaluate(model, parts[split]) for split in ("validation", "test", "unseen-fonts")}
        T = fit_temperature.reference(answers["validation"].logits, answers["validation"].labels)
        best = fit_temperature.reference(answers["unseen-fonts"].logits, answers["unseen-fonts"].labels)
        run = {split: judged(answer, T) for split, answer in answers.items()}
        runs.append({"seed": seed, "temperature": T, "best temperature for strangers": best, **run})
        if seed == 0:
            images = data.render(data.make_factors(COLOUR, angle=ANGLES, **TURNED))[0]
            model.eval()
            with torch.no_grad():
                probabilities = torch.softmax(model(images.float().to(pick_device()) / 255), dim=1)
            rows = [[round(value, 4) for value in row] for row in probabilities.tolist()]
            turned = {"factors": TURNED, "angles": ANGLES, "probabilities": rows}
    return {"runs": runs, "turned": turned}, {}


def neighbours(name: str, queries: int = 2000) -> float:
    """How often the nearest training image, by pixels, has the right class."""
    known, asked = data.load(name, "train"), data.load(name, "validation").subset(slice(0, queries))
    _, nearest = nearest_neighbours(asked.pixels().flatten(1), known.pixels().flatten(1))
    return (known.labels[nearest.flatten()] == asked.labels).double().mean().item()


def contest(count: int = 3, epochs: int = 8) -> Recording:
    """Grey and colour times MLP and CNN; each has the best of three learning rates, by the validation set."""
    results = []
    for name, channels in (("glyphs", 1), (COLOUR, 3)):
        images, validation = data.load(name, "train"), data.load(name, "validation")
        steps = epochs * (len(images) // 128)
        builders: dict[str, tuple[Callable[[], Classifier], tuple[float, ...]]] = {
            "MLP": (lambda channels=channels: MLP(channels, 32, 10, widths=(256, 128)), (0.01, 0.03, 0.1)),
            "CNN": (lambda channels=channels: small_cnn(channels), (0.03, 0.1, 0.3)),
        }
        for kind, (build, rates) in builders.items():
            trials = {}
            for lr in rates:
                torch.manual_seed(100)  # a seed of its own: what is chosen by is not what is reported
                trials[lr] = evaluate(train(build(), images, 100, steps // 8, lr, bfloat16=True), validation).accuracy
            lr = max(trials, key=lambda rate: trials[rate])
            accuracies = []
            for seed in range(count):
                torch.manual_seed(seed)
                accuracies.append(evaluate(train(build(), images, seed, steps, lr, bfloat16=True), validation).accuracy)
            weights = count_parameters(build())
            results.append({"set": name, "model": kind, "weights": weights, "lr": lr, "accuracy": accuracies})
        results.append({"set": name, "model": "nearest", "weights": 0, "lr": 0, "accuracy": [neighbours(name)]})
    return {"epochs": epochs, "results": results}, {}


def amounts(count: int = 3, steps: int = 600) -> Recording:
    """The small CNN on more and more images, and on as many images of more and more typefaces."""
    images = data.load(COLOUR, "train")
    parts = {"validation": data.load(COLOUR, "validation"), "unseen": data.load(COLOUR, "unseen-fonts")}
    assert images.factors is not None
    faces = images.factors["typeface"].unique()
    images_rows, faces_rows = [], []
    for seed in range(count):
        rng = torch.Generator().manual_seed(seed)
        order = torch.randperm(len(images), generator=rng)
        shuffled = faces[torch.randperm(len(faces), generator=rng)]
        for number in (300, 1000, 3000, 10000, 20000):
            images_rows.append(_amount(images.subset(order[:number]), parts, seed, steps, number))
        for number in (1, 2, 4, 8, 19):
            chosen = order[torch.isin(images.factors["typeface"][order], shuffled[:number])][:1000]
            faces_rows.append(_amount(images.subset(chosen), parts, seed, steps, number))
    return {"images": images_rows, "typefaces": faces_rows}, {}


def _amount(images: ImageSet, parts: dict[str, ImageSet], seed: int, steps: int, number: int) -> dict:
    torch.manual_seed(seed)
    model = train(small_cnn(3), images, seed, steps, 0.1, batch_size=64)
    return {"number": number, "seed": seed, **{name: evaluate(model, part).accuracy for name, part in parts.items()}}


def chosen(count: int = 50, tested: int = 300) -> Recording:
    """Many seeds of one recipe, scored on a small test set, and on images that nobody chose by."""
    images = data.load("glyphs", "train").subset(slice(0, 1000))
    small, fresh = data.load("glyphs", "test").subset(slice(0, tested)), data.load("glyphs", "validation")
    scores = []
    for seed in range(count):
        torch.manual_seed(seed)
        model = train(CNN(1, 32, 10, widths=(8, 16), hidden=32, stride=2, batch_norm=True), images, seed, 60, 0.1, 64)
        scores.append([evaluate(model, small).accuracy, evaluate(model, fresh).accuracy])
    return {"tested": tested, "scores": scores}, {}
