"""Random convolutions for property-based tests: odd sizes, every argument, scattered memory."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from hypothesis import assume
from hypothesis import strategies as st

from course_lib.convolution import conv_output_size, convolution_matrix


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

    rng = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    normal = lambda *shape: torch.randn(*shape, generator=rng, dtype=torch.float64)  # noqa: E731
    x, weight = normal(draw(st.integers(0, largest_batch)), channels, H, W), normal(outputs, channels // groups, KH, KW)
    if draw(st.booleans()):
        x, weight = _scattered(x), _scattered(weight)
    bias = normal(outputs) if draw(st.booleans()) else None
    return Job(x, weight, bias, {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups})


def conv2d_matrix(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """As `torch.nn.functional.conv2d`, by multiplying with `convolution_matrix`: an oracle."""
    arguments = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    size, kernel_size = tuple(x.shape[2:]), tuple(weight.shape[2:])
    # torch's sparse product needs float32 or float64.
    dtype = x.dtype if x.dtype in (torch.float32, torch.float64) else torch.float32
    matrix = convolution_matrix(weight.to(dtype), size, **arguments)
    y = torch.sparse.mm(matrix, x.flatten(1).to(dtype).mT).mT  # columns are images on the way in and out
    output_size = conv_output_size(size, kernel_size, stride, padding, dilation)
    y = y.reshape(len(x), len(weight), *output_size).to(x.dtype)
    return y if bias is None else y + bias.view(-1, 1, 1)


def torch_conv2d(job):
    """PyTorch's answer, padded by hand for "same", where PyTorch may remark that it copies."""
    arguments = dict(job.arguments)
    x = job.x
    if arguments["padding"] == "same":
        total = [d * (k - 1) for k, d in zip(job.weight.shape[2:], arguments["dilation"], strict=True)]
        x = F.pad(x, (total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2))
        arguments["padding"] = 0
    return F.conv2d(x, job.weight, job.bias, **arguments)
