"""The published closed form: the minimiser without the box, moved into the box."""

from torch import Tensor

from contrastive.losses.support_vectors.dual import Dual, Resolvent, gradient, to_box


def inverse(dual: Dual, resolvent: Resolvent) -> Tensor:
    """Return clip(Delta_i⁻¹ 2, 0, penalty) for every anchor, from one Cholesky factor.

    It solves the dual only where nothing is clipped; elsewhere it is a loss of its own.

    Why one factor is enough. Let G be the centred kernel, M = G + mu with mu = regularisation, and D = S - 1 e_i' the
    matrix that drops row i and takes it from the others (S drops row i). Then DD' = 1 + 11', so

        Delta_i = D G D' + mu + excess_i 11' = D M D' - (mu - excess_i) 11'.

    The rows of D are a basis of the vectors of sum 0. Let P invert M on those: P = M⁻¹ - M⁻¹11'M⁻¹ / 1'M⁻¹1, which is
    M⁻¹ - 11' / (n mu), for G1 = 0; so P1 = 0 and P M = 1 - 11' / n. Then P without row and column i, S P S', is the
    inverse of D M D': a matrix of row and column sums 0 is D' S P S' D, thus D' (S P S') (D M D') = P M D' = D'. By
    P1 = 0 again (D M D')⁻¹ 1 = -P_i and 1' (D M D')⁻¹ 1 = P_ii, and Sherman-Morrison gives

        Delta_i⁻¹ r = y + s / (1 - s P_ii) * P_i y_i   at j != i,   y = P r,   s = mu - excess_i,

    and for r = 2 (1 - e_i), where y = -2 P_i:   Delta_i⁻¹ 2 = -2 P_ij / (1 - s P_ii).

    Newton's step from 0 is that solution; a second one, from there, restores the digits float32 has lost.

    Args:
        dual: duals of any kind; `Queue` does the same by Woodbury's identity.
        resolvent: resolvent of the duals at shift 0.
    """
    free = dual.zeros()
    for _ in range(2):
        free = free - resolvent.solve(gradient(dual, free))
    return to_box(dual, free)
