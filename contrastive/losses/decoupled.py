"""Decoupled contrastive loss, plain and weighted (Yeh et al. 2022)."""

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import (
    check_pairs,
    check_positive,
    check_several,
    log_sum,
    self_and_twin,
    unit_rows,
)


def decoupled(
    z1: Float[Tensor, "n d"],
    z2: Float[Tensor, "n d"],
    *,
    temperature: float,
    sigma: float | None = None,
) -> Float[Tensor, ""]:
    """NT-Xent without the positive in the denominator: DCL, and with weights on the positives DCLW (eq. 6).

    for i in 2n:  -w[i] * s[i, twin(i)] / t + log( sum over j other than i and twin(i) of exp(s[i, j] / t) )
                  w[i] = 1                                                               (sigma None: DCL)
                       = 2 - exp(s[i, twin(i)] / sigma) / mean over k in 2n of exp(s[k, twin(k)] / sigma)
    s = cosine

    The weights are constants: no gradient flows through them. Their mean is 1; a positive that is nearer than
    most weighs less, and one much nearer is pushed away. On several processes, call it on the embeddings
    gathered with gradient.

    Args:
        z1: embeddings of the first views; need not be normalised.
        z2: embeddings of the second views, in the same order.
        temperature: t.
        sigma: the smaller, the more unlike the weights; None: all are 1.

    Returns:
        The mean over the 2n anchors; gradients reach both arguments. Not bounded by 0 from below.

    Raises:
        ValueError: shapes differ, fewer than two samples (no negative), or a temperature or sigma not above 0.

    Paper: https://arxiv.org/abs/2110.06848

    Example:
        >>> import torch
        >>> from contrastive.losses import decoupled
        >>> z = torch.eye(4)
        >>> round(decoupled(z, z, temperature=0.5).item(), 3)
        -0.208
    """
    where = "decoupled"
    check_positive(where, temperature=temperature, **({} if sigma is None else {"sigma": sigma}))
    check_pairs(where, z1=z1, z2=z2)
    check_several(where, z1=z1)
    first, second = unit_rows(z1), unit_rows(z2)
    z, n = torch.cat([first, second]), len(z1)
    others = log_sum(z, z, temperature, excluded=self_and_twin(n, z.device))
    twin = (first * second).sum(1)
    if sigma is not None:
        twin = twin * (2 - n * (twin.detach() / sigma).softmax(0))
    return others.mean() - twin.mean() / temperature
