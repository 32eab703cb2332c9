"""What `make record` runs for chapter 7: the GAN of its exercises for longer, with and without labels, in colour, and broken."""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib import classification, data, gan, metrics, pretrained
from course_lib.exercises import drawing_gan as drawing
from course_lib.exercises import drawing_gan_task
from course_lib.exercises import drawing_players as players
from course_lib.gan import mistakes
from course_lib.gan.figures.drawing import packed
from course_lib.viz import image_grid

MOMENTS = (0, 25, 50, 75, 100, 150, 200, 300, 400, 500, 700, 1000, 1500, 2000)
PAGE, DRAWN = 1000, 2000  # steps of the run on the page; images that are judged
Look = Callable[[int, nn.Module, nn.Module], None]


class BesideZ(players.Generator):
    """The label beside z, under the normalisation: where it does harm."""

    def __init__(self, classes: int, channels: int = 1) -> None:
        super().__init__(channels)
        self.classes = classes
        self.project = nn.Linear(players.LATENT + classes, self.project.out_features, bias=False).apply(players.start_small)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return super().forward(torch.cat([z, F.one_hot(y, self.classes).float()], dim=1))


def played(
    images: data.ImageSet,
    seed: int,
    moments: Sequence[int],
    look: Look,
    G: Callable,
    D: Callable,
    *,
    lr: float = 2e-3,
    decay: float = 0.99,
) -> None:
    """A run of the course's loop; `look` sees the average and the generator at each moment."""
    torch.manual_seed(seed)
    player, opponent = G(), D()
    average = copy.deepcopy(player)
    batches = data.Batches(images, batch_size=64, drop_last=True, rng=torch.Generator().manual_seed(seed), channels_last=True)

    def watched() -> Iterator[tuple[Tensor, Tensor]]:
        for step, batch in enumerate(drawing.forever(batches, steps=moments[-1])):
            if step in moments:
                look(step, average, player)
            yield batch

    drawing.train.reference(player, opponent, watched(), average, lr=lr, decay=decay)
    look(moments[-1], average, player)


def images_of(G: nn.Module, z: Tensor, y: Tensor) -> Tensor:
    """Images in [0, 1], drawn in evaluation mode."""
    mode = G.training
    G.eval()
    with torch.no_grad():
        drawn = [(G(some, labels) + 1) / 2 for some, labels in zip(z.split(500), y.split(500), strict=True)]
    G.train(mode)
    return torch.cat(drawn)


def noise(count: int, seed: int = 5) -> tuple[Tensor, Tensor]:
    return torch.randn(count, players.LATENT, generator=torch.Generator().manual_seed(seed)), torch.arange(count) % 10


def judged(images: Tensor, labels: Tensor, judge: nn.Module, reference: Any, wrong: bool = True) -> dict[str, float]:
    """The share of malformed images (largest probability below 0.9), of another digit, variety and Fréchet distance."""
    answers = metrics.features_of(judge, images).softmax(dim=1)
    features = metrics.feature_statistics(metrics.features_of(judge.features, images))
    found = {"malformed": (answers.amax(dim=1) < 0.9).double().mean().item()}
    if wrong:
        found["wrong"] = (answers.argmax(dim=1) != labels).double().mean().item()
        found["variety"] = metrics.variety(images, labels, 10)
    found["frechet"] = metrics.frechet_distance(*features, *reference)
    return {name: round(value, 4) for name, value in found.items()}


def _glyphs() -> tuple[data.ImageSet, nn.Module, Any, dict[str, float]]:
    train, test = (data.load("glyphs", split, size=32) for split in ("train", "test"))
    judge = pretrained.load_judge("glyphs", device="cpu")
    half = test.pixels(slice(0, DRAWN))
    reference = metrics.feature_statistics(metrics.features_of(judge.features, half))
    rest = test.subset(slice(DRAWN, 2 * DRAWN))
    return train, judge, reference, judged(rest.pixels(), rest.labels, judge, reference)


def drawing_run() -> tuple[dict, dict]:
    """One long run with labels and one without, and at many moments what the average and the last weights draw."""
    train, judge, reference, truth = _glyphs()
    z, y = noise(DRAWN)
    styles, digits = noise(3, seed=1)[0].repeat_interleave(10, dim=0), torch.arange(10).repeat(3)
    found: dict[str, Any] = {"moments": list(MOMENTS), "test": truth, "frames": []}
    ways = {
        "with labels": (
            lambda: drawing.ConditionalGenerator.reference(10),
            lambda: drawing.ConditionalDiscriminator.reference(10),
        ),
        "without labels": (players.Generator, players.Discriminator),
    }
    for way, pair in ways.items():
        shares: dict[str, list] = {"average": [], "last weights": []}

        def look(step: int, average: nn.Module, G: nn.Module, way: str = way, shares: dict = shares) -> None:
            if way == "with labels":
                found["frames"].append(packed(images_of(average, styles, digits)))
            if step >= 100:
                for name, network in (("average", average), ("last weights", G)):
                    images = images_of(network, z, y)
                    shares[name].append({"step": step} | judged(images, y, judge, reference, wrong=way == "with labels"))

        played(train, 0, MOMENTS, look, *pair, decay=0.995)
        found[way] = shares
    return found, {}


