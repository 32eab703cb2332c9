"""A VAE whose latents are words of a learned dictionary: the vector-quantised VAE.

Source: van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning (2017).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from course_lib.blocks import halved_sides
from course_lib.data import Batches, ImageSet
from course_lib.runtime.checks import check_count, check_images, check_number, check_widths
from course_lib.training import evaluation_mode
from course_lib.vae.likelihoods import make_likelihood
from course_lib.vae.models import Terms
from course_lib.vae.networks import doubling_layers, halving_layers


class VectorQuantizedVAE(nn.Module):
    """Images to a grid of S x S codes, each one of K, and back.

    The encoder returns a vector for each place of the grid; the nearest of the K vectors of the
    codebook takes its place. The choice has no gradient, so the decoder's gradient at the word is
    handed to the vector as it is ("straight through"). The codebook follows the vectors (first term
    of the penalty), and the vectors stay near their words (second, times `commitment`):

        || stop(v) - e ||^2 + commitment || v - stop(e) ||^2     (equation 3)

    The vectors are normalised over the batch and the words start as N(0, 1), so that they meet from
    the first step on. Under a prior that takes each code to be equally likely, q(codes|x) = 1 for
    one choice has a KL of log K for each place: that is the rate, it is constant, and the bound on
    log p(x) with it is a true one.

    Args:
        channels: 1 for grey, 3 for colour.
        size: height and width of the images.
        codes: K, words in the codebook.
        code_size: numbers in a word.
        widths: channels after each halving; they decide S.
        commitment: weight of the second term.
        likelihood: as in `VAE`.
        sigma: as in `VAE`.

    Attributes:
        side: S.
    """

    classes = 0

    def __init__(
        self,
        channels: int,
        size: int,
        codes: int = 64,
        code_size: int = 16,
        *,
        widths: Sequence[int] = (32, 64),
        commitment: float = 0.25,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        super().__init__()
        widths = check_widths(widths)
        self.channels, self.size, self.side = channels, size, halved_sides(size, len(widths))[-1]
        self.codes, self.commitment = check_count("codes", codes), check_number("commitment", commitment)
        self.encoder = nn.Sequential(
            *halving_layers(channels, widths),
            nn.Conv2d(widths[-1], check_count("code_size", code_size), 1, bias=False),
            nn.BatchNorm2d(code_size, affine=False),
        )
        self.codebook = nn.Parameter(torch.randn(codes, code_size))
        self.decoder = nn.Sequential(nn.Conv2d(code_size, widths[-1], 3, padding=1), *doubling_layers(channels, size, widths))
        self.likelihood = make_likelihood(likelihood, channels, sigma)

    def quantise(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Vectors [N, D, S, S] -> the nearest words, their numbers [N, S, S], and the penalty.

        The words have the gradient of the vectors that they replace. The penalty is a scalar, the
        squared distances of codebook and commitment, summed over an image, mean over the images.
        """
        flat = vectors.detach().permute(0, 2, 3, 1).to(self.codebook.dtype)  # [N, S, S, D]
        # Rounded by autocast, another word would be the nearest.
        with torch.no_grad(), torch.autocast(vectors.device.type, enabled=False):
            # |v - e|^2 without |v|^2, which is the same for all words.
            codes = (self.codebook.square().sum(dim=1) - 2 * flat @ self.codebook.T).argmin(dim=-1)
        words = self.codebook[codes].permute(0, 3, 1, 2)  # [N, D, S, S]
        follow, stay = (words - vectors.detach()).square(), (vectors - words.detach()).square()
        penalty = (follow + self.commitment * stay).flatten(1).sum(dim=1).mean()
        return vectors + (words - vectors).detach(), codes, penalty

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> codes, int64 [N, S, S]. labels are not used."""
        check_images(x, self.channels, self.size)
        return self.quantise(self.encoder(x))[1]

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Codes, int64 [N, S, S] -> the numbers of p(x|codes), [N, C, H, W]: logits, or means."""
        if z.dtype != torch.int64 or z.shape[1:] != (self.side, self.side):
            raise ValueError(
                f"z must be codes, int64 [N, {self.side}, {self.side}], as model.encode(x) gives them, got {z.dtype} of shape "
                f"{list(z.shape)}"
            )
        return self.decoder(self.codebook[z].permute(0, 3, 1, 2))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None, eps: torch.Tensor | None = None) -> Terms:
        """log p(x|codes) [N], log K for each place [N, S S], and the penalty. eps is not used."""
        check_images(x, self.channels, self.size)
        vectors, codes, penalty = self.quantise(self.encoder(x))
        log_likelihood = self.likelihood.log_prob(x, self.decoder(vectors))
        return Terms(log_likelihood, log_likelihood.new_full(codes.flatten(1).shape, math.log(self.codes)), penalty)

    def image(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Codes, int64 [N, S, S] -> the mean of p(x|codes) as images in [0, 1]."""
        return self.likelihood.mean(self.decode(z))

    def noise(self, count: int, rng: torch.Generator | None = None) -> torch.Tensor:
        """Codes [count, S, S], each equally likely; those of images depend on each other."""
        return torch.randint(self.codes, (count, self.side, self.side), generator=rng, device="cpu").to(self.codebook.device)


class CodeUsage(NamedTuple):
    """How often each of the K codes is used.

    counts: int64 [K]. used: how many are used at all. perplexity: exp of the entropy of the shares:
    K where all are used equally often, 1 where only one is.
    """

    counts: torch.Tensor
    used: int
    perplexity: float


@torch.no_grad()
def code_usage(model: VectorQuantizedVAE, images: ImageSet, *, batch_size: int = 500) -> CodeUsage:
    """How often each code stands anywhere in these images. ValueError for no images, or for weights
    that are not finite: NaN would be near to the first code.
    """
    if not all(weight.isfinite().all() for weight in model.parameters()):
        raise ValueError("a weight of the model is not a finite number: its training may have diverged")
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=model.codebook.device, channels_last=True)
    with evaluation_mode(model):
        codes = torch.cat([model.encode(x).flatten().cpu() for x, _ in batches])
    counts = torch.bincount(codes, minlength=model.codes)
    share = counts[counts > 0].double() / len(codes)
    return CodeUsage(counts, len(share), share.log().mul(-share).sum().exp().item())
