"""How fast are the convolutions of chapters 1 and 2, as ratios to PyTorch's?

`make bench-convolution` prints it. One CPU thread, float32, contiguous NCHW input for
everyone. All candidates are measured in turn, round after round, and the median of each is
compared: other programs on the machine then disturb all of them alike.
"""

import time

import torch
import torch.nn.functional as F

from course_lib.convolution import Conv2dFunction, conv2d_fft, conv2d_loops
from course_lib.runtime import interleaved_medians
from course_lib.runtime.device import processor

SIZES = {  # (N, C, H, O, K): rounds to measure
    (1, 1, 28, 1, 3): 300,
    (64, 3, 32, 32, 3): 60,
    (16, 64, 56, 64, 3): 15,
}
# Multiply-adds that the loops are given. Larger jobs are measured on a part, and the part is named.
LOOPS_LIMIT = 2_000_000


def reference(x, weight):
    """PyTorch's convolution, "same" padding as everywhere here."""
    return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


def ours(x, weight):
    """im2col forward, hand-derived backward."""
    return Conv2dFunction.apply(x, weight, None, 1, weight.shape[-1] // 2, 1, 1)


def fourier(x, weight):
    """Fourier transform; its backward pass is autograd's."""
    return conv2d_fft(x, weight, padding=weight.shape[-1] // 2)


def forward(function, x, weight):
    """One forward pass."""
    with torch.no_grad():
        function(x, weight)


def forward_and_backward(function, x, weight):
    """One forward and backward pass, with the gradients of input and weight."""
    torch.autograd.grad(function(x, weight).sum(), (x, weight))


def medians(measure, x, weight, rounds):
    """Median seconds of PyTorch's, im2col and FFT, measured in turn."""
    functions = {"torch": reference, "im2col": ours, "FFT": fourier}
    jobs = {name: lambda function=function: measure(function, x, weight) for name, function in functions.items()}
    return interleaved_medians(jobs, rounds=rounds)


def loops(x, weight):
    """Seconds of the plain loops on as much of the job as LOOPS_LIMIT allows, and the share of the
    job that this was.
    """
    O, C, K, _ = weight.shape
    per_output = x.shape[2] * x.shape[3] * C * K * K
    outputs = max(1, min(O, LOOPS_LIMIT // per_output))
    images = max(1, min(x.shape[0], LOOPS_LIMIT // (per_output * outputs)))
    start = time.perf_counter()
    conv2d_loops(x[:images], weight[:outputs], padding=K // 2)
    return time.perf_counter() - start, (outputs * images) / (O * x.shape[0])


def tensors(N, C, H, O, K):
    """A random job of this size, the same in each run."""
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(N, C, H, H, generator=rng).requires_grad_()
    weight = torch.randn(O, C, K, K, generator=rng).requires_grad_()
    return x, weight


def crossover(N=4, C=16, H=64, O=16):
    """From which kernel size on the Fourier transform overtakes im2col, forward, on one
    middle-sized job.
    """
    print(f"\nFFT against im2col as the kernel grows, forward, {N}x{C}x{H}x{H} to {O} channels")
    for K in (1, 3, 5, 7, 9, 11, 15, 21, 31):
        seconds = medians(forward, *tensors(N, C, H, O, K), rounds=9)
        im2col, fft = seconds["im2col"] / seconds["torch"], seconds["FFT"] / seconds["torch"]
        print(f"  kernel {K:2d}x{K:<2d}  im2col {im2col:6.2f}x   FFT {fft:6.2f}x   ahead: {'FFT' if fft < im2col else 'im2col'}")


def main():
    """Print the tables."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, 1 CPU thread, {processor()}")
    print("float32, contiguous NCHW; ratios to torch.nn.functional.conv2d, less is faster")
    for size, rounds in SIZES.items():
        N, C, H, O, K = size
        x, weight = tensors(*size)
        print(f"\n{N}x{C}x{H}x{H}, kernel {K}, to {O} channels, padding {K // 2}")
        loops_time, share = loops(x.detach(), weight.detach())
        for name, measure in (("forward", forward), ("forward + backward", forward_and_backward)):
            seconds = medians(measure, x, weight, rounds)
            line = (
                f"  {name:18s}  torch {seconds['torch'] * 1e3:8.3f} ms   im2col {seconds['im2col'] / seconds['torch']:5.2f}x   "
            )
            line += f"FFT {seconds['FFT'] / seconds['torch']:6.2f}x"
            if name == "forward":
                part = "" if share == 1 else f" (measured on {share:.2%} of the job and scaled up)"
                line += f"   loops {loops_time / share / seconds['torch']:9.0f}x{part}"
            print(line)
    crossover()


if __name__ == "__main__":
    main()
