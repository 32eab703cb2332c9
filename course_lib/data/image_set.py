"""What every set of the course is: images in memory with their labels and what else is known of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from course_lib.data.arguments import check_count


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images with their labels. Indexing gives one (image, label), so that a `torch.utils.data.DataLoader` can read it.

    Attributes:
        images: uint8 [N, C, H, W], C = 1 (grey) or 3 (red, green, blue), on the CPU.
        labels: int64 [N], the class of each image.
        classes: the name of each class.
        factors: what the images were drawn from, tensors with N rows as in `FACTORS`; None for photographs and scans.
        masks: uint8 [N, 1, H, W], how much of each pixel the labelled object covers, 0 to 255; None where it is not known.
        name: what `load` was asked for.
        split: which part of it.
        transform: applied to the image, a uint8 tensor [C, H, W], whenever one is taken by index.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: list[str]
    factors: dict[str, torch.Tensor] | None = None
    masks: torch.Tensor | None = None
    name: str = ""
    split: str = ""
    transform: Callable | None = None

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[object, int]:
        image = self.images[index]
        if image.dim() != 3:
            raise TypeError(f"a set is indexed by one integer, not {index!r}: slice its images and labels instead")
        # A transform gets a copy: one that works in place would otherwise change the set.
        return image if self.transform is None else self.transform(image.clone()), int(self.labels[index])

    def subset(self, rows: torch.Tensor | slice) -> "ImageSet":
        """The chosen images with all that is known of them: rows is a slice, indices int64 [n] or a bool mask [N]."""
        if not isinstance(rows, slice) and getattr(rows, "ndim", 0) != 1:
            raise TypeError(f"rows must be a slice, indices or a mask, got {rows!r}: one image is a subset too, slice(n, n + 1)")
        factors = None if self.factors is None else {name: values[rows] for name, values in self.factors.items()}
        masks = None if self.masks is None else self.masks[rows]
        return replace(self, images=self.images[rows], labels=self.labels[rows], factors=factors, masks=masks)

    def sample(self, count: int, generator: torch.Generator | None = None) -> "ImageSet":
        """`count` different images, chosen at random (all of them, in another order, where there are no more)."""
        count = check_count("count", count, "a sample has at least one image")
        return self.subset(torch.randperm(len(self), generator=generator, device="cpu")[:count])

    def __repr__(self) -> str:
        N, C, H, W = self.images.shape
        known = [part for part in ("factors", "masks") if getattr(self, part) is not None]
        return f"{self.name} ({self.split}): {N:,} images of {C} x {H} x {W}, {len(self.classes)} classes" + (
            f", with {' and '.join(known)}" if known else ""
        )
