"""Negatives corrected for hidden positives (debiased, Chuang et al. 2020) and weighted (HCL, Robinson et al. 2021)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import (
    check_not_negative,
    check_pairs,
    check_positive,
    product,
    self_and_twin,
    unit_rows,
)


def hard_negative(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    temperature: float,
    positive_prior: float,
    concentration: float,
) -> Float[Tensor, ""]:
    """NT-Xent with negatives weighted towards the near ones, less the positives among them (HCL).

    for i in 2n, over the N = 2n - 2 others j,  e[j] = exp(s[i, j] / t),  p = exp(s[i, twin(i)] / t),  s = cosine:
        w[j] = e[j]^concentration
        g = max( (sum of w e / mean of w - positive_prior * N * p) / (1 - positive_prior), N * exp(-1 / t) )
        -log( p / (p + g) )

    Gradients flow through the weights, as published. Robinson et al.'s defaults are t = 0.5, prior 0.1 and
    concentration 1. On several processes, call it on the embeddings gathered with gradient.

    Args:
        z1: embeddings of the first views; need not be normalised.
        z2: embeddings of the second views, in the same order.
        temperature: t.
        positive_prior: share of the negatives taken to be of the anchor's own class; 0 corrects nothing.
        concentration: 0 weights all negatives alike, which is `debiased`; both 0 is NT-Xent.

    Returns:
        The mean over the 2n anchors; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples (no negative), a temperature not above 0, a prior
            outside [0, 1), or a negative concentration.

    Paper: https://arxiv.org/abs/2010.04592

    Example:
        >>> import torch
        >>> from contrastive.losses import hard_negative
        >>> z = torch.eye(4)
        >>> loss = hard_negative(z, z, temperature=0.5, positive_prior=0.1, concentration=1.0)
        >>> round(loss.item(), 3)
        0.212
    """
    check_not_negative("hard_negative", concentration=concentration)
    return _contrast("hard_negative", z1, z2, temperature, prior=positive_prior, concentration=concentration)


def debiased(
    z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"], *, temperature: float, positive_prior: float
) -> Float[Tensor, ""]:
    """NT-Xent less the positives that hide among the negatives: debiased contrastive learning.

    `hard_negative` with all negatives weighted alike; arguments, result and errors are the same.

    Paper: https://arxiv.org/abs/2007.00224

    Example:
        >>> import torch
        >>> from contrastive.losses import debiased
        >>> z = torch.eye(4)
        >>> round(debiased(z, z, temperature=0.5, positive_prior=0.1).item(), 3)
        0.212
    """
    return _contrast("debiased", z1, z2, temperature, prior=positive_prior, concentration=0.0)


def _contrast(
    where: str, z1: Tensor, z2: Tensor, temperature: float, *, prior: float, concentration: float
) -> Tensor:
    check_positive(where, temperature=temperature)
    if not 0 <= prior < 1:
        raise ValueError(f"{where}: positive_prior={prior} given; needs 0 or more, below 1, such as 0.1.")
    check_pairs(where, z1=z1, z2=z2)
    n = len(z1)
    if n < 2:
        raise ValueError(
            f"{where}: 1 sample given; needs 2 or more, for the other samples are the negatives."
        )
    first, second = unit_rows(z1), unit_rows(z2)
    z = torch.cat([first, second])
    positive = (first * second).sum(1, keepdim=True) / temperature
    twin = torch.cat([positive, positive])
    negatives = _log_mean_negative(z, temperature, concentration)
    floor = -1 / temperature
    net = _log_difference(negatives, twin, prior).clamp(min=floor) + math.log(2 * n - 2)
    return -logsigmoid(twin - net).mean()


def _log_mean_negative(z: Tensor, temperature: float, concentration: float) -> Float[Tensor, "m 1"]:
    """Return the log of the mean of exp(s / t), weighted by its power, over all rows but the anchor and its twin."""
    excluded = self_and_twin(len(z) // 2, z.device)
    cosine = product(z, z.T)

    def log_sum(power: float) -> Tensor:
        return (cosine * (power / temperature)).scatter(1, excluded, -math.inf).logsumexp(1, keepdim=True)

    return log_sum(concentration + 1) - log_sum(concentration)


def _log_difference(whole: Tensor, part: Tensor, share: float) -> Tensor:
    """Return log( (exp(whole) - share * exp(part)) / (1 - share) ), minus infinity where that is not positive."""
    gap = part - whole + whole.new_tensor(share).log()
    some_left = gap < 0
    # Both times: a logarithm that is not taken must not be differentiated either.
    remainder = (-torch.expm1(gap.where(some_left, -math.inf))).log().where(some_left, -math.inf)
    return whole + remainder - math.log1p(-share)