def seeds() -> tuple[dict, dict]:
    """What a sentence of the page rests on, over three seeds: labels or none, average or last weights, and other settings."""
    train, judge, reference, truth = _glyphs()
    labelled = drawing.ConditionalGenerator.reference, drawing.ConditionalDiscriminator.reference
    ways = {
        "with labels": (lambda: labelled[0](10), lambda: labelled[1](10), 2e-3),
        "without labels": (players.Generator, players.Discriminator, 2e-3),
        "16 numbers in z, rate 0.004": (lambda: short(labelled[0](10), 16), lambda: labelled[1](10), 4e-3),
    }
    found: dict[str, Any] = {"seeds": [0, 1, 2], "moments": [PAGE, 2 * PAGE], "test": truth, "runs": []}
    for way, (G, D, lr) in ways.items():
        for seed in found["seeds"]:

            def look(step: int, average: nn.Module, player: nn.Module, way: str = way, seed: int = seed) -> None:
                z, y = noise(DRAWN)
                for weights, network in (("average", average), ("last weights", player)):
                    images = images_of(network, z[:, : network.latent_size], y)
                    shares = judged(images, y, judge, reference, wrong=way != "without labels")
                    found["runs"].append({"way": way, "seed": seed, "step": step, "weights": weights} | shares)
                    print(found["runs"][-1], flush=True)

            played(train, seed, found["moments"], look, G, D, lr=lr)
    return found, {}


def short(G: Any, latent: int) -> nn.Module:
    """The generator with fewer numbers in z."""
    G.project, G.latent_size = nn.Linear(latent, G.project.out_features, bias=False).apply(players.start_small), latent
    return G


def label_beside_z() -> tuple[dict, dict]:
    """The run of the page with the label beside z, under the batch normalisation."""
    train, judge, reference, _ = _glyphs()
    z, y = noise(DRAWN)
    few, digits = noise(4, seed=1)[0].repeat_interleave(10, dim=0), torch.arange(10).repeat(4)
    found: dict[str, Any] = {"steps": PAGE}

    def look(_: int, average: nn.Module, G: nn.Module) -> None:
        found["average"] = judged(images_of(average, z, y), y, judge, reference)
        found["styles"] = packed(images_of(average, few, digits))

    played(train, 0, (PAGE,), look, lambda: BesideZ(10), lambda: drawing.ConditionalDiscriminator.reference(10))
    return found, {}


