"""One photograph that every reader has.

It is the portrait of Grace Hopper that matplotlib ships (US Navy, public domain).
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image


def photograph(size: int = 256) -> torch.Tensor:
    """The photograph, cut to a square around head and shoulders and scaled: uint8 [3, size, size].

    Raises ValueError if size is not between 8 and 512, the width of the original.
    """
    if not 8 <= size <= 512:
        raise ValueError(f"size is {size}: choose from 8 to 512 pixels, the width of the original")
    import matplotlib  # here, because it takes a while and the rest of the data needs none of it

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as image:
        square = image.convert("RGB").crop((0, 0, 512, 512)).resize((size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.asarray(square).copy()).permute(2, 0, 1)  # [H, W, C] -> [C, H, W]
