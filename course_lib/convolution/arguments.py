"""Reading and checking the arguments that every convolution shares, so that a mistake is named before it is computed with."""

import operator

import torch


def check_counts(*values, name, least=1):
    """The values as ints (NumPy's are understood), each at least `least`; raises ValueError for anything else."""
    counts = []
    for value in values:
        try:
            counts.append(operator.index(value))
        except TypeError:
            counts.append(least - 1)
        if isinstance(value, bool) or counts[-1] < least:
            raise ValueError(f"{name} must be ints of at least {least}, got {value!r}")
    return tuple(counts)


def pair(value, name, least=1):
    """(height, width) from an int or a pair of ints, each at least `least`."""
    if isinstance(value, (tuple, list, torch.Size)) and len(value) == 2:
        return check_counts(*value, name=name, least=least)
    if not hasattr(value, "__index__"):
        raise ValueError(f"{name} must be an int or a pair (height, width), got {value!r}")
    return check_counts(value, value, name=name, least=least)


def along_axis(both, *arguments):
    """The one number of a square answer; raises ValueError if an argument was a pair, for which one number has no meaning."""
    if any(isinstance(argument, (tuple, list)) for argument in arguments):
        raise ValueError(f"an int size goes with int arguments, got {arguments}; give the size as a pair (height, width)")
    return both[0]


def resolve_padding(padding, kernel_size, stride, dilation):
    """((top, bottom), (left, right)) from an int, a pair, "valid" or "same".

    "same" adds dilation (kernel_size - 1) zeros in all, the odd one at the bottom and right, which is PyTorch's choice.
    """
    if padding == "valid":
        padding = 0
    if padding == "same":
        if stride != (1, 1):
            raise ValueError(f'padding "same" needs stride 1, got stride {stride}; give the padding as a number')
        total = [d * (k - 1) for k, d in zip(kernel_size, dilation, strict=True)]
        return tuple((t // 2, t - t // 2) for t in total)
    if isinstance(padding, str):
        raise ValueError(f'padding must be an int, a pair, "same" or "valid", got {padding!r}')
    return tuple((p, p) for p in pair(padding, "padding", least=0))


def check_tensors(x, weight, bias, axes, channels, outputs):
    """Raise unless x, weight and bias fit together: dimensions, channels, dtype and device.

    axes: the names of the image axes, "HW" or "L". channels, outputs: what x must have and bias must have, as numbers.
    """
    for name, tensor in (("x", x), ("weight", weight), ("bias", bias)):
        if not isinstance(tensor, torch.Tensor) and not (name == "bias" and tensor is None):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
    for name, tensor, letters in (("x", x, "NC" + axes), ("weight", weight, "OC" + "".join("K" + a for a in axes))):
        if tensor.dim() != 2 + len(axes):
            hint = "; add a batch dimension with x[None]" if name == "x" and tensor.dim() == 1 + len(axes) else ""
            raise ValueError(f"{name} must have {2 + len(axes)} dimensions ({letters}), got shape {list(tensor.shape)}{hint}")
        if not tensor.is_floating_point():
            raise TypeError(f"{name} must be floating point, got {tensor.dtype}; convert it with .float()")
    if x.shape[1] != channels:
        raise ValueError(
            f"x of shape {list(x.shape)} has {x.shape[1]} channels, but weight of shape {list(weight.shape)} needs {channels}"
        )
    for name, tensor in (("weight", weight), ("bias", bias)):
        if tensor is not None and (tensor.dtype != x.dtype or tensor.device != x.device):
            raise TypeError(f"x is {x.dtype} on {x.device} but {name} is {tensor.dtype} on {tensor.device}; use .to()")
    if bias is not None and bias.shape != (outputs,):
        raise ValueError(f"bias must have shape [{outputs}], one number for each output channel, got {list(bias.shape)}")


def check_groups(weight, groups, kind):
    """Raise unless `groups` is a positive int that divides the first axis of weight (the channels of this kind)."""
    if not isinstance(weight, torch.Tensor) or weight.dim() == 0:
        raise TypeError(f"weight must be a tensor of kernels, got {weight!r}")
    check_counts(groups, name="groups")
    if weight.shape[0] % groups:
        raise ValueError(f"groups {groups} must divide the {weight.shape[0]} {kind} channels of weight {list(weight.shape)}")


def check_channels(in_channels, out_channels, groups):
    """The three as ints of at least 1; raises ValueError also where groups does not divide both numbers of channels."""
    names = "in_channels, out_channels and groups"
    in_channels, out_channels, groups = check_counts(in_channels, out_channels, groups, name=names)
    if in_channels % groups or out_channels % groups:
        raise ValueError(f"groups {groups} must divide in_channels {in_channels} and out_channels {out_channels}")
    return in_channels, out_channels, groups


def check_batch(x):
    """Raise unless x is a batch of images, [N, C, H, W]."""
    if x.dim() != 4:
        raise ValueError(
            f"x must have 4 dimensions (NCHW), got shape {list(x.shape)}; an image alone becomes a batch with x[None]"
        )


def check_gradient(grad_output, expected, what="output"):
    """Raise unless the gradient that a backward function is given has the shape of what its forward function returned."""
    if grad_output.shape != tuple(expected):
        raise ValueError(f"grad_output must have the shape of the {what}, {list(expected)}, got {list(grad_output.shape)}")
