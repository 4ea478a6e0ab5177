"""Nearest neighbours as positives, the loss of NNCLR (Dwibedi et al. 2021)."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import (
    check_columns,
    check_pairs,
    check_positive,
    check_several,
    log_sum,
    product,
    unit_rows,
)


@torch.no_grad()
def support_neighbours(z: Float[Tensor, "n d"], support: Float[Tensor, "k d"]) -> Float[Tensor, "n d"]:
    """Swap each embedding for its nearest neighbour, by cosine, in a support set (NNCLR, eq. 2).

    for i in n:  support[ argmax over u of s[i, u] ],   s = cosine of z[i] and support[u]

    Of neighbours equally near the first counts.

    Args:
        z: embeddings; need not be normalised. No gradient.
        support: earlier embeddings, one a row. No gradient.

    Returns:
        For each embedding a row of the support set, at length 1.

    Raises:
        ValueError: shapes do not fit, or an empty support set.

    Paper: https://arxiv.org/abs/2104.14548

    Example:
        >>> import torch
        >>> from contrastive.losses import support_neighbours
        >>> support_neighbours(torch.tensor([[0.9, 0.5]]), torch.eye(2))
        tensor([[1., 0.]])
    """
    where = "support_neighbours"
    check_columns(where, z.shape[-1], z=z, support=support)
    rows = unit_rows(support)
    return rows[product(unit_rows(z), rows.T).argmax(1)]


def nnclr(
    prediction: Float[Tensor, "n d"], neighbour: Float[Tensor, "n d"], *, temperature: float
) -> Float[Tensor, ""]:
    """Each neighbour must pick, out of the batch, the prediction that is made of its own image (NNCLR, eq. 3).

    for i in n:  -log( exp(nn[i].p[i] / t) / sum over j of exp(nn[i].p[j] / t) )

    One direction; the method adds the other. On several processes, call it on both gathered, the predictions
    with gradient.

    Args:
        prediction: p, of one view of each image; need not be normalised.
        neighbour: nn, `support_neighbours` of the other views' embeddings, in the same order; no gradient.
        temperature: t.

    Returns:
        The mean over the neighbours.

    Raises:
        ValueError: shapes differ, fewer than two samples (no negative), or a temperature not above 0.

    Paper: https://arxiv.org/abs/2104.14548

    Example:
        >>> import torch
        >>> from contrastive.losses import nnclr
        >>> z = torch.eye(4)
        >>> round(nnclr(z, z, temperature=0.5).item(), 3)
        0.341
    """
    check_positive("nnclr", temperature=temperature)
    check_pairs("nnclr", prediction=prediction, neighbour=neighbour)
    check_several("nnclr", prediction=prediction)
    p, nn = unit_rows(prediction), unit_rows(neighbour.detach())
    itself = torch.arange(len(p), device=p.device)[:, None]
    positive = (nn * p).sum(1) / temperature
    return -logsigmoid(positive - log_sum(nn, p, temperature, excluded=itself)).mean()
