"""Weak labels from the nearest-neighbour graph (Zheng et al. 2021)."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from contrastive.losses.rows import check_columns, check_several, product, unit_rows


@torch.no_grad()
def weak_labels(z: Float[Tensor, "n d"]) -> Int[Tensor, " n"]:
    """Label each row by the component that holds it in the graph of nearest neighbours (WCL, section 3).

    for i in n:  join i with the j != i of largest cosine
    label[i] = smallest member of i's component

    No row is alone: each component has two members or more. Of neighbours equally near to within rounding
    the first counts, so that copies of one row always share a label. On several processes, call it on the
    embeddings of all of them.

    Args:
        z: embeddings of one view; need not be normalised. No gradient.

    Raises:
        ValueError: not a matrix of two rows or more.

    Paper: https://arxiv.org/abs/2110.04770

    Example:
        >>> import torch
        >>> from contrastive.losses import weak_labels
        >>> z = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
        >>> weak_labels(z)
        tensor([0, 0, 2, 2])
    """
    check_columns("weak_labels", z.shape[-1], z=z)
    check_several("weak_labels", z=z)
    rows = unit_rows(z)
    similarity = product(rows, rows.T).fill_diagonal_(-math.inf)
    behind = similarity.amax(1, keepdim=True) - similarity
    return components((torch.finfo(rows.dtype).resolution - behind).sign().argmax(1))


def components(successor: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """Smallest member of each node's component in the graph with the edges i to successor[i].

    Whoever follows the edges ends in a cycle, one for each component, of whatever length. Pointers that
    double their stride reach it, and carry its smallest member, in log2(n) steps.
    """
    node = torch.arange(len(successor), device=successor.device)
    smallest_on_path, stride = node, successor
    for _ in range(len(node).bit_length()):
        smallest_on_path = torch.minimum(smallest_on_path, smallest_on_path[stride])
        stride = stride[stride]
    cycle = smallest_on_path[stride]
    return node.scatter_reduce(0, cycle, node, "amin")[cycle]
