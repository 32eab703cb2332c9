"""Measuring a trained model: the terms of its bound on a split, tighter bounds, reconstructions and samples."""

from dataclasses import dataclass

import torch

from course_lib.data import Batches, ImageSet
from course_lib.data.arguments import check_condition, check_count, check_generator, check_labels, check_range
from course_lib.runtime import evaluation_mode
from course_lib.vae.losses import gaussian_kl_sampled, importance_weighted_bound
from course_lib.vae.models import LatentModel, Variational

BINARISE = ("none", "dynamic", "threshold")
"""What becomes of grey values: they stay; each is the probability of a white pixel; white from a half on."""


def binarised(x: torch.Tensor, binarise: str, generator: torch.Generator | None = None) -> torch.Tensor:
    """Images in [0, 1] as one of `BINARISE` makes them, of the same shape, dtype and memory layout.

    generator: on the CPU, draws for "dynamic". The figures in nats of the three differ by far: they are different images.
    Source of the dynamic one: Burda, Grosse and Salakhutdinov (2016), section 5. Raises ValueError for any other word, and for
    x on the CPU outside [0, 1]; TypeError for integers.
    """
    if not x.is_floating_point():
        raise TypeError(f"x is {x.dtype}: it must be floating point, between 0 and 1; x.float() / 255 makes it so")
    check_range(x)
    if binarise == "none":
        return x
    if binarise == "threshold":
        return (x >= 0.5).to(x.dtype)
    if binarise == "dynamic":
        # Drawn on the CPU: the same on every device. The layout of x is kept, or the convolutions would be slower.
        drawn = torch.empty_like(x, device="cpu").uniform_(generator=generator)
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
        binarise: which images these are.
    """

    log_likelihoods: torch.Tensor
    latent_kl: torch.Tensor
    kls: torch.Tensor
    bounds: torch.Tensor | None
    samples: int
    binarise: str

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
        return text if self.bounds is None else f"{text}; -bound with K = {self.samples}: {-self.bound:.2f}"


@torch.no_grad()
def evaluate_vae(
    model: LatentModel,
    images: ImageSet,
    *,
    samples: int = 0,
    binarise: str = "none",
    noise: torch.Generator | None = None,
    batch_size: int = 500,
    bfloat16: bool = False,
) -> VAEEvaluation:
    """The terms of the bound on a set, in evaluation mode, on the device where the model lies. Its modes are left as they were.

    Args:
        model: any of this room; the K-sample bound needs a variational one.
        images: with labels where the model has classes.
        samples: K of the importance-weighted bound (Burda et al., 2016), 0 for none. It costs K decodings of each image.
        binarise: as in `fit_vae`; "dynamic" draws the pixels of each image once.
        noise: CPU generator of the draws; by default a new one with seed 0, so the same images are always met by the same noise.
            The pixels, z of the terms and the K draws have a stream each: asking for one changes nothing in the others.
        batch_size: images, or draws, that are decoded at once: memory against speed. It changes no draw.
        bfloat16: under autocast.

    Raises:
        ValueError: no images, or such as do not fit the model; a number of samples for a model without q(z|x).
    """
    samples = check_count("samples", samples, "use 0 for no importance-weighted bound", least=0)
    if len(images) == 0:
        raise ValueError("there are no images to measure: the mean over none is not defined")
    if samples and not isinstance(model, Variational):
        raise ValueError(f"samples is {samples}, and {type(model).__name__} has no q(z|x) to draw them from: use samples=0")
    if model.classes:
        check_labels(images.labels, len(images), model.classes)  # here, on the CPU: on a GPU it would be the end of the process
    device = next(model.parameters()).device
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=device, channels_last=True)
    noise = check_generator("noise", noise, "it")
    # All at once: torch.randn in parts is another stream, unless each has a multiple of 16 numbers.
    drawn = model.noise(len(images), noise).split(batches.batch_size)
    pixels, draws = (torch.Generator("cpu").manual_seed(int(torch.randint(2**62, (), generator=noise))) for _ in range(2))
    parts, bounds = [], []
    with evaluation_mode(model), torch.autocast(device.type, dtype=torch.bfloat16, enabled=bfloat16):
        for (x, y), epsilon in zip(batches, drawn, strict=True):
            x, labels = binarised(x, binarise, pixels), y if model.classes else None
            said = model.terms(x, labels, epsilon)
            parts.append((said.log_likelihood.cpu().double(), said.kl.cpu().double()))  # in this order: MPS has no float64
            if samples:
                bounds.append(_bound(model, x, labels, samples, draws, batches.batch_size).cpu().double())
    kl = torch.cat([kl for _, kl in parts])
    log_likelihoods = torch.cat([log_likelihood for log_likelihood, _ in parts])
    return VAEEvaluation(
        log_likelihoods, kl.mean(dim=0), kl.sum(dim=1), torch.cat(bounds) if samples else None, samples, binarise
    )


def _bound(
    model: Variational, x: torch.Tensor, labels: torch.Tensor | None, samples: int, noise: torch.Generator, batch_size: int
) -> torch.Tensor:
    """The K-sample bound of a batch, [N]: at most `batch_size` draws are decoded at once."""
    bounds = []
    mean, log_variance = (values.float() for values in model.encode(x, labels))
    for images in torch.arange(len(x), device=x.device).split(max(1, batch_size // samples)):
        # Drawn image by image, so that the numbers of an image do not depend on those beside it.
        epsilon = torch.cat([model.noise(samples, noise) for _ in images])
        log_weights = []
        for rows, eps in zip(images.repeat_interleave(samples).split(batch_size), epsilon.split(batch_size), strict=True):
            m, v = mean[rows], log_variance[rows]
            z = model.reparameterise(m, v, eps)
            decoded = model.decode(z, None if labels is None else labels[rows])
            log_weights.append(model.pixels.log_likelihood(x[rows], decoded) - gaussian_kl_sampled(z, m, v).sum(dim=1))
        bounds.append(importance_weighted_bound(torch.cat(log_weights).view(-1, samples).T))
    return torch.cat(bounds)


@torch.no_grad()
def reconstruct(model: LatentModel, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
    """Images [N, C, H, W] in [0, 1] -> the same through the model, at the mean of q(z|x), in [0, 1], on the CPU.

    In evaluation mode; the modes of its parts are left as they were. labels: int64 [N] for a conditional model.
    """
    model.check_images(x, labels)  # where they lie, before they go to the device: there values are not read
    device = next(model.parameters()).device
    labels = None if labels is None else labels.to(device)
    with evaluation_mode(model):
        z = model.encode(x.to(device), labels)
        return model.image(z[0] if isinstance(z, tuple) else z, labels).cpu()


@torch.no_grad()
def sample(
    model: LatentModel,
    count: int,
    noise: torch.Generator | None = None,
    labels: torch.Tensor | None = None,
    batch_size: int = 500,
) -> torch.Tensor:
    """Images [count, C, H, W] in [0, 1], on the CPU: means of p(x|z) for z from the prior, in evaluation mode.

    labels: int64 [count] for a conditional model. noise: CPU generator that draws z. batch_size: images that are decoded at once;
    it changes no draw. The modes of the model's parts are left as they were.
    """
    count = check_count("count", count, "it takes at least one")
    batch_size = check_count("batch_size", batch_size, "at least one image is decoded at once")
    check_condition(labels, count, model.classes)
    device, parts = next(model.parameters()).device, []
    # All at once: torch.randn in parts is another stream, unless each has a multiple of 16 numbers.
    latents = model.noise(count, noise).split(batch_size)
    with evaluation_mode(model):
        for start, z in zip(range(0, count, batch_size), latents, strict=True):
            chosen = None if labels is None else labels[start : start + batch_size].to(device)
            parts.append(model.image(z, chosen).cpu())
    return torch.cat(parts)
