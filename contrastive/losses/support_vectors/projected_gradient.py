"""The published iterative solver, for reproducing its values; `exact` is better and cheaper."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.support_vectors.dual import DualBatch, gradient, to_box


@dataclass(frozen=True, kw_only=True, eq=False)
class ProjectedGradient:
    """Options of the published solver; the defaults are those of its CIFAR-100 code."""

    iterations: int = 1000
    step: float = 1e-3
    normalised_step: bool = False
    """Step 1 / |Delta_i| (Frobenius) for each anchor instead of `step`, as the ImageNet recipes run."""
    stop: float = 0.01
    """Mean over anchors and negatives of |change| / (alpha + 1e-7), below which all anchors end."""
    accelerated: bool = True
    """Nesterov's momentum."""
    start: Float[Tensor, "n n"] | None = None
    """First alphas, row = anchor; None: positive parts of normal draws."""
    first_coefficient: float | None = None
    """Momentum's first coefficient, in (0, 1); None: a uniform draw, as published."""
    seed: int = 0
    """Seed of the two draws."""


def descend(dual: DualBatch, options: ProjectedGradient) -> Tensor:
    """Step a = clip(v - step (Delta v - 2)) from a random start, until the change is small.

    v is a, or with momentum a + t (1 - t) / (t² + t') * (a - a_before), t' = (sqrt(t⁴ + 4 t²) - t²) / 2.
    """
    alpha, t = _start(dual, options)
    step = 1 / _frobenius(dual) if options.normalised_step else options.step
    ahead, pairs = alpha, alpha.numel() - len(alpha)
    for _ in range(options.iterations):
        before, alpha = alpha, to_box(dual, ahead - step * gradient(dual, ahead))
        change = ((alpha - before).abs() / (before + 1e-7)).sum() / pairs
        if change < options.stop:
            break
        ahead = alpha
        if options.accelerated:
            t_next = ((t**4 + 4 * t**2) ** 0.5 - t**2) / 2
            ahead = alpha + t * (1 - t) / (t**2 + t_next) * (alpha - before)
            t = t_next
    return alpha


def _start(dual: DualBatch, options: ProjectedGradient) -> tuple[Tensor, float]:
    """Return first alphas and momentum coefficient, drawn on the host: the same on every device."""
    generator = torch.Generator().manual_seed(options.seed)
    drawn = torch.randn(dual.gram.shape, generator=generator, dtype=torch.float64)
    uniform = torch.rand((), generator=generator, dtype=torch.float64).clamp(min=1e-8).item()
    start = drawn if options.start is None else options.start
    t = uniform if options.first_coefficient is None else options.first_coefficient
    return to_box(dual, start.to(dual.gram, copy=True)), t


def _frobenius(dual: DualBatch) -> Float[Tensor, "n 1"]:
    """Return the norm of each Delta; the sums over all pairs of rows come from those of the centred kernel."""
    g, n, c = dual.gram, len(dual.gram), dual.regularisation
    own = g.diagonal() + dual.excess
    without = (
        g.square().sum() + 2 * n * g.square().sum(1) + (n * own).square() - (2 * n - 1) * dual.excess.square()
    )
    trace = g.trace() + n * own - dual.excess
    return (without + 2 * c * trace + (n - 1) * c**2).sqrt()[:, None]