def faces() -> tuple[dict, dict]:
    """How often each typeface is drawn, by a reader of typefaces that has mistakes of its own."""
    train, test = (data.load("glyphs", split, size=32) for split in ("train", "test"))
    names = [face.name for face in data.TYPEFACES if not face.held_out]
    torch.manual_seed(0)
    reader = classification.CNN(1, 32, len(names), stride=2, batch_norm=True).set_statistics(train.images)
    batches = data.Batches(train.images, train.factors["typeface"], drop_last=True, channels_last=True)
    classification.fit_classifier(reader, batches, epochs=3, lr=0.1)
    y = torch.arange(len(test)) % 10
    fakes = gan.sample(
        pretrained.load_generator("glyphs", device="cpu").generator, len(test), torch.Generator().manual_seed(0), y
    )
    seen, truth = metrics.features_of(reader.eval(), test.pixels()).argmax(dim=1), test.factors["typeface"]
    drawn = metrics.features_of(reader, fakes).argmax(dim=1)
    matrix = metrics.confusion_matrix(seen, truth, len(names))
    matrix.fill_diagonal_(0)
    most = [
        (int(n) // len(names), int(n) % len(names), int(matrix.flatten()[n]))
        for n in matrix.flatten().argsort(descending=True)[:6]
    ]
    share = {
        title: (torch.bincount(values, minlength=len(names)) / len(values)).tolist()
        for title, values in (("test images", truth), ("test images, as read", seen), ("generated, as read", drawn))
    }
    return {
        "faces": names,
        "shares": {title: [round(value, 4) for value in values] for title, values in share.items()},
        "reader": (seen == truth).double().mean().item(),
        "taken": [[names[a], names[b], count] for a, b, count in most],
        "images": len(test),
    }, {}


def colour() -> tuple[dict, dict]:
    """The loop of the page with players twice as wide, on the colour digits, judged by a classifier that learned them first."""
    train, test = (data.load("glyphs-color", split, size=32) for split in ("train", "test"))
    torch.manual_seed(0)
    model = classification.CNN(3, 32, 10, widths=(16, 32), batch_norm=True).set_statistics(train.images)
    classification.fit_classifier(model, data.Batches(train, drop_last=True, channels_last=True), epochs=3, lr=0.1)
    z, y = noise(DRAWN)
    moments, widths = (750, 1500, 3000, 4500, 6000), (128, 64, 32)
    found: dict[str, Any] = {"right_on_test": classification.evaluate(model, test).accuracy, "widths": list(widths), "right": {}}
    pictures = {}

    def look(step: int, average: nn.Module, _: nn.Module) -> None:
        answers = metrics.features_of(model.eval(), images_of(average, z, y)).argmax(dim=1)
        found["right"][str(step)] = round((answers == y).double().mean().item(), 4)
        print(f"step {step:,}: the digit is right in {found['right'][str(step)]:.1%} of the images", flush=True)
        if step == moments[-1]:
            styles = noise(4, seed=1)[0].repeat_interleave(10, dim=0)
            drawn = images_of(average, styles, torch.arange(10).repeat(4))
            real = torch.stack([test.pixels(test.labels == k)[0] for k in range(10)])
            rows = ["test images", *["generated"] * 4]
            figure = image_grid(list(torch.cat([real, drawn])), columns=10, inches=0.62, row_labels=rows)
            pictures["digits"] = (
                figure,
                "Above ten colour images of the test set, below four rows of generated ones: the digits "
                "0 to 9 in colours on grounds of other colours, with pieces of neighbours.",
            )

    G, D = drawing.ConditionalGenerator.reference, drawing.ConditionalDiscriminator.reference
    played(train, 0, moments, look, lambda: G(10, 3, widths), lambda: D(10, 3, widths[::-1]), decay=0.998)
    return found, pictures


def broken() -> tuple[dict, dict]:
    """A small GAN on images of 16 x 16, done right and with each mistake: nine images, and what was recorded of each step."""
    small, found = data.load("glyphs", "train", size=16), {}
    for mistake in (None, *mistakes.MISTAKES):
        late = mistake is not None and mistake.startswith("late")
        play = mistakes.play(small, mistake, steps=250 if late else 800)
        record = {name: [round(value, 4) for value in values[:: 1 if late else 5]] for name, values in play.record.items()}
        found[mistake or "done right"] = {"images": packed(play.images[:9]), "record": record}
    return {"plays": found, "every": 5}, {}


def scores() -> tuple[dict, dict]:
    """The open task: the course's own answer, and answers that should lose, which replay training images in several ways."""
    rules = drawing_gan_task.task
    replayed = {
        "replayed training images": lambda x, y: x,
        "replayed, moved by a pixel": lambda x, y: x.roll(1, dims=3),
        "replayed, with noise": lambda x, y: (x + 0.1 * torch.randn(x.shape)).clamp(0, 1),
        "one training image a digit": lambda x, y: torch.stack([x[n] for n in range(len(x))]),
    }
    found = {"the course's own": [dataclasses.asdict(rules.measure(rules.reference, seed=seed)) for seed in range(1)]}
    for title, change in replayed.items():
        one = title.startswith("one")

        def answer(images: Tensor, labels: Tensor, change: Callable = change, one: bool = one) -> nn.Module:
            return Replayed(images.float() / 255, labels, change, one)

        found[title] = [dataclasses.asdict(rules.measure(answer))]
    return {"scores": found}, {}


class Replayed(nn.Module):
    """Draws the training images of a digit in turn, or the first alone, each changed a little."""

    def __init__(self, images: Tensor, labels: Tensor, change: Callable, one: bool) -> None:
        super().__init__()
        self.rows = [images[labels == digit][: 1 if one else None] for digit in range(10)]
        self.change, self.next = change, [0] * 10

    def forward(self, labels: Tensor) -> Tensor:
        drawn = []
        for digit in labels.tolist():
            drawn.append(self.rows[digit][self.next[digit] % len(self.rows[digit])])
            self.next[digit] += 1
        return self.change(torch.stack(drawn), labels)


RECIPES = {
    "gan-mistakes": broken,
    "gan-task": scores,
    "gan-drawing": drawing_run,
    "gan-drawing-seeds": seeds,
    "gan-label-beside-z": label_beside_z,
    "gan-faces": faces,
    "gan-colour": colour,
}
