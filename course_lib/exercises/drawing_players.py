"""The players of notebook 07: those on its page, and the course's answer to the exercise that gives them labels."""

from torch import Tensor, nn

LATENT, FIRST = 64, 4


class Generator(nn.Module):
    """The generator on the page: z [N, 64] -> images [N, channels, 32, 32] between -1 and 1."""

    latent_size = LATENT

    def __init__(self, channels: int = 1, widths: tuple[int, int, int] = (64, 32, 16)) -> None:
        super().__init__()
        a, b, c = self.widths = widths
        self.project = nn.Linear(LATENT, a * FIRST * FIRST, bias=False)
        self.norm = nn.BatchNorm2d(a)
        self.body = nn.Sequential(
            nn.ReLU(),
            nn.ConvTranspose2d(a, b, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.ReLU(),
            nn.ConvTranspose2d(b, c, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c),
            nn.ReLU(),
            nn.ConvTranspose2d(c, channels, 4, stride=2, padding=1),
            nn.Tanh(),
        )
        self.apply(start_small)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        return self.body(self.norm(self.project(z).unflatten(1, (-1, FIRST, FIRST))))


class Discriminator(nn.Module):
    """The discriminator on the page: images [N, channels, 32, 32] -> logits [N]."""

    def __init__(self, channels: int = 1, widths: tuple[int, int, int] = (16, 32, 64)) -> None:
        super().__init__()
        a, b, c = self.widths = widths
        self.body = nn.Sequential(
            nn.Conv2d(channels, a, 4, stride=2, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(a, b, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(b),
            nn.LeakyReLU(0.2),
            nn.Conv2d(b, c, 4, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        self.head = nn.Linear(c * FIRST * FIRST, 1)
        self.apply(start_small)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        return self.head(self.body(x)).squeeze(1)


def start_small(layer: nn.Module) -> None:
    """Weights start as N(0, 0.02), as in DCGAN."""
    if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.Embedding):
        nn.init.normal_(layer.weight, 0.0, 0.02)


class ConditionalGenerator(Generator):
    """z [N, 64], y [N] -> images of the classes y: an offset for each class, added after the normalisation."""

    def __init__(self, classes: int, channels: int = 1, widths: tuple[int, int, int] = (64, 32, 16)) -> None:
        super().__init__(channels, widths)
        self.offset = nn.Embedding(classes, self.project.out_features).apply(start_small)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.norm(self.project(z).unflatten(1, (-1, FIRST, FIRST)))
        return self.body(h + self.offset(y).view_as(h))


class ConditionalDiscriminator(Discriminator):
    """x, y -> logits: the inner product of a vector of the class with the features is added."""

    def __init__(self, classes: int, channels: int = 1, widths: tuple[int, int, int] = (16, 32, 64)) -> None:
        super().__init__(channels, widths)
        self.vector = nn.Embedding(classes, self.head.in_features).apply(start_small)

    def forward(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        h = self.body(x)
        return self.head(h).squeeze(1) + (self.vector(y) * h).sum(dim=1)
