"""Many devices: processes that learn together, each from its slice of every batch.

    torchrun --nproc-per-node=2 -m course_lib train classification --data glyphs --out runs/two

Every process makes the same batches and draws the same random numbers on the CPU. It computes its
own slice, and PyTorch's DistributedDataParallel adds up the gradients, each weighed by the share
of the batch that it comes from. So the steps are those of one process with the whole batch, a last
batch of any size included, and a checkpoint can be resumed by any number of processes.

Three things see a slice and not the batch: batch normalisation on a CPU (on GPUs it is
synchronised), random numbers that PyTorch's own generator draws, as for dropout and
`gradient_penalty`, and the mean KL that `free_bits` of `elbo` are compared with.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from course_lib.runtime import pick_device


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[torch.device]:
    """Inside, the processes that torchrun started are one `World`; yields the device of this one.

    GPUs are dealt out by the number of the process on its machine: ValueError where there are too
    few. Started without torchrun, it does nothing.
    """
    if "WORLD_SIZE" not in os.environ:  # torchrun sets it
        yield device
        return
    if device.type == "cuda":
        device = pick_device(f"cuda:{os.environ['LOCAL_RANK']}")
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        dist.destroy_process_group()


class World:
    """The processes that learn together, in PyTorch's words: `size` of them, this one is `rank`.

    Without torchrun, size is 1 and every method returns what it was given.
    """

    def __init__(self) -> None:
        several = dist.is_available() and dist.is_initialized()
        self.rank, self.size = (dist.get_rank(), dist.get_world_size()) if several else (0, 1)
        self.weight = 1.0  # share of the present batch that is this process's

    def share(self, *values: Any) -> list[Any]:
        """The slice of this process of each of the values of a batch; None stays None.

        ValueError where a batch has fewer images than there are processes.
        """
        N = len(values[0])
        if self.size > N:
            way_out = "take a larger batch_size, give Batches drop_last=True, or start fewer processes"
            raise ValueError(f"a batch has {N} images for {self.size} processes, and each needs one: {way_out}")
        self._before, end = N * self.rank // self.size, N * (self.rank + 1) // self.size
        self._after, self.weight = N - end, (end - self._before) / N
        return [None if value is None else value[self._before : end] for value in values]

    def changed(self, change: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        """``change(x)`` of this process's slice x, with the random numbers of the whole batch."""
        if self.size == 1:
            return change(x)
        batch = F.pad(x, (0, 0) * (x.dim() - 1) + (self._before, self._after))
        return change(batch)[self._before : self._before + len(x)]

    def replicated(self, model: nn.Module) -> nn.Module:
        """The model as a loop calls it, so that its gradients are those of the whole batch."""
        if self.size == 1:
            return model
        device = next(model.parameters()).device
        if device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(model)  # its layers are exchanged, their weights kept
        # A kernel of one channel has the same layout under two names.
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        replica = DistributedDataParallel(model, device_ids=[device.index] if device.type == "cuda" else None)
        replica.broadcast_buffers = False  # between two calls in a step autograd would take it for a change
        replica.register_comm_hook(self, _weighted_sum)
        return replica

    def weighted(self, values: dict) -> dict:
        """Means over the slice, times its share of the batch: their `total` is the mean over the batch."""
        if self.size == 1:
            return values
        return {name: v * self.weight if isinstance(v, torch.Tensor) else v for name, v in values.items()}

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum over the processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    @torch.no_grad()
    def agree(self, *models: nn.Module) -> None:
        """Running statistics become the mean over the processes, which normalised their slices."""
        for model in models if self.size > 1 else ():
            for buffer in model.buffers():
                if buffer.is_floating_point():
                    self.total(buffer).div_(self.size)


def _weighted_sum(world: World, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:
    """What DistributedDataParallel does with gradients, in place of their plain mean."""
    gradients = bucket.buffer().mul_(world.weight)
    return dist.all_reduce(gradients, async_op=True).get_future().then(lambda done: done.value()[0])
