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
