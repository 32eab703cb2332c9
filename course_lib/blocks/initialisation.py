"""How weights start."""

from torch import nn


def initialise(module: nn.Module) -> None:
    """Draw the weights of a layer as DCGAN does. Use it as ``model.apply(initialise)``.

    N(0, 0.02) for kernels and matrices, N(1, 0.02) for the scale of batch normalisation, 0 for
    biases; other modules are left as they are. Source: Radford et al. (2016), section 4, and their
    program.
    """
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
