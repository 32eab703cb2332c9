"""Convolution by its definition, one multiplication at a time: the oracle of everything faster."""

import torch

from course_lib.convolution.arguments import Pair, check_conv2d


def conv2d_loops(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: Pair = 1,
    padding: Pair | str = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> torch.Tensor:
    """As `torch.nn.functional.conv2d`, in plain Python loops.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same
    dtype and device, no gradient. Sums are in Python's double precision and rounded once, at the
    end. stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0,
    "same" or "valid". Raises ValueError or TypeError, naming the sizes, where the arguments do not
    fit.
    """
    geometry = check_conv2d(x, weight, bias, stride, padding, dilation, groups)
    N, O = x.shape[0], weight.shape[0]
    (H, W), (OH, OW) = geometry.input_size, geometry.output_size
    C, KH, KW = weight.shape[1:]  # C: channels that one kernel sees
    (SH, SW), (DH, DW), ((top, _), (left, _)) = geometry.stride, geometry.dilation, geometry.padding
    image, kernel, y = x.tolist(), weight.tolist(), x.new_zeros(N, O, OH, OW).tolist()
    for n in range(N):
        for o in range(O):
            first = (o // (O // groups)) * C  # first input channel of this output's group
            for oh in range(OH):
                for ow in range(OW):
                    total = 0.0 if bias is None else bias[o].item()
                    for c in range(C):
                        for kh in range(KH):
                            for kw in range(KW):
                                h, w = oh * SH + kh * DH - top, ow * SW + kw * DW - left
                                if 0 <= h < H and 0 <= w < W:  # outside lies the padding: zeros
                                    total += image[n][first + c][h][w] * kernel[o][c][kh][kw]
                    y[n][o][oh][ow] = total
    return x.new_tensor(y).reshape(N, O, OH, OW)


def conv1d_loops(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    stride: int = 1,
    padding: int | str = 0,
    dilation: int = 1,
    groups: int = 1,
) -> torch.Tensor:
    """As `torch.nn.functional.conv1d`, in the same loops.

    x: [N, C, L], weight: [O, C / groups, K], bias: [O] or None -> [N, O, OL], same dtype and
    device, no gradient. stride, dilation and groups: ints of at least 1; padding: an int of at
    least 0, "same" or "valid". Raises ValueError or TypeError, naming the sizes, where the
    arguments do not fit.
    """
    if x.dim() != 3 or weight.dim() != 3:
        shapes = f"{list(x.shape)} and {list(weight.shape)}"
        raise ValueError(f"x [N, C, L] and weight [O, C / groups, K] must have 3 dimensions, got shapes {shapes}")
    # A signal is an image of height 1, and the kernel's row does not move.
    image, kernel, sides = x[:, :, None], weight[:, :, None], padding if isinstance(padding, str) else (0, padding)
    y = conv2d_loops(image, kernel, bias, stride=(1, stride), padding=sides, dilation=(1, dilation), groups=groups)
    return y[:, :, 0]
