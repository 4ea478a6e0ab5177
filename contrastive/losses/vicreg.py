"""Variance, invariance and covariance, the loss of VICReg (Bardes et al. 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_not_negative, check_pairs, check_several, product

EPSILON = 1e-4
"""Added to each variance, as in the paper: the slope of a root has no end at 0."""


def vicreg(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    invariance_weight: float = 25.0,
    variance_weight: float = 25.0,
    covariance_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Views together, each coordinate spread over the batch, coordinates uncorrelated (VICReg, eq. 1 to 6).

    invariance = mean over i, j of (z1[i, j] - z2[i, j])^2
    variance(z) = mean over j of max(0, 1 - sqrt(var of z[:, j] + 1e-4))
    covariance(z) = ( sum over j != k of cov(z[:, j], z[:, k])^2 ) / d
    invariance_weight * invariance + variance_weight * (variance(z1) + variance(z2)) / 2
        + covariance_weight * (covariance(z1) + covariance(z2)),   var and cov over n - 1

    As the authors' code has it. (In the paper invariance is summed over j, and the variances are not halved.) On
    several processes, call it on the embeddings gathered with gradient: statistics are of the whole batch.

    Args:
        z1: embeddings of the first views, as the expander leaves them; they are not normalised.
        z2: embeddings of the second views, in the same order.
        invariance_weight: the paper's lambda.
        variance_weight: the paper's mu.
        covariance_weight: the paper's nu.

    Returns:
        The loss, at least 0; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples (no covariance), or a negative weight.

    Paper: https://arxiv.org/abs/2105.04906

    Example:
        >>> import torch
        >>> from contrastive.losses import vicreg
        >>> z = torch.tensor([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])  # spread and uncorrelated
        >>> round(vicreg(z, z).item(), 3), round(vicreg(z, z + 1).item(), 3)
        (0.0, 25.0)
    """
    where = "vicreg"
    check_not_negative(
        where,
        invariance_weight=invariance_weight,
        variance_weight=variance_weight,
        covariance_weight=covariance_weight,
    )
    check_pairs(where, z1=z1, z2=z2)
    check_several(where, z1=z1)
    first, second = (z.to(torch.promote_types(z.dtype, torch.float32)) for z in (z1, z2))
    (variance1, covariance1), (variance2, covariance2) = _regularisers(first), _regularisers(second)
    return (
        invariance_weight * (first - second).square().mean()
        + variance_weight * (variance1 + variance2) / 2
        + covariance_weight * (covariance1 + covariance2)
    )


def _regularisers(z: Float[Tensor, "n d"]) -> tuple[Float[Tensor, ""], Float[Tensor, ""]]:
    """Variance and covariance terms of one view."""
    n, d = z.shape
    centred = z - z.mean(0)
    covariance = product(centred.T, centred) / (n - 1)
    deviations = (covariance.diagonal() + EPSILON).sqrt()
    return (1 - deviations).relu().mean(), covariance.square().fill_diagonal_(0).sum() / d
