"""The dual solved exactly: ADMM finds which alphas are on the box's bounds, conjugate gradients solve for the others.

Both take one product with the shared matrix an iteration, for all anchors together; their numbers are fixed, so the
host never waits for the device.
"""

import torch
from torch import Tensor

from contrastive.losses.support_vectors.dual import Dual, gradient, kkt_residual, project

RELEASED = ("all", "none", "worst", "none") * 2
"""Which alphas that want to leave a bound may do so, in each round of polishing."""
STEPS = 12
"""Of conjugate gradients a round."""


def exact(dual: Dual, iterations: int = 40) -> Tensor:
    """The minimiser within the box.

    ADMM (over-relaxed by 1.6) splits the objective from the box:

        x = (Delta + rho)⁻¹ (2 + rho (z - u)),   z = clip(1.6 x - 0.6 z + u),   u = u + (1.6 x - 0.6 z_before) - z.

    It finds the bounds soon and the digits slowly, so `_polish` has the last word.

    Args:
        dual: whose every Delta is positive definite.
        iterations: of ADMM.
    """
    rho = 2 * (dual.spread() + dual.regularisation)
    solve = dual.resolvent(rho).solve
    alpha, price = dual.zeros(), dual.zeros()
    for _ in range(iterations):
        relaxed = 1.6 * solve(2 + rho * (alpha - price)) - 0.6 * alpha
        alpha = project(dual, relaxed + price)
        price = price + relaxed - alpha
    return _polish(dual, alpha)


def _polish(dual: Dual, alpha: Tensor) -> Tensor:
    """Minimise over the alphas that are free, clip, see who is free now, and again.

    Where a round pushes alphas over a bound, the others settle ("none") before anyone is released; and since
    releasing "all" can go round in circles, every other time only the "worst" goes. Without these two, one small batch
    in a thousand keeps an anchor unsolved. Of all rounds each anchor keeps the alphas of the smallest KKT residual.
    """
    slope = gradient(dual, alpha)
    best, least = alpha, kkt_residual(dual, alpha, slope)
    for released in RELEASED:
        held = _held(dual, alpha, slope, released)
        alpha = project(dual, alpha + _conjugate_gradients(dual, -slope.masked_fill(held, 0), held))
        slope = gradient(dual, alpha)
        residual = kkt_residual(dual, alpha, slope)
        best = torch.where(residual < least, alpha, best)
        least = torch.minimum(residual, least)
    return best


def _held(dual: Dual, alpha: Tensor, slope: Tensor, released: str) -> Tensor:
    """Which alphas stay on their bound; an anchor's own is always one of them."""
    low, high = alpha <= 0, alpha >= dual.penalty
    if released == "none":
        return low | high
    pull = torch.where(high, slope, -slope)
    least = pull.masked_fill(~(low | high), 0).amax(1, keepdim=True) if released == "worst" else 0
    return (low | high) & ((pull <= 0) | (pull < least))


def _conjugate_gradients(dual: Dual, right: Tensor, held: Tensor) -> Tensor:
    """Delta x = right over the alphas that are not held, each anchor for itself."""
    # An anchor that is done divides 0 by this and stands still.
    tiny = torch.finfo(right.dtype).tiny
    step, residual, direction = torch.zeros_like(right), right, right
    size = right.square().sum(1, keepdim=True)
    for _ in range(STEPS):
        product = dual.hessian(direction).masked_fill(held, 0)
        length = size / ((direction * product).sum(1, keepdim=True) + tiny)
        step = step + length * direction
        residual = residual - length * product
        before, size = size, residual.square().sum(1, keepdim=True)
        direction = residual + size / (before + tiny) * direction
    return step
