"""Alignment and uniformity, the loss of Wang & Isola (2020)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_not_negative, check_pairs, check_positive, cosine_logits, unit_rows


def align_uniform(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    alignment_exponent: float = 2.0,
    uniformity_temperature: float = 2.0,
    alignment_weight: float = 1.0,
    uniformity_weight: float = 1.0,
) -> Float[Tensor, ""]:
    """Pull two views of an image together and all images of a view apart (Wang & Isola, eq. 1 and 2).

    align = mean over i of |x[i] - y[i]|^a,   x, y = unit rows of z1, z2
    uniform(x) = log( mean over i < j of exp(-t |x[i] - x[j]|^2) )
    alignment_weight * align + uniformity_weight * (uniform(x) + uniform(y)) / 2

    Args:
        z1: embeddings of the first views; need not be normalised.
        z2: embeddings of the second views, in the same order.
        alignment_exponent: a.
        uniformity_temperature: t; at large values only close pairs count.
        alignment_weight: factor of the first term.
        uniformity_weight: factor of the second term.

    Returns:
        The loss; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples (no pair to part), a or t not above 0, or a weight
            that is negative or both 0.

    Paper: https://arxiv.org/abs/2005.10242

    Example:
        >>> import torch
        >>> from contrastive.losses import align_uniform
        >>> z = torch.eye(3)  # views that agree, images at right angles
        >>> round(align_uniform(z, z).item(), 3)
        -4.0
    """
    where = "align_uniform"
    check_positive(
        where, alignment_exponent=alignment_exponent, uniformity_temperature=uniformity_temperature
    )
    check_not_negative(where, alignment_weight=alignment_weight, uniformity_weight=uniformity_weight)
    if alignment_weight == uniformity_weight == 0:
        raise ValueError(f"{where}: both weights are 0: nothing is left. Give one above 0, such as 1.")
    check_pairs(where, z1=z1, z2=z2)
    if len(z1) < 2:
        raise ValueError(f"{where}: 1 sample given; needs 2 or more, for uniformity is of pairs.")
    x, y = unit_rows(z1), unit_rows(z2)
    distance = torch.linalg.vector_norm(x - y, dim=1)
    # Where two views coincide the slope is 0, also of a power below 1.
    apart = distance.where(distance > 0, 1).pow(alignment_exponent).where(distance > 0, 0)
    uniform = _uniform(x, uniformity_temperature) + _uniform(y, uniformity_temperature)
    return alignment_weight * apart.mean() + uniformity_weight * uniform / 2


def _uniform(x: Float[Tensor, "n d"], temperature: float) -> Float[Tensor, ""]:
    """Return the log of the mean Gaussian potential of pairs; for unit rows |x - y|^2 = 2 - 2 x.y."""
    n = len(x)
    itself = torch.arange(n, device=x.device)[:, None]
    logits = cosine_logits(x, x, 1 / (2 * temperature), excluded=itself)
    return logits.logsumexp((0, 1)) - 2 * temperature - math.log(n * (n - 1))
