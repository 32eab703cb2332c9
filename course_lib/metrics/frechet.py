"""The Frechet distance between two sets of images, seen through the features of a network."""

import torch


def feature_statistics(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean [D] and covariance [D, D] (divided by N - 1) of features [N, D].

    In float64, on their device. Raises ValueError for fewer than two images, or features that are
    not finite.
    """
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(f"features must be [N, D] of at least two images, got the shape {list(features.shape)}")
    features = features.detach().double()
    if not features.isfinite().all():
        raise ValueError("a feature is not a finite number: look at the images, and at the network that judges them")
    mean = features.mean(dim=0)
    centred = features - mean
    return mean, centred.mT @ centred / (len(features) - 1)


def frechet_distance(mean1: torch.Tensor, cov1: torch.Tensor, mean2: torch.Tensor, cov2: torch.Tensor) -> float:
    """|mean1 - mean2|^2 + tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2)).

    The squared 2-Wasserstein distance of two Gaussians. cov1 cov2 is not symmetric, but has the
    eigenvalues of S cov2 S with S = cov1^(1/2), which is. So the trace of its root is the sum of
    the roots of those, and no root of a general matrix is needed. It depends on the number of
    images: fewer than some thousands make it larger, so compare only distances of one count.

    Source: Dowson and Landau, The Frechet distance between multivariate normal distributions
    (1982); Heusel et al., GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium (2017), equation 6.

    mean1, mean2: [D]; cov1, cov2: [D, D], symmetric and positive semidefinite. Computed in float64.
    Raises ValueError for other shapes, for means that are not finite, and for what is not a
    covariance.
    """
    D = max(1, mean1.numel())
    shapes = [list(statistic.shape) for statistic in (mean1, cov1, mean2, cov2)]
    if shapes != [[D], [D, D], [D], [D, D]]:
        raise ValueError(f"the statistics must have the shapes [D], [D, D], [D], [D, D], got {', '.join(map(str, shapes))}")
    shift, cov1, cov2 = mean1.double() - mean2.double(), cov1.double(), cov2.double()
    if not shift.isfinite().all():
        raise ValueError("a mean is not finite: look at the features that it is the mean of")
    values1, vectors1 = _eigen(cov1, "cov1")
    _eigen(cov2, "cov2")
    root1 = vectors1 * values1.sqrt() @ vectors1.mT
    product = root1 @ cov2 @ root1
    # Rounding makes zeros slightly negative, and the product slightly unsymmetric.
    roots = torch.linalg.eigvalsh((product + product.mT) / 2).clamp(min=0).sqrt()
    distance = shift.square().sum() + cov1.trace() + cov2.trace() - 2 * roots.sum()
    return distance.clamp(min=0).item()


def _eigen(cov: torch.Tensor, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Eigenvalues, none below 0, and eigenvectors of a covariance; an error for anything else."""
    size = cov.abs().max()
    if not size.isfinite() or (cov - cov.mT).abs().max() > 1e-8 * size:
        raise ValueError(f"{name} is not finite and symmetric: it must be a covariance, as feature_statistics returns it")
    values, vectors = torch.linalg.eigh(cov)
    if values[0] < -1e-8 * size * len(cov):
        raise ValueError(f"{name} has the eigenvalue {values[0].item():.3g}: a covariance has none below 0")
    return values.clamp(min=0), vectors
