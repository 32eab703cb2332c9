"""Images from a trained generator: from given latent vectors, or from fresh ones."""

import torch
from torch import nn

from course_lib.data.arguments import check_condition, check_count
from course_lib.runtime import evaluation_mode


@torch.no_grad()
def draw(generator: nn.Module, z: torch.Tensor, labels: torch.Tensor | None = None, batch_size: int = 500) -> torch.Tensor:
    """Images [N, C, size, size] between 0 and 1, or points, on the CPU, from z [N, Z] or [N, Z, 1, 1].

    labels: int64 [N] for a conditional generator. The generator draws in evaluation mode, so that an image depends on its own z
    alone; the modes of its parts are left as they were. It computes batch_size images at a time.
    """
    device, parts = next(generator.parameters()).device, []
    low, high = getattr(generator, "range", (0.0, 1.0))
    with evaluation_mode(generator):
        for start in range(0, len(z), batch_size):
            part = slice(start, start + batch_size)
            chosen = [] if labels is None else [labels[part].to(device)]
            parts.append(((generator(z[part].to(device), *chosen) - low) / (high - low)).cpu())
    return torch.cat(parts)


def sample(
    generator: nn.Module,
    count: int,
    noise: torch.Generator | None = None,
    labels: torch.Tensor | None = None,
    batch_size: int = 500,
) -> torch.Tensor:
    """`draw` from `count` fresh latent vectors: images [count, C, size, size] between 0 and 1, or points, on the CPU.

    noise: CPU generator that draws z. labels: int64 [count] for a conditional generator.
    """
    check_count("count", count, "it takes at least one")
    check_condition(labels, count, getattr(generator, "classes", 0))
    return draw(generator, generator.noise(count, noise), labels, batch_size)
