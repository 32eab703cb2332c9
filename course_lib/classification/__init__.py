"""Chapter 3: networks that recognise, how they learn, and how to find out how good they are.

`models` are what learns, `training` is how, `evaluation` judges the result; `optimizers` writes out what `torch.optim` computes,
and `judge` holds the trained classifiers that later chapters use to judge generated images.
"""

from course_lib.classification.augmentation import MAY_FLIP, Augment, cutout, random_flip, random_shift
from course_lib.classification.evaluation import (
    Calibration,
    Evaluation,
    accuracy_by_factor,
    accuracy_interval,
    calibration,
    confident_mistakes,
    confusion_matrix,
    evaluate,
)
from course_lib.classification.judge import Judge, load_judge, train_judge
from course_lib.classification.landscape import loss_along_line
from course_lib.classification.models import (
    CNN,
    MLP,
    Classifier,
    LinearClassifier,
    ResidualBlock,
    ResNet,
    count_parameters,
    widest_within,
)
from course_lib.classification.optimizers import SGD, Adam
from course_lib.classification.schedules import learning_rate
from course_lib.classification.training import classifier_step, fit_classifier

__all__ = [
    "CNN",
    "MAY_FLIP",
    "MLP",
    "SGD",
    "Adam",
    "Augment",
    "Calibration",
    "Classifier",
    "Evaluation",
    "Judge",
    "LinearClassifier",
    "ResNet",
    "ResidualBlock",
    "accuracy_by_factor",
    "accuracy_interval",
    "calibration",
    "classifier_step",
    "confident_mistakes",
    "confusion_matrix",
    "count_parameters",
    "cutout",
    "evaluate",
    "fit_classifier",
    "learning_rate",
    "load_judge",
    "loss_along_line",
    "random_flip",
    "random_shift",
    "train_judge",
    "widest_within",
]
