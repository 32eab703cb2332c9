"""Chapter 5: autoencoders, and variational ones, that learn what an image is made of and draw new ones.

`losses` is the evidence lower bound, term by term. `linear` and `curved` are where the truth is known, so that every term can be
checked; `estimators` compares two ways to its gradient; `factors` asks what the latents know about what drew the images.
"""

from course_lib.vae.curved import CurvedModel, arc
from course_lib.vae.estimators import GradientSamples, Quadratic, reparameterisation_gradients, score_function_gradients
from course_lib.vae.factors import InformationGap, LinearProbe, mutual_information_gap, probe_class, probe_number
from course_lib.vae.linear import (
    PrincipalComponents,
    ProbabilisticPCA,
    fit_probabilistic_pca,
    principal_angles,
    principal_components,
)
from course_lib.vae.losses import (
    Elbo,
    bernoulli_log_likelihood,
    bits_per_dimension,
    discretised_logistic_log_likelihood,
    elbo,
    gaussian_kl,
    gaussian_kl_sampled,
    gaussian_log_density,
    gaussian_log_likelihood,
    importance_weighted_bound,
    optimal_gaussian_log_likelihood,
    optimal_log_variance,
)

__all__ = [
    "CurvedModel",
    "Elbo",
    "GradientSamples",
    "InformationGap",
    "LinearProbe",
    "PrincipalComponents",
    "ProbabilisticPCA",
    "Quadratic",
    "arc",
    "bernoulli_log_likelihood",
    "bits_per_dimension",
    "discretised_logistic_log_likelihood",
    "elbo",
    "fit_probabilistic_pca",
    "gaussian_kl",
    "gaussian_kl_sampled",
    "gaussian_log_density",
    "gaussian_log_likelihood",
    "importance_weighted_bound",
    "mutual_information_gap",
    "optimal_gaussian_log_likelihood",
    "optimal_log_variance",
    "principal_angles",
    "principal_components",
    "probe_class",
    "probe_number",
    "reparameterisation_gradients",
    "score_function_gradients",
]
