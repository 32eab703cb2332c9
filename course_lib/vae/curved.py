"""A latent that is bent into the plane: one number, so that log p(x) can be computed.

z ~ N(0, 1) and x = f(z) + noise in the plane. The posterior of z is no Gaussian here, so what a
Gaussian q loses can be measured. All is computed in float64 on the device of x; N is the number of
points, G that of places on the grid of z.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from course_lib.vae.losses import gaussian_kl, gaussian_log_density

# Points that are taken at a time: all points times all places of the grid would fill the memory.
PART = 512


def arc(z: torch.Tensor, radius: float = 1.0, turn: float = 1.2) -> torch.Tensor:
    """A circle's arc: z [...] -> points [..., 2]; z = 0 is below, a unit of z is `turn` radians."""
    return radius * torch.stack([torch.sin(turn * z), -torch.cos(turn * z)], dim=-1)


@dataclass(frozen=True, eq=False)
class CurvedModel:
    """z ~ N(0, 1), x = curve(z) + N(0, noise^2 I): a decoder that is not linear, with one latent.

    Attributes:
        curve: z [...] -> points [..., 2], smooth, and differentiable by autograd.
        noise: standard deviation of x around the curve, along each axis.
        limit: the grid of z goes from -limit to limit. Beyond 8 the prior has less than 1e-14 of
            its mass; the posterior of a point far from the curve can lie there all the same.
        points: places on the grid. A smaller noise needs more of them.

    What is computed on the grid (`log_prob`, `posterior`, `gap`) raises ValueError where a
    posterior reaches the grid's end or is narrower than its steps, since the sum would then be off
    by nats.
    """

    curve: Callable[[torch.Tensor], torch.Tensor] = arc
    noise: float = 0.2
    limit: float = 8.0
    points: int = 4001

    @property
    def grid(self) -> torch.Tensor:
        """The places of z at which densities are given: float64 [G]."""
        return torch.linspace(-self.limit, self.limit, self.points, dtype=torch.float64, device="cpu")

    @property
    def spacing(self) -> float:
        """Distance of two places of the grid: an integral is a sum times this."""
        return 2 * self.limit / (self.points - 1)

    def sample(self, count: int, rng: torch.Generator | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Points x [count, 2] and the latents z [count] that they came from, float64, CPU."""
        z = torch.randn(count, generator=rng, dtype=torch.float64, device="cpu")
        eps = torch.randn(count, 2, generator=rng, dtype=torch.float64, device="cpu")
        return self.curve(z) + self.noise * eps, z

    def log_likelihood(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(x|z) of points x [..., 2] and latents z [...], broadcast against each other."""
        square = (x.double() - self.curve(z.double())).square().sum(dim=-1)
        return -square / (2 * self.noise**2) - math.log(2 * math.pi * self.noise**2)

    def log_joint(self, x: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """log p(x, z) = log p(x|z) + log p(z), shapes as in `log_likelihood`."""
        return self.log_likelihood(x, z) + gaussian_log_density(z.double(), 0.0, 0.0)

    def log_prob(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x), the log of the integral of p(x, z) over z, on the grid: [N, 2] -> [N]."""
        parts = [torch.logsumexp(self._log_joint_on_grid(part), dim=1) for part in _points(x).split(PART)]
        return torch.cat(parts) + math.log(self.spacing)

    def posterior(self, x: torch.Tensor) -> torch.Tensor:
        """p(z|x) on the grid: [N, 2] -> densities [N, G], each of integral 1."""
        parts = [torch.softmax(self._log_joint_on_grid(part), dim=1) for part in _points(x).split(PART)]
        return torch.cat(parts) / self.spacing

    def elbo(self, x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        """E_q[log p(x|z)] - KL(q || N(0, 1)) for q = N(mean, exp(log_variance)): nats, [N].

        x: [N, 2]; mean and log_variance: [N]. Differentiable. The first term is by quadrature, the
        divergence is `gaussian_kl`, in closed form. It is at most log p(x), and `gap` is what
        lacks.
        """
        x, mean, log_variance = _points_and_q(x, mean, log_variance)
        u, weight = _nodes(x.device)
        z = mean[:, None] + (log_variance / 2).exp()[:, None] * u
        return self.log_likelihood(x[:, None], z) @ weight - gaussian_kl(mean, log_variance)

    def gap(self, x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor) -> torch.Tensor:
        """KL(q || p(z|x)) by quadrature on the grid of z, nats for each point: shapes as in `elbo`.

        It uses neither the ELBO nor the closed form of the other divergence, so that log p(x) =
        ELBO + gap can be checked. Raises ValueError for a q that the grid cannot hold: narrower
        than two steps, or with mass beyond its ends.
        """
        x, mean, log_variance = _points_and_q(x, mean, log_variance)
        std = (log_variance / 2).exp()
        if (std < 2 * self.spacing).any() or (mean.abs() + 6 * std > self.limit).any():
            raise ValueError(
                f"a q has a standard deviation down to {std.min().item():.2g}, or mass beyond {self.limit:g}, and the grid has "
                f"steps of {self.spacing:.2g} and ends there: give the model more points or a larger limit"
            )
        z, parts = self.grid.to(x.device), []
        for part, m, v in zip(x.split(PART), mean.split(PART), log_variance.split(PART), strict=True):
            log_q = gaussian_log_density(z, m[:, None], v[:, None])
            log_posterior = torch.log_softmax(self._log_joint_on_grid(part), dim=1) - math.log(self.spacing)
            parts.append((log_q.exp() * (log_q - log_posterior)).sum(dim=1) * self.spacing)
        return torch.cat(parts)

    def best_gaussian(self, x: torch.Tensor, steps: int = 300) -> tuple[torch.Tensor, torch.Tensor]:
        """For each point the Gaussian q with the largest ELBO: mean and log_variance, each [N].

        A table of candidates finds the right valley (there can be several), gradient ascent on the
        ELBO goes to its end. An encoder network can at best learn this. The table has means 0.1
        apart and standard deviations from 0.03: with a noise well below 0.05 its choice can be the
        wrong valley, with a bound that is lower by nats. x: [N, 2]; steps: of the ascent.
        """
        x = _points(x)
        q = torch.cat([self._best_candidate(part) for part in x.split(4096)]).requires_grad_()
        optimizer = torch.optim.Adam([q], lr=0.05)
        for step in range(steps):
            optimizer.param_groups[0]["lr"] = 0.05 * (1 - step / steps)
            optimizer.zero_grad()
            (-self.elbo(x, q[:, 0], q[:, 1]).sum()).backward()
            optimizer.step()
        return q[:, 0].detach(), q[:, 1].detach()

    def log_weights(
        self,
        x: torch.Tensor,
        mean: torch.Tensor,
        log_variance: torch.Tensor,
        samples: int,
        rng: torch.Generator | None = None,
    ) -> torch.Tensor:
        """log p(x, z) - log q(z) for `samples` draws of z from each q: [K, N].

        That is what `importance_weighted_bound` takes. The mean of exp of these over K is an
        unbiased estimate of p(x). Source: Burda, Grosse and Salakhutdinov, Importance Weighted
        Autoencoders (2016), equation 8. Shapes as in `elbo`; drawn on the CPU.
        """
        x, mean, log_variance = _points_and_q(x, mean, log_variance)
        eps = torch.randn(samples, len(x), generator=rng, dtype=torch.float64, device="cpu").to(x.device)
        z = mean + (log_variance / 2).exp() * eps
        return self.log_joint(x, z) - gaussian_log_density(z, mean, log_variance)

    def _log_joint_on_grid(self, x: torch.Tensor) -> torch.Tensor:
        """log p(x, z) on the grid, [N, G]. ValueError where its sum is not the integral over z.

        The trapezoidal rule is exact to 8 digits for a normal density whose standard deviation is a
        step, and wrong by percents at half a step. The second difference of a normal log-density is
        -1 / (its standard deviation in steps)^2.
        """
        joint = self.log_joint(x[:, None], self.grid.to(x.device))
        below = joint.detach() - joint.detach().max(dim=1, keepdim=True).values
        if (below[:, [0, -1]] > -16).any():  # 1e-7 of its height
            raise ValueError(f"a posterior of z reaches the end of the grid at {self.limit:g}: give the model a larger limit")
        curvature = below.diff(n=2, dim=1)[below[:, 1:-1] > -10].min().item()
        if curvature < -1:
            needed = math.ceil(1.2 * self.points * math.sqrt(-curvature))
            raise ValueError(
                f"with noise={self.noise:g} a posterior of z is narrower than a step of the grid, {self.spacing:.2g}: give the "
                f"model points={needed} or more"
            )
        return joint

    @torch.no_grad()
    def _best_candidate(self, x: torch.Tensor) -> torch.Tensor:
        """The q with the largest ELBO out of a table of 81 x 16, for each point: [N, 2]."""
        means = torch.linspace(-4, 4, 81, dtype=torch.float64, device=x.device)
        log_variances = torch.linspace(-7, 0.5, 16, dtype=torch.float64, device=x.device)
        table = torch.cartesian_prod(means, log_variances)  # [Q, 2]
        u, weight = _nodes(x.device)
        f = self.curve(table[:, :1] + (table[:, 1:] / 2).exp() * u)  # [Q, U, 2]
        first, second = (f * weight[:, None]).sum(dim=1), f.square().sum(dim=2) @ weight
        # E_q|x - f|^2 = |x|^2 - 2 x E_q[f] + E_q|f|^2: two moments of each q serve all points.
        # |x|^2 decides nothing.
        reconstruction = (2 * x @ first.mT - second) / (2 * self.noise**2)  # [N, Q]
        return table[(reconstruction - gaussian_kl(table[:, 0], table[:, 1])).argmax(dim=1)]


def _nodes(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Places u and weights for E[g(u)] = sum of weight g(u), u ~ N(0, 1).

    By the trapezoidal rule, which for a smooth g and a density that vanishes at both ends is exact
    to many digits.
    """
    u = torch.linspace(-8, 8, 161, dtype=torch.float64, device=device)
    return u, torch.softmax(-u.square() / 2, dim=0)


def _points(x: torch.Tensor) -> torch.Tensor:
    """x in float64, if it is [N, 2]."""
    if x.dim() != 2 or x.shape[1] != 2:
        raise ValueError(f"x must be points, [N, 2], got the shape {list(x.shape)}: a point alone becomes a batch with x[None]")
    return x.double()


def _points_and_q(
    x: torch.Tensor, mean: torch.Tensor, log_variance: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All in float64, if they are [N, 2], [N] and [N]."""
    if mean.shape != x.shape[:1] or log_variance.shape != x.shape[:1]:
        raise ValueError(
            f"mean and log_variance must be [{len(x)}], one number for each point, got {list(mean.shape)} and "
            f"{list(log_variance.shape)}"
        )
    return _points(x), mean.double(), log_variance.double()
