"""Chapter 5: autoencoders, and how they become models that generate.

`linear` and `curved` are where the truth is known, so that every term of the bound can be checked; `estimators` compares two ways
to its gradient; `factors` asks what the latents know about the factors that drew the images.
"""

from course_lib.vae.curved import CurvedModel, arc
from course_lib.vae.estimators import (
    GradientSamples,
    Quadratic,
    reparameterisation_gradients,
    score_function_gradients,
)
from course_lib.vae.factors import InformationGap, LinearProbe, mutual_information_gap, probe_class, probe_number
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
    "InformationGap",
    "LinearProbe",
    "PrincipalComponents",
    "ProbabilisticPCA",
    "Quadratic",
    "arc",
    "fit_probabilistic_pca",
    "mutual_information_gap",
    "principal_angles",
    "principal_components",
    "probe_class",
    "probe_number",
    "reparameterisation_gradients",
    "score_function_gradients",
]
