"""What every set of the course is: images in memory with what is known of them."""

from dataclasses import dataclass, replace

import torch

from course_lib.runtime.checks import check_count


@dataclass(frozen=True, eq=False, repr=False)
class ImageSet:
    """Images with their labels.

    Indexing gives one (image, label), so that a `torch.utils.data.DataLoader` can read it.

    Attributes:
        images: uint8 [N, C, H, W], C = 1 (grey) or 3 (red, green, blue), on the CPU.
        labels: int64 [N], the class of each image.
        classes: the name of each class.
        factors: what the images were drawn from, tensors with N rows as in `FACTORS`; None for
            photographs and scans.
        masks: uint8 [N, 1, H, W], how much of each pixel the labelled object covers, 0 to 255; None
            where it is not known.
        name: what `load` was asked for.
        split: which part of it.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: list[str]
    factors: dict[str, torch.Tensor] | None = None
    masks: torch.Tensor | None = None
    name: str = ""
    split: str = ""

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if self.images[index].dim() != 3:
            raise TypeError(f"a set is indexed by one integer, not {index!r}: slice its images and labels instead")
        return self.images[index], int(self.labels[index])

    def pixels(self, rows: torch.Tensor | slice = slice(None)) -> torch.Tensor:
        """The chosen images as numbers in [0, 1], float32 [n, C, H, W].

        rows: a slice, indices int64 [n] or a bool mask [N]; by default all.
        """
        return self.images[rows].float() / 255

    def subset(self, rows: torch.Tensor | slice) -> "ImageSet":
        """The chosen images with all that is known of them.

        rows: a slice, indices int64 [n] or a bool mask [N].
        """
        if isinstance(rows, int):
            raise TypeError(f"rows is {rows}: it must be a slice, indices or a mask; slice({rows}, {rows + 1}) takes one image")
        factors = None if self.factors is None else {name: values[rows] for name, values in self.factors.items()}
        masks = None if self.masks is None else self.masks[rows]
        return replace(self, images=self.images[rows], labels=self.labels[rows], factors=factors, masks=masks)

    def sample(self, count: int, rng: torch.Generator | None = None) -> "ImageSet":
        """`count` different images at random; of a smaller set all of them, in another order."""
        count = check_count("count", count, "a sample has at least one image")
        return self.subset(torch.randperm(len(self), generator=rng, device="cpu")[:count])

    def __repr__(self) -> str:
        N, C, H, W = self.images.shape
        known = [part for part in ("factors", "masks") if getattr(self, part) is not None]
        return f"{self.name} ({self.split}): {N:,} images of {C} x {H} x {W}, {len(self.classes)} classes" + (
            f", with {' and '.join(known)}" if known else ""
        )
