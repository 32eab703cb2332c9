"""Convolution as its definition says it: one multiplication at a time. Slow, obvious, and the oracle of everything faster."""

from course_lib.convolution.arguments import check_groups, check_tensors
from course_lib.convolution.geometry import check_conv2d, window_geometry


def conv1d_loops(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of signals with kernels, as `torch.nn.functional.conv1d`, in plain Python loops.

    x: [N, C, L], weight: [O, C / groups, K], bias: [O] or None -> [N, O, OL], same dtype and device, no gradient.
    stride, dilation and groups: ints of at least 1; padding: an int of at least 0, "same" or "valid".
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
    """
    check_groups(weight, groups, "output")
    check_tensors(x, weight, bias, "L", channels=weight.shape[1] * groups if weight.dim() == 3 else 0, outputs=weight.shape[0])
    # A signal is an image of height 1, and the kernel's row does not move.
    geometry = window_geometry(
        (1, x.shape[2]),
        (1, weight.shape[2]),
        (1, stride),
        padding if isinstance(padding, str) else (0, padding),
        (1, dilation),
    )
    N, O, OL = x.shape[0], weight.shape[0], geometry.output_size[1]
    C, K = weight.shape[1:]  # channels that one kernel sees
    L, left = x.shape[2], geometry.padding[1][0]
    signal, kernel, y = x.tolist(), weight.tolist(), x.new_zeros(N, O, OL).tolist()
    for n in range(N):
        for o in range(O):
            first = (o // (O // groups)) * C  # first input channel of this output's group
            for i in range(OL):
                total = 0.0 if bias is None else bias[o].item()
                for c in range(C):
                    for k in range(K):
                        position = i * stride + k * dilation - left
                        if 0 <= position < L:  # outside lies the padding: zeros
                            total += signal[n][first + c][position] * kernel[o][c][k]
                y[n][o][i] = total
    return x.new_tensor(y).reshape(N, O, OL)


def conv2d_loops(x, weight, bias=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Cross-correlation of images with kernels, as `torch.nn.functional.conv2d`, in plain Python loops.

    x: [N, C, H, W], weight: [O, C / groups, KH, KW], bias: [O] or None -> [N, O, OH, OW], same dtype and device, no gradient.
    stride, dilation: ints or pairs of at least 1; padding: an int or a pair of at least 0, "same" or "valid".
    Sums are in Python's double precision and rounded once, at the end.
    Raises ValueError or TypeError, naming the sizes, where the arguments do not fit.
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


def convolve1d_loops(signal, kernel):
    """The convolution of mathematics in one dimension: y[i] = sum over k of signal[i - k] kernel[k], wherever they overlap.

    signal: [L], kernel: [K] -> [L + K - 1]. The kernel runs backwards, so the order of the two does not matter.
    """
    L, K = _lengths(signal, kernel, dimensions=1)
    y = [0.0] * (L + K - 1)
    for i in range(L + K - 1):
        for k in range(K):
            if 0 <= i - k < L:
                y[i] += signal[i - k].item() * kernel[k].item()
    return signal.new_tensor(y)


def convolve2d_loops(image, kernel):
    """The convolution of mathematics in two dimensions: y[i, j] = sum of image[i - h, j - w] kernel[h, w].

    image: [H, W], kernel: [KH, KW] -> [H + KH - 1, W + KW - 1].
    """
    (H, W), (KH, KW) = _lengths(image, kernel, dimensions=2)
    y = [[0.0] * (W + KW - 1) for _ in range(H + KH - 1)]
    for i in range(H + KH - 1):
        for j in range(W + KW - 1):
            for h in range(KH):
                for w in range(KW):
                    if 0 <= i - h < H and 0 <= j - w < W:
                        y[i][j] += image[i - h, j - w].item() * kernel[h, w].item()
    return image.new_tensor(y)


def _lengths(signal, kernel, dimensions):
    if signal.dtype != kernel.dtype or not signal.is_floating_point():
        raise TypeError(f"signal and kernel must share a floating-point type, got {signal.dtype} and {kernel.dtype}")
    for name, tensor in (("signal", signal), ("kernel", kernel)):
        if tensor.dim() != dimensions or tensor.numel() == 0:
            raise ValueError(f"{name} must have {dimensions} dimension(s), none of them empty, got shape {list(tensor.shape)}")
    return (len(signal), len(kernel)) if dimensions == 1 else (tuple(signal.shape), tuple(kernel.shape))
