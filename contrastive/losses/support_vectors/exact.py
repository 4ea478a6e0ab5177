"""The dual solved exactly: ADMM finds which alphas are on the box's bounds, conjugate gradients solve for the others.

Both take one product with the shared matrix an iteration, for all anchors together; their numbers are fixed, so the
host never waits for the device.
"""

import torch
from torch import Tensor

from contrastive.losses.support_vectors.dual import Dual, gradient, to_box

RELEASED = (True, False) * 4
"""Whether an alpha at a bound may leave it, for each round of polishing."""
STEPS = 12
"""Number of steps of conjugate gradients in a round."""


def exact(dual: Dual, iterations: int = 40) -> Tensor:
    """Return the minimiser within the box.

    ADMM (over-relaxed by 1.6) splits the objective from the box:

        x = (Delta + rho)⁻¹ (2 + rho (z - u)),   z = clip(1.6 x - 0.6 z + u),   u = u + (1.6 x - 0.6 z_before) - z.

    It finds the bounds soon and the digits slowly, so `_polish` finishes the solution.

    Args:
        dual: duals whose every Delta is positive definite.
        iterations: number of ADMM iterations.
    """
    rho = dual.spread() + dual.regularisation
    solve = dual.resolvent(rho).solve
    alpha, price = dual.zeros(), dual.zeros()
    for _ in range(iterations):
        relaxed = 1.6 * solve(2 + rho * (alpha - price)) - 0.6 * alpha
        alpha = to_box(dual, relaxed + price)
        price = price + relaxed - alpha
    return _polish(dual, alpha)


def _polish(dual: Dual, alpha: Tensor) -> Tensor:
    """Minimise over the alphas that are free, clip, and again.

    Every other round, the alpha that pulls most at its bound becomes free; more than one at a time can go round in
    circles, and so can releasing before the others have settled where a round has pushed alphas over a bound.
    """
    for released in RELEASED:
        slope = gradient(dual, alpha)
        low, high = alpha <= 0, alpha >= dual.penalty
        pull = torch.where(low, -slope, torch.where(high, slope, 0))
        leaves = (pull >= pull.amax(1, keepdim=True)) & released
        held = (low | high) & ~leaves
        alpha = to_box(dual, alpha + _conjugate_gradients(dual, -slope.masked_fill(held, 0), held))
    return alpha


def _conjugate_gradients(dual: Dual, right: Tensor, held: Tensor) -> Tensor:
    """Solve Delta x = right over the alphas that are not held, each anchor for itself."""
    # An anchor that is done divides 0 by it and stands still.
    tiny = torch.finfo(right.dtype).tiny
    step, residual, direction = torch.zeros_like(right), right, right
    size = right.square().sum(1, keepdim=True)
    for _ in range(STEPS):
        product = dual.hessian(direction).masked_fill(held, 0)
        length = size / (direction * product).sum(1, keepdim=True).clamp(min=tiny)
        step = step + length * direction
        residual = residual - length * product
        before, size = size, residual.square().sum(1, keepdim=True)
        direction = residual + size / before.clamp(min=tiny) * direction
    return step
