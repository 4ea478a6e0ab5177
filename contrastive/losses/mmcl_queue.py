"""MMCL with a queue of negatives that all anchors share."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.kernels import Kernel, kernel_matrix
from contrastive.losses.mmcl_duals import check_numbers, solve
from contrastive.losses.rows import check_columns, check_pairs, unit_rows
from contrastive.losses.support_vectors import Queue


def mmcl_queue(
    query: Float[Tensor, "n d"],
    key: Float[Tensor, "n d"],
    queue: Float[Tensor, "k d"],
    *,
    kernel: Kernel = "rbf",
    bandwidth: float,
    regularisation: float,
    penalty: float | None = None,
    solver: Literal["exact", "inverse"] = "exact",
) -> Float[Tensor, ""]:
    """MMCL with a queue of negatives that all anchors share (an extension: the paper has batch negatives only).

    for i in n:  f_i(q) = sum over u of a[i, u] (k(key_i, q) - k(queue_u, q)),   loss_i = -f_i(query_i)

    with anchor i's SVM trained to part key_i from the queue. The k x k inverse bounds the queue to some thousands.

    Args:
        query: online embeddings; need not be normalised.
        key: target embeddings of the other views, in the same order; no gradient.
        queue: earlier keys, one a row; no gradient.
        kernel: as in `mmcl`.
        bandwidth: as in `mmcl`.
        regularisation: as in `mmcl`.
        penalty: as in `mmcl`.
        solver: "exact" or "inverse".

    Returns:
        The mean over the queries.

    Raises:
        ValueError: as `mmcl`; an empty queue.

    Paper: https://arxiv.org/abs/2112.11450

    Example:
        >>> import torch
        >>> from contrastive.losses import mmcl_queue
        >>> key, queue = torch.eye(3), -torch.eye(3)
        >>> loss = mmcl_queue(key, key, queue, kernel="linear", bandwidth=1.0, regularisation=0.1)
        >>> round(loss.item(), 3)
        -1.29
    """
    bound = check_numbers("mmcl_queue", bandwidth, regularisation, penalty)
    check_pairs("mmcl_queue", query=query, key=key)
    check_columns("mmcl_queue", query.shape[1], queue=queue)
    q, positive, negatives = unit_rows(query), unit_rows(key.detach()), unit_rows(queue.detach())
    with torch.no_grad(), torch.autocast(q.device.type, enabled=False):
        dual = Queue.of(
            kernel_matrix(negatives, negatives, kernel, bandwidth),
            kernel_matrix(positive, negatives, kernel, bandwidth),
            kernel_matrix(positive, positive, kernel, bandwidth).diagonal(),
            regularisation,
            bound,
        )
        alphas = solve(dual, solver, kernel, convex=kernel != "tanh")
    towards_key = kernel_matrix(q, positive, kernel, bandwidth).diagonal()
    values = towards_key[:, None] - kernel_matrix(q, negatives, kernel, bandwidth)
    return -(alphas * values).sum() / len(q)
