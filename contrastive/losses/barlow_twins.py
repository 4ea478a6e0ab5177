"""The cross-correlation loss of Barlow Twins (Zbontar et al. 2021)."""

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_not_negative, check_pairs, check_positive, check_several, product

EPSILON = 1e-5
"""Added to each variance, as batch normalisation has it in the authors' code."""


def barlow_twins(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"], *, redundancy_weight: float, scale: float = 1.0
) -> Float[Tensor, ""]:
    """Make the cross-correlation of two views' coordinates the identity (Barlow Twins, eq. 1 and 2).

    u[b, i] = (z1[b, i] - mean of z1[:, i]) / sqrt(variance of z1[:, i] + 1e-5), v alike of z2, over the n samples
    c[i, j] = mean over b of u[b, i] v[b, j]
    scale * ( sum over i of (1 - c[i, i])^2 + redundancy_weight * sum over i != j of c[i, j]^2 )

    On several processes, call it on the embeddings gathered with gradient: correlations are of the whole batch.

    Args:
        z1: embeddings of the first views, which are standardised here, coordinate by coordinate.
        z2: embeddings of the second views, in the same order.
        redundancy_weight: of the second term, the paper's lambda; the authors' is 0.0051.
        scale: of the whole loss.

    Returns:
        The loss, at least 0; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples (no correlation), a negative weight, a scale not above 0.

    Paper: https://arxiv.org/abs/2103.03230

    Example:
        >>> import torch
        >>> from contrastive.losses import barlow_twins
        >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        >>> round(barlow_twins(z, z.flip(1), redundancy_weight=0.5).item(), 3)  # the coordinates are exchanged
        3.0
    """
    where = "barlow_twins"
    check_not_negative(where, redundancy_weight=redundancy_weight)
    check_positive(where, scale=scale)
    check_pairs(where, z1=z1, z2=z2)
    check_several(where, z1=z1)
    correlation = product(_standardised(z1).T, _standardised(z2)) / len(z1)
    diagonal = correlation.diagonal()
    invariance = (1 - diagonal).square().sum()
    redundancy = correlation.square().fill_diagonal_(0).sum()
    return scale * (invariance + redundancy_weight * redundancy)


def _standardised(z: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    rows = z.to(torch.promote_types(z.dtype, torch.float32))
    centred = rows - rows.mean(0)
    return centred * (centred.square().mean(0) + EPSILON).rsqrt()
