"""Chapter 5: autoencoders, and variational ones, that learn what an image is made of and draw new ones.

`losses` is the evidence lower bound, term by term; `models`, `dense` and `quantised` are the networks, `pixels` what a decoder
says of the pixels; `training` is the loop, and `evaluation` measures, reconstructs and draws. `linear` and `curved` are where the
truth is known, so that every term can be checked; `estimators` compares two ways to its gradient; `factors` asks what the latents
know about what drew the images.
"""

from course_lib.vae.curved import CurvedModel, arc
from course_lib.vae.dense import MLPVAE, LinearVAE
from course_lib.vae.estimators import GradientSamples, Quadratic, reparameterisation_gradients, score_function_gradients
from course_lib.vae.evaluation import VAEEvaluation, binarised, evaluate_vae, reconstruct, sample
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
    "CurvedModel",
    "Elbo",
    "GradientSamples",
    "InformationGap",
    "LinearProbe",
    "LinearVAE",
    "Pixels",
    "PrincipalComponents",
    "ProbabilisticPCA",
    "Quadratic",
    "Quantised",
    "Terms",
    "VAEEvaluation",
    "VectorQuantizedVAE",
    "arc",
    "bernoulli_log_likelihood",
    "binarised",
    "bits_per_dimension",
    "code_usage",
    "discretised_logistic_log_likelihood",
    "elbo",
    "evaluate_vae",
    "fit_probabilistic_pca",
    "fit_vae",
    "gaussian_kl",
    "gaussian_kl_sampled",
    "gaussian_log_density",
    "gaussian_log_likelihood",
    "importance_weighted_bound",
    "load_vae",
    "mutual_information_gap",
    "optimal_gaussian_log_likelihood",
    "optimal_log_variance",
    "principal_angles",
    "principal_components",
    "probe_class",
    "probe_number",
    "reconstruct",
    "reparameterisation_gradients",
    "sample",
    "score_function_gradients",
    "train_vae",
    "vae_step",
]
