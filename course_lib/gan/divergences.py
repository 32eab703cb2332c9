"""How far one distribution is from another, and what that has to do with the game.

p and q hold densities on a grid of spacing dx, in one dimension or in more with dx the cell's area;
integrals are sums times dx, the trapezoidal rule for densities that vanish at the grid's ends. With
dx=1 they are the probabilities of discrete distributions. The earth mover's distance is that of
samples. Everything is computed in float64.
"""

from typing import NamedTuple

import torch


def optimal_discriminator(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """D* = p / (p + q), the best answer to real images of density p and generated ones of q.

    In the shape of p. At each x it maximises p log D + q log(1 - D), whose derivative p / D - q /
    (1 - D) vanishes there. Where both are 0 there is nothing to decide, and it is 1/2. Source:
    Goodfellow et al., Generative Adversarial Nets (2014), proposition 1.
    """
    p, q = _check(p, q)
    return torch.where(p + q > 0, p / (p + q), 0.5)


def value(p: torch.Tensor, q: torch.Tensor, d: torch.Tensor, dx: float = 1.0) -> torch.Tensor:
    """V = E_p log D + E_q log(1 - D), the game's value, by quadrature: a scalar.

    At p = q and D = 1/2 it is -2 log 2. A logarithm counts at least -100, as in
    `torch.nn.functional.binary_cross_entropy`: in a tail, where q is almost nothing, D rounds to 1,
    and the sum should not become infinite for that. Source: Goodfellow et al. (2014), equation 1.

    Args:
        p: density of the real images on a grid.
        q: density of the generated ones on it.
        d: probability of "real" on it, between 0 and 1.
        dx: spacing of the grid.
    """
    p, q = _check(p, q, dx)
    d = d.double()
    if d.shape != p.shape or not ((d >= 0) & (d <= 1)).all():
        raise ValueError(
            f"d must lie between 0 and 1 on the grid of p and q, {list(p.shape)}, as torch.sigmoid(logits) does; it goes from "
            f"{d.min():.3g} to {d.max():.3g} and has the shape {list(d.shape)}"
        )
    log_d, log_rest = d.log().clamp(min=-100), torch.log1p(-d).clamp(min=-100)
    return (p * log_d + q * log_rest).sum() * dx


def jensen_shannon(p: torch.Tensor, q: torch.Tensor, dx: float = 1.0) -> torch.Tensor:
    """JS = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats: a scalar.

    From 0 (equal) to log 2 (disjoint supports). The game's value at the optimal discriminator is
    2 JS - 2 log 2. Source: Goodfellow et al. (2014), theorem 1.
    """
    p, q = _check(p, q, dx)
    m = (p + q) / 2
    # xlogy is x log y, and 0 where x is 0.
    terms = torch.xlogy(p, p) - torch.xlogy(p, m) + torch.xlogy(q, q) - torch.xlogy(q, m)
    return terms.sum() * dx / 2


def earth_movers_distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The earth mover's (1-Wasserstein) distance between two samples on a line: the least mean way.

    On a line no two ways need to cross, so the smallest of x goes to the smallest of y and so on:
    for samples of one size the distance is the mean of |x_(i) - y_(i)| of the sorted values. In
    general the mass is cut into pieces that move as one. Source: Peyre and Cuturi, Computational
    Optimal Transport (2019), section 2.6.

    x: [N], y: [M], floating point. Returns a scalar, differentiable with respect to both. Raises
    ValueError for samples that are empty, or not on a line: there a linear programme must find who
    goes where (`optimal_transport`).
    """
    if x.dim() != 1 or y.dim() != 1 or 0 in (len(x), len(y)):
        raise ValueError(
            f"x and y must be points on a line, [N] and [M], got the shapes {list(x.shape)} and {list(y.shape)}: "
            "in more dimensions use optimal_transport"
        )
    N, M = len(x), len(y)
    x, y = x.double().sort().values, y.double().sort().values
    # Shares of the mass are counted in units of 1 / (N M), whole numbers: each x is M of them, each
    # y is N. Between two neighbouring levels the same x goes to the same y.
    levels = torch.cat([torch.arange(0, N * M, M, device=x.device), torch.arange(0, N * M, N, device=x.device)]).unique()
    mass = torch.cat([levels, levels.new_tensor([N * M])]).diff().double() / (N * M)
    return (mass * (x[levels // M] - y[levels // N]).abs()).sum()


class Transport(NamedTuple):
    """What `optimal_transport` returns: distance, plan, and the best critic at all points."""

    distance: float
    plan: torch.Tensor  # float64 [N, M]: the mass that goes from each point of x to each of y
    critic_x: torch.Tensor  # float64 [N]
    critic_y: torch.Tensor  # float64 [M]


def optimal_transport(x: torch.Tensor, y: torch.Tensor) -> Transport:
    """The plan that carries sample x to sample y, both of equal weights, on the shortest mean way.

    In any dimension, and with its dual. The plan pi minimises sum_ij pi_ij |x_i - y_j|, where row i
    sums to 1/N and column j to 1/M: a linear programme of N M unknowns, solved by SciPy. The
    multipliers of these conditions are the values f(x_i) and -f(y_j) of the best critic:
    f(x_i) - f(y_j) is at most |x_i - y_j| everywhere, equal to it where the plan carries mass, and
    mean f(x) - mean f(y) is the distance. Source: Peyre and Cuturi, Computational Optimal Transport
    (2019), sections 2.3 and 2.5.

    x: [N, D], y: [M, D]. Raises ValueError for samples that are empty, of different dimensions, or
    too many to be solved at once.
    """
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1] or 0 in (*x.shape, *y.shape):
        raise ValueError(f"x and y must be points [N, D] and [M, D], at least one each, got {list(x.shape)} and {list(y.shape)}")
    N, M = len(x), len(y)
    if N * M > 10_000:
        raise ValueError(f"{N} and {M} points make {N * M:,} unknowns, the limit is 10,000: use fewer points")
    from scipy.optimize import (
        linprog,
    )  # here: it takes a third of a second, and the room is used without it

    cost = torch.cdist(x.double().cpu(), y.double().cpu(), compute_mode="donot_use_mm_for_euclid_dist")
    # With the plan as one long vector, row by row: which of its entries belong to row i, which to
    # column j.
    rows = torch.kron(torch.eye(N), torch.ones(1, M))
    columns = torch.kron(torch.ones(1, N), torch.eye(M))
    masses = [1 / N] * N + [1 / M] * M
    answer = linprog(cost.flatten().numpy(), A_eq=torch.cat([rows, columns]).numpy(), b_eq=masses, method="highs")
    multipliers = torch.tensor(answer.eqlin.marginals)
    return Transport(float(answer.fun), torch.tensor(answer.x).view(N, M), multipliers[:N], -multipliers[N:])


def _check(p: torch.Tensor, q: torch.Tensor, dx: float | None = None) -> tuple[torch.Tensor, torch.Tensor]:
    """Both in float64, if they lie on one grid, are never negative, and with dx sum to 1."""
    if p.shape != q.shape:
        raise ValueError(f"p and q must be given on one grid, got the shapes {list(p.shape)} and {list(q.shape)}")
    for name, density in (("p", p), ("q", q)):
        if not (density >= 0).all():
            raise ValueError(f"{name} has the value {density.min().item()}: a density is a number and never negative")
        if dx is not None and abs(density.double().sum() * dx - 1) >= 0.01:
            raise ValueError(
                f"{name} sums to {density.sum() * dx:.4g} with dx={dx:.4g}, and must sum to 1: give its spacing, or a wider grid"
            )
    return p.double(), q.double()
