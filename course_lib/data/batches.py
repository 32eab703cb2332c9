"""Batches for training loops, cut from images that are resident on the device."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch

from course_lib.data.image_set import ImageSet
from course_lib.runtime.checks import check_count, check_rng

Targets = torch.Tensor | Sequence | Mapping[str, torch.Tensor | Sequence]


class Batches:
    """Mini-batches (x, y) of images that lie on the device as uint8 and are indexed there.

    Nothing is copied from the CPU during training but the order of the images, so no worker
    processes are needed. Each pass (``for x, y in batches``) draws a new order from a CPU
    generator, so it is the same order on every device.

    Args:
        images: an `ImageSet`, or uint8 [N, C, H, W].
        targets: what is known of each image: a tensor with N rows (labels int64 [N], boxes [N, 4],
            ...), a list of N values (captions), or a dict of those by name (factors). By default
            the labels of the set; of a tensor there are none, and y is None.
        batch_size: images in a batch; the last one of a pass may be smaller.
        shuffle: draw a new order for each pass; otherwise the images come in their own order.
        drop_last: leave out a last batch that is smaller than the others.
        rng: CPU generator that draws the orders; by default a new one with seed 0, so runs repeat
            each other.
        device: where the images lie and the batches are made; by default where the images are.
        dtype: floating-point type of x.
        channels_last: give x the memory layout [N, H, W, C], which convolutions prefer; its shape
            stays [N, C, H, W].

    Yields:
        x in [0, 1], dtype [B, C, H, W], and y, the rows of the targets (or None).
    """

    def __init__(
        self,
        images: ImageSet | torch.Tensor,
        targets: Targets | None = None,
        batch_size: int = 128,
        *,
        shuffle: bool = True,
        drop_last: bool = False,
        rng: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype = torch.float32,
        channels_last: bool = False,
    ) -> None:
        if isinstance(images, ImageSet):
            targets = images.labels if targets is None else targets
            images = images.images
        if not isinstance(images, torch.Tensor):
            raise TypeError(f"images must be a uint8 tensor [N, C, H, W] or an ImageSet, got {type(images).__name__}")
        if images.dtype != torch.uint8 or images.dim() != 4:
            raise ValueError(f"images must be uint8 [N, C, H, W], got {images.dtype} {list(images.shape)}")
        if len(images) == 0:
            raise ValueError("there are no images to make batches of")
        for name, values in targets.items() if isinstance(targets, Mapping) else [("targets", targets)]:
            if values is not None and len(values) != len(images):
                raise ValueError(f"{name} has {len(values)} rows for {len(images)} images: it takes one for each")
        batch_size = check_count("batch_size", batch_size)
        if drop_last and batch_size > len(images):
            raise ValueError(f"batch_size {batch_size} with drop_last leaves no batch of {len(images)} images")
        images = images.to(device)
        self.device = images.device
        # Kept as [N, H, W, C] for channels_last, since indexing gives back contiguous memory.
        self.images = images.permute(0, 2, 3, 1).contiguous() if channels_last else images.contiguous()
        self.targets = _each(targets, lambda values: values.to(self.device) if isinstance(values, torch.Tensor) else values)
        self.batch_size, self.shuffle, self.drop_last = batch_size, shuffle, drop_last
        self.rng, self.dtype, self.channels_last = check_rng(rng), dtype, channels_last

    @property
    def memory_format(self) -> torch.memory_format:
        """The layout of x, which a model should have too."""
        return torch.channels_last if self.channels_last else torch.contiguous_format

    def settings(self) -> dict[str, object]:
        """What a run records of its batches: a resumed run must have the same."""
        return {
            "images": len(self.images),
            "batch_size": self.batch_size,
            "shuffle": self.shuffle,
            "drop_last": self.drop_last,
            "dtype": str(self.dtype),
            "channels_last": self.channels_last,
        }

    def __len__(self) -> int:
        """Number of batches in a pass."""
        N = len(self.images)
        return N // self.batch_size if self.drop_last else -(-N // self.batch_size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Any]]:
        order = None
        if self.shuffle:
            order = torch.randperm(len(self.images), generator=self.rng, device="cpu").to(self.device)
        for i in range(len(self)):
            rows = slice(i * self.batch_size, (i + 1) * self.batch_size)
            yield self.take(rows if order is None else order[rows])

    def take(self, rows: slice | torch.Tensor) -> tuple[torch.Tensor, Any]:
        """One batch (x, y) of chosen images: rows is a slice, or int64 indices on the device."""
        # Indexed as uint8, a quarter of the bytes of float32; division rounds once, so white is
        # exactly 1.
        x = self.images[rows].to(self.dtype).div_(255)
        if self.channels_last:
            x = x.permute(0, 3, 1, 2)  # [B, H, W, C] in memory, [B, C, H, W] in shape
        return x, _each(self.targets, lambda values: _rows(values, rows))


def _each(targets: Any, change: Callable) -> Any:
    """The change made to the targets, or to each of them in a dict; None stays None."""
    if isinstance(targets, Mapping):
        return {name: change(values) for name, values in targets.items()}
    return None if targets is None else change(targets)


def _rows(values: Any, rows: slice | torch.Tensor) -> Any:
    if isinstance(values, torch.Tensor):
        return values[rows].clone()  # consecutive rows would be a view: no change of y may reach the set
    return values[rows] if isinstance(rows, slice) else [values[row] for row in rows.tolist()]
