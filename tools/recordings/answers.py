"""What notebook 99 shows of several seeds: few labels, and how well an attack finds training images."""

import torch
import torch.nn.functional as F

from course_lib import data, metrics, pretrained
from course_lib.classification import CNN, Classifier, evaluate, fit_classifier
from course_lib.data import Augment, Batches, ImageSet
from course_lib.runtime import pick_device

Recording = tuple[dict, dict]
LABELLED = [20, 50, 100, 200, 500, 1000]
KNOWN = [200, 500, 1000, 2000, 5000]
PASSES = [5, 10, 20, 40]


def drawn(train: ImageSet, count: int, seed: int) -> ImageSet:
    """So many training images, others for each seed."""
    return train.subset(torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:count])


def trained(known: ImageSet, seed: int, epochs: int, augment: Augment | None = None) -> Classifier:
    """The CNN of chapter 4 after so many passes over the images."""
    torch.manual_seed(seed)
    model = CNN(*known.images.shape[1:3], len(known.classes), stride=2, batch_norm=True).set_statistics(known.images)
    rng = torch.Generator().manual_seed(seed)
    batches = Batches(known, batch_size=min(50, len(known)), drop_last=True, rng=rng, device=pick_device(), channels_last=True)
    fit_classifier(model, batches, epochs=epochs, lr=0.1, augment=augment)
    return model


@torch.no_grad()
def codes(images: ImageSet) -> torch.Tensor:
    """The means of the shipped VAE's q(z|x), [N, Z]."""
    device = pick_device()
    coder = pretrained.load_vae("glyphs", device=device)
    pages = Batches(images, batch_size=500, shuffle=False, device=device)
    return torch.cat([coder.encode(x)[0].cpu() for x, _ in pages])


def few_labels(seeds: int = 3, steps: int = 300) -> dict:
    """Test accuracy after few labels: linear on codes, linear on pixels, and a CNN, without and with shifted copies."""
    train, test = (data.load("glyphs", split) for split in ("train", "test"))
    inputs = {
        "linear, on the codes of the VAE": (codes(train), codes(test)),
        "linear, on the pixels": (train.pixels().flatten(1), test.pixels().flatten(1)),
    }
    scores: dict[str, list] = {name: [] for name in [*inputs, "CNN", "CNN, images shifted"]}
    for seed in range(seeds):
        rows = {name: [] for name in scores}  # type: dict[str, list[float]]
        for count in LABELLED:
            places = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[:count]
            for name, (known, asked) in inputs.items():
                probe = metrics.probe_class(known[places], train.labels[places], ridge=1e-2)
                rows[name].append(probe.score(asked, test.labels))
            epochs = max(1, steps // max(1, count // 50))
            shifts = Augment(shift=2, rng=torch.Generator().manual_seed(seed))
            for name, augment in (("CNN", None), ("CNN, images shifted", shifts)):
                model = trained(drawn(train, count, seed), seed, epochs, augment)
                rows[name].append(evaluate(model, test).accuracy)
        for name, values in rows.items():
            scores[name].append([round(value, 4) for value in values])
    return {"labels": LABELLED, "scores": scores}


def success(known: torch.Tensor, unseen: torch.Tensor) -> float:
    """Share of pairs in which the known image has the smaller loss; equal ones count half."""
    unseen = unseen.sort().values
    below, not_above = (torch.searchsorted(unseen, known, right=side) for side in (False, True))
    return 1 - ((below + not_above) / 2 / len(unseen)).mean().item()


def attack(seeds: int = 3) -> dict:
    """How often the attack on the loss finds the training image of a pair: by images at equal passes, and by passes."""
    train, unseen = data.load("glyphs", "train"), data.load("glyphs", "test").subset(slice(0, 2000))
    settings = [*[(count, PASSES[-1]) for count in KNOWN], *[(1000, passes) for passes in PASSES[:-1]]]
    found = []
    for count, passes in settings:
        runs = []
        for seed in range(seeds):
            known = drawn(train, count, seed)
            model = trained(known, seed, passes)
            answers = [evaluate(model, images) for images in (known, unseen)]
            losses = [F.cross_entropy(answer.logits, answer.labels, reduction="none") for answer in answers]
            runs.append({"attack": round(success(*losses), 4), "accuracy": answers[1].accuracy})
        found.append({"images": count, "passes": passes, "runs": runs})
    return {"attacks": found}


def answers() -> Recording:
    """Both, as numbers."""
    return {"few labels": few_labels(), **attack()}, {}
