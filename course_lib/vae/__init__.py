"""Chapter 5: autoencoders, and how they become models that generate.

`linear` and `curved` are where the truth is known, so that every term of the bound can be checked; `estimators` compares two ways
to its gradient.
"""

from course_lib.vae.curved import CurvedModel, arc
from course_lib.vae.estimators import (
    GradientSamples,
    Quadratic,
    reparameterisation_gradients,
    score_function_gradients,
)
from course_lib.vae.linear import (
    PrincipalComponents,
    ProbabilisticPCA,
    fit_probabilistic_pca,
    principal_angles,
    principal_components,
)

__all__ = [
    "CurvedModel",
    "GradientSamples",
    "PrincipalComponents",
    "ProbabilisticPCA",
    "Quadratic",
    "arc",
    "fit_probabilistic_pca",
    "principal_angles",
    "principal_components",
    "reparameterisation_gradients",
    "score_function_gradients",
]
