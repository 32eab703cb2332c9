"""What `make record` runs for chapter 9: learned priors, colours, and the scores of its open task."""

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor, nn

from course_lib import data, metrics, pretrained, runtime, vae
from course_lib.exercises import drawing_vae, drawing_vae_task
from course_lib.vae import mistakes
from course_lib.vae.figures import mistaken
from course_lib.viz import image_grid

DRAWN = 2000  # images that are judged, against as many of the test set
COMPONENTS = (1, 3, 10, 30, 100)
PASSES = 30  # of EM


@torch.no_grad()
def codes_of(model: vae.VAE, images: data.ImageSet, seed: int = 0) -> Tensor:
    """A draw from q(z|x) for each image, float64 [N, Z]."""
    rng, parts = torch.Generator().manual_seed(seed), []
    for x, _ in data.Batches(images, batch_size=500, shuffle=False, channels_last=True):
        mean, log_variance = model.encode(x)
        parts.append(model.reparameterise(mean, log_variance, model.noise(len(x), rng)))
    return torch.cat(parts).double()


@torch.no_grad()
def judged(model: vae.VAE, z: Tensor, judge: nn.Module, reference: tuple[Tensor, Tensor]) -> dict[str, float]:
    """The share of malformed images (the judge's largest probability below 0.9), and the Fréchet distance."""
    images = torch.cat([model.image(part) for part in z.float().split(500)])
    sure = metrics.features_of(judge, images).softmax(dim=1).amax(dim=1)
    features = metrics.feature_statistics(metrics.features_of(judge.features, images))
    distance = metrics.frechet_distance(*features, *reference)
    return {"malformed": round((sure < 0.9).double().mean().item(), 4), "frechet": round(float(distance), 4)}


def priors() -> tuple[dict, dict]:
    """Mixtures fitted by EM to the codes of the VAE that comes with the course, three seeds; the prior and the codes beside
    them. `gain`: E log q^(z) - log p(z) over codes of test images, in nats.
    """
    model, judge = pretrained.load_vae("glyphs", device="cpu"), pretrained.load_judge("glyphs", device="cpu")
    train, test = (data.load("glyphs", split, size=32) for split in ("train", "test"))
    real = test.pixels(slice(0, DRAWN))
    reference = metrics.feature_statistics(metrics.features_of(judge.features, real))
    z, new = codes_of(model, train), codes_of(model, test)
    log_p = torch.distributions.Normal(0, 1).log_prob(new).sum(dim=1)
    found: dict[str, dict] = {str(count): {"frechet": [], "malformed": [], "gain": []} for count in COMPONENTS}
    for seed in range(3):
        for count in COMPONENTS:
            rng = torch.Generator().manual_seed(seed)
            shares, means = torch.full((count,), 1 / count).double(), z[torch.randperm(len(z), generator=rng)[:count]]
            mixture = shares, means, torch.cov(z.T).expand(count, -1, -1)
            for _ in range(PASSES):
                mixture = drawing_vae.m_step.reference(z, drawing_vae.e_step.reference(z, *mixture)[0])
            drawn = drawn_from(mixture, DRAWN, rng)
            scores = judged(model, drawn, judge, reference)
            gain = drawing_vae.e_step.reference(new, *mixture)[1] - log_p
            for name, value in (scores | {"gain": round(gain.mean().item(), 3)}).items():
                found[str(count)][name].append(value)
    others = {"the prior": model.noise(DRAWN, torch.Generator().manual_seed(0)), "codes of training images": z[:DRAWN]}
    levels = {name: judged(model, latents, judge, reference) for name, latents in others.items()}
    sure = metrics.features_of(judge, test.pixels(slice(DRAWN, 2 * DRAWN)))
    features = metrics.feature_statistics(metrics.features_of(judge.features, test.pixels(slice(DRAWN, 2 * DRAWN))))
    levels["test images"] = {
        "malformed": (sure.softmax(dim=1).amax(dim=1) < 0.9).double().mean().item(),
        "frechet": float(metrics.frechet_distance(*features, *reference)),
    }
    return {"mixtures": found, "levels": levels, "passes": PASSES, "images": DRAWN}, {}


def drawn_from(mixture: tuple[Tensor, Tensor, Tensor], count: int, rng: torch.Generator) -> Tensor:
    """count draws from a mixture of (shares, means, covariances), [count, Z]."""
    shares, means, covariances = mixture
    chosen = torch.multinomial(shares, count, replacement=True, generator=rng)
    eps = torch.randn(count, means.shape[1], 1, generator=rng, dtype=means.dtype)
    return means[chosen] + (torch.linalg.cholesky(covariances)[chosen] @ eps).squeeze(2)


