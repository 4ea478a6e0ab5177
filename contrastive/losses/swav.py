"""Swapped assignments to prototypes, the loss of SwAV (Caron et al. 2020), and their codes by Sinkhorn and Knopp."""

import torch
from jaxtyping import Float
from torch import Tensor

from contrastive.losses.rows import check_columns, check_positive, product, unit_rows


@torch.no_grad()
def sinkhorn(scores: Float[Tensor, "n k"], *, epsilon: float, iterations: int = 3) -> Float[Tensor, "n k"]:
    """Codes that follow the scores and share all samples out evenly among the prototypes (SwAV, eq. 3 to 5).

    q[j, c] = exp(scores[j, c] / epsilon)
    `iterations` times:
        divide each column of q by its sum: every prototype has as many samples
        divide each row of q by its sum: every sample is one

    In logarithms, so that no power leaves the range of the numbers.

    Args:
        scores: similarity of each sample to each prototype.
        epsilon: small for codes that pick one prototype, large for even ones.
        iterations: the authors' is 3.

    Returns:
        Rows that sum to 1, without gradient.

    Raises:
        ValueError: no sample or prototype, an epsilon not above 0, or no iteration.

    Paper: https://arxiv.org/abs/2006.09882

    Example:
        >>> import torch
        >>> from contrastive.losses import sinkhorn
        >>> scores = torch.tensor([[0.9, 0.1], [0.8, 0.1]])  # both samples prefer the first prototype
        >>> sinkhorn(scores, epsilon=0.01, iterations=10).round().tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    where = "sinkhorn"
    check_positive(where, epsilon=epsilon)
    check_columns(where, max(1, scores.shape[1]), scores=scores)
    if iterations < 1:
        raise ValueError(f"{where}: iterations={iterations} given; needs 1 or more, such as 3.")
    logits = scores.to(torch.promote_types(scores.dtype, torch.float32)) / epsilon
    for _ in range(iterations):
        logits = logits.log_softmax(0)
        logits = logits.log_softmax(1)
    return logits.exp()


def swav(
    z: Float[Tensor, "v n d"],
    prototypes: Float[Tensor, "k d"],
    queue: Float[Tensor, "q d"] | None = None,
    *,
    temperature: float = 0.1,
    epsilon: float = 0.05,
    iterations: int = 3,
    assigned: int = 2,
) -> Float[Tensor, ""]:
    """Each view must predict the other views' codes from its similarity to the prototypes (SwAV, eq. 2 and 6).

    for a in assigned views:  q = rows of `sinkhorn`(cosines of queue and z[a] with the prototypes) that are z[a]'s
        for each other view v, sample j:
            -sum over c of q[j, c] log( exp(s[v, j, c] / t) / sum over c' of exp(s[v, j, c'] / t) ),   s = cosine

    On several processes, call it on the embeddings gathered with gradient: codes are of the whole batch.

    Args:
        z: embeddings, view by view, the assigned ones first; need not be normalised.
        prototypes: need not be normalised.
        queue: embeddings of earlier steps, which share the prototypes in a small batch; no gradient.
        temperature: t.
        epsilon: of `sinkhorn`.
        iterations: of `sinkhorn`.
        assigned: how many of the views have a code; the others, small crops, only predict.

    Returns:
        The mean over pairs of views and samples; gradients reach `z` and `prototypes`, none passes through codes.

    Raises:
        ValueError: fewer than two views, no assigned one or more than views, no sample, widths differ, a temperature
            or epsilon not above 0, or no iteration.

    Paper: https://arxiv.org/abs/2006.09882

    Example:
        >>> import torch
        >>> from contrastive.losses import swav
        >>> rows = torch.eye(4)
        >>> round(swav(torch.stack([rows, rows]), rows, temperature=0.1).item(), 4)  # a prototype for each sample
        0.0001
    """
    where = "swav"
    check_positive(where, temperature=temperature)
    views, n, width = z.shape
    if views < 2 or not 1 <= assigned <= views:
        raise ValueError(
            f"{where}: {views} views given, {assigned} of them assigned; needs 2 views or more, 1 or more assigned."
        )
    others = {} if queue is None else {"queue": queue}
    check_columns(where, width, z=z.flatten(0, 1), prototypes=prototypes, **others)
    centres = unit_rows(prototypes)
    scores = product(unit_rows(z.flatten(0, 1)), centres.T).unflatten(0, (views, n))
    earlier = scores.new_empty(0, len(centres)) if queue is None else product(unit_rows(queue), centres.T)
    predicted = (scores / temperature).log_softmax(2)
    terms: list[Tensor] = []
    for a in range(assigned):
        code = sinkhorn(torch.cat([earlier, scores[a]]), epsilon=epsilon, iterations=iterations)[-n:]
        terms += [-(code * predicted[view]).sum(1).mean() for view in range(views) if view != a]
    return torch.stack(terms).mean()
