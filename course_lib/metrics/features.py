"""What a network says of many images, and what its features tell: neighbours, variety."""

from collections.abc import Callable

import torch

from course_lib.runtime.checks import check_labels


@torch.no_grad()
def features_of(network: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, batch_size: int = 500) -> torch.Tensor:
    """What `network` returns for images [N, C, H, W], `batch_size` at a time: [N, ...], on the CPU.

    network: any function of a batch, for example ``judge.features``, ``judge`` for the logits, or
    ``torch.flatten`` with ``start_dim=1`` for the pixels themselves. Images of a batch must not
    depend on each other in it: a model belongs in evaluation mode. The images are handed to it as
    they are, on the device where they lie.

    Raises ValueError where a result is not finite. NaN would go on unnoticed: its ``argmax`` is a
    class like any other.
    """
    features = torch.cat([network(part).cpu() for part in images.split(batch_size)])
    if not features.isfinite().all():
        raise ValueError("a feature is not a finite number: look at the images, and at the network that judges them")
    return features


def nearest_neighbours(queries: torch.Tensor, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For each query the smallest Euclidean distance to the features, and which one that is.

    queries: [Q, D]; features: [N, D], N at least 1. Returns distances [Q] and indices, int64 [Q];
    the distance is NaN where a number is. Raises ValueError for other shapes.
    """
    if queries.dim() != 2 or features.dim() != 2 or queries.shape[1] != features.shape[1] or len(features) == 0:
        shapes = f"{list(queries.shape)} and {list(features.shape)}"
        raise ValueError(f"queries and features must be [Q, D] and [N, D], got {shapes}: images.flatten(1) makes rows")
    indices = torch.cat([torch.cdist(part, features).argmin(dim=1) for part in queries.split(500)])
    # Measured anew: in cdist's matrix product an image and its copy may be apart by rounding.
    return (queries - features[indices]).norm(dim=1), indices


def variety(images: torch.Tensor, labels: torch.Tensor, classes: int) -> float:
    """Standard deviation of a pixel among images of one class, mean over pixels and classes.

    It is 0 if each class is one image. A Fréchet distance and a judge hardly see that: both find a
    class in order that is drawn well and always alike. Compare with the same number of real images.

    images: floats [N, C, H, W]; labels: int64 [N]. Raises ValueError for a class with fewer than
    two images, or labels that are missing or out of range.
    """
    check_labels(labels, len(images), classes)
    spread = []
    for label in range(classes):
        chosen = images[labels == label]
        if len(chosen) < 2:
            raise ValueError(f"class {label} has {len(chosen)} images: a spread needs at least 2 of each class")
        spread.append(chosen.std(dim=0).mean())
    return torch.stack(spread).mean().item()
