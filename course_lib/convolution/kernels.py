"""Classical kernels: convolutions that were designed by hand before any were learned."""

import torch


def classical_kernels() -> dict[str, torch.Tensor]:
    """Named 2-D kernels of image processing, float32 [KH, KW], written for cross-correlation.

    Blurs sum to 1 (they keep the brightness), edge detectors to 0 (they are blind to it).
    """
    binomial = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    return {
        "identity": torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
        "box blur": torch.full((3, 3), 1 / 9),
        "Gaussian blur": torch.outer(binomial, binomial),
        "sharpen": torch.tensor([[0.0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        "Sobel, horizontal": torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        "Sobel, vertical": torch.tensor([[-1.0, -2, -1], [0, 0, 0], [1, 2, 1]]),
        "Laplacian": torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        "emboss": torch.tensor([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]),
    }


def separate(kernel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, float]:
    """The best approximation of a kernel by a column times a row, and its relative error.

    kernel: [KH, KW] -> (column [KH, 1], row [1, KW], error), where
    error = |kernel - column @ row| / |kernel| in the Frobenius norm. At error 0 two passes with
    KH + KW multiplications per pixel replace one with KH * KW.
    Source: Eckart and Young, The approximation of one matrix by another of lower rank (1936): the
    first singular pair is best.
    """
    if kernel.dim() != 2 or not kernel.is_floating_point() or not kernel.any() or not kernel.isfinite().all():
        raise ValueError(f"kernel must be a finite floating-point matrix that is not zero, got shape {list(kernel.shape)}")
    left, strengths, right = torch.linalg.svd(kernel)
    column, row = left[:, :1] * strengths[0].sqrt(), right[:1] * strengths[0].sqrt()
    error = torch.linalg.matrix_norm(kernel - column @ row) / torch.linalg.matrix_norm(kernel)
    return column, row, error.item()
