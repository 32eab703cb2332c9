"""The open task of chapter 9: write `learn(images)`, which returns a VAE. It has no right answer, but a score: how many of the
nats that pixels cost one by one its bound with 100 samples saves on fresh images.
"""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.data import Batches
from course_lib.exercises.drawing_vae import e_step, m_step
from course_lib.exercises.open_task import FRESH, NoScore, attempt, digits, learned, measured, tell
from course_lib.recorded import recorded
from course_lib.vae import VAE, fit_vae, gaussian_kl_sampled, importance_weighted_bound

Mixture = tuple[Tensor, Tensor, Tensor]


def learn(images: Tensor) -> nn.Module:
    """The course's own answer: the VAE of the chapter on thresholded images, and a mixture as its prior.

    images: uint8 [N, 1, 32, 32].
    """
    model = plain(images)
    with torch.no_grad():
        parts = [model.encode((x >= 128).float()) for x in images.split(500)]
    mean, log_variance = (torch.cat(part) for part in zip(*parts, strict=True))
    z = model.reparameterise(mean, log_variance).double()
    count = min(10, len(z) // 20)
    mixture: Mixture = torch.full((count,), 1 / count).double(), z[:count], torch.cov(z.T).expand(count, -1, -1)
    for _ in range(10):
        mixture = m_step.reference(z, e_step.reference(z, *mixture)[0])
    model.prior = mixture  # type: ignore[assignment]
    return model


def plain(images: Tensor) -> VAE:
    """The VAE of the chapter on thresholded images, with the prior N(0, I)."""
    return _fitted(VAE(1, 32, 16, widths=(16, 32)), images, epochs=10)


def linear(images: Tensor) -> VAE:
    """One dense layer each way."""
    encoder, decoder = nn.Flatten(), nn.Sequential(nn.Linear(16, 1024), nn.Unflatten(1, (1, 32, 32)))
    return _fitted(VAE(1, 32, 16, hidden=1024, encoder=_Alone(encoder), decoder=_Alone(decoder)), images, epochs=20)


class _Alone(nn.Module):
    """A network that gets labels and does not look at them."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, labels: Tensor | None = None) -> Tensor:
        return self.network(x)


def independent(images: Tensor) -> nn.Module:
    """No latents that say anything: each pixel is white as often as in the images that were learned."""
    return Independent(_shares(images))


class Independent(nn.Module):
    """q is the prior whatever the image, and the decoder gives every z the same logits."""

    def __init__(self, shares: Tensor) -> None:
        super().__init__()
        self.logits = nn.Parameter(shares.logit())

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return torch.zeros(len(x), 1), torch.zeros(len(x), 1)

    def decode(self, z: Tensor) -> Tensor:
        return self.logits.expand(len(z), -1, -1, -1)


def _shares(images: Tensor) -> Tensor:
    """How often each pixel is white, never quite 0 or 1: [1, 32, 32]."""
    return ((images >= 128).sum(dim=0) + 0.5) / (len(images) + 1)


def _fitted(model: VAE, images: Tensor, epochs: int) -> VAE:
    order = torch.Generator().manual_seed(torch.initial_seed())
    labels = torch.zeros(len(images)).long()
    batches = Batches(images, labels, batch_size=min(128, len(images)), drop_last=True, rng=order, channels_last=True)
    fit_vae(model, batches, epochs=epochs, lr=4e-3, binarise="threshold")
    return model


@dataclass(frozen=True)
class Score:
    """What was measured of a `learn`.

    Attributes:
        saved: 1 - nats / alone.
        nats: minus the bound with K samples on log p(x), mean over the fresh images.
        alone: the nats of an image whose pixels are coded one by one, each with its share of white.
        weights: how many numbers the model holds.
        seconds: core-seconds that the learning took.
    """

    saved: float
    nats: float
    alone: float
    weights: int
    seconds: float


@dataclass(frozen=True, eq=False)
class BoundTask:
    """The rules of the task, and how a `learn` is scored.

    Attributes:
        reference: the course's own answer.
        images: how many images it learns from, uint8 [images, 1, 32, 32].
        judged: how many fresh images its model is judged on: thresholded, so that the bound is one on a probability.
        samples: K.
        weights: the most that the model may have.
        seconds: the most core-seconds for the learning, and as many for the judging.
    """

    reference: Callable = learn
    images: int = 10_000
    judged: int = 500
    samples: int = 100
    weights: int = 1_000_000
    seconds: float = 60.0

    def score(self, learn: Any, name: str = "glyphs", seed: int = 0) -> None:
        """Print the score of a `learn`, or what is wrong with it, and below it the recorded scores.

        Args:
            learn: images uint8 [N, 1, 32, 32] -> nn.Module with `encode`, x float32 [n, 1, 32, 32] of 0 and 1 -> mean and
                log-variance [n, Z]; `decode`, z [n, Z] -> logits [n, 1, 32, 32]; and, if the prior is not N(0, I), `prior`,
                a mixture: shares [K], means [K, Z], covariances [K, Z, Z]. It is copied by saving: its classes stand outside.
            name: "glyphs", or "private:WORD": then the word chooses the images to learn from, and the fresh ones.
            seed: of PyTorch's random numbers.
        """
        tell(learn, self.measure(learn, name, seed), self._words, _recorded_lines())

    def _words(self, found: Score) -> str:
        return (
            f"scores {100 * found.saved:.1f} % after {found.seconds:.0f} of {self.seconds:g} core-seconds:\n"
            f"   {found.nats:.1f} nats an image, where pixels one by one cost {found.alone:.1f}"
        )

    def measure(self, learn: Any, name: str = "glyphs", seed: int = 0) -> Score | str:
        """The score of a `learn`, or what is wrong with it, as the rest of a sentence that begins with its name. It "is waiting
        for you" while it returns None.
        """
        return measured(lambda: self._measured(learn, name), seed)

    def _measured(self, learn: Any, name: str) -> Score:
        images = digits(name, 0, self.images)[0]
        model, weights, seconds = learned(learn, (images.clone(),), self.seconds, self.weights)
        x = (digits(name, FRESH, self.judged)[0] >= 128).float()
        with attempt(self.seconds, "its model"), torch.no_grad():
            nats = -self._bound(model, x).item()
        if not abs(nats) < float("inf"):
            raise NoScore("has no score yet: its bound is not a finite number")
        alone = F.binary_cross_entropy(_shares(images).expand_as(x), x, reduction="sum").item() / len(x)
        return Score(1 - nats / alone, nats, alone, weights, seconds)

    def _bound(self, model: Any, x: Tensor) -> Tensor:
        """The K-sample bound, mean over the images.

        What a decoder has seen of the images it cannot tell: it is a copy of the model from before, apart from it. Nor can it
        tell what it has gathered from many z of an image: another copy has to find each image's best z as good.
        """
        decoder, witness, bounds = apart(model), apart(model), []
        prior = getattr(model, "prior", None)
        mixture = None if prior is None else tuple(part.double() for part in prior)
        for some in x.split(100):
            mean, log_variance = model.encode(some)
            eps = torch.randn(self.samples, *mean.shape)
            z = mean + (log_variance / 2).exp() * eps
            log_likelihood = torch.stack([_log_likelihood(decoder, draws, some) for draws in z])
            log_weights = log_likelihood - gaussian_kl_sampled(z, mean, log_variance).sum(dim=2)
            if mixture is not None:
                log_weights = log_weights - _log_normal(z) + _log_mixture(z.flatten(0, 1), *mixture).view(z.shape[:2])
            best = log_weights.argmax(dim=0), torch.arange(len(some))
            if not (log_likelihood[best] - _log_likelihood(witness, z[best], some)).abs().max() < 0.1:
                raise NoScore("has no score yet: its decode gives other logits for the same z at another time")
            bounds.append(importance_weighted_bound(log_weights))
        return torch.cat(bounds).mean()


def apart(model: Any) -> Any:
    """The model as it is now, apart from what happens to it. The grader's goes to another process, which takes what can be saved.

    Raises:
        NoScore: it cannot be saved.
    """
    if hasattr(model, "apart"):
        return model.apart()
    try:
        return pickle.loads(pickle.dumps(model))
    except Exception as error:
        text = f"its model cannot be saved: define its classes outside of learn, and without lambdas ({error})"
        raise NoScore(f"has no score yet: {text}") from error


def _log_likelihood(decoder: Any, z: Tensor, x: Tensor) -> Tensor:
    logits = decoder.decode(z)
    if logits.shape != x.shape:
        raise ValueError(f"decode gives the shape {list(logits.shape)}, not {list(x.shape)}")
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").flatten(1).sum(dim=1)


task = BoundTask()


def _log_normal(z: Tensor) -> Tensor:
    return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=-1)


def _log_mixture(z: Tensor, shares: Tensor, means: Tensor, covariances: Tensor) -> Tensor:
    """log q(z) of a mixture whose shares are made to sum to 1 and whose covariances are made symmetric."""
    covariances = (covariances + covariances.mT) / 2
    return e_step.reference(z.double(), shares / shares.sum(), means, covariances)[1].float()


def _recorded_lines() -> Iterator[str]:
    """What `make record PART="vae-task"` measured, as a table."""
    found = recorded("vae-task")
    yield f"{'recorded':<36}{'score':>18}{'nats':>18}{'core-seconds':>14}"
    for title, runs in found["scores"].items():
        saved = _range([f"{100 * run['saved']:.1f}" for run in runs])
        nats = _range([f"{run['nats']:.1f}" for run in runs])
        yield f"{title:<36}{saved + ' %':>18}{nats:>18}{max(run['seconds'] for run in runs):>14.0f}"
    yield f"Made {found['made']}."


def _range(numbers: list[str]) -> str:
    """The smallest and the largest of numbers."""
    low, high = min(numbers, key=float), max(numbers, key=float)
    return low if low == high else f"{low} to {high}"
