"""Random convolutions for property-based tests: odd and non-square sizes, every argument, non-contiguous memory."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from hypothesis import assume
from hypothesis import strategies as st


class Job(NamedTuple):
    """One convolution: tensors in float64 and its keyword arguments."""

    x: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor | None
    arguments: dict

    def to(self, device, dtype=torch.float64):
        """The same job elsewhere or in another precision."""
        bias = None if self.bias is None else self.bias.to(device, dtype)
        return Job(self.x.to(device, dtype), self.weight.to(device, dtype), bias, self.arguments)


def _scattered(tensor):
    """The same numbers in memory that is not contiguous: axes stored in reverse, with gaps."""
    order = tuple(reversed(range(tensor.dim())))
    return tensor.permute(order).repeat_interleave(2, dim=-1)[..., ::2].permute(order)


@st.composite
def jobs(draw, largest_batch=2, padding_words=True):
    """A convolution whose kernel fits its padded input."""
    pairs = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))  # noqa: E731
    groups = draw(st.integers(1, 3))
    channels, outputs = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    (KH, KW), (H, W) = draw(pairs(1, 4)), draw(pairs(1, 8))
    dilation, stride, padding = draw(pairs(1, 3)), draw(pairs(1, 3)), draw(pairs(0, 3))
    if padding_words and draw(st.booleans()):
        padding, stride = draw(st.sampled_from(("same", "valid"))), (1, 1)
    added = (0, 0) if padding == "valid" else (9, 9) if padding == "same" else (2 * padding[0], 2 * padding[1])
    assume(H + added[0] >= dilation[0] * (KH - 1) + 1 and W + added[1] >= dilation[1] * (KW - 1) + 1)

    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    normal = lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)  # noqa: E731
    x, weight = normal(draw(st.integers(0, largest_batch)), channels, H, W), normal(outputs, channels // groups, KH, KW)
    if draw(st.booleans()):
        x, weight = _scattered(x), _scattered(weight)
    bias = normal(outputs) if draw(st.booleans()) else None
    return Job(x, weight, bias, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups})


def torch_conv2d(job):
    """PyTorch's answer. It warns where "same" needs one-sided padding, so that case is padded by hand."""
    arguments = dict(job.arguments)
    x = job.x
    if arguments["padding"] == "same":
        total = [d * (k - 1) for k, d in zip(job.weight.shape[2:], arguments["dilation"], strict=True)]
        x = F.pad(x, (total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2))
        arguments["padding"] = 0
    return F.conv2d(x, job.weight, job.bias, **arguments)
