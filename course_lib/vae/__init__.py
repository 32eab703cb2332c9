"""Chapters 8 and 9: autoencoders learn what an image is made of, and variational ones draw.

`losses` is the evidence lower bound, term by term; `models` and `quantised` are the models,
`networks` what they are built from, `likelihoods` what a decoder says of the pixels; `training` is
the loop, and `evaluation` measures, reconstructs and draws. `linear` and `curved` are where the
truth is known, so that every term can be checked; `estimators` knows how its gradients scatter.
"""

from course_lib.vae.curved import CurvedModel, arc
from course_lib.vae.estimators import Quadratic
from course_lib.vae.evaluation import VAEEvaluation, binarised, evaluate_vae, reconstruct, sample
from course_lib.vae.likelihoods import LIKELIHOODS
from course_lib.vae.linear import ProbabilisticPCA, principal_angles
from course_lib.vae.losses import (
    Elbo,
    bernoulli_log_likelihood,
    discretised_logistic_log_likelihood,
    elbo,
    gaussian_kl,
    gaussian_kl_sampled,
    gaussian_log_density,
    gaussian_log_likelihood,
    importance_weighted_bound,
    optimal_log_variance,
)
from course_lib.vae.models import VAE, Autoencoder, Terms, mlp_vae
from course_lib.vae.quantised import CodeUsage, VectorQuantizedVAE, code_usage
from course_lib.vae.training import fit_vae, vae_step
