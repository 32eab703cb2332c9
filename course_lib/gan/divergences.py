"""How far one distribution is from another, and what that has to do with the game.

p and q hold densities on a grid of spacing dx, in one dimension or in more with dx the cell's area; integrals are sums times dx,
the trapezoidal rule for densities that vanish at the grid's ends. With dx=1 they are the probabilities of discrete distributions.
Everything is computed in float64.
"""

import torch


def optimal_discriminator(p: torch.Tensor, q: torch.Tensor) -> torch.Tensor:
    """D* = p / (p + q), the best answer to real images of density p and generated ones of density q, in the shape of p.

    At each x it maximises p log D + q log(1 - D), whose derivative p / D - q / (1 - D) vanishes there. Where both are 0 there is
    nothing to decide, and it is 1/2. Source: Goodfellow et al., Generative Adversarial Nets (2014), proposition 1.
    """
    p, q = _check(p, q)
    return torch.where(p + q > 0, p / (p + q), 0.5)


def value(p: torch.Tensor, q: torch.Tensor, d: torch.Tensor, dx: float = 1.0) -> torch.Tensor:
    """V = E_p log D + E_q log(1 - D), the game's value, by quadrature: a scalar; at p = q and D = 1/2 it is -2 log 2.

    A logarithm counts at least -100, as in `torch.nn.functional.binary_cross_entropy`: in a tail, where q is almost nothing, D
    rounds to 1, and the sum should not become infinite for that. Source: Goodfellow et al. (2014), equation 1.

    Args:
        p: density of the real images on a grid.
        q: density of the generated ones on it.
        d: probability of "real" on it, between 0 and 1.
        dx: spacing of the grid.
    """
    p, q = _check(p, q)
    d = d.double()
    if d.shape != p.shape:
        raise ValueError(f"d must be given on the grid of p and q, {list(p.shape)}, got {list(d.shape)}")
    if not ((d >= 0) & (d <= 1)).all():
        raise ValueError("d must lie between 0 and 1: apply torch.sigmoid to logits first")
    _check_mass(p, q, dx)
    log_d, log_rest = d.log().clamp(min=-100), torch.log1p(-d).clamp(min=-100)
    return (p * log_d + q * log_rest).sum() * dx


def jensen_shannon(p: torch.Tensor, q: torch.Tensor, dx: float = 1.0) -> torch.Tensor:
    """JS = KL(p || m) / 2 + KL(q || m) / 2 with m = (p + q) / 2, in nats: a scalar, from 0 (equal) to log 2 (disjoint supports).

    The game's value at the optimal discriminator is 2 JS - 2 log 2. Source: Goodfellow et al. (2014), theorem 1.
    """
    p, q = _check(p, q)
    _check_mass(p, q, dx)
    m = (p + q) / 2
    # xlogy is x log y, and 0 where x is 0.
    terms = torch.xlogy(p, p) - torch.xlogy(p, m) + torch.xlogy(q, q) - torch.xlogy(q, m)
    return terms.sum() * dx / 2


def earth_movers_distance(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The earth mover's (1-Wasserstein) distance between two samples on a line: the least mean way from one to the other.

    On a line no two ways need to cross, so the smallest of x goes to the smallest of y and so on: for samples of one size the
    distance is the mean of |x_(i) - y_(i)| of the sorted values. In general the mass is cut into pieces that move as one. Source:
    Peyre and Cuturi, Computational Optimal Transport (2019), section 2.6.

    x: [N], y: [M], floating point. Returns a scalar, differentiable with respect to both. Raises ValueError for samples that are
    empty, or not on a line: there a linear programme must find who goes where (`optimal_transport`).
    """
    for name, sample in (("x", x), ("y", y)):
        if sample.dim() != 1 or len(sample) == 0:
            way_out = "in more dimensions use optimal_transport" if sample.dim() > 1 else "it needs points"
            raise ValueError(f"{name} must be points on a line, [N], got the shape {list(sample.shape)}: {way_out}")
    N, M = len(x), len(y)
    x, y = x.double().sort().values, y.double().sort().values
    # Shares of the mass are counted in units of 1 / (N M), whole numbers: each x is M of them, each y is N. Between two
    # neighbouring levels the same x goes to the same y.
    levels = torch.cat([torch.arange(0, N * M, M, device=x.device), torch.arange(0, N * M, N, device=x.device)]).unique()
    mass = torch.cat([levels, levels.new_tensor([N * M])]).diff().double() / (N * M)
    return (mass * (x[levels // M] - y[levels // N]).abs()).sum()


def _check(p: torch.Tensor, q: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if p.shape != q.shape:
        raise ValueError(f"p and q must be given on one grid, got the shapes {list(p.shape)} and {list(q.shape)}")
    for name, density in (("p", p), ("q", q)):
        if not (density >= 0).all():
            raise ValueError(f"{name} has the value {density.min().item()}: a density is never negative, and a number")
    return p.double(), q.double()


def _check_mass(p: torch.Tensor, q: torch.Tensor, dx: float) -> None:
    for name, density in (("p", p), ("q", q)):
        mass = density.sum().item() * dx
        if not abs(mass - 1) < 0.01:
            raise ValueError(
                f"{name} sums to {mass:.4g} with dx={dx:.4g}, and must to 1: give the grid's spacing, or widen the grid"
            )
