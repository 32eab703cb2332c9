"""The earth mover's distance in any dimension, as a linear programme: small samples only."""

from typing import NamedTuple

import torch


class Transport(NamedTuple):
    """What `optimal_transport` returns: the distance, the plan, and the best critic at the points of both samples."""

    distance: float
    plan: torch.Tensor  # float64 [N, M]: the mass that goes from each point of x to each of y
    critic_x: torch.Tensor  # float64 [N]
    critic_y: torch.Tensor  # float64 [M]


def optimal_transport(x: torch.Tensor, y: torch.Tensor) -> Transport:
    """The plan that carries sample x to sample y, both of equal weights, on the shortest mean way, and its dual.

    The plan pi minimises sum_ij pi_ij |x_i - y_j|, where row i sums to 1/N and column j to 1/M: a linear programme of N M
    unknowns, solved by SciPy. The multipliers of these conditions are the values f(x_i) and -f(y_j) of the best critic: f(x_i) -
    f(y_j) is at most |x_i - y_j| everywhere, equal to it where the plan carries mass, and mean f(x) - mean f(y) is the distance.
    Source: Peyre and Cuturi, Computational Optimal Transport (2019), sections 2.3 and 2.5.

    x: [N, D], y: [M, D]. Raises ValueError for samples that are empty, of different dimensions, or too many to be solved at once.
    """
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1] or 0 in (*x.shape, *y.shape):
        shapes = f"{list(x.shape)} and {list(y.shape)}"
        raise ValueError(f"x and y must be points [N, D] and [M, D] of one dimension, got {shapes}")
    N, M = len(x), len(y)
    if N * M > 10_000:
        raise ValueError(f"{N} and {M} points make {N * M:,} unknowns, the limit is 10,000: use fewer points")
    from scipy.optimize import linprog  # here: it takes a third of a second, and the room is used without it

    cost = torch.cdist(x.double().cpu(), y.double().cpu(), compute_mode="donot_use_mm_for_euclid_dist")
    # With the plan as one long vector, row by row: which of its entries belong to row i, which to column j.
    rows = torch.kron(torch.eye(N), torch.ones(1, M))
    columns = torch.kron(torch.ones(1, N), torch.eye(M))
    sums, masses = torch.cat([rows, columns]), [1 / N] * N + [1 / M] * M
    answer = linprog(cost.flatten().numpy(), A_eq=sums.numpy(), b_eq=masses, method="highs")
    multipliers = torch.tensor(answer.eqlin.marginals)
    return Transport(float(answer.fun), torch.tensor(answer.x).view(N, M), multipliers[:N], -multipliers[N:])
