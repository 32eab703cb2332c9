"""A variational autoencoder whose latents are words of a learned dictionary: the vector-quantised VAE.

Source: van den Oord, Vinyals and Kavukcuoglu, Neural Discrete Representation Learning (2017).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from course_lib.data import Batches, ImageSet
from course_lib.data.arguments import check_condition, check_count, check_number, check_widths
from course_lib.runtime import evaluation_mode
from course_lib.vae.models import LatentModel, Terms
from course_lib.vae.networks import doubling_layers, halving_layers, sides_of


class Quantised(NamedTuple):
    """What `VectorQuantizedVAE.quantise` returns.

    vectors [N, D, S, S]: the nearest words, with the gradient of what they replace. codes: int64 [N, S, S]. penalty: scalar, the
    squared distances of codebook and commitment, summed over an image, mean over the images.
    """

    vectors: torch.Tensor
    codes: torch.Tensor
    penalty: torch.Tensor


class CodeUsage(NamedTuple):
    """How often each of the K codes is used: counts int64 [K]; used, how many at all; perplexity, exp of the entropy of the
    shares: K where all are used equally often, 1 where only one is.
    """

    counts: torch.Tensor
    used: int
    perplexity: float


class VectorQuantizedVAE(LatentModel):
    """Images to a grid of S x S codes, each one of K, and back.

    The encoder returns a vector for each place of the grid; the nearest of the K vectors of the codebook takes its place. The
    choice has no gradient, so the decoder's gradient at the word is handed to the vector as it is ("straight through"). The
    codebook follows the vectors (first term of the penalty), and the vectors stay near their words (second, times `commitment`):

        || stop(v) - e ||^2 + commitment || v - stop(e) ||^2     (equation 3)

    The vectors are normalised over the batch and the words start as N(0, 1), so that they meet from the first step on. Under a
    prior that takes each code to be equally likely, q(codes|x) = 1 for one choice has a KL of log K for each place: that is the
    rate, it is constant, and the bound on log p(x) with it is a true one.

    Args:
        codes: K, words in the codebook.
        code_size: numbers in a word.
        size: height and width of the images.
        channels: 1 for grey, 3 for colour.
        widths: channels after each halving; they decide S.
        blocks: as in `VAE`.
        commitment: weight of the second term.
        likelihood: as in `VAE`.
        sigma: as in `VAE`.

    Attributes:
        side: S.
        latent_size: S * S, places in the grid.
    """

    def __init__(
        self,
        codes: int = 64,
        code_size: int = 16,
        size: int = 32,
        channels: int = 1,
        *,
        widths: Sequence[int] = (32, 64),
        blocks: int = 0,
        commitment: float = 0.25,
        likelihood: str = "bernoulli",
        sigma: float = 0.1,
    ) -> None:
        codes = check_count("codes", codes, "a dictionary needs words: 2 at least to say anything")
        code_size = check_count("code_size", code_size, "a word has at least one number")
        blocks = check_count("blocks", blocks, "use 0 for no residual blocks", least=0)
        commitment = check_number("commitment", commitment)
        widths, size = check_widths(widths), check_count("size", size, "an image has at least one pixel")
        side = sides_of(size, len(widths))[-1]
        super().__init__(side**2, size, channels, 0, likelihood, sigma, widths=widths, blocks=blocks)
        for name in ("latent_size", "classes"):
            del self.config[name]  # no arguments of this constructor
        self.config |= {"codes": codes, "code_size": code_size, "commitment": commitment}
        self.codes, self.side, self.commitment = codes, side, commitment
        self.encoder = nn.Sequential(
            *halving_layers(self.channels, widths, blocks, True),
            nn.Conv2d(widths[-1], code_size, 1, bias=False),
            nn.BatchNorm2d(code_size, affine=False),
        )
        self.codebook = nn.Parameter(torch.randn(codes, code_size))
        self.decoder = nn.Sequential(
            nn.Conv2d(code_size, widths[-1], 3, padding=1), *doubling_layers(size, self.channels, widths, blocks, True)
        )

    def quantise(self, vectors: torch.Tensor) -> Quantised:
        """Vectors [N, D, S, S] -> the nearest word for each, its number, and the penalty."""
        flat = vectors.detach().permute(0, 2, 3, 1).to(self.codebook.dtype)  # [N, S, S, D]
        with torch.no_grad(), torch.autocast(vectors.device.type, enabled=False):  # rounded, another word would be the nearest
            # |v - e|^2 without |v|^2, which is the same for all words.
            distances = self.codebook.square().sum(dim=1) - 2 * flat @ self.codebook.T
        codes = distances.argmin(dim=-1)
        words = self._words(codes)
        follow, stay = (words - vectors.detach()).square(), (vectors - words.detach()).square()
        penalty = (follow + self.commitment * stay).flatten(1).sum(dim=1).mean()
        return Quantised(vectors + (words - vectors).detach(), codes, penalty)

    def encode(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> codes, int64 [N, S, S]. labels must be None: the model is not conditional."""
        return self.quantise(self._vectors(x, labels)).codes

    def decode(self, z: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Codes, int64 [N, S, S] -> the numbers of p(x|codes), [N, C, H, W]: logits, or means. labels must be None."""
        check_condition(labels, len(z), 0)
        if z.dtype != torch.int64 or z.shape[1:] != (self.side, self.side):
            kind = f"{z.dtype} of shape {list(z.shape)}"
            raise ValueError(f"z must be codes, int64 [N, {self.side}, {self.side}], got {kind}: model.encode(x) gives them")
        if z.device.type == "cpu" and z.numel() and (z.min() < 0 or z.max() >= self.codes):
            raise ValueError(f"a code lies outside 0 to {self.codes - 1}: the codebook has {self.codes} words")
        return self.decoder(self._words(z))

    def forward(self, x: torch.Tensor, labels: torch.Tensor | None = None) -> torch.Tensor:
        """Images [N, C, H, W] in [0, 1] -> the numbers of p(x|codes) at their own codes, of the same shape."""
        return self.decode(self.encode(x, labels), labels)

    def terms(self, x: torch.Tensor, labels: torch.Tensor | None = None, noise: torch.Tensor | None = None) -> Terms:
        """log p(x|codes) [N], log K for each place [N, S S], and the penalty. noise is not used: nothing is drawn."""
        vectors, _, penalty = self.quantise(self._vectors(x, labels))
        log_likelihood = self.pixels.log_likelihood(x, self.decoder(vectors))
        return Terms(log_likelihood, log_likelihood.new_full((len(x), self.latent_size), math.log(self.codes)), penalty)

    def noise(self, count: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """Codes [count, S, S], each equally likely, drawn on the CPU. Those of real images depend on each other; these do not."""
        z = torch.randint(self.codes, (count, self.side, self.side), generator=generator, device="cpu")
        return z.to(self.codebook.device)

    def _vectors(self, x: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        return self.encoder(self.check_images(x, labels))

    def _words(self, codes: torch.Tensor) -> torch.Tensor:
        """[N, S, S] -> the words, [N, D, S, S]."""
        return self.codebook[codes].permute(0, 3, 1, 2)


@torch.no_grad()
def code_usage(model: VectorQuantizedVAE, images: ImageSet, *, batch_size: int = 500) -> CodeUsage:
    """How often each code stands anywhere in these images, in evaluation mode. Raises ValueError for no images."""
    if len(images) == 0:
        raise ValueError("there are no images to count the codes of")
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=model.codebook.device, channels_last=True)
    counts = torch.zeros(model.codes, dtype=torch.int64)
    with evaluation_mode(model):
        for x, _ in batches:
            counts += torch.bincount(model.encode(x).flatten().cpu(), minlength=model.codes)
    share = counts[counts > 0].double() / counts.sum()
    return CodeUsage(counts, int((counts > 0).sum()), (-(share * share.log()).sum()).exp().item())