def colour() -> tuple[dict, dict]:
    """The VAE of the chapter with three channels and Gaussian pixels on the colour digits, one seed."""
    train, test = (data.load("glyphs-color", split, size=32) for split in ("train", "test"))
    torch.manual_seed(0)
    model = vae.VAE(3, 32, 32, widths=(24, 48), hidden=192, likelihood="optimal-gaussian")
    batches = data.Batches(train, batch_size=128, drop_last=True, rng=torch.Generator().manual_seed(0), channels_last=True)
    vae.fit_vae(model, batches, epochs=8, lr=3e-3)
    result = vae.evaluate_vae(model, test)
    z, half = codes_of(model, test).float(), len(test) // 2
    known = {}
    assert test.factors is not None
    for name in ("digit", "typeface", "angle", "height", "shear", "x", "y", "foreground", "background"):
        values = test.factors[name]
        numbers = {name: values} if values.dim() == 1 else {f"{name} {part}": values[:, n] for n, part in enumerate("rgb")}
        for title, column in numbers.items():
            kind = metrics.probe_number if column.is_floating_point() else metrics.probe_class
            known[title] = round(kind(z[:half], column[:half].contiguous()).score(z[half:], column[half:].contiguous()), 3)
    reals = test.pixels(slice(0, 10))
    rows = torch.cat([reals, vae.reconstruct(model, reals), vae.sample(model, 20, torch.Generator().manual_seed(0))])
    names = ["test images", "reconstructed", "from the prior", "from the prior"]
    figure = image_grid(rows.clamp(0, 1), columns=10, inches=0.59, row_labels=names)
    alt = (
        "Ten colour images of the test set; below them their reconstructions: the colours of ground and digit are right, the "
        "digit is a blur; below these twenty images from random z, coloured grounds with a blurred ring."
    )
    on = int((result.latent_kl > 0.05).sum())
    return {"known": known, "latents_on": on, "kl": round(result.kl, 1)}, {"digits": (figure, alt)}


def upright(split: str, count: int) -> data.ImageSet:
    """Digits in the middle that are not turned: what is left are digit, typeface, height and slant."""
    factors = data.sample_factors("glyphs", split, range(count))
    for name, value in (("angle", 0.0), ("x", 16.0), ("y", 16.0)):
        factors[name] = torch.full_like(factors[name], value)
    return data.ImageSet(data.render(factors)[0], factors["digit"], tuple("0123456789"))


def two_latents() -> tuple[dict, dict]:
    """The map of the chapter: a VAE with two latents, which is kept with the package as `load_vae("glyphs-map")`."""
    train, test = upright("train", 20_000), upright("test", 4_000)
    torch.manual_seed(0)
    model = vae.VAE(1, 32, 2, widths=(16, 32, 32), hidden=256)
    batches = data.Batches(train, batch_size=128, drop_last=True, rng=torch.Generator().manual_seed(0), channels_last=True)
    training = {"epochs": 25, "lr": 4e-3}
    vae.fit_vae(model, batches, **training)
    weights = {name: value.half() if value.is_floating_point() else value for name, value in model.state_dict().items()}
    model.load_state_dict(weights)
    found = vae.evaluate_vae(model, test)
    measured = {"test_elbo": found.elbo, "test_reconstruction": found.reconstruction, "test_kl": found.kl, "binarise": "none"}
    config = {"model": model.config, "training": training, "classes": test.classes}
    runtime.save_checkpoint(pretrained.kept.WEIGHTS / "vaes" / "glyphs-map.pt", weights, config=config, metrics=measured)
    return {name: round(value, 3) for name, value in measured.items() if name != "binarise"}, {}


def broken() -> tuple[dict, dict]:
    """Small VAEs, done right and with four mistakes: what each claims of its terms, and minus its ELBO by right code."""
    small, test = data.load("glyphs", "train", size=16), data.load("glyphs", "test", size=16)
    panels, claims = {}, {}
    for mistake in (None, "noise for z", "no KL", "variance for sigma", "log-variance for sigma"):
        run, title = mistakes.learn(small, mistake, steps=800), (mistake or "done right").replace(" for sigma", "\nfor sigma")
        believed = {name: sum(values[-50:]) / 50 for name, values in run.record.items()}
        panels[title] = run.reconstructions, run.samples
        claims[title] = -believed["reconstruction"], believed["kl"], -vae.evaluate_vae(run.model, test).elbo
    numbers = {title.replace("\n", " "): [round(value, 2) for value in values] for title, values in claims.items()}
    return {"claims": numbers}, {"runs": mistaken(panels, claims)}


def scores() -> tuple[dict, dict]:
    """The open task: the course's own answer, and the obvious baselines."""
    entries: dict[str, tuple[Callable, int]] = {
        "the course's own": (drawing_vae_task.task.reference, 2),
        "its prior left as N(0, I)": (drawing_vae_task.plain, 2),
        "one dense layer each way": (drawing_vae_task.linear, 2),
        "no latents: each pixel's share": (drawing_vae_task.independent, 1),
    }
    found = {}
    for title, (answer, seeds) in entries.items():
        found[title] = [dataclasses.asdict(drawing_vae_task.task.measure(answer, seed=seed)) for seed in range(seeds)]
    return {"scores": found}, {}


RECIPES = {"vae-map": two_latents, "vae-prior": priors, "vae-colour": colour, "vae-mistakes": broken, "vae-task": scores}
