"""Chapter 5: autoencoders, and variational ones, that learn what an image is made of and draw new ones.

`losses` is the evidence lower bound, term by term; `models`, `dense` and `quantised` are the networks, `pixels` what a decoder
says of the pixels; `training` is the loop, and `evaluation` measures, reconstructs and draws.
"""

from course_lib.vae.dense import MLPVAE, LinearVAE
from course_lib.vae.evaluation import VAEEvaluation, binarised, evaluate_vae, reconstruct, sample
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
from course_lib.vae.models import VAE, Autoencoder, Terms
from course_lib.vae.pixels import Pixels
from course_lib.vae.pretrained import load_vae, train_vae
from course_lib.vae.quantised import CodeUsage, Quantised, VectorQuantizedVAE, code_usage
from course_lib.vae.training import fit_vae, vae_step

__all__ = [
    "MLPVAE",
    "VAE",
    "Autoencoder",
    "CodeUsage",
    "Elbo",
    "LinearVAE",
    "Pixels",
    "Quantised",
    "Terms",
    "VAEEvaluation",
    "VectorQuantizedVAE",
    "bernoulli_log_likelihood",
    "binarised",
    "bits_per_dimension",
    "code_usage",
    "discretised_logistic_log_likelihood",
    "elbo",
    "evaluate_vae",
    "fit_vae",
    "gaussian_kl",
    "gaussian_kl_sampled",
    "gaussian_log_density",
    "gaussian_log_likelihood",
    "importance_weighted_bound",
    "load_vae",
    "optimal_gaussian_log_likelihood",
    "optimal_log_variance",
    "reconstruct",
    "sample",
    "train_vae",
    "vae_step",
]
