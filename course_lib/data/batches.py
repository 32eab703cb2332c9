"""Batches for training loops, cut from images that are resident on the device."""

from collections.abc import Iterator

import torch

from course_lib.data.arguments import check_count, check_generator
from course_lib.data.image_set import ImageSet


class Batches:
    """Mini-batches (x, y) of images that lie on the device as uint8 and are indexed there.

    Nothing is copied from the CPU during training but the order of the images, so no worker processes are needed. Each pass
    (``for x, y in batches``) draws a new order from a CPU generator, so it is the same order on every device.

    Args:
        images: an `ImageSet` without transform, or uint8 [N, C, H, W].
        labels: int64 [N], when images is a tensor; without them y is None.
        batch_size: images in a batch; the last one of a pass may be smaller.
        shuffle: draw a new order for each pass; otherwise the images come in their own order.
        drop_last: leave out a last batch that is smaller than the others.
        generator: CPU generator that draws the orders; by default a new one with seed 0, so runs repeat each other.
        device: where the images lie and the batches are made; by default where the images are.
        dtype: floating-point type of x.
        channels_last: give x the memory layout [N, H, W, C], which convolutions prefer; its shape stays [N, C, H, W].

    Yields:
        x in [0, 1], dtype [B, C, H, W], and y, int64 [B] (or None).
    """

    def __init__(
        self,
        images: ImageSet | torch.Tensor,
        labels: torch.Tensor | None = None,
        batch_size: int = 128,
        *,
        shuffle: bool = True,
        drop_last: bool = False,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
        channels_last: bool = False,
    ) -> None:
        if isinstance(images, ImageSet):
            if labels is not None:
                raise ValueError("labels were given beside an ImageSet, which has its own: pass its images and the labels")
            if images.transform is not None:
                raise ValueError("Batches applies no transform: use a DataLoader, or change the batches in the training loop")
            images, labels = images.images, images.labels
        if not isinstance(images, torch.Tensor):
            raise TypeError(f"images must be a uint8 tensor [N, C, H, W] or an ImageSet, got {type(images).__name__}")
        if images.dtype != torch.uint8 or images.dim() != 4:
            kind = f"{images.dtype} {list(images.shape)}"
            raise ValueError(f"images must be a uint8 tensor [N, C, H, W] or an ImageSet, got {kind}")
        if len(images) == 0:
            raise ValueError("there are no images to make batches of")
        if labels is not None and not isinstance(labels, torch.Tensor):
            raise TypeError(f"labels must be an int64 tensor [{len(images)}], got {type(labels).__name__}")
        if labels is not None and labels.shape != (len(images),):
            raise ValueError(f"labels must have the shape [{len(images)}], one for each image, got {list(labels.shape)}")
        batch_size = check_count("batch_size", batch_size, "it must be at least 1")
        if drop_last and batch_size > len(images):
            raise ValueError(f"batch_size {batch_size} with drop_last leaves no batch of {len(images)} images")
        if not dtype.is_floating_point:
            raise ValueError(f"dtype is {dtype}: x lies between 0 and 1 and needs a floating-point type")
        device = images.device if device is None else torch.device(device)
        images = images.to(device)
        # Kept as [N, H, W, C] for channels_last, since indexing gives back contiguous memory.
        self.images = images.permute(0, 2, 3, 1).contiguous() if channels_last else images.contiguous()
        self.labels = None if labels is None else labels.to(device)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = check_generator("generator", generator, "the order")
        self.device = device
        self.dtype = dtype
        self.channels_last = channels_last

    def __len__(self) -> int:
        """Number of batches in a pass."""
        N = len(self.images)
        return N // self.batch_size if self.drop_last else -(-N // self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
        order = None
        if self.shuffle:
            order = torch.randperm(len(self.images), generator=self.generator, device="cpu").to(self.device)
        for i in range(len(self)):
            rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
            yield self.take(rows if order is None else order[rows])

    def take(self, rows: slice | torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """One batch (x, y) of chosen images: rows is a slice, or int64 indices on the device."""
        # Indexed as uint8, a quarter of the bytes of float32; division rounds once, so white is exactly 1.
        x = self.images[rows].to(self.dtype).div_(255)
        if self.channels_last:
            x = x.permute(0, 3, 1, 2)  # [B, H, W, C] in memory, [B, C, H, W] in shape
        # Consecutive labels would be a view: cloned, so that no change of y reaches the set.
        return x, None if self.labels is None else self.labels[rows].clone()


def in_layout_of(changed: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """`changed` in the memory layout of a batch x [N, C, H, W], so that the convolutions after it find what they prefer."""
    channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return changed.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
