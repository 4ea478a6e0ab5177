"""InfoNCE with a queue of negatives, the loss of MoCo (He et al. 2020)."""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses.rows import check_columns, check_pairs, check_positive, log_sum, unit_rows


def info_nce(
    query: Float[Tensor, "n d"], key: Float[Tensor, "n d"], queue: Float[Tensor, "k d"], *, temperature: float
) -> Float[Tensor, ""]:
    """Each query must pick its own key out of that key and the queue (MoCo, eq. 1).

    for i in n:  -log( exp(q[i].k[i] / t) / (exp(q[i].k[i] / t) + sum over u of exp(q[i].queue[u] / t)) )

    Args:
        query: online embeddings; need not be normalised.
        key: target embeddings of the other views, in the same order; no gradient.
        queue: earlier keys, one a row; no gradient.
        temperature: t.

    Returns:
        The mean over the queries.

    Raises:
        ValueError: shapes do not fit, an empty queue, or a temperature not above 0.

    Paper: https://arxiv.org/abs/1911.05722

    Example:
        >>> import torch
        >>> from contrastive.losses import info_nce
        >>> query = key = torch.eye(4)
        >>> queue = -torch.eye(4)
        >>> round(info_nce(query, key, queue, temperature=0.2).item(), 3)
        0.02
    """
    check_positive("info_nce", temperature=temperature)
    check_pairs("info_nce", query=query, key=key)
    check_columns("info_nce", query.shape[1], queue=queue)
    q, k, negatives = unit_rows(query), unit_rows(key.detach()), unit_rows(queue.detach())
    positive = (q * k).sum(1) / temperature
    return -logsigmoid(positive - log_sum(q, negatives, temperature)).mean()
