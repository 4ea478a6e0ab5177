"""NT-Xent, the loss of SimCLR (Chen et al. 2020)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import check_pairs, check_positive, log_sum, self_and_twin, unit_rows


def nt_xent(z1: Float[Tensor, "n d"], z2: Float[Tensor, "n d"], *, temperature: float) -> Float[Tensor, ""]:
    """Each of the 2n embeddings must pick its twin out of the other 2n - 1 (SimCLR, eq. 1).

    for i in 2n:  -log( exp(s[i, twin(i)] / t) / sum over j != i of exp(s[i, j] / t) ),   s = cosine

    On several processes, call it on the embeddings gathered with gradient.

    Args:
        z1: embeddings of the first views; need not be normalised.
        z2: embeddings of the second views, in the same order.
        temperature: t.

    Returns:
        The mean over the 2n anchors; gradients reach both arguments.

    Raises:
        ValueError: shapes differ, fewer than two samples (no negative), or a temperature not above 0.

    Paper: https://arxiv.org/abs/2002.05709

    Example:
        >>> import torch
        >>> from contrastive.losses import nt_xent
        >>> z = torch.eye(4)
        >>> round(nt_xent(z, z, temperature=0.5).item(), 3)
        0.594
    """
    check_positive("nt_xent", temperature=temperature)
    check_pairs("nt_xent", z1=z1, z2=z2)
    n = len(z1)
    if n < 2:
        raise ValueError("nt_xent: 1 sample given; needs 2 or more, for the other samples are the negatives.")
    first, second = unit_rows(z1), unit_rows(z2)
    z = torch.cat([first, second])
    twin = ((first * second).sum(1) / temperature).repeat(2)
    others = log_sum(z, z, temperature, excluded=self_and_twin(n, z.device))
    # From the margin, not as log of a sum less the twin: a small loss keeps its digits.
    return -logsigmoid(twin - others).mean()
