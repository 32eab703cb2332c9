"""What do latents know about the factors that drew the images?

Linear probes, and the mutual information gap. Latents are [N, Z]: the encoder's means of N images.
A factor has one value for each image, [N]: a number (height), an angle (periodic), or a class
(digit). Probes are fitted on one set of images and judged on another.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F

from course_lib.runtime.checks import check_labels


@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A linear function of the latents that predicts a factor: see `probe_number`, `probe_class`.

    Attributes:
        weight: float64 [Z, K], for latents brought to mean 0 and standard deviation 1.
        bias: float64 [K].
        centre, scale: float64 [Z], what brings them there, from the images it was fitted on.
        kind: "number" (K = 1), "angle" (K = 2: cosine and sine) or "class" (K logits).
        period: of an angle, in its unit; None for the other kinds.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    centre: torch.Tensor
    scale: torch.Tensor
    kind: str
    period: float | None = None

    def outputs(self, latents: torch.Tensor) -> torch.Tensor:
        """The linear function itself: [N, Z] -> [N, K]."""
        latents = _checked("latents", latents, ("N", len(self.centre))).double()
        return (latents - self.centre) / self.scale @ self.weight + self.bias

    def predict(self, latents: torch.Tensor) -> torch.Tensor:
        """The factor: numbers [N], angles [N] from 0 to the period, or classes int64 [N]."""
        outputs = self.outputs(latents)
        if self.kind == "class":
            return outputs.argmax(dim=1)
        if self.period is None:
            return outputs[:, 0]
        turns = torch.atan2(outputs[:, 1], outputs[:, 0]) / (2 * math.pi)
        return turns.remainder(1) * self.period

    def score(self, latents: torch.Tensor, values: torch.Tensor) -> float:
        """How much of the factor the probe finds.

        Of a class: the share of images that it gets right. Of a number: the coefficient of
        determination R^2 = 1 - (mean squared error) / (variance of the values): 1 is all, 0 is no
        better than their mean, below 0 is worse. Of an angle the same for the pair of its cosine
        and sine. Raises ValueError where all values are equal: then there is nothing to predict.
        """
        values = _checked("values", values, (len(latents),))
        if self.kind == "class":
            return (self.predict(latents) == values).double().mean().item()
        targets = _targets(values, self.period)
        scatter = (targets - targets.mean(dim=0)).square().sum()
        if not scatter > 0:
            raise ValueError(f"all values are {values[0].item():g}: there is nothing to predict; give images that differ in it")
        return 1 - ((self.outputs(latents) - targets).square().sum() / scatter).item()


def probe_number(latents: torch.Tensor, values: torch.Tensor, *, period: float | None = None, ridge: float = 1e-3) -> LinearProbe:
    """The linear function of the latents with the smallest squared error, with a little ridge.

    For a factor that is a number. An angle of 359 degrees is next to one of 1 degree, and no linear
    function of z knows that. So for a factor with a period the cosine and the sine are predicted
    instead, two numbers in which neighbours are neighbours.

    Source: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), equation
    3.44.

    Args:
        latents: [N, Z].
        values: [N], the factor.
        period: after which the factor repeats, in its unit (360 for degrees), or None for a factor
            that does not.
        ridge: what a squared weight costs, against the mean squared error; the latents have the
            standard deviation 1. It keeps weights finite where latents depend on each other or do
            not vary.

    Raises:
        ValueError: shapes that do not fit, numbers that are not finite, a period or ridge that is
            not positive.
    """
    if period is not None and not period > 0:
        raise ValueError(f"period is {period}: it must be positive, 360 for degrees; None for a factor that does not repeat")
    standard, centre, scale = _standardised(latents, ridge)
    N, Z = standard.shape
    targets = _targets(_checked("values", values, (N,)), period)
    bias = targets.mean(dim=0)
    gram = standard.mT @ standard / N + ridge * torch.eye(Z).to(standard)
    weight = torch.cholesky_solve(standard.mT @ (targets - bias) / N, torch.linalg.cholesky(gram))
    return LinearProbe(weight, bias, centre, scale, "angle" if period else "number", period)


def probe_class(latents: torch.Tensor, labels: torch.Tensor, *, ridge: float = 1e-3) -> LinearProbe:
    """Multinomial logistic regression: the linear logits with the smallest cross-entropy.

    For a factor that is a class. The loss, mean cross-entropy + ridge / 2 times the squared
    weights, is convex, so L-BFGS finds its one minimum from zero.

    Source: Hastie, Tibshirani and Friedman (2009), section 4.4.

    Args:
        latents: [N, Z].
        labels: int64 [N], classes from 0. A factor that is a number goes to `probe_number`.
        ridge: as in `probe_number`; it keeps the weights finite where a plane separates the
            classes.

    Raises:
        TypeError: labels that are not int64. ValueError: negative ones, shapes that do not fit, a
            ridge that is not positive.
    """
    standard, centre, scale = _standardised(latents, ridge)
    K = int(labels.max()) + 1
    check_labels(labels, len(standard), K)
    weight = torch.zeros(standard.shape[1], K, dtype=torch.float64, device=latents.device, requires_grad=True)
    bias = torch.zeros(K, dtype=torch.float64, device=latents.device, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=500, tolerance_grad=1e-7, tolerance_change=1e-12, history_size=20, line_search_fn="strong_wolfe"
    )

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = F.cross_entropy(standard @ weight + bias, labels) + ridge / 2 * weight.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return LinearProbe(weight.detach(), bias.detach(), centre, scale, "class")


class InformationGap(NamedTuple):
    """What `mutual_information_gap` returns, for Z latents and V factors in the order of the dict.

    Attributes:
        information: I(z_j; v) in nats, float64 [Z, V].
        entropy: H(v) in nats, [V].
        gap: [V], each from 0 to 1.
        mean: of the gaps.
        bias: what `information` would be on average, by chance alone, if latent and factor were
            independent, [Z, V].
    """

    information: torch.Tensor
    entropy: torch.Tensor
    gap: torch.Tensor
    mean: float
    bias: torch.Tensor


def mutual_information_gap(latents: torch.Tensor, factors: dict[str, torch.Tensor], bins: int = 20) -> InformationGap:
    """Has each factor a latent of its own? (I of the best latent - of the second best) / H(factor).

    1: one latent knows all about the factor, and no other knows anything. 0: two latents know
    equally much, or none anything.

    Each latent, and each factor that is not an integer, is cut into `bins` intervals of equally
    many images, and the information is that of the table of counts. This estimate is too large:
    independent variables in B and C intervals get (B - 1)(C - 1) / (2 N) nats on average from N
    images (Miller, 1955), 0.09 for 20, 10 and 1000, and more if fewer than about five images fall
    into each cell of the table. It is not subtracted, but returned as `bias`: a gap smaller than
    bias / entropy says nothing. Intervals of equal counts do not care how a latent is scaled or
    bent, as long as its order stays or turns round.

    Source: Chen, Li, Grosse and Duvenaud, Isolating Sources of Disentanglement in Variational
    Autoencoders (2018), equation 6 (they draw z from q(z|x); with the encoder's means, as here, the
    estimate is that of Locatello et al., 2019).

    Args:
        latents: [N, Z], Z at least 2.
        factors: by name, [N] each. Integers are classes and stay as they are.
        bins: intervals, from 2 to N.

    Raises:
        ValueError: fewer than two latents, no factor, a factor with one value only, more bins than
            images, shapes that do not fit, or numbers that are not finite.
    """
    latents = _checked("latents", latents, ("N", "Z"))
    N, Z = latents.shape
    if Z < 2 or not factors:
        raise ValueError(f"there are {Z} latents and {len(factors)} factors: it takes at least two latents, and one factor")
    if not 2 <= bins <= N:
        raise ValueError(f"bins is {bins} for {N} images: it must be at least 2 and at most their number")
    places = [_intervals(latents[:, j], bins) for j in range(Z)]
    information = torch.zeros(Z, len(factors), dtype=torch.float64)
    bias, entropy = torch.zeros_like(information), torch.zeros_like(information[0])
    for v, (name, values) in enumerate(factors.items()):
        values = _checked(name, values, (N,))
        classes = _intervals(values, bins) if values.is_floating_point() else values.unique(return_inverse=True)[1]
        if classes.max() == 0:
            raise ValueError(f"{name} has one value only: it has no entropy, leave it out")
        entropy[v] = _entropy(classes)
        for j, place in enumerate(places):
            # I(a; b) = H(a) + H(b) - H(a, b), of counts: never negative but for rounding.
            together = _entropy(place * (classes.max() + 1) + classes)
            information[j, v] = (_entropy(place) + entropy[v] - together).clamp(min=0)
            bias[j, v] = place.max() * classes.max() / (2 * N)
    best, second = information.topk(2, dim=0).values
    gap = (best - second) / entropy
    return InformationGap(information, entropy, gap, gap.mean().item(), bias)


def _intervals(values: torch.Tensor, bins: int) -> torch.Tensor:
    """The number of each value's interval, from 0 without holes: int64 [N].

    Equal values stay together, at their middle place, so that the intervals of -values are the
    same. No more values than bins: each is an interval of its own.
    """
    distinct, inverse, counts = values.double().unique(return_inverse=True, return_counts=True)
    if len(distinct) <= bins:
        return inverse
    # Of the middle one of equal values, between 0 and 2 N.
    twice_the_place = 2 * counts.cumsum(dim=0) - counts
    return (twice_the_place * bins // (2 * len(values)))[inverse].unique(return_inverse=True)[1]


def _entropy(classes: torch.Tensor) -> torch.Tensor:
    """Of the counts of non-negative integers [N], in nats: a float64 scalar on the CPU."""
    shares = classes.unique(return_counts=True)[1].double().cpu() / len(classes)
    return -(shares * shares.log()).sum()


def _targets(values: torch.Tensor, period: float | None) -> torch.Tensor:
    """What a probe is to predict, float64: [N, 1], or [N, 2] with cosine and sine for a period."""
    if period is None:
        return values.double()[:, None]
    angle = 2 * math.pi * values.double() / period
    return torch.stack([angle.cos(), angle.sin()], dim=1)


def _standardised(latents: torch.Tensor, ridge: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Latents with mean 0 and standard deviation 1, and what was subtracted and divided, float64.

    A constant latent becomes 0. The ridge is checked here too, for both probes.
    """
    if not ridge > 0:
        raise ValueError(f"ridge is {ridge}: it must be positive, a small one such as 1e-6 changes almost nothing")
    latents = _checked("latents", latents, ("N", "Z")).double()
    centre, scale = latents.mean(dim=0), latents.std(dim=0, correction=0)
    scale = torch.where(scale > 1e-12 * (1 + centre.abs()), scale, 1.0)
    return (latents - centre) / scale, centre, scale


def _checked(name: str, tensor: torch.Tensor, shape: tuple[int | str, ...]) -> torch.Tensor:
    """The tensor, detached, if it has the shape (a letter: any size) and its numbers are finite."""
    fits = tensor.dim() == len(shape) and all(
        wanted in (size, "N", "Z") for size, wanted in zip(tensor.shape, shape, strict=True)
    )
    if not fits or tensor.numel() == 0:
        raise ValueError(f"{name} must have the shape [{', '.join(map(str, shape))}], got {list(tensor.shape)}")
    if not tensor.isfinite().all():
        raise ValueError(f"{name}: a value is not a finite number; look at where they come from")
    return tensor.detach()
