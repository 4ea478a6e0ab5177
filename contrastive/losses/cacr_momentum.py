"""CACR with a target network: the published forms on MoCo v2 (a queue) and on MoCo v3 (views re-weighted)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from contrastive.losses import attraction as parts
from contrastive.losses.attraction import Cost, Variant
from contrastive.losses.rows import check_columns, check_positive, cosine_logits, product, unit_rows


def cacr_queue(
    queries: Float[Tensor, "v n d"],
    keys: Float[Tensor, "g n d"],
    queue: Float[Tensor, "k d"],
    *,
    attraction_temperature: float,
    repulsion_temperature: float,
    attraction_weight: float = 1.0,
    repulsion_weight: float = 1.0,
    variant: Variant = "full",
    intra_batch: bool = True,
) -> Float[Tensor, ""]:
    """CACR on momentum keys and a queue: the paper's form on MoCo v2, for its large data sets.

    pi+[p, h, i] = softmax over key views h != p of  attraction_temperature * d2(q[p, i], key[h, i])
    pi-[p, i, c] = softmax over candidates c of  -repulsion_temperature * d2(q[p, i], c)
    loss = mean over p, i of  attraction_weight * sum of pi+ * d2 - repulsion_weight * sum of pi- * d2

    The candidates are the queue and, with `intra_batch`, the other queries of the same view. As published,
    pi+ is a constant, and in pi- the distances to the queue are constants while those to the other queries
    are not: gradient flows through their logits, and so through the sum that divides all weights. Unlike the
    released code, every query view meets the queue: there all views reuse the first view's distances to it.

    `queries` are online embeddings of v views, the first g of them those of `keys`, target embeddings; more,
    such as local crops, are queries only. `queue` holds earlier keys, one a row. None need be normalised, and no
    gradient reaches keys and queue. The other keywords are those of `cacr`. What it refuses is refused, and so
    are shapes that do not fit and fewer than two views of keys: a query's own view is no positive.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.losses import cacr_queue
        >>> views = torch.eye(3).expand(2, 3, 3)
        >>> queue = -torch.eye(3)
        >>> loss = cacr_queue(views, views, queue, attraction_temperature=1.0, repulsion_temperature=2.0)
        >>> round(loss.item(), 3)
        -2.009
    """
    hot, cold = parts.temperatures("cacr_queue", variant, attraction_temperature, repulsion_temperature)
    parts.check_weights("cacr_queue", attraction_weight, repulsion_weight)
    _check_queries(queries, keys, queue)
    q, k = parts.unit_views(queries), parts.unit_views(keys.detach())
    loss = q.new_zeros(())
    if attraction_weight:
        cosines = parts.of_same_images(q, k)
        loss = loss + attraction_weight * parts.distance(cosines, parts.shares(cosines.detach(), -2 * hot))
    if repulsion_weight:
        loss = loss - repulsion_weight * _distance_to_queue(q, unit_rows(queue.detach()), cold, intra_batch)
    return loss


def cacr_reweighted(
    queries: Float[Tensor, "v n d"], key: Float[Tensor, "n d"], *, temperature: float, cost: Cost = "rbf"
) -> Float[Tensor, ""]:
    """Weight the losses of several query views on one key view, more those farther from it: the form on MoCo v3.

    share[p, i] = softmax over views p of  d2(q[p, i], k[i]) / temperature                      (a constant)
    "rbf":  2 * temperature * mean over i of  sum over p of share * -log softmax over j (q[p, i].k[j] / t)[i]
    "euclidean":  mean over i of  sum over p of share * (sum over j != i of w[j] q[p, i].k[j] - q[p, i].k[i])
                  w = softmax over j != i of q[p, i].k[j] / temperature                         (a constant)

    The form released for ImageNet. There the shares weight all of InfoNCE, its repulsion too, and with one
    query view they are 1: "rbf" is then the loss of MoCo v3. The release sums "euclidean" over images, so
    that its scale grows with the batch; here both are means. Average over the keys' views, each with the
    queries of the other views.

    Args:
        queries: online embeddings of v views other than the key's; need not be normalised.
        key: target embeddings of one view; no gradient.
        temperature: of the cosines and of the shares.
        cost: "rbf" is InfoNCE, the released default.

    Returns:
        The mean over the images.

    Raises:
        ValueError: shapes do not fit, fewer than two images, a temperature not above 0, or an unknown cost.

    Paper: https://arxiv.org/abs/2105.03746

    Example:
        >>> import torch
        >>> from contrastive.losses import cacr_reweighted
        >>> key = torch.eye(3)
        >>> queries = key.expand(2, 3, 3)
        >>> round(cacr_reweighted(queries, key, temperature=1.0).item(), 3)
        1.103
    """
    check_positive("cacr_reweighted", temperature=temperature)
    parts.check_cost("cacr_reweighted", cost)
    parts.check_shapes(
        "cacr_reweighted",
        queries.ndim == 3 and len(queries) > 0 and queries.shape[1] > 1 and queries.shape[1:] == key.shape,
        "(1 view or more, samples, width) and (samples, width), for 2 samples or more: the others repel",
        queries=queries,
        key=key,
    )
    q, k = parts.unit_views(queries), unit_rows(key.detach())
    positive = (q * k).sum(2) / temperature
    share = (-2 * positive.detach()).softmax(0)
    own = torch.arange(len(k), device=k.device).repeat(len(q))[:, None]
    others = cosine_logits(q.flatten(0, 1), k, temperature, excluded=own)
    if cost == "rbf":
        each = -2 * temperature * logsigmoid(positive - others.logsumexp(1).view_as(positive))
    else:
        mean_other = product(others.detach().softmax(1), k).view_as(q)
        each = (q * (mean_other - k)).sum(2)
    return (share * each).sum(0).mean()


def _distance_to_queue(
    q: Float[Tensor, "v n d"], queue: Float[Tensor, "k d"], temperature: float, intra_batch: bool
) -> Float[Tensor, ""]:
    """Return the mean over queries of the weighted mean of d2 to the queue and to the other queries of the view.

    The weights within the queue are constants: sum_u w[u] (q.u) = q.(sum_u w[u] u). So the queue is one
    candidate, its weighted mean, with the sum of its weights; nothing of size (v n, k) waits for the backward.
    """
    logits = product(2 * temperature * q.detach().flatten(0, 1), queue.T)
    mean = product(logits.softmax(1), queue).view_as(q)
    mass = logits.logsumexp(1).view(*q.shape[:2], 1)
    cosines = (q * mean).sum(2, keepdim=True)
    if intra_batch:
        among = product(q, q.mT)
        own = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
        mass = torch.cat([mass, (2 * temperature * among).masked_fill_(own, -math.inf)], dim=2)
        cosines = torch.cat([cosines, among], dim=2)
    return parts.distance(cosines, mass.softmax(2))


def _check_queries(queries: Tensor, keys: Tensor, queue: Tensor) -> None:
    parts.check_shapes(
        "cacr_queue",
        queries.ndim == keys.ndim == 3
        and 1 < len(keys) <= len(queries)
        and queries.shape[1:] == keys.shape[1:]
        and 0 not in keys.shape,
        "(views, samples, width) twice, alike but for further views of queries; "
        "2 views of keys or more, for a query's own view does not attract it",
        queries=queries,
        keys=keys,
    )
    check_columns("cacr_queue", queries.shape[2], queue=queue)
