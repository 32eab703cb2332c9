"""Chapter 5: autoencoders, and variational ones, that learn what an image is made of and draw new ones.

`losses` is the evidence lower bound, term by term.
"""

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
    "Elbo",
    "bernoulli_log_likelihood",
    "bits_per_dimension",
    "discretised_logistic_log_likelihood",
    "elbo",
    "gaussian_kl",
    "gaussian_kl_sampled",
    "gaussian_log_density",
    "gaussian_log_likelihood",
    "importance_weighted_bound",
    "optimal_gaussian_log_likelihood",
    "optimal_log_variance",
]
