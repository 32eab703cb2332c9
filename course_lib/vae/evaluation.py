"""Measuring a trained model: the terms of its bound, tighter bounds, reconstructions, samples."""

from dataclasses import dataclass

import torch

from course_lib.data import Batches, ImageSet
from course_lib.runtime.checks import check_condition, check_count, check_labels, check_range, check_rng
from course_lib.training import evaluation_mode
from course_lib.vae.losses import gaussian_kl_sampled, importance_weighted_bound
from course_lib.vae.models import VAE, Autoencoder
from course_lib.vae.quantised import VectorQuantizedVAE

# What is trained, measured and drawn from: these, or your own module with the same methods.
Model = VAE | Autoencoder | VectorQuantizedVAE

# What becomes of grey values: they stay; each is the probability of a white pixel; white from a
# half on.
BINARISE = ("none", "dynamic", "threshold")


def binarised(x: torch.Tensor, binarise: str, rng: torch.Generator | None = None) -> torch.Tensor:
    """Images in [0, 1] as one of `BINARISE` makes them, of the same shape, dtype and memory layout.

    rng: on the CPU, draws for "dynamic". The figures in nats of the three differ by far: they are
    different images. Source of the dynamic one: Burda, Grosse and Salakhutdinov (2016), section 5.
    Raises ValueError for any other word.
    """
    if binarise == "none":
        return x
    if binarise == "threshold":
        return (x >= 0.5).to(x.dtype)
    if binarise == "dynamic":
        # Drawn on the CPU: the same on every device. The layout of x is kept, or the convolutions
        # would be slower.
        drawn = torch.empty_like(x, device="cpu").uniform_(generator=rng)
        return (drawn.to(x.device) < x).to(x.dtype)
    raise ValueError(f"binarise is {binarise!r}: choose from {', '.join(BINARISE)}")


@dataclass(frozen=True, eq=False)
class VAEEvaluation:
    """What a model says of a set, on the CPU, in nats; natural logarithms.

    Attributes:
        log_likelihoods: E log p(x|z) of each image, float64 [N].
        latent_kl: KL of each latent, mean over the images, float64 [Z].
        kls: KL of each image, float64 [N].
        bounds: the K-sample bound of each image, float64 [N]; None where none was asked for.
        samples: K.
    """

    log_likelihoods: torch.Tensor
    latent_kl: torch.Tensor
    kls: torch.Tensor
    bounds: torch.Tensor | None
    samples: int

    @property
    def reconstruction(self) -> float:
        """E log p(x|z), mean over the images."""
        return self.log_likelihoods.mean().item()

    @property
    def kl(self) -> float:
        """KL(q(z|x) || p(z)), mean over the images."""
        return self.kls.mean().item()

    @property
    def elbo(self) -> float:
        """The bound, mean over the images."""
        return self.reconstruction - self.kl

    @property
    def bound(self) -> float | None:
        """The K-sample bound, mean over the images."""
        return None if self.bounds is None else self.bounds.mean().item()

    def __str__(self) -> str:
        text = f"-ELBO {-self.elbo:.2f} nats = {-self.reconstruction:.2f} reconstruction + {self.kl:.2f} KL"
        return text if self.bound is None else f"{text}; -bound with K = {self.samples}: {-self.bound:.2f}"


