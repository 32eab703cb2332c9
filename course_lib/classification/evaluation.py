"""Judging a classifier: what it says of a whole set, and what follows from that."""

from dataclasses import dataclass

import torch
from torch import nn

from course_lib.data import Batches, ImageSet
from course_lib.layers import cross_entropy, softmax
from course_lib.metrics import accuracy_interval
from course_lib.runtime.checks import check_labels
from course_lib.training import evaluation_mode


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What a model says of a set, on the CPU, and what follows from it.

    Attributes:
        logits: float32 [N, K].
        labels: int64 [N].
    """

    logits: torch.Tensor
    labels: torch.Tensor

    @property
    def probabilities(self) -> torch.Tensor:
        """p(y|x), float32 [N, K]."""
        return softmax(self.logits)

    @property
    def predicted(self) -> torch.Tensor:
        """The most probable class of each image, int64 [N]."""
        return self.logits.argmax(dim=1)

    @property
    def correct(self) -> torch.Tensor:
        """Whether each image is recognised, bool [N]."""
        return self.predicted == self.labels

    @property
    def accuracy(self) -> float:
        """Share of the images that are recognised."""
        return self.correct.double().mean().item()

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats, without label smoothing."""
        return cross_entropy(self.logits.double(), self.labels).item()

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy: see `accuracy_interval`."""
        return accuracy_interval(int(self.correct.sum()), len(self.labels))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.accuracy:.2%} right ({low:.2%} to {high:.2%}), cross-entropy {self.loss:.3f} nats"


@torch.no_grad()
def evaluate(model: nn.Module, images: ImageSet, *, batch_size: int = 500) -> Evaluation:
    """Run a model over a set in evaluation mode, on the device where the model lies.

    The modes of the model's parts are afterwards what they were.

    Args:
        model: images [N, C, H, W] in [0, 1] -> logits [N, K].
        images: with labels.
        batch_size: images at once: memory against speed, nothing else.

    Raises:
        TypeError, ValueError: no images, labels that are no classes of the model, or logits that
            are not finite: the largest of them would be the class of chance.
    """
    weight = next(model.parameters())
    batches = Batches(images, batch_size=batch_size, shuffle=False, device=weight.device, dtype=weight.dtype, channels_last=True)
    with evaluation_mode(model):
        logits = torch.cat([model(x).float() for x, _ in batches]).cpu()
    check_labels(images.labels, len(images), logits.shape[1])
    if not logits.isfinite().all():
        raise ValueError("a logit is not a finite number: look at the model's weights, its training may have diverged")
    return Evaluation(logits, images.labels)


def confident_mistakes(evaluation: Evaluation, count: int = 10) -> torch.Tensor:
    """Indices of the images that were not recognised, surest first: int64 [up to count]."""
    wrong = (~evaluation.correct).nonzero().flatten()
    confidence = evaluation.probabilities[wrong].amax(dim=1)
    return wrong[confidence.argsort(descending=True)[:count]]
