"""Chapters 4 and 5: networks that recognise, how they learn, and how to tell how good they are.

`models` are what learns, `training` is how, `evaluation` judges the result; `optimizers` writes out
what `torch.optim` computes.
"""

from course_lib.classification.evaluation import Evaluation, confident_mistakes, evaluate
from course_lib.classification.models import CNN, MLP, Classifier, LinearClassifier, ResNet, count_parameters
from course_lib.classification.optimizers import SGD, Adam
from course_lib.classification.training import classifier_step, fit_classifier
