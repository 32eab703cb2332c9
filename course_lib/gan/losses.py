"""What the two players want. Each loss is a function of the logits, (real_logits, fake_logits) ->
(discriminator_loss, generator_loss), and each player makes its own number small.

real_logits: [N], what the discriminator says of real images; fake_logits: [M], of generated ones. D
= sigmoid(logit) is the probability of "real". The results are scalars, means over the images. A
step of the discriminator uses the first, with images that were detached from the generator; a step
of the generator the second, which does not depend on real_logits. bfloat16 and float16 are computed
in float32. Raises ValueError for logits that are not [N] or that are empty.

The logarithms are written with softplus(x) = log(1 + exp(x)): -log D = softplus(-logit) and -log(1
- D) = softplus(logit). Nothing overflows, and no probability is rounded to 1 before its logarithm
is taken.
"""

import torch
import torch.nn.functional as F


def minimax(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The game as it was stated: the generator minimises what the discriminator maximises.

    discriminator: -E log D(x) - E log(1 - D(G(z))); generator: E log(1 - D(G(z))), whose gradient
    at a logit is -D: it vanishes where the discriminator is sure that an image is generated.
    Source: Goodfellow et al., Generative Adversarial Nets (2014), equation 1.
    """
    real_logits, fake_logits = _check(real_logits, fake_logits)
    discriminator_loss = F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()
    return discriminator_loss, -F.softplus(fake_logits).mean()


def non_saturating(
    real_logits: torch.Tensor, fake_logits: torch.Tensor, *, label_smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same discriminator; the generator maximises E log D(G(z)): a strong push where it loses.

    discriminator: -E log D(x) - E log(1 - D(G(z))); generator: -E log D(G(z)), whose gradient at a
    logit is D - 1. Source: Goodfellow et al., Generative Adversarial Nets (2014), section 3.

    label_smoothing: in [0, 1), one-sided: the target of the real images is 1 - label_smoothing,
    that of the generated ones stays 0. The best discriminator is then
    (1 - label_smoothing) p / (p + q). Smoothing the 0 as well would put q into the numerator and
    draw real images towards where only the generator is. Source: Salimans et al., Improved
    Techniques for Training GANs (2016), section 3.4.
    """
    real_logits, fake_logits = _check(real_logits, fake_logits)
    smooth = (1 - label_smoothing) * F.softplus(-real_logits) + label_smoothing * F.softplus(real_logits)
    return smooth.mean() + F.softplus(fake_logits).mean(), F.softplus(-fake_logits).mean()


def least_squares(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Regression to 1 for real and 0 for generated images; the logits are used without a sigmoid.

    discriminator: E (D(x) - 1)^2 / 2 + E D(G(z))^2 / 2; generator: E (D(G(z)) - 1)^2 / 2. Source:
    Mao et al., Least Squares Generative Adversarial Networks (2017), equation 9.
    """
    real_logits, fake_logits = _check(real_logits, fake_logits)
    discriminator_loss = (real_logits - 1).square().mean() / 2 + fake_logits.square().mean() / 2
    return discriminator_loss, (fake_logits - 1).square().mean() / 2


def hinge(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The discriminator wants real logits above 1 and generated ones below -1, and no more.

    discriminator: E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))); generator: -E D(G(z)). Source: Lim
    and Ye, Geometric GAN (2017); Miyato et al., Spectral Normalization for Generative Adversarial
    Networks (2018), equations 16 and 17.
    """
    real_logits, fake_logits = _check(real_logits, fake_logits)
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean(), -fake_logits.mean()


def wasserstein(real_logits: torch.Tensor, fake_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The difference of the means: for the best critic of slope 1, the earth mover's distance.

    discriminator: E D(G(z)) - E D(x); generator: -E D(G(z)). It says nothing about the slope:
    `gradient_penalty` or spectral normalisation must. Source: Arjovsky, Chintala and Bottou,
    Wasserstein GAN (arXiv:1701.07875, 2017), equations 2 and 3.
    """
    real_logits, fake_logits = _check(real_logits, fake_logits)
    return fake_logits.mean() - real_logits.mean(), -fake_logits.mean()


def _check(*both: torch.Tensor) -> list[torch.Tensor]:
    """The real and the fake logits, in float32 at least."""
    for name, logits in zip(("real_logits", "fake_logits"), both, strict=True):
        if logits.dim() != 1 or len(logits) == 0 or not logits.is_floating_point():
            raise ValueError(
                f"{name} must be floating point [N], of at least one image, got {logits.dtype} of shape {list(logits.shape)}; "
                "squeeze(1) makes [N] of [N, 1]"
            )
    return [logits.to(torch.promote_types(logits.dtype, torch.float32)) for logits in both]