@torch.no_grad()
def evaluate_vae(
    model: Model,
    images: ImageSet,
    *,
    samples: int = 0,
    binarise: str = "none",
    rng: torch.Generator | None = None,
    batch_size: int = 500,
) -> VAEEvaluation:
    """The terms of the bound on a set, in evaluation mode, on the device where the model lies.

    Args:
        model: any of this room; the K-sample bound needs a `VAE`. Its modes are left as they were.
        images: with labels where the model has classes.
        samples: K of the importance-weighted bound (Burda et al., 2016), 0 for none. It costs K
            decodings of each image.
        binarise: as in `fit_vae`; "dynamic" draws the pixels of each image once.
        rng: CPU generator of the draws; by default a new one with seed 0, so the same images are
            always met by the same eps. The pixels, z of the terms and the K draws have a stream
            each: asking for one changes nothing in the others.
        batch_size: images that are decoded at once: memory against speed. It changes no draw.

    Raises:
        ValueError: no images, or such as do not fit the model; samples of a model without q(z|x).
    """
    samples = check_count("samples", samples, least=0)
    _checked(images.labels if model.classes else None, len(images), model)
    weight, rng = next(model.parameters()), check_rng(rng)
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=weight.device, dtype=weight.dtype, channels_last=True)
    # All at once: torch.randn in parts is another stream, unless each part has a multiple of 16
    # numbers.
    eps_of_terms = model.noise(len(images), rng).split(batch_size)
    pixel_rng, bound_rng = (torch.Generator("cpu").manual_seed(int(torch.randint(2**62, (), generator=rng))) for _ in range(2))
    log_likelihoods, kls, bounds = [], [], []
    with evaluation_mode(model):
        for (x, y), eps in zip(batches, eps_of_terms, strict=True):
            x, labels = binarised(x, binarise, pixel_rng), y if model.classes else None
            log_likelihood, kl, *_ = model(x, labels, eps)
            # In this order: MPS has no float64.
            log_likelihoods.append(log_likelihood.cpu().double())
            kls.append(kl.cpu().double())
            if samples:
                bounds.append(_bounds(model, x, labels, samples, bound_rng).cpu().double())
    kl = torch.cat(kls)
    return VAEEvaluation(
        torch.cat(log_likelihoods), kl.mean(dim=0), kl.sum(dim=1), torch.cat(bounds) if samples else None, samples
    )


def _bounds(model: Model, x: torch.Tensor, labels: torch.Tensor | None, samples: int, rng: torch.Generator) -> torch.Tensor:
    """The K-sample bound of each image of a batch, [N]: it is decoded once for each draw."""
    if not isinstance(model, VAE):
        raise ValueError(f"samples is {samples}, and {type(model).__name__} has no q(z|x) to draw them from: use samples=0")
    mean, log_variance = model.encode(x, labels)
    # Drawn image by image, so that the numbers of an image do not depend on those beside it: [N, K,
    # Z].
    eps = torch.stack([model.noise(samples, rng) for _ in x])
    log_weights = []
    for k in range(samples):
        z = model.reparameterise(mean, log_variance, eps[:, k])
        log_likelihood = model.likelihood.log_prob(x, model.decode(z, labels))
        log_weights.append(log_likelihood - gaussian_kl_sampled(z, mean, log_variance).sum(dim=1))
    return importance_weighted_bound(torch.stack(log_weights))


@torch.no_grad()
def reconstruct(model: Model, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
    """Images [N, C, H, W] in [0, 1] -> the same through the model, at the mean of q, on the CPU.

    In evaluation mode; the modes of its parts are left as they were. labels: int64 [N] for a
    conditional model. Raises ValueError for images outside [0, 1] and labels that do not fit.
    """
    check_range(x)
    device, labels = next(model.parameters()).device, _checked(labels, len(x), model)
    with evaluation_mode(model):
        z = model.encode(x.to(device), labels)
        return model.image(z[0] if isinstance(z, tuple) else z, labels).cpu()


@torch.no_grad()
def sample(
    model: Model,
    count: int,
    rng: torch.Generator | None = None,
    labels: torch.Tensor | None = None,
    batch_size: int = 500,
) -> torch.Tensor:
    """Images [count, C, H, W] in [0, 1], on the CPU: means of p(x|z) for z from the prior.

    labels: int64 [count] for a conditional model. rng: CPU generator that draws z. batch_size:
    images that are decoded at once; it changes no draw. In evaluation mode; the modes of the
    model's parts are left as they were.
    """
    labels = _checked(labels, check_count("count", count), model)
    z = model.noise(count, rng)
    parts = torch.arange(count, device=z.device).split(batch_size)
    with evaluation_mode(model):
        return torch.cat([model.image(z[part], None if labels is None else labels[part]).cpu() for part in parts])


def _checked(labels: torch.Tensor | None, count: int, model: Model) -> torch.Tensor | None:
    """The labels on the model's device, if they fit: there a wrong one would end the process."""
    check_condition(labels, count, model.classes)
    if labels is None:
        return None
    check_labels(labels, count, model.classes)
    return labels.to(next(model.parameters()).device)
